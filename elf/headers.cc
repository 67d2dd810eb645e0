// SPDX-License-Identifier: GPL-2.0-or-later
#include "elf/headers.h"

#include <libelf.h>

#include <algorithm>
#include <cstring>

#include "base/address.h"
#include "base/file.h"

namespace kdumpkit {
namespace {

// A core of a whole machine has a program header a memory range and one for the notes: dozens. The
// cap leaves room for 16 times the 65,535 that fit e_phnum, and bounds what a hostile file costs.
constexpr uint64_t kMaxProgramHeaders = uint64_t{1} << 20;
constexpr size_t kChunkBytes = size_t{64} << 10;

// libelf swaps the fields; it is given complete structures only, so it never meets the file's own
// counts and offsets.
void SwapFields(Elf_Type type, void* data, size_t size, ByteOrder order) {
  Elf_Data where = {};
  where.d_buf = data;
  where.d_type = type;
  where.d_size = size;
  where.d_version = EV_CURRENT;
  unsigned encoding = order == ByteOrder::kLittle ? ELFDATA2LSB : ELFDATA2MSB;
  CHECK(elf64_xlatetom(&where, &where, encoding) != nullptr);
}

class HeaderReader {
 public:
  HeaderReader(int fd, uint64_t file_size, const std::string& path)
      : fd_(fd), file_size_(file_size), path_(path) {}

  Result<ElfHeaders> Read();

 private:
  Status ReadIdent();
  Status ReadElfHeader();
  Result<uint64_t> CountPrograms();
  Status ReadPrograms(uint64_t count);
  Status ReadChunk(uint64_t first, size_t count);
  Status CheckInFile(uint64_t offset, uint64_t size, std::string_view what) const;
  Status ReadAll(uint64_t offset, ByteSpan buffer) const;

  int fd_;
  uint64_t file_size_;
  const std::string& path_;
  Elf64_Ehdr header_ = {};
  ElfHeaders result_;
};

Status HeaderReader::CheckInFile(uint64_t offset, uint64_t size, std::string_view what) const {
  if (offset <= file_size_ && size <= file_size_ - offset) return {};
  return Truncated("'{}': {} at {:#x} ({} bytes) lies beyond the end of the file at {:#x}", path_,
                   what, offset, size, file_size_);
}

Status HeaderReader::ReadAll(uint64_t offset, ByteSpan buffer) const {
  return ReadFullyAt(fd_, FileOffset(offset), buffer).In(fmt::format("'{}'", path_));
}

Status HeaderReader::ReadIdent() {
  unsigned char(&ident)[EI_NIDENT] = header_.e_ident;
  TRY(CheckInFile(0, EI_NIDENT, "the ELF identification"));
  TRY(ReadAll(0, std::as_writable_bytes(std::span(ident))));
  if (std::memcmp(ident, ELFMAG, SELFMAG) != 0)
    return Malformed("'{}': not an ELF file (it starts with {:02x} {:02x} {:02x} {:02x})", path_,
                     ident[0], ident[1], ident[2], ident[3]);
  if (ident[EI_CLASS] == ELFCLASS32)
    return Unsupported("'{}': a 32-bit ELF core; only 64-bit cores can be read", path_);
  if (ident[EI_CLASS] != ELFCLASS64)
    return Malformed("'{}': unknown ELF class {} at {:#x}", path_, ident[EI_CLASS], EI_CLASS);
  if (ident[EI_DATA] != ELFDATA2LSB && ident[EI_DATA] != ELFDATA2MSB)
    return Malformed("'{}': unknown ELF byte order {} at {:#x}", path_, ident[EI_DATA], EI_DATA);
  if (ident[EI_VERSION] != EV_CURRENT)
    return Malformed("'{}': unknown ELF version {} at {:#x}", path_, ident[EI_VERSION], EI_VERSION);
  result_.order = ident[EI_DATA] == ELFDATA2LSB ? ByteOrder::kLittle : ByteOrder::kBig;
  return {};
}

// e_ehsize is not looked at: QEMU 7.2 writes 8 there.
Status HeaderReader::ReadElfHeader() {
  TRY(CheckInFile(0, sizeof(header_), "the ELF header"));
  TRY(ReadAll(0, std::as_writable_bytes(std::span(&header_, 1))));
  SwapFields(ELF_T_EHDR, &header_, sizeof(header_), result_.order);
  if (header_.e_type != ET_CORE)
    return Malformed("'{}': ELF type {} at {:#x} is not a core file", path_, header_.e_type,
                     offsetof(Elf64_Ehdr, e_type));
  if (header_.e_version != EV_CURRENT)
    return Malformed("'{}': unknown ELF version {} at {:#x}", path_, header_.e_version,
                     offsetof(Elf64_Ehdr, e_version));
  if (header_.e_phentsize < sizeof(Elf64_Phdr))
    return Malformed("'{}': program headers of {} bytes (at {:#x}) are too small", path_,
                     header_.e_phentsize, offsetof(Elf64_Ehdr, e_phentsize));
  result_.machine = header_.e_machine;
  result_.flags = header_.e_flags;
  return {};
}

// More than 65,534 program headers: e_phnum is PN_XNUM and the count stands in sh_info of the
// first section header (System V gABI, "Extended numbering").
Result<uint64_t> HeaderReader::CountPrograms() {
  if (header_.e_phnum != PN_XNUM) return header_.e_phnum;
  Elf64_Shdr section = {};
  if (header_.e_shoff == 0)
    return Malformed("'{}': e_phnum is PN_XNUM but there is no section header", path_);
  TRY(CheckInFile(header_.e_shoff, sizeof(section), "section header 0"));
  TRY(ReadAll(header_.e_shoff, std::as_writable_bytes(std::span(&section, 1))));
  SwapFields(ELF_T_SHDR, &section, sizeof(section), result_.order);
  return section.sh_info;
}

Status HeaderReader::ReadPrograms(uint64_t count) {
  if (count > kMaxProgramHeaders)
    return Unsupported("'{}': {} program headers, more than {}", path_, count, kMaxProgramHeaders);
  TRY(CheckInFile(header_.e_phoff, count * header_.e_phentsize,
                  fmt::format("the table of {} program headers", count)));
  size_t chunk = std::max<size_t>(1, kChunkBytes / header_.e_phentsize);
  for (uint64_t first = 0; first < count; first += chunk)
    TRY(ReadChunk(first, std::min<size_t>(chunk, count - first)));
  return {};
}

Status HeaderReader::ReadChunk(uint64_t first, size_t count) {
  size_t stride = header_.e_phentsize;
  ByteBuffer bytes(count * stride);
  TRY(ReadAll(header_.e_phoff + first * stride, bytes));
  std::vector<Elf64_Phdr> headers(count);
  for (size_t i = 0; i < count; ++i)
    std::memcpy(&headers[i], bytes.data() + i * stride, sizeof(Elf64_Phdr));
  SwapFields(ELF_T_PHDR, headers.data(), count * sizeof(Elf64_Phdr), result_.order);
  for (const Elf64_Phdr& header : headers) {
    if (header.p_type != PT_LOAD && header.p_type != PT_NOTE) continue;
    ProgramHeaderKind kind =
        header.p_type == PT_LOAD ? ProgramHeaderKind::kLoad : ProgramHeaderKind::kNote;
    result_.programs.push_back(
        {kind, header.p_offset, header.p_vaddr, header.p_paddr, header.p_filesz, header.p_memsz});
  }
  return {};
}

Result<ElfHeaders> HeaderReader::Read() {
  elf_version(EV_CURRENT);
  TRY(ReadIdent());
  TRY(ReadElfHeader());
  TRY(ReadPrograms(TRY(CountPrograms())));
  return std::move(result_);
}

}  // namespace

Result<ElfHeaders> ReadElfHeaders(int fd, uint64_t file_size, const std::string& path) {
  return HeaderReader(fd, file_size, path).Read();
}

}  // namespace kdumpkit
