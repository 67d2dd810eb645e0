// SPDX-License-Identifier: GPL-2.0-or-later
#include "filter/name_sources.h"

#include <fcntl.h>

#include <charconv>

#include "base/file.h"
#include "kernel/arch.h"
#include "kernel/btf_facts.h"

namespace kdumpkit {
namespace {

constexpr size_t kMaxVmcoreinfo = size_t{1} << 20;
constexpr uint64_t kImageAlignment = uint64_t{2} << 20;  // x86_64 moves itself by multiples of it
constexpr uint32_t kFiveLevelShift = 48;                 // pgdir_shift with five levels

struct Line {
  std::string_view key, value;
};

Line TakeLine(std::string_view& text) {
  std::string_view line = text.substr(0, text.find('\n'));
  text.remove_prefix(std::min(line.size() + 1, text.size()));
  size_t equals = std::min(line.find('='), line.size());
  return {line.substr(0, equals), line.substr(std::min(equals + 1, line.size()))};
}

std::string Moved(std::string_view hexadecimal, uint64_t offset) {
  uint64_t value = 0;
  std::from_chars(hexadecimal.data(), hexadecimal.data() + hexadecimal.size(), value, 16);
  return fmt::format("{:x}", value + offset);
}

// The lines of `text` whose keys `info` (may be null) lacks, symbols moved by `offset`.
std::string LackingLines(std::string_view text, const Vmcoreinfo* info, uint64_t offset,
                         bool with_page_keys) {
  std::string lines;
  while (!text.empty()) {
    Line line = TakeLine(text);
    if (line.key.empty() || (info != nullptr && info->Text(line.key))) continue;
    // What this run of the kernel came to is in its own VMCOREINFO only.
    if (line.key == "KERNELOFFSET" || line.key == "CRASHTIME" || line.key == "NUMBER(phys_base)")
      continue;
    if (!with_page_keys && IsPageKey(line.key)) continue;
    bool symbol = line.key.starts_with("SYMBOL(");
    lines += fmt::format("{}={}\n", line.key,
                         symbol ? Moved(line.value, offset) : std::string(line.value));
  }
  return lines;
}

Status CheckRelease(const std::string& file, const Vmcoreinfo& given, std::string_view release) {
  std::string mine = given.Text("OSRELEASE").value_or("");
  if (mine == release) return {};
  return UsageError("'{}' is of another kernel: its OSRELEASE is '{}', the dead kernel's is '{}'",
                    file, mine, release);
}

uint64_t OffsetIn(const Vmcoreinfo& info) {
  uint64_t offset = 0;
  std::string text = info.Text("KERNELOFFSET").value_or("0");
  std::from_chars(text.data(), text.data() + text.size(), offset, 16);
  return offset;
}

// The segment of the kernel's image, which begins where _stext is.
const Segment* ImageSegment(const Input& input) {
  const Arch* arch = FindArch(input.machine.elf_machine);
  if (!input.elf || arch == nullptr) return nullptr;
  for (const Segment& segment : input.elf->segments())
    if (arch->PhysBaseOf(segment.vaddr, segment.paddr)) return &segment;
  return nullptr;
}

// pgdir_shift says how many levels page tables have.
Result<uint32_t> ReadPgdirShift(const Input& input, const Segment& image, VirtAddr address) {
  std::array<std::byte, 4> bytes;
  PhysAddr at = image.paddr + (address - image.vaddr);
  std::unique_ptr<MemoryReader> reader = input.memory().NewReader();
  TRY(ReadPhysical(*reader, at, bytes).In("pgdir_shift"));
  return LoadUnchecked<uint32_t>(bytes.data(), input.machine.order);
}

// Of a core without VMCOREINFO: everything is as given, moved to where the segments say.
Result<std::string> VmcoreinfoAnew(const Input& input, const GivenNames& names,
                                   std::string_view text) {
  Vmcoreinfo given = TRY(Vmcoreinfo::Parse(text));
  VirtAddr stext = TRY(given.RequireSymbol("_stext"));
  const Segment* image = ImageSegment(input);
  uint64_t offset = image != nullptr ? image->vaddr.value - stext.value : 1;
  if (offset % kImageAlignment != 0)
    return Unsupported(
        "the vmcore has neither VMCOREINFO nor a segment of the kernel's image, so where that "
        "kernel had moved itself is not known");
  std::string result = LackingLines(text, nullptr, offset, true);
  result += fmt::format("KERNELOFFSET={:x}\n", offset);
  if (!names.vmlinux) return result;
  names.vmlinux->MoveBy(offset);
  if (auto shift = names.vmlinux->Symbol("pgdir_shift")) {
    bool five = TRY(ReadPgdirShift(input, *image, *shift)) == kFiveLevelShift;
    result += fmt::format("NUMBER(pgtable_l5_enabled)={}\n", five ? 1 : 0);
  }
  return result;
}

Result<std::string> ReadVmcoreinfoFile(const std::string& path) {
  UniqueFd fd = TRY(OpenFile(path, O_RDONLY));
  ByteBuffer bytes(kMaxVmcoreinfo);
  bytes.resize(TRY(ReadAt(fd.get(), FileOffset(0), bytes).In(fmt::format("'{}'", path))));
  std::string text(AsText(bytes));
  Vmcoreinfo info = TRY(Vmcoreinfo::Parse(text).In(fmt::format("'{}'", path)));
  if (!info.bad_lines().empty())
    return Malformed("'{}': {} is no line of VMCOREINFO", path, info.bad_lines()[0]);
  return text;
}

}  // namespace

Result<GivenNames> GivenNames::Load(const NameSources& sources) {
  GivenNames names;
  if (!sources.vmlinux.empty()) names.vmlinux = TRY(GivenVmlinux::Open(sources.vmlinux));
  if (sources.vmcoreinfo.empty()) return names;
  names.vmcoreinfo_file = sources.vmcoreinfo;
  names.vmcoreinfo_text = TRY(ReadVmcoreinfoFile(sources.vmcoreinfo));
  return names;
}

Result<std::string> CombineVmcoreinfo(const Input& input, const GivenNames& names) {
  std::string own(input.vmcoreinfo());
  own.resize(std::min(own.find('\0'), own.size()));
  if (names.empty()) return own;
  std::string text = names.vmlinux ? names.vmlinux->VmcoreinfoText() : names.vmcoreinfo_text;
  if (own.empty()) return VmcoreinfoAnew(input, names, text);
  Vmcoreinfo info = TRY(Vmcoreinfo::Parse(own));
  if (names.vmlinux) {
    TRY(names.vmlinux->Match(info));
    // KernelFacts asks the vmlinux itself for facts about pages, and names it as their source.
    return own + "\n" + LackingLines(text, &info, names.vmlinux->offset(), false);
  }
  Vmcoreinfo given = TRY(Vmcoreinfo::Parse(text));
  TRY(CheckRelease(names.vmcoreinfo_file, given, info.Text("OSRELEASE").value_or("")));
  return own + "\n" + LackingLines(text, &info, OffsetIn(info), true);
}

}  // namespace kdumpkit
