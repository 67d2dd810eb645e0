// SPDX-License-Identifier: GPL-2.0-or-later
#include "elf/headers.h"

#include <elf.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace kdumpkit {
namespace {

// A core of a whole machine has a program header a memory range and one for the notes: dozens, or
// as many as there are runs of pages in a filtered one. The cap leaves room for 16 times the 65,535
// that fit e_phnum, and bounds what a hostile file costs.
constexpr uint64_t kMaxProgramHeaders = uint64_t{1} << 20;
constexpr size_t kChunkBytes = size_t{64} << 10;

// Where the fields of one class of files are (System V gABI). "Word" fields have 8 bytes in ELF64
// and 4 in ELF32; the others are the same in both.
struct Class {
  size_t header_size, program_size, section_size;
  size_t phoff, shoff, flags, phentsize, phnum;                   // of the ELF header
  size_t p_offset, p_vaddr, p_paddr, p_file_size, p_memory_size;  // of a program header
  size_t sh_info;                                                 // of a section header
  size_t word;
};

constexpr Class kElf64 = {sizeof(Elf64_Ehdr),
                          sizeof(Elf64_Phdr),
                          sizeof(Elf64_Shdr),
                          offsetof(Elf64_Ehdr, e_phoff),
                          offsetof(Elf64_Ehdr, e_shoff),
                          offsetof(Elf64_Ehdr, e_flags),
                          offsetof(Elf64_Ehdr, e_phentsize),
                          offsetof(Elf64_Ehdr, e_phnum),
                          offsetof(Elf64_Phdr, p_offset),
                          offsetof(Elf64_Phdr, p_vaddr),
                          offsetof(Elf64_Phdr, p_paddr),
                          offsetof(Elf64_Phdr, p_filesz),
                          offsetof(Elf64_Phdr, p_memsz),
                          offsetof(Elf64_Shdr, sh_info),
                          8};
constexpr Class kElf32 = {sizeof(Elf32_Ehdr),
                          sizeof(Elf32_Phdr),
                          sizeof(Elf32_Shdr),
                          offsetof(Elf32_Ehdr, e_phoff),
                          offsetof(Elf32_Ehdr, e_shoff),
                          offsetof(Elf32_Ehdr, e_flags),
                          offsetof(Elf32_Ehdr, e_phentsize),
                          offsetof(Elf32_Ehdr, e_phnum),
                          offsetof(Elf32_Phdr, p_offset),
                          offsetof(Elf32_Phdr, p_vaddr),
                          offsetof(Elf32_Phdr, p_paddr),
                          offsetof(Elf32_Phdr, p_filesz),
                          offsetof(Elf32_Phdr, p_memsz),
                          offsetof(Elf32_Shdr, sh_info),
                          4};
// The same in both classes.
constexpr size_t kTypeAt = offsetof(Elf64_Ehdr, e_type);
constexpr size_t kMachineAt = offsetof(Elf64_Ehdr, e_machine);
constexpr size_t kVersionAt = offsetof(Elf64_Ehdr, e_version);

class HeaderReader {
 public:
  HeaderReader(const DataSource& file, const std::string& path) : file_(file), path_(path) {}

  Result<ElfHeaders> Read();

 private:
  Status ReadIdent();
  Status ReadElfHeader();
  Result<uint64_t> CountPrograms();
  Status ReadPrograms(uint64_t count);
  Status ReadChunk(uint64_t first, size_t count);
  void AddProgram(const std::byte* header);
  Status CheckInFile(uint64_t offset, uint64_t size, std::string_view what) const;
  Status ReadAll(uint64_t offset, ByteSpan buffer) const;
  uint64_t Word(const std::byte* at) const;
  uint16_t Half(size_t at) const { return LoadUnchecked<uint16_t>(&header_[at], result_.order); }

  const DataSource& file_;
  const std::string& path_;
  const Class* class_ = &kElf64;
  std::array<std::byte, sizeof(Elf64_Ehdr)> header_ = {};
  uint64_t programs_at_ = 0;     // e_phoff
  uint16_t program_stride_ = 0;  // e_phentsize
  ElfHeaders result_;
};

uint64_t HeaderReader::Word(const std::byte* at) const {
  if (class_->word == 4) return LoadUnchecked<uint32_t>(at, result_.order);
  return LoadUnchecked<uint64_t>(at, result_.order);
}

Status HeaderReader::CheckInFile(uint64_t offset, uint64_t size, std::string_view what) const {
  if (offset <= file_.size() && size <= file_.size() - offset) return {};
  return Truncated("'{}': {} at {:#x} ({} bytes) lies beyond the end of the file at {:#x}", path_,
                   what, offset, size, file_.size());
}

Status HeaderReader::ReadAll(uint64_t offset, ByteSpan buffer) const {
  return file_.ReadFullyAt(FileOffset(offset), buffer).In(fmt::format("'{}'", path_));
}

Status HeaderReader::ReadIdent() {
  TRY(CheckInFile(0, EI_NIDENT, "the ELF identification"));
  TRY(ReadAll(0, ByteSpan(header_).first(EI_NIDENT)));
  const unsigned char* ident = AsUnsigned(header_.data());
  if (std::memcmp(ident, ELFMAG, SELFMAG) != 0)
    return Malformed("'{}': not an ELF file (it starts with {:02x} {:02x} {:02x} {:02x})", path_,
                     ident[0], ident[1], ident[2], ident[3]);
  if (ident[EI_CLASS] != ELFCLASS64 && ident[EI_CLASS] != ELFCLASS32)
    return Malformed("'{}': unknown ELF class {} at {:#x}", path_, ident[EI_CLASS], EI_CLASS);
  if (ident[EI_DATA] != ELFDATA2LSB && ident[EI_DATA] != ELFDATA2MSB)
    return Malformed("'{}': unknown ELF byte order {} at {:#x}", path_, ident[EI_DATA], EI_DATA);
  if (ident[EI_VERSION] != EV_CURRENT)
    return Malformed("'{}': unknown ELF version {} at {:#x}", path_, ident[EI_VERSION], EI_VERSION);
  result_.wide = ident[EI_CLASS] == ELFCLASS64;
  class_ = result_.wide ? &kElf64 : &kElf32;
  result_.order = ident[EI_DATA] == ELFDATA2LSB ? ByteOrder::kLittle : ByteOrder::kBig;
  return {};
}

// e_ehsize is not looked at: QEMU 7.2 writes 8 there.
Status HeaderReader::ReadElfHeader() {
  TRY(CheckInFile(0, class_->header_size, "the ELF header"));
  TRY(ReadAll(0, ByteSpan(header_).first(class_->header_size)));
  if (Half(kTypeAt) != ET_CORE)
    return Malformed("'{}': ELF type {} at {:#x} is not a core file", path_, Half(kTypeAt),
                     kTypeAt);
  auto version = LoadUnchecked<uint32_t>(&header_[kVersionAt], result_.order);
  if (version != EV_CURRENT)
    return Malformed("'{}': unknown ELF version {} at {:#x}", path_, version, kVersionAt);
  program_stride_ = Half(class_->phentsize);
  if (program_stride_ < class_->program_size)
    return Malformed("'{}': program headers of {} bytes (at {:#x}) are too small", path_,
                     program_stride_, class_->phentsize);
  programs_at_ = Word(&header_[class_->phoff]);
  result_.machine = Half(kMachineAt);
  result_.flags = LoadUnchecked<uint32_t>(&header_[class_->flags], result_.order);
  return {};
}

// More than 65,534 program headers: e_phnum is PN_XNUM and the count stands in sh_info of the
// first section header (System V gABI, "Extended numbering").
Result<uint64_t> HeaderReader::CountPrograms() {
  uint16_t count = Half(class_->phnum);
  if (count != PN_XNUM) return count;
  uint64_t sections = Word(&header_[class_->shoff]);
  if (sections == 0)
    return Malformed("'{}': e_phnum is PN_XNUM but there is no section header", path_);
  std::array<std::byte, sizeof(Elf64_Shdr)> section;
  TRY(CheckInFile(sections, class_->section_size, "section header 0"));
  TRY(ReadAll(sections, ByteSpan(section).first(class_->section_size)));
  return LoadUnchecked<uint32_t>(&section[class_->sh_info], result_.order);
}

Status HeaderReader::ReadPrograms(uint64_t count) {
  if (count > kMaxProgramHeaders)
    return Unsupported("'{}': {} program headers, more than {}", path_, count, kMaxProgramHeaders);
  TRY(CheckInFile(programs_at_, count * program_stride_,
                  fmt::format("the table of {} program headers", count)));
  size_t chunk = std::max<size_t>(1, kChunkBytes / program_stride_);
  for (uint64_t first = 0; first < count; first += chunk)
    TRY(ReadChunk(first, std::min<size_t>(chunk, count - first)));
  return {};
}

Status HeaderReader::ReadChunk(uint64_t first, size_t count) {
  ByteBuffer bytes(count * program_stride_);
  TRY(ReadAll(programs_at_ + first * program_stride_, bytes));
  for (size_t i = 0; i < count; ++i) AddProgram(&bytes[i * program_stride_]);
  return {};
}

void HeaderReader::AddProgram(const std::byte* header) {
  auto type = LoadUnchecked<uint32_t>(header, result_.order);
  if (type != PT_LOAD && type != PT_NOTE) return;
  ProgramHeaderKind kind = type == PT_LOAD ? ProgramHeaderKind::kLoad : ProgramHeaderKind::kNote;
  result_.programs.push_back({kind, Word(header + class_->p_offset), Word(header + class_->p_vaddr),
                              Word(header + class_->p_paddr), Word(header + class_->p_file_size),
                              Word(header + class_->p_memory_size)});
}

Result<ElfHeaders> HeaderReader::Read() {
  TRY(ReadIdent());
  TRY(ReadElfHeader());
  TRY(ReadPrograms(TRY(CountPrograms())));
  return std::move(result_);
}

}  // namespace

Result<ElfHeaders> ReadElfHeaders(const DataSource& file, const std::string& path) {
  return HeaderReader(file, path).Read();
}

}  // namespace kdumpkit
