// SPDX-License-Identifier: GPL-2.0-or-later
#include <algorithm>

#include "kernel/crashed_kernel.h"

namespace kdumpkit {
namespace {

constexpr size_t kFieldSize = 65;  // __NEW_UTS_LEN + 1 (Linux include/uapi/linux/utsname.h)
constexpr std::array<const char*, 6> kNames = {"sysname", "nodename", "release",
                                               "version", "machine",  "domainname"};

}  // namespace

Result<Utsname> ReadUtsname(const CrashedKernel& kernel) {
  VirtAddr init_uts_ns = TRY(kernel.info().RequireSymbol("init_uts_ns"));
  uint64_t name = TRY(kernel.info().RequireOffset("uts_namespace", "name"));
  std::array<std::byte, kNames.size() * kFieldSize> bytes;
  TRY(kernel.NewMemory()->Read(init_uts_ns + name, bytes).In("reading init_uts_ns"));
  Utsname result;
  for (size_t i = 0; i < kNames.size(); ++i) {
    std::string_view text = AsText(ByteView(bytes).subspan(i * kFieldSize, kFieldSize - 1));
    text = text.substr(0, text.find('\0'));
    // A wrong address gives anything but text.
    if (!std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; })) {
      return Malformed("init_uts_ns: {} at 0x{:x} is not text", kNames[i],
                       (init_uts_ns + name + i * kFieldSize).value);
    }
    result.fields[i] = text;
  }
  return result;
}

}  // namespace kdumpkit
