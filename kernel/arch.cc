// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/arch.h"

namespace kdumpkit {

const Arch* FindArch(uint16_t elf_machine) {
  for (const Arch* arch : {&X86_64Arch()}) {
    if (arch->elf_machine() == elf_machine) return arch;
  }
  return nullptr;
}

}  // namespace kdumpkit
