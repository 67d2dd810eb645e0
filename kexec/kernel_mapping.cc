// SPDX-License-Identifier: GPL-2.0-or-later
#include "kexec/kernel_mapping.h"

#include <fcntl.h>

#include <algorithm>
#include <optional>

#include "kexec/command_line.h"
#include "kexec/page.h"
#include "kexec/text.h"

namespace kdumpkit {
namespace {

// Linux Documentation/arch/x86/x86_64/mm.rst: __START_KERNEL_map and, without KASLR, the direct map
// of four levels (since 4.20).
constexpr VirtAddr kKernelMap{0xffffffff80000000};
constexpr VirtAddr kDefaultDirectMap{0xffff888000000000};
constexpr VirtAddr kKernelHalf{uint64_t{1} << 63};

constexpr uint64_t kElfHeaderSize = 64;
constexpr uint64_t kProgramHeaderSize = 56;
constexpr uint32_t kPtLoad = 1;
// A range that is not at one physical address (fs/proc/kcore.c, read_kcore()).
constexpr uint64_t kNoAddress = UINT64_MAX;
// kallsyms of a large kernel with all its modules has some 300,000 lines of 50 characters.
constexpr size_t kMaxSymbols = size_t{256} << 20;

struct KcoreRange {
  VirtAddr address;
  PhysRange memory;
};

// The program headers.
Result<ByteBuffer> ReadHeaders(int fd) {
  ByteBuffer header(kElfHeaderSize);
  TRY(ReadFullyAt(fd, FileOffset(0), header));
  ByteReader reader(header, ByteOrder::kLittle, "ELF header");
  uint64_t table = TRY(reader.U64(32));
  ByteBuffer headers(TRY(reader.U16(56)) * kProgramHeaderSize);
  TRY(ReadFullyAt(fd, FileOffset(table), headers));
  return headers;
}

// Only ranges that have a physical address: RAM, and the kernel.
Result<std::vector<KcoreRange>> ReadKcore(const RootDir& root) {
  UniqueFd fd = TRY(root.OpenAt("/proc/kcore", O_RDONLY));
  ByteBuffer headers = TRY(ReadHeaders(fd.get()).In("cannot read '/proc/kcore'"));
  ByteReader reader(headers, ByteOrder::kLittle, "'/proc/kcore'", kElfHeaderSize);
  std::vector<KcoreRange> ranges;
  for (uint64_t at = 0; at < headers.size(); at += kProgramHeaderSize) {
    uint64_t paddr = TRY(reader.U64(at + 24));
    if (TRY(reader.U32(at)) != kPtLoad || paddr == kNoAddress) continue;
    PhysRange memory = TRY(PhysRange::Make(PhysAddr(paddr), TRY(reader.U64(at + 40))));
    ranges.push_back({VirtAddr(TRY(reader.U64(at + 16))), memory});
  }
  return ranges;
}

Result<KernelMapping> MappingOfKcore(const RootDir& root) {
  std::vector<KcoreRange> ranges = TRY(ReadKcore(root));
  std::optional<KcoreRange> text;
  std::optional<KcoreRange> ram;
  for (const KcoreRange& range : ranges) {
    if (range.address >= kKernelMap)
      text = range;
    else if (range.address >= kKernelHalf)
      ram = range;
  }
  if (!text || !ram)
    return Unsupported("'/proc/kcore' does not list the {}", text ? "memory" : "kernel's own code");
  VirtAddr direct_map(ram->address.value - ram->memory.base.value);
  return KernelMapping{text->address, text->memory, direct_map};
}

struct Symbols {
  std::optional<VirtAddr> text;
  std::optional<VirtAddr> end;
};

// Lines "address type name", the address 0 when it is not to be seen.
Result<Symbols> ReadSymbols(const RootDir& root) {
  std::string text = TRY(root.ReadText("/proc/kallsyms", kMaxSymbols));
  Symbols symbols;
  for (std::string_view line : SplitLines(text)) {
    std::string_view name = line.substr(line.rfind(' ') + 1);
    if (name != "_text" && name != "_end") continue;
    std::optional<uint64_t> address = ParseNumber(line.substr(0, line.find(' ')), 16);
    if (address.value_or(0) < kKernelMap.value) continue;
    (name == "_text" ? symbols.text : symbols.end) = VirtAddr(*address);
  }
  return symbols;
}

// The end of the kernel: of its symbols, or of the last part that /proc/iomem lists (what lies
// between that and _end is memory taken at boot).
PhysAddr ImageEnd(const Symbols& symbols, PhysAddr base, std::span<const IomemEntry> iomem) {
  if (symbols.end && *symbols.end > *symbols.text) return base + (*symbols.end - *symbols.text);
  PhysAddr end = base;
  for (std::string_view name : {"Kernel code", "Kernel rodata", "Kernel data", "Kernel bss"})
    for (const PhysRange& range : RangesNamed(iomem, name)) end = std::max(end, range.end());
  return PhysAddr(RoundUp(end.value, kPageBytes));
}

Result<KernelMapping> MappingOfSymbols(const RootDir& root, std::span<const IomemEntry> iomem) {
  std::vector<PhysRange> code = RangesNamed(iomem, "Kernel code");
  if (code.empty()) return Unsupported("'/proc/iomem' has no 'Kernel code'");
  Symbols symbols = TRY(ReadSymbols(root));
  if (!symbols.text)
    return Unsupported("'/proc/kallsyms' shows no address of _text (see kernel.kptr_restrict)");
  PhysAddr base = code.front().base;
  PhysRange image{base, ImageEnd(symbols, base, iomem) - base};
  return KernelMapping{*symbols.text, image, kDefaultDirectMap};
}

bool IsRandomized(const RootDir& root) {
  std::vector<std::string> words = SplitWords(root.ReadLine("/proc/cmdline").value_or(""));
  return std::find(words.begin(), words.end(), "nokaslr") == words.end();
}

}  // namespace

Result<KernelMapping> FindKernelMapping(const RootDir& root, std::span<const IomemEntry> iomem,
                                        std::vector<std::string>& notes) {
  Result<KernelMapping> mapping = MappingOfKcore(root);
  if (mapping) return mapping;
  std::string reason = mapping.error().message();
  mapping = MappingOfSymbols(root, iomem);
  if (!mapping)
    return Unsupported(
        "cannot tell where the running kernel lies in its address space, which a dump must say: {} "
        "(a kernel with CONFIG_PROC_KCORE has the file); {}",
        reason, mapping.error().message());
  if (IsRandomized(root))
    notes.push_back(fmt::format(
        "{} (a kernel with CONFIG_PROC_KCORE has the file): where KASLR put the direct map is not "
        "known; the dump's headers say {:#x}, and a reader that goes by them, as makedumpfile "
        "does, "
        "may fail",
        reason, kDefaultDirectMap.value));
  return mapping;
}

}  // namespace kdumpkit
