// SPDX-License-Identifier: GPL-2.0-or-later
// Puts the capture image together: programs with their libraries, kernel modules, files.
#pragma once

#include <string>
#include <vector>

#include "initramfs/codec.h"
#include "initramfs/file_tree.h"

namespace kdumpkit {

// A file of this system, and its path in the image.
struct FileRequest {
  std::string source;
  std::string destination;
};

// A file that is made up here.
struct ImageText {
  std::string destination;
  std::string text;
  unsigned permissions = 0644;
};

struct ImagePlan {
  std::vector<FileRequest> programs;  // ELF files; their libraries come too; "/init" is one of them
  std::vector<FileRequest> files;     // as they are, with their permissions
  std::vector<ImageText> texts;
  std::string module_folder;         // "/lib/modules/6.1.0-50-amd64"; unused without modules
  std::vector<std::string> modules;  // names or aliases
  std::vector<std::string> optional_modules;  // the same; left out where the kernel has none such
  std::string firmware_folder;  // "/lib/firmware": what the modules ask for; empty: none is added
};

// One file of an image, before it is read.
struct ImageFile {
  std::string source;
  std::string destination;
  unsigned permissions = 0644;
  bool module = false;  // stored unpacked
};

// All that an image is made of; depends on the plan, and on the headers of programs and libraries,
// the indexes of modules and their lists of firmware, but reads nothing else.
struct ImageList {
  std::vector<ImageFile> files;
  std::vector<ImageText> texts;
  size_t modules = 0;
  size_t libraries = 0;
};

struct ImageContent {
  FileTree tree;
  size_t modules = 0;
  size_t libraries = 0;
};

// Modules are listed in loading order in /etc/kdumpkit/modules.
Result<ImageList> ListImage(const ImagePlan& plan);
// Reads everything. Modules are stored unpacked, because older kernels cannot do that.
Result<ImageContent> ReadImage(const ImageList& list);
// Both.
Result<ImageContent> CollectImage(const ImagePlan& plan);

// The best compression that a kernel surely unpacks: zstd if a configuration file of it is found
// (below `root`, or in the module folder) and says so, else gzip.
ImageCompression ChooseCompression(const std::string& root, const std::string& module_folder);

// Writes `path` through `path`-incomplete, which is renamed once it is on the disk; mode 0600,
// because an image may hold keys.
Status WriteImage(const std::string& path, ByteView bytes);

}  // namespace kdumpkit
