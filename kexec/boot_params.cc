// SPDX-License-Identifier: GPL-2.0-or-later
#include "kexec/boot_params.h"

#include <algorithm>

#include "kexec/page.h"

namespace kdumpkit {
namespace {

using namespace boot_params;

constexpr uint16_t kBootFlagValue = 0xaa55;
constexpr uint32_t kHeaderMagicValue = 0x53726448;  // "HdrS"
constexpr uint16_t kProtocolVersion = 0x020f;
constexpr uint8_t kLoaderKexec = 0xd << 4;  // boot.rst lists it as kexec-tools'
constexpr size_t kMaxSetupHeader = kEddSignatures - kSetupHeader;
constexpr uint32_t kEfiMapVersion = 1;
constexpr size_t kRecordAlignment = 16;

// Types of setup_data.
constexpr uint32_t kSetupE820Ext = 1;
constexpr uint32_t kSetupEfi = 4;
constexpr uint32_t kSetupRngSeed = 9;

// The piece of memory in the making.
class Assembly {
 public:
  explicit Assembly(PhysAddr address) : address_(address), bytes_(kSize) {}

  template <std::unsigned_integral T>
  void Set(size_t offset, T value) {
    StoreUnchecked<T>(bytes_.data() + offset, value, ByteOrder::kLittle);
  }
  // An address or size whose halves are in two places.
  void SetHalves(size_t low, size_t high, uint64_t value) {
    Set<uint32_t>(low, static_cast<uint32_t>(value));
    Set<uint32_t>(high, static_cast<uint32_t>(value >> 32));
  }
  void Copy(size_t offset, ByteView from) {
    CHECK(offset + from.size() <= kSize);
    std::copy(from.begin(), from.end(), bytes_.begin() + static_cast<ptrdiff_t>(offset));
  }
  // The same bytes as in `from`, when it has them.
  void CopySame(size_t offset, size_t size, ByteView from) {
    if (from.size() >= offset + size) Copy(offset, from.subspan(offset, size));
  }
  // Puts bytes behind everything else; returns where they will be.
  PhysAddr Append(ByteView from) {
    size_t at = RoundUp(bytes_.size(), kRecordAlignment);
    bytes_.resize(at);
    bytes_.insert(bytes_.end(), from.begin(), from.end());
    return address_ + at;
  }
  // Adds a setup_data record {u64 next, u32 type, u32 length, data} in front of the list.
  void AddSetupData(uint32_t type, ByteView data) {
    ByteWriter record(ByteOrder::kLittle);
    record.Put<uint64_t>(setup_data_);
    record.Put<uint32_t>(type);
    record.Put<uint32_t>(static_cast<uint32_t>(data.size()));
    record.PutBytes(data);
    setup_data_ = Append(std::move(record).Take()).value;
    Set<uint64_t>(kSetupData, setup_data_);
  }
  ByteBuffer Take() && { return std::move(bytes_); }

 private:
  PhysAddr address_;
  ByteBuffer bytes_;
  uint64_t setup_data_ = 0;
};

ByteBuffer EncodeE820(std::span<const E820Entry> entries) {
  ByteWriter out(ByteOrder::kLittle);
  for (const E820Entry& entry : entries) {
    out.Put<uint64_t>(entry.range.base.value);
    out.Put<uint64_t>(entry.range.size);
    out.Put<uint32_t>(static_cast<uint32_t>(entry.type));
  }
  return std::move(out).Take();
}

void PutHeader(Assembly& out, ByteView setup_header) {
  out.Copy(kSetupHeader, setup_header);
  out.Set<uint8_t>(kLoaderType, kLoaderKexec);
  out.Set<uint8_t>(kLoadFlags, 0);
}

// What does not change when another kernel takes over. The two bytes of screen_info at 2 are a size
// of memory of old times.
void PutMachine(Assembly& out, ByteView running) {
  out.CopySame(kScreenInfo, kScreenInfoSize, running);
  out.Set<uint16_t>(kScreenInfo + 2, 0);
  out.CopySame(kHardwareSubarch, 4, running);
  out.CopySame(kEddCounts, 2, running);
  out.CopySame(kEddSignatures, kEddSignaturesSize, running);
  out.CopySame(kEddTable, kEddTableSize, running);
}

void PutMemoryMap(Assembly& out, std::span<const E820Entry> map) {
  size_t count = std::min(map.size(), kE820TableEntries);
  out.Set<uint8_t>(kE820Count, static_cast<uint8_t>(count));
  out.Copy(kE820Table, EncodeE820(map.first(count)));
  if (count < map.size()) out.AddSetupData(kSetupE820Ext, EncodeE820(map.subspan(count)));
}

void PutEfi(Assembly& out, const EfiState& efi, ByteView running) {
  ByteBuffer map = EncodeRuntimeMap(efi);
  out.Set<uint32_t>(kEfiLoaderSignature, efi.loader_signature);
  out.SetHalves(kEfiSystemTable, kEfiSystemTableHigh, efi.system_table);
  out.Set<uint32_t>(boot_params::kEfiDescriptorSize, kdumpkit::kEfiDescriptorSize);
  out.Set<uint32_t>(kEfiDescriptorVersion, kEfiMapVersion);
  out.SetHalves(kEfiMap, kEfiMapHigh, out.Append(map).value);
  out.Set<uint32_t>(kEfiMapSize, static_cast<uint32_t>(map.size()));
  out.CopySame(kSecureBoot, 1, running);
  out.AddSetupData(kSetupEfi, EncodeEfiSetupData(efi));
}

void PutCommandLine(Assembly& out, const std::string& text) {
  ByteView with_nul = AsBytes(std::string_view(text.c_str(), text.size() + 1));
  out.SetHalves(kCommandLine, kCommandLineHigh, out.Append(with_nul).value);
}

}  // namespace

ByteBuffer ReadRunningBootParams(const RootDir& root) {
  Result<std::string> text = root.ReadText("/sys/kernel/boot_params/data");
  if (!text || text->size() != kSize) return {};
  ByteView bytes = AsBytes(*text);
  return ByteBuffer(bytes.begin(), bytes.end());
}

ByteBuffer MakeBootParams(const BootParamsInput& input, PhysAddr address) {
  Assembly out(address);
  PutHeader(out, input.setup_header);
  PutMachine(out, input.running);
  PutMemoryMap(out, input.memory_map);
  out.Set<uint64_t>(kAcpiRsdp, input.acpi_rsdp);
  if (input.initrd) {
    out.SetHalves(kInitrd, kInitrdHigh, input.initrd->base.value);
    out.SetHalves(kInitrdSize, kInitrdSizeHigh, input.initrd->size);
  }
  if (input.efi) PutEfi(out, *input.efi, input.running);
  if (!input.random_seed.empty()) out.AddSetupData(kSetupRngSeed, input.random_seed);
  PutCommandLine(out, input.command_line);
  return std::move(out).Take();
}

Result<ByteBuffer> SetupHeaderOf(ByteView bzimage) {
  ByteReader reader(bzimage, ByteOrder::kLittle, "bzImage");
  size_t size = kHeaderMagic + TRY(reader.U8(kSetupHeaderEnd)) - kSetupHeader;
  ByteView header = TRY(reader.Bytes(kSetupHeader, std::min(size, kMaxSetupHeader)));
  return ByteBuffer(header.begin(), header.end());
}

ByteBuffer MakeSetupHeader() {
  Assembly whole{PhysAddr(0)};
  // Nonzero: the root file system is mounted read-only unless the command line says "rw", as with a
  // bzImage.
  whole.Set<uint16_t>(kRootFlags, 1);
  whole.Set<uint16_t>(kBootFlag, kBootFlagValue);
  whole.Set<uint32_t>(kHeaderMagic, kHeaderMagicValue);
  whole.Set<uint16_t>(kVersion, kProtocolVersion);
  ByteBuffer bytes = std::move(whole).Take();
  ByteView header = ByteView(bytes).subspan(kSetupHeader, kInitSize + 4 - kSetupHeader);
  return ByteBuffer(header.begin(), header.end());
}

}  // namespace kdumpkit
