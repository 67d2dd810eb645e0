// SPDX-License-Identifier: GPL-2.0-or-later
// Writes the tables of kallsyms into fake memory.
#pragma once

#include <string>
#include <vector>

#include "kernel/kallsyms.h"
#include "tests/support/fake_memory.h"

namespace kdumpkit {

struct KallsymsBuilder {
  struct Symbol {
    char type = 'T';
    std::string name;
    uint64_t address = 0;
  };

  std::vector<Symbol> symbols;
  KallsymsAddress kind = KallsymsAddress::kBaseRelative;
  bool long_lengths = true;
  bool old_order = false;  // addresses before the names, as before Linux 6.5
  uint64_t base = 0;       // kallsyms_relative_base
  ByteOrder order = ByteOrder::kLittle;
  size_t word_size = 8;

  // Puts the tables at virtual address `at`, for which the memory has `physical`. Returns lines of
  // VMCOREINFO that lead to them. The place of a table is in `places` afterwards.
  std::string Put(FakeMemory& memory, VirtAddr at, PhysAddr physical);
  VirtAddr PlaceOf(const std::string& table) const;

 private:
  ByteBuffer Names(std::vector<uint32_t>& markers) const;
  ByteBuffer Addresses(VirtAddr at) const;

  std::vector<std::pair<std::string, VirtAddr>> places_;
};

}  // namespace kdumpkit
