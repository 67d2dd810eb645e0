// SPDX-License-Identifier: GPL-2.0-or-later
#include "filter/dump_file.h"

#include <algorithm>

#include "dumpfile/elf_writer.h"
#include "elf/notes.h"
#include "filter/core_segments.h"

namespace kdumpkit {
namespace {

constexpr uint16_t k386 = 3, kArm = 40;  // EM_386, EM_ARM
constexpr size_t kBitmapChunk = size_t{64} << 10;

uint64_t KeptStatus(const Input& input) {
  return (input.kdump ? input.kdump->info().header.status : input.elf_status) &
         kKdumpVmemmapExcluded;
}

KdumpParameters MakeParameters(const Crash& crash, const Selection& selection, int level,
                               Codec codec) {
  KdumpParameters parameters;
  const Input& input = crash.input;
  // Of 32-bit machines, only i386 aligns 64-bit numbers to 4 bytes.
  bool packed = input.machine.elf_machine == k386;
  parameters.abi = {input.machine.order, input.machine.word_size, packed ? 4 : 8};
  if (input.kdump) parameters.abi = input.kdump->info().abi;
  parameters.status = KeptStatus(input);
  if (selection.vmemmap_dropped) parameters.status |= kKdumpVmemmapExcluded;
  parameters.block_size = static_cast<uint32_t>(crash.page_size);
  parameters.max_mapnr = FrameCount(crash, selection);
  parameters.utsname = crash.utsname.fields;
  parameters.crash_time = crash.crash_time;
  parameters.cpu_count = input.cpu_count;
  parameters.phys_base = crash.phys_base;
  parameters.dump_level = level | input.dump_level();
  parameters.codec = codec;
  parameters.notes = input.raw_notes;
  parameters.vmcoreinfo_offset = input.vmcoreinfo_offset;
  parameters.vmcoreinfo_size = input.vmcoreinfo_size;
  parameters.eraseinfo = input.eraseinfo;
  return parameters;
}

Result<std::unique_ptr<DumpWriter>> BeginKdump(std::unique_ptr<DumpSink> sink, const Crash& crash,
                                               const Selection& selection, int level,
                                               const FilterOptions& options,
                                               std::optional<PfnRun> part) {
  if (crash.input.elf && crash.input.machine.elf_machine == kArm)
    return Unsupported(
        "page frames of a 32-bit ARM machine count from its phys_base in a kdump file, which is "
        "not "
        "known; write an ELF core (-E)");
  KdumpParameters parameters = MakeParameters(crash, selection, level, options.codec);
  if (part) {
    parameters.part = KdumpPart{part->first, part->end};
    parameters.part_pages = selection.kept.Count(*part);
  }
  auto writer = std::make_unique<KdumpWriter>(
      TRY(KdumpWriter::Create(std::move(sink), parameters, selection.kept_pages)));
  std::vector<PfnRun> runs = ExistingRuns(crash.input.existing(), crash.page_shift);
  PageBitmap existing(parameters.max_mapnr, runs);
  TRY(WriteBitmap(*writer, KdumpWriter::Bitmap::kExisting, existing));
  TRY(WriteBitmap(*writer, KdumpWriter::Bitmap::kDumped, selection.kept));
  TRY(writer->BeginData());
  return writer;
}

// What an ELF core has no field for stands in notes: the record of erased data (unless it came with
// its note, and nothing was erased since), and the level. The padding of /proc/vmcore would end the
// list before them.
ByteBuffer ElfNotes(const Input& input, int level) {
  ByteBuffer notes = input.raw_notes;
  auto add = [&](std::string_view name, ByteView desc) {
    ByteBuffer note = MakeNote(name, desc, input.machine.order);
    notes.insert(notes.end(), note.begin(), note.end());
  };
  if (!input.notes.empty()) {
    const Note& last = input.notes.back();
    notes.resize((last.raw_offset + last.desc.size() + 3) / 4 * 4);
  }
  bool has_record = std::ranges::any_of(input.notes, [&](const Note& note) {
    return note.name == kEraseinfoName && note.desc.size() == input.eraseinfo.size();
  });
  if (!input.eraseinfo.empty() && !has_record) add(kEraseinfoName, input.eraseinfo);
  ByteWriter filtered(input.machine.order);
  filtered.Put(static_cast<uint32_t>(level | input.dump_level()));
  filtered.Put(static_cast<uint32_t>(KeptStatus(input)));
  add(kFilterNoteName, std::move(filtered).Take());
  return notes;
}

Result<std::unique_ptr<ElfWriter>> MakeElf(std::unique_ptr<DumpSink> sink, const Crash& crash,
                                           const Selection& selection, int level) {
  const Input& input = crash.input;
  if (input.machine.elf_machine == 0)
    return Unsupported(
        "the dump does not say which machine it is from, which an ELF core has to; write a kdump "
        "file (without -E)");
  ByteBuffer notes = ElfNotes(input, level);
  ElfParameters parameters;
  parameters.machine = input.machine.elf_machine;
  parameters.order = input.machine.order;
  parameters.word_size = input.machine.word_size;
  parameters.page_size = crash.page_size;
  parameters.segments =
      CutSegments(FindMappings(input, crash.kernel.get()), selection.kept, crash.page_shift);
  parameters.runs = PlacePages(selection.kept, crash.page_shift);
  parameters.notes = notes;
  return ElfWriter::Create(std::move(sink), std::move(parameters), selection.kept_pages);
}

}  // namespace

Status WriteBitmap(KdumpWriter& writer, KdumpWriter::Bitmap which, const PageBitmap& bitmap) {
  uint64_t total = writer.bitmap_bytes();
  for (uint64_t at = 0; at < total; at += kBitmapChunk) {
    size_t size = static_cast<size_t>(std::min<uint64_t>(kBitmapChunk, total - at));
    TRY(writer.WriteBitmap(which, at, bitmap.Bytes(at, size)));
  }
  return {};
}

uint64_t FrameCount(const Crash& crash, const Selection& selection) {
  std::vector<PfnRun> existing = ExistingRuns(crash.input.existing(), crash.page_shift);
  uint64_t frames = existing.empty() ? 0 : existing.back().end;
  if (crash.input.kdump && crash.input.kdump->info().block_size() == crash.page_size)
    frames = std::max(frames, crash.input.kdump->info().max_mapnr);
  return std::max(frames, selection.kept.pages());
}

Result<std::unique_ptr<DumpWriter>> BeginDump(std::unique_ptr<DumpSink> sink, const Crash& crash,
                                              const Selection& selection, int level,
                                              const FilterOptions& options,
                                              std::optional<PfnRun> part) {
  if (!options.elf) return BeginKdump(std::move(sink), crash, selection, level, options, part);
  std::unique_ptr<ElfWriter> writer = TRY(MakeElf(std::move(sink), crash, selection, level));
  TRY(writer->Begin());
  return std::unique_ptr<DumpWriter>(std::move(writer));
}

uint64_t DumpFileBytes(const Crash& crash, const Selection& selection, const FilterOptions& options,
                       uint64_t data_bytes) {
  auto sink = std::make_unique<FileSink>(-1);
  if (options.elf) {
    auto writer = MakeElf(std::move(sink), crash, selection, 0);
    return writer ? (*writer)->FileBytes(data_bytes) : 0;
  }
  auto writer = KdumpWriter::Create(
      std::move(sink), MakeParameters(crash, selection, 0, Codec::kNone), selection.kept_pages);
  return writer ? writer->FileBytes(data_bytes) : 0;
}

}  // namespace kdumpkit
