// SPDX-License-Identifier: GPL-2.0-or-later
// VMCOREINFO: what a kernel says of itself for the reader of its memory, as text lines KEY=VALUE
// (Linux kernel/vmcore_info.c, kernel/crash_core.c before 6.9).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "base/error.h"

namespace kdumpkit {

class Vmcoreinfo {
 public:
  // Lines that cannot be read are kept out and listed in bad_lines(); a text without any valid
  // line, or of more than 1 MiB, is kMalformed. The text ends at its first NUL. The last of two
  // equal keys wins, as in the kernel's own readers.
  static Result<Vmcoreinfo> Parse(std::string_view text);

  // Spelled as in the kernel: Offset("page", "compound_head"), Symbol("swapper_pg_dir").
  std::optional<std::string> Text(std::string_view key) const;  // "OSRELEASE", "PAGESIZE"
  std::optional<VirtAddr> Symbol(std::string_view name) const;
  std::optional<uint64_t> Size(std::string_view type) const;
  std::optional<uint64_t> Offset(std::string_view type, std::string_view member) const;
  std::optional<uint64_t> Length(std::string_view name) const;  // LENGTH(name), array elements
  // NUMBER(name): signed in the kernel; hexadecimal where the kernel prints "0x…". Values above
  // INT64_MAX keep their bits.
  std::optional<int64_t> Number(std::string_view name) const;

  // The value of SIZE(…), OFFSET(…) or LENGTH(…), whose key is given in full.
  std::optional<uint64_t> Decimal(std::string_view key) const;

  std::optional<uint64_t> PageSize() const;  // PAGESIZE, bytes

  // The same, a missing key being a kUnsupported error that names it: "VMCOREINFO has no
  // SIZE(page)".
  Result<VirtAddr> RequireSymbol(std::string_view name) const;
  Result<uint64_t> RequireSize(std::string_view type) const;
  Result<uint64_t> RequireOffset(std::string_view type, std::string_view member) const;
  Result<uint64_t> RequireLength(std::string_view name) const;
  Result<int64_t> RequireNumber(std::string_view name) const;

  // "line 12: 'OFFSET(page.lru)=zz'", for a warning; the first few of them.
  const std::vector<std::string>& bad_lines() const { return bad_lines_; }

 private:
  Vmcoreinfo() = default;

  std::map<std::string, std::string, std::less<>> values_;
  std::vector<std::string> bad_lines_;
};

}  // namespace kdumpkit
