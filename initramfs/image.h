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

struct ImagePlan {
  std::vector<FileRequest> programs;  // ELF files; their libraries come too; "/init" is one of them
  std::vector<FileRequest> files;     // as they are, with their permissions
  std::string module_folder;          // "/lib/modules/6.1.0-50-amd64"; unused without modules
  std::vector<std::string> modules;   // names or aliases
};

struct ImageContent {
  FileTree tree;
  size_t modules = 0;
  size_t libraries = 0;
};

// Reads everything the plan names. Modules are stored unpacked, because older kernels cannot do
// that, and listed in loading order in /etc/kdumpkit/modules.
Result<ImageContent> CollectImage(const ImagePlan& plan);

// The best compression that a kernel surely unpacks: zstd if a configuration file of it is found
// (below `root`, or in the module folder) and says so, else gzip.
ImageCompression ChooseCompression(const std::string& root, const std::string& module_folder);

// Writes `path` through `path`-incomplete, which is renamed once it is on the disk; mode 0600,
// because an image may hold keys.
Status WriteImage(const std::string& path, ByteView bytes);

}  // namespace kdumpkit
