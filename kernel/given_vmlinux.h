// SPDX-License-Identifier: GPL-2.0-or-later
// A vmlinux that the user says is the dead kernel's: it is, or it is refused.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "elf/vmlinux.h"
#include "kernel/btf.h"
#include "kernel/vmcoreinfo.h"

namespace kdumpkit {

class GivenVmlinux {
 public:
  // Types are those of .BTF, else those of debug information (DWARF), which takes seconds. A
  // vmlinux without either is good for its symbols.
  static Result<std::unique_ptr<GivenVmlinux>> Open(const std::string& path);

  const Vmlinux& file() const { return *file_; }
  // Null when there are none: without_types() says why.
  const Btf* types() const { return types_ ? &*types_ : nullptr; }
  const std::string& without_types() const { return without_types_; }
  // BTF of modules counts on from .BTF, not from what was made of debug information.
  bool has_btf() const { return types_ && dwarf_types_.empty(); }
  // The types, and those of variables as far as debug information has them. Read when it is called
  // first: a second or two. Null only when there are no types at all.
  const Btf* TypesWithVariables() const;
  // Why variables are without types; empty before that call, or when they were read.
  const std::string& without_variables() const { return without_variables_; }

  // Fails with kUsage, naming both, unless this is the kernel that wrote `info`: by build-id (the
  // kernel states it since Linux 5.13, commit 0935288c6e00), else by release. Afterwards
  // symbols are where that kernel moved itself to.
  Status Match(const Vmcoreinfo& info);
  // Says how far the kernel moved itself from where it was linked.
  void MoveBy(uint64_t offset) { offset_ = offset; }
  uint64_t offset() const { return offset_; }
  std::optional<VirtAddr> Symbol(std::string_view name) const;

  // VMCOREINFO as far as the file has it: the release, the build-id, symbols as linked, types.
  std::string VmcoreinfoText() const;

 private:
  GivenVmlinux() = default;
  Status ReadTypes();
  Status ReadDwarf(const Btf* base, ByteBuffer& blob, std::optional<Btf>& types) const;
  Status CheckIdentity(const Vmcoreinfo& info) const;
  std::optional<std::string> ValueOf(std::string_view key) const;
  std::optional<uint64_t> LengthOf(std::string_view name) const;

  std::unique_ptr<Vmlinux> file_;
  ByteBuffer dwarf_types_;    // empty when there is .BTF
  std::optional<Btf> types_;  // points into file_ or dwarf_types_
  std::string without_types_;
  mutable bool variables_wanted_ = false;
  mutable ByteBuffer variables_blob_;
  mutable std::optional<Btf> variables_;  // on top of types_
  mutable std::string without_variables_;
  uint64_t offset_ = 0;       // modulo 2^64
  uint64_t image_begin_ = 0;  // what is below does not move: absolute and per-CPU addresses
};

}  // namespace kdumpkit
