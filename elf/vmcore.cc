// SPDX-License-Identifier: GPL-2.0-or-later
#include "elf/vmcore.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <algorithm>

#include "base/file.h"
#include "elf/core_flags.h"
#include "elf/file_window.h"
#include "elf/headers.h"
#include "elf/notes.h"
#include "elf/segment_table.h"

namespace kdumpkit {
namespace {

constexpr uint32_t kNtPrstatus = 1;
// Notes are held in memory. Device dumps of a driver may stand among them (Linux
// CONFIG_PROC_VMCORE_DEVICE_DUMP), tens of megabytes each.
constexpr uint64_t kMaxNoteBytes = uint64_t{256} << 20;

// EM_386, EM_PPC and EM_ARM: their kernels have 32-bit words, whatever the class of the file
// (kexec-tools' --elf64-core-headers, for memory beyond 4 GiB).
constexpr uint16_t k32BitMachines[] = {3, 20, 40};

class OpenFileSource final : public DataSource {
 public:
  OpenFileSource(UniqueFd fd, uint64_t size) : fd_(std::move(fd)), size_(size) {}

  uint64_t size() const override { return size_; }
  Status ReadFullyAt(FileOffset offset, ByteSpan buffer) const override {
    return kdumpkit::ReadFullyAt(fd_.get(), offset, buffer);
  }

 private:
  UniqueFd fd_;
  uint64_t size_;
};

// Where the core is and how it is best read.
struct CoreFile {
  std::string path;
  std::unique_ptr<DataSource> source;
  int fd = -1;  // of a file; its owner is `source`
  WindowMode mode = WindowMode::kRead;

  uint64_t size() const { return source->size(); }
  FileWindow MakeWindow() const {
    return fd < 0 ? FileWindow(*source, path) : FileWindow(fd, size(), mode, path);
  }
};

Result<CoreFile> OpenCoreFile(const std::string& path, bool map) {
  UniqueFd fd = TRY(OpenFile(path, O_RDONLY));
  // Also the size of a block device, which fstat(2) does not know.
  off_t end = lseek(fd.get(), 0, SEEK_END);
  if (end < 0) return SystemError(errno, fmt::format("'{}': cannot be read at random", path));
  CoreFile file{path, nullptr, fd.get(), WindowMode::kRead};
  struct statfs system = {};
  if (map && fstatfs(fd.get(), &system) == 0 && system.f_type == PROC_SUPER_MAGIC)
    file.mode = WindowMode::kMap;
  file.source = std::make_unique<OpenFileSource>(std::move(fd), static_cast<uint64_t>(end));
  return file;
}

class ElfReader final : public MemoryReader {
 public:
  ElfReader(const CoreFile& file, const SegmentTable& table)
      : path_(file.path), table_(table), window_(file.MakeWindow()) {}

  Result<ByteView> View(PhysAddr address, size_t size) override;

 private:
  Result<ByteView> Assemble(PhysAddr address, size_t size, std::span<const SegmentPiece> pieces);

  const std::string& path_;
  const SegmentTable& table_;
  FileWindow window_;
  ByteBuffer scratch_;
};

Result<ByteView> ElfReader::View(PhysAddr address, size_t size) {
  if (size > kMaxView) return UsageError("a view of {} bytes is more than {}", size, kMaxView);
  if (size == 0) return ByteView();
  std::span<const SegmentPiece> pieces = table_.From(address);
  if (pieces.empty() || (pieces[0].base > address && pieces[0].base - address >= size))
    return Malformed("'{}': no memory at physical address {:#x}", path_, address.value);
  const SegmentPiece& piece = pieces[0];
  if (piece.base <= address && size <= piece.end() - address)
    return window_.Get(piece.offset + (address - piece.base), size);
  return Assemble(address, size, pieces);
}

Result<ByteView> ElfReader::Assemble(PhysAddr address, size_t size,
                                     std::span<const SegmentPiece> pieces) {
  scratch_.assign(size, std::byte{0});
  // A request at the very top of the address space may end beyond it; no piece does.
  PhysAddr end(size > UINT64_MAX - address.value ? UINT64_MAX : address.value + size);
  for (const SegmentPiece& piece : pieces) {
    if (piece.base >= end) break;
    PhysAddr from = std::max(piece.base, address);
    size_t part = std::min(piece.end(), end) - from;
    ByteView bytes = TRY(window_.Get(piece.offset + (from - piece.base), part));
    std::copy(bytes.begin(), bytes.end(),
              scratch_.begin() + static_cast<ptrdiff_t>(from - address));
  }
  return ByteView(scratch_);
}

class ElfVmcore final : public Vmcore {
 public:
  static Result<std::unique_ptr<Vmcore>> Make(CoreFile file);

  uint16_t machine() const override { return headers_.machine; }
  ByteOrder order() const override { return headers_.order; }
  int word_size() const override {
    bool narrow = std::ranges::count(k32BitMachines, headers_.machine) > 0;
    return narrow || !headers_.wide ? 4 : 8;
  }
  std::span<const Segment> segments() const override { return segments_; }
  std::span<const Note> notes() const override { return notes_; }
  ByteView raw_notes() const override { return raw_notes_; }
  std::optional<FileOffset> truncated_at() const override { return truncated_at_; }
  bool marked_incomplete() const override {
    return (headers_.flags & IncompleteFlag(headers_.machine).value_or(0)) != 0;
  }
  std::span<const std::string> warnings() const override { return warnings_; }
  std::span<const PhysRange> ranges() const override { return table_->ranges(); }
  std::unique_ptr<MemoryReader> NewReader() const override {
    return std::make_unique<ElfReader>(file_, *table_);
  }

 private:
  ElfVmcore(CoreFile file, ElfHeaders headers)
      : file_(std::move(file)), headers_(std::move(headers)) {}
  Status AddSegments();
  Status CheckSegment(const ProgramHeader& header) const;
  void NoteTruncation();
  Status ReadNotes();
  void ParseAllNotes();

  CoreFile file_;
  ElfHeaders headers_;
  std::vector<Segment> segments_;
  std::optional<SegmentTable> table_;
  ByteBuffer raw_notes_;
  std::vector<Note> notes_;
  std::optional<FileOffset> truncated_at_;
  std::vector<std::string> warnings_;
};

Status ElfVmcore::CheckSegment(const ProgramHeader& header) const {
  if (header.file_size > UINT64_MAX - header.offset)
    return Malformed("'{}': a segment at {:#x} of {:#x} bytes wraps around", file_.path,
                     header.offset, header.file_size);
  if (header.memory_size > UINT64_MAX - header.paddr)
    return Malformed("'{}': a segment at physical address {:#x} of {:#x} bytes wraps around",
                     file_.path, header.paddr, header.memory_size);
  if (header.file_size > header.memory_size)
    return Malformed("'{}': the segment at {:#x} has {:#x} bytes in the file for {:#x} of memory",
                     file_.path, header.offset, header.file_size, header.memory_size);
  return {};
}

Status ElfVmcore::AddSegments() {
  for (const ProgramHeader& header : headers_.programs) {
    if (header.kind != ProgramHeaderKind::kLoad) continue;
    // /proc/kcore has such segments for virtual ranges without a physical address.
    if (header.paddr == UINT64_MAX) continue;
    TRY(CheckSegment(header));
    segments_.push_back({PhysAddr(header.paddr), VirtAddr(header.vaddr), FileOffset(header.offset),
                         header.file_size, header.memory_size});
  }
  if (segments_.empty())
    return Malformed("'{}': no segment of physical memory (PT_LOAD)", file_.path);
  table_.emplace(segments_, file_.size());
  NoteTruncation();
  return {};
}

void ElfVmcore::NoteTruncation() {
  uint64_t end = 0;
  for (const Segment& segment : segments_)
    if (segment.file_size > 0) end = std::max(end, segment.offset.value + segment.file_size);
  if (end <= file_.size()) return;
  truncated_at_ = FileOffset(file_.size());
  warnings_.push_back(
      fmt::format("'{}': the file ends at {:#x}, its segments reach to {:#x}: it is truncated",
                  file_.path, file_.size(), end));
}

Status ElfVmcore::ReadNotes() {
  for (const ProgramHeader& header : headers_.programs) {
    if (header.kind != ProgramHeaderKind::kNote) continue;
    if (header.offset > file_.size() || header.file_size > file_.size() - header.offset)
      return Truncated("'{}': notes at {:#x} ({:#x} bytes) lie beyond the end of the file at {:#x}",
                       file_.path, header.offset, header.file_size, file_.size());
    size_t at = raw_notes_.size();
    if (header.file_size > kMaxNoteBytes - at)
      return Unsupported("'{}': notes of more than {} MiB", file_.path, kMaxNoteBytes >> 20);
    raw_notes_.resize(at + header.file_size);
    TRY(file_.source->ReadFullyAt(FileOffset(header.offset), ByteSpan(raw_notes_).subspan(at))
            .In(fmt::format("'{}'", file_.path)));
  }
  return {};
}

// Once raw_notes_ has its final place in memory: the notes point into it.
void ElfVmcore::ParseAllNotes() {
  size_t begin = 0;
  for (const ProgramHeader& header : headers_.programs) {
    if (header.kind != ProgramHeaderKind::kNote) continue;
    size_t end = begin + header.file_size;
    NoteList list = ParseNotes(ByteView(raw_notes_).first(end), begin, headers_.order,
                               FileOffset(header.offset));
    std::move(list.notes.begin(), list.notes.end(), std::back_inserter(notes_));
    if (!list.problem.empty())
      warnings_.push_back(fmt::format("'{}': {}", file_.path, list.problem));
    begin = end;
  }
}

Result<std::unique_ptr<Vmcore>> ElfVmcore::Make(CoreFile file) {
  ElfHeaders headers = TRY(ReadElfHeaders(*file.source, file.path));
  std::unique_ptr<ElfVmcore> core(new ElfVmcore(std::move(file), std::move(headers)));
  TRY(core->AddSegments());
  TRY(core->ReadNotes());
  core->ParseAllNotes();
  return std::unique_ptr<Vmcore>(std::move(core));
}

}  // namespace

Result<std::unique_ptr<Vmcore>> Vmcore::Open(const std::string& path, bool map) {
  return ElfVmcore::Make(TRY(OpenCoreFile(path, map)));
}

Result<std::unique_ptr<Vmcore>> Vmcore::Open(std::unique_ptr<DataSource> source,
                                             const std::string& path) {
  return ElfVmcore::Make(CoreFile{path, std::move(source)});
}

const Note* Vmcore::vmcoreinfo() const {
  std::span<const Note> all = notes();
  auto found = std::find_if(all.begin(), all.end(),
                            [](const Note& note) { return note.name == "VMCOREINFO"; });
  return found == all.end() ? nullptr : &*found;
}

uint32_t Vmcore::cpu_count() const {
  std::span<const Note> all = notes();
  return static_cast<uint32_t>(std::count_if(all.begin(), all.end(), [](const Note& note) {
    return note.name == "CORE" && note.type == kNtPrstatus;
  }));
}

}  // namespace kdumpkit
