// SPDX-License-Identifier: GPL-2.0-or-later
#include "kexec/efi_state.h"

#include "kexec/boot_params.h"
#include "kexec/text.h"

namespace kdumpkit {
namespace {

constexpr std::string_view kEfiFolder = "/sys/firmware/efi";
constexpr uint32_t kLoaderSignature64 = 0x34364c45;  // "EL64"
constexpr size_t kSetupDataSize = 96;

std::optional<uint64_t> ParseHex(std::string_view text) {
  return text.starts_with("0x") ? ParseNumber(text.substr(2), 16) : std::nullopt;
}

Result<uint64_t> ReadValue(const RootDir& root, const std::string& path) {
  std::string text = TRY(root.ReadText(path));
  std::optional<uint64_t> value = ParseHex(Trim(text));
  if (!value) return Malformed("'{}' holds no address: '{}'", path, Trim(text));
  return *value;
}

// The address after "NAME=" in the list of tables.
std::optional<uint64_t> TableAddress(const RootDir& root, std::string_view name) {
  std::string text = root.ReadText(fmt::format("{}/systab", kEfiFolder)).value_or("");
  for (std::string_view line : SplitLines(text))
    if (line.starts_with(name) && line.substr(name.size()).starts_with('='))
      return ParseHex(Trim(line.substr(name.size() + 1)));
  return std::nullopt;
}

Result<EfiRuntimeRange> ReadRuntimeRange(const RootDir& root, const std::string& folder) {
  EfiRuntimeRange range;
  range.type = static_cast<uint32_t>(TRY(ReadValue(root, folder + "/type")));
  range.phys_addr = TRY(ReadValue(root, folder + "/phys_addr"));
  range.virt_addr = TRY(ReadValue(root, folder + "/virt_addr"));
  range.num_pages = TRY(ReadValue(root, folder + "/num_pages"));
  range.attribute = TRY(ReadValue(root, folder + "/attribute"));
  return range;
}

// In the order of the kernel's map: the folders are numbered.
Result<std::vector<EfiRuntimeRange>> ReadRuntimeMap(const RootDir& root) {
  std::string folder = fmt::format("{}/runtime-map", kEfiFolder);
  std::vector<EfiRuntimeRange> map;
  while (root.Exists(fmt::format("{}/{}", folder, map.size())))
    map.push_back(TRY(ReadRuntimeRange(root, fmt::format("{}/{}", folder, map.size()))));
  if (map.empty())
    return Unsupported("'{}' is missing or empty (runtime services are off)", folder);
  return map;
}

}  // namespace

bool HasEfi(const RootDir& root) { return root.Exists(kEfiFolder); }

Result<EfiState> ReadEfiState(const RootDir& root, ByteView boot_params) {
  ByteReader reader(boot_params, ByteOrder::kLittle, "the running kernel's boot_params");
  EfiState state;
  state.loader_signature = TRY(reader.U32(boot_params::kEfiLoaderSignature));
  if (state.loader_signature != kLoaderSignature64)
    return Unsupported("the running kernel was not started by 64-bit EFI firmware");
  uint64_t high = TRY(reader.U32(boot_params::kEfiSystemTableHigh));
  state.system_table = high << 32 | TRY(reader.U32(boot_params::kEfiSystemTable));
  state.runtime_map = TRY(ReadRuntimeMap(root));
  state.fw_vendor = TRY(ReadValue(root, fmt::format("{}/fw_vendor", kEfiFolder)));
  state.runtime = ReadValue(root, fmt::format("{}/runtime", kEfiFolder)).value_or(0);
  state.config_table = TRY(ReadValue(root, fmt::format("{}/config_table", kEfiFolder)));
  state.smbios = TableAddress(root, "SMBIOS").value_or(0);
  return state;
}

std::optional<uint64_t> EfiAcpiRsdp(const RootDir& root) {
  std::optional<uint64_t> rsdp = TableAddress(root, "ACPI20");
  return rsdp ? rsdp : TableAddress(root, "ACPI");
}

ByteBuffer EncodeRuntimeMap(const EfiState& state) {
  ByteWriter out(ByteOrder::kLittle);
  for (const EfiRuntimeRange& range : state.runtime_map) {
    out.Put<uint32_t>(range.type);
    out.Put<uint32_t>(0);  // padding
    out.Put<uint64_t>(range.phys_addr);
    out.Put<uint64_t>(range.virt_addr);
    out.Put<uint64_t>(range.num_pages);
    out.Put<uint64_t>(range.attribute);
  }
  return std::move(out).Take();
}

ByteBuffer EncodeEfiSetupData(const EfiState& state) {
  ByteWriter out(ByteOrder::kLittle);
  out.Put<uint64_t>(state.fw_vendor);
  out.Put<uint64_t>(state.runtime);
  out.Put<uint64_t>(state.config_table);
  out.Put<uint64_t>(state.smbios);
  out.PadTo(kSetupDataSize);
  return std::move(out).Take();
}

}  // namespace kdumpkit
