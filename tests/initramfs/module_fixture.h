// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

#include "tests/support/temp_dir.h"

namespace kdumpkit {

// A module tree like a small kernel's, indexed by depmod:
//   ring <- pci, blk;  jbd, cache <- fs;  fs softly needs "crc" (alias of crc-fast, crc_slow)
//   before and "late" after it;  core is built in;  pci needs core;
//   blk asks for the firmware blk/a.fw and blk/b.fw, pci for the first one, too.
inline constexpr const char* kTestRelease = "1.2.3-test";

// Writes it to `dir`/lib/modules/1.2.3-test; returns that folder.
std::string MakeModuleTree(const TempDir& dir);

}  // namespace kdumpkit
