// SPDX-License-Identifier: GPL-2.0-or-later
#include "kexec/system_state.h"

#include "kexec/text.h"

namespace kdumpkit {
namespace {

struct FilePlaces {
  const char* now;
  const char* before;  // nullptr for a file that was born in the new place
};

FilePlaces PlacesOf(KexecFile file) {
  switch (file) {
    case KexecFile::kLoaded:
      return {"/sys/kernel/kexec/loaded", "/sys/kernel/kexec_loaded"};
    case KexecFile::kCrashLoaded:
      return {"/sys/kernel/kexec/crash_loaded", "/sys/kernel/kexec_crash_loaded"};
    case KexecFile::kCrashSize:
      return {"/sys/kernel/kexec/crash_size", "/sys/kernel/kexec_crash_size"};
    case KexecFile::kElfcorehdrSize:
      return {"/sys/kernel/kexec/crash_elfcorehdr_size", "/sys/kernel/crash_elfcorehdr_size"};
    case KexecFile::kCrashCmaRanges:
      return {"/sys/kernel/kexec/crash_cma_ranges", nullptr};
  }
  CHECK(false);
}

std::optional<uint64_t> ReadNumber(const RootDir& root, std::string_view path) {
  std::optional<std::string> line = root.ReadLine(path);
  return line ? ParseNumber(*line) : std::nullopt;
}

std::optional<int64_t> ReadLimit(const RootDir& root, Slot slot) {
  std::optional<std::string> line = root.ReadLine(LimitPath(slot));
  if (!line) return std::nullopt;
  if (line->starts_with('-')) return -1;
  std::optional<uint64_t> left = ParseNumber(*line);
  return left ? std::optional(static_cast<int64_t>(*left)) : std::nullopt;
}

std::optional<bool> ReadCanBoot(const RootDir& root) {
  constexpr unsigned kCapSysBoot = 22;  // include/uapi/linux/capability.h
  Result<std::string> status = root.ReadText("/proc/self/status");
  if (!status) return std::nullopt;
  std::optional<uint64_t> effective = FieldOf(*status, "CapEff", 16);
  return effective ? std::optional((*effective >> kCapSysBoot & 1) != 0) : std::nullopt;
}

// "none [integrity] confidentiality": the word in brackets is in force.
std::optional<std::string> ReadLockdown(const RootDir& root) {
  std::optional<std::string> line = root.ReadLine("/sys/kernel/security/lockdown");
  if (!line) return std::nullopt;
  size_t open = line->find('[');
  size_t close = line->find(']');
  if (open == std::string::npos || close == std::string::npos || close < open) return std::nullopt;
  return line->substr(open + 1, close - open - 1);
}

// Four bytes of attributes, then the value (Linux Documentation/filesystems/efivarfs.rst).
std::optional<bool> ReadEfiFlag(const RootDir& root, std::string_view name) {
  constexpr std::string_view kGlobalVariable = "8be4df61-93ca-11d2-aa0d-00e098032b8c";
  Result<std::string> value =
      root.ReadText(fmt::format("/sys/firmware/efi/efivars/{}-{}", name, kGlobalVariable));
  if (!value || value->size() != 5) return std::nullopt;
  return value->back() != '\0';
}

std::optional<bool> ReadSecureBoot(const RootDir& root) {
  std::optional<bool> enabled = ReadEfiFlag(root, "SecureBoot");
  if (!enabled) return std::nullopt;
  return *enabled && !ReadEfiFlag(root, "SetupMode").value_or(false);
}

std::optional<uint64_t> ReadMemory(const RootDir& root) {
  Result<std::string> meminfo = root.ReadText("/proc/meminfo");
  if (!meminfo) return std::nullopt;
  std::optional<uint64_t> kib = FieldOf(*meminfo, "MemTotal");
  return kib ? std::optional(*kib * 1024) : std::nullopt;
}

std::optional<bool> AsFlag(std::optional<uint64_t> number) {
  return number ? std::optional(*number != 0) : std::nullopt;
}

}  // namespace

std::optional<std::string> ReadKexecFile(const RootDir& root, KexecFile file) {
  FilePlaces places = PlacesOf(file);
  std::optional<std::string> text = root.ReadLine(places.now);
  return text || places.before == nullptr ? text : root.ReadLine(places.before);
}

std::optional<uint64_t> ReadKexecNumber(const RootDir& root, KexecFile file) {
  std::optional<std::string> text = ReadKexecFile(root, file);
  return text ? ParseNumber(*text) : std::nullopt;
}

std::string KexecFilePath(const RootDir& root, KexecFile file) {
  FilePlaces places = PlacesOf(file);
  bool old = !root.Exists(places.now) && places.before != nullptr && root.Exists(places.before);
  return old ? places.before : places.now;
}

std::string LimitPath(Slot slot) {
  return fmt::format("/proc/sys/kernel/kexec_load_limit_{}",
                     slot == Slot::kCrash ? "panic" : "reboot");
}

SystemState SystemState::Read(const RootDir& root) {
  SystemState state;
  state.loaded = AsFlag(ReadKexecNumber(root, KexecFile::kLoaded));
  state.crash_loaded = AsFlag(ReadKexecNumber(root, KexecFile::kCrashLoaded));
  state.can_boot = ReadCanBoot(root);
  state.load_disabled = AsFlag(ReadNumber(root, "/proc/sys/kernel/kexec_load_disabled"));
  state.limit_reboot = ReadLimit(root, Slot::kReboot);
  state.limit_panic = ReadLimit(root, Slot::kCrash);
  state.lockdown = ReadLockdown(root);
  state.secure_boot = ReadSecureBoot(root);
  state.ima = root.Exists("/sys/kernel/security/ima");
  state.elfcorehdr_size = ReadKexecNumber(root, KexecFile::kElfcorehdrSize);
  state.memory = ReadMemory(root);
  state.dm_crypt_keys = ReadNumber(root, "/sys/kernel/config/crash_dm_crypt_keys/count");
  return state;
}

}  // namespace kdumpkit
