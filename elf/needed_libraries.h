// SPDX-License-Identifier: GPL-2.0-or-later
// What a program or shared library asks the dynamic loader for.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"

namespace kdumpkit {

struct DynamicNeeds {
  // Libraries of another class or machine are passed over by the loader.
  uint8_t elf_class = 0;  // EI_CLASS
  uint16_t machine = 0;   // e_machine

  std::string interpreter;            // PT_INTERP; empty in libraries and static programs
  std::vector<std::string> needed;    // DT_NEEDED, in order; names without a folder as a rule
  std::vector<std::string> rpaths;    // DT_RPATH, split at ':'; the loader ignores it
                                      // when there is a DT_RUNPATH
  std::vector<std::string> runpaths;  // DT_RUNPATH, split at ':'
};

// kUnsupported: not an ELF file, or neither a program nor a library. kMalformed: its tables lie.
Result<DynamicNeeds> ReadDynamicNeeds(const std::string& path);

}  // namespace kdumpkit
