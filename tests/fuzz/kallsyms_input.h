// SPDX-License-Identifier: GPL-2.0-or-later
// The input of kallsyms_fuzz: a byte that says which shape the tables have, then the memory that
// they are in.
#pragma once

#include "tests/support/kallsyms_builder.h"

namespace kdumpkit {

constexpr uint64_t kFuzzText = 0x100000, kFuzzTables = 0x104000;
constexpr int kFuzzShapes = 8;

// Tables of a few symbols. Bits of `shape`: 0 and 1 the kind of addresses, 2 the old order (found
// by the tables' shape, not by keys).
inline KallsymsBuilder FuzzTables(int shape) {
  KallsymsBuilder builder;
  builder.kind = static_cast<KallsymsAddress>(shape & 3);
  builder.old_order = (shape & 4) != 0;
  builder.base = kFuzzText;
  builder.symbols = {{'T', "_stext", kFuzzText},
                     {'T', "__x64_sys_read", kFuzzText + 16},
                     {'d', std::string(200, 'x'), kFuzzText + 32},
                     {'B', "_end", kFuzzText + 48}};
  return builder;
}

}  // namespace kdumpkit
