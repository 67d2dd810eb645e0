// SPDX-License-Identifier: GPL-2.0-or-later
// A kernel as it was linked: the ELF file vmlinux, whole or with debug information. Addresses are
// those of the file; a kernel that moved itself at boot adds its offset.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/error.h"

namespace kdumpkit {

struct VmlinuxSymbol {
  uint64_t address = 0;
  uint64_t size = 0;  // bytes; 0 when the file does not say
};

class Vmlinux {
 public:
  // The file is mapped, and of it only read what is asked for. Fails when it is no ELF program, or
  // has no table of symbols; errors name the file.
  static Result<std::unique_ptr<Vmlinux>> Open(const std::string& path);
  ~Vmlinux();
  Vmlinux(const Vmlinux&) = delete;
  Vmlinux& operator=(const Vmlinux&) = delete;

  const std::string& path() const;
  uint16_t machine() const;  // e_machine
  ByteOrder order() const;
  int word_size() const;                // bytes
  const std::string& build_id() const;  // hexadecimal; empty when there is none
  // The kernel's release (uname -r) from linux_banner; empty when the file has no contents.
  std::string Release() const;

  // A global symbol goes before local ones of the same name, then the first. Some milliseconds.
  std::optional<VmlinuxSymbol> Symbol(std::string_view name) const;
  // Up to `size` bytes at an address; empty where the file has no contents.
  ByteView Contents(uint64_t address, size_t size) const;
  // The section .BTF, valid as long as this object; empty when there is none.
  ByteView Btf() const;

 private:
  class Impl;
  explicit Vmlinux(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace kdumpkit
