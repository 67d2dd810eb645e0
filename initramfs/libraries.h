// SPDX-License-Identifier: GPL-2.0-or-later
// Which shared libraries programs need, and where an image has to have them.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "elf/needed_libraries.h"

namespace kdumpkit {

// The loader's folders of a system: those of /etc/ld.so.conf, then its built-in ones.
std::vector<std::string> SystemLibraryFolders(const std::string& ld_so_conf = "/etc/ld.so.conf");

// Collects what programs need and finds it as the dynamic loader does: DT_RPATH, DT_RUNPATH,
// $ORIGIN, then the system's folders; libraries of another machine are passed over.
class LibrarySet {
 public:
  explicit LibrarySet(std::vector<std::string> folders) : folders_(std::move(folders)) {}

  // Adds what a program needs; a static program needs nothing. Fails when a library is missing.
  Status AddProgram(const std::string& path);

  // Path in the image -> file that belongs there. All libraries stand in the folder of the C
  // library, in which every loader looks without configuration and without a cache.
  std::map<std::string, std::string> Files() const;

 private:
  Status AddObject(const std::string& path, const DynamicNeeds& needs,
                   const std::vector<std::string>& inherited_rpaths);

  std::vector<std::string> folders_;
  std::map<std::string, std::string> libraries_;     // name -> file
  std::map<std::string, std::string> interpreters_;  // path in the image -> file
};

}  // namespace kdumpkit
