// SPDX-License-Identifier: GPL-2.0-or-later
#include <algorithm>

#include "kernel/crashed_kernel.h"

namespace kdumpkit {
namespace {

constexpr size_t kFieldSize = 65;  // __NEW_UTS_LEN + 1 (Linux include/uapi/linux/utsname.h)
constexpr std::array<const char*, 6> kNames = {"sysname", "nodename", "release",
                                               "version", "machine",  "domainname"};

// Kernels before Linux 5.11 do not say where the name is: behind a reference count of four bytes
// (the key came with commit ca4a9241cc5e, "kdump: append uts_namespace.name offset to VMCOREINFO").
constexpr uint64_t kOldOffset = 4;

Result<std::string> Field(ByteView bytes, size_t index) {
  std::string_view text = AsText(bytes.subspan(index * kFieldSize, kFieldSize - 1));
  text = text.substr(0, text.find('\0'));
  // A wrong address gives anything but text.
  if (!std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; })) {
    return Malformed("{} is not text", kNames[index]);
  }
  return std::string(text);
}

}  // namespace

Result<Utsname> ReadUtsname(const CrashedKernel& kernel) {
  VirtAddr init_uts_ns = TRY(kernel.info().RequireSymbol("init_uts_ns"));
  std::optional<uint64_t> name = kernel.info().Offset("uts_namespace", "name");
  VirtAddr address = init_uts_ns + name.value_or(kOldOffset);
  std::array<std::byte, kNames.size() * kFieldSize> bytes;
  std::string context = fmt::format("init_uts_ns at 0x{:x}", init_uts_ns.value);
  TRY(kernel.NewMemory()->Read(address, bytes).In(context));
  Utsname result;
  for (size_t i = 0; i < kNames.size(); ++i) result.fields[i] = TRY(Field(bytes, i).In(context));
  // A guessed place must be confirmed.
  if (!name && result.release() != kernel.info().Text("OSRELEASE")) {
    return Unsupported("VMCOREINFO has no OFFSET(uts_namespace.name)");
  }
  return result;
}

}  // namespace kdumpkit
