// SPDX-License-Identifier: GPL-2.0-or-later
// Layout: System V gABI, "Object Files". Written with ByteReader, as the file is already in memory.
#include "kexec/elf_kernel.h"

#include <algorithm>

namespace kdumpkit {
namespace {

constexpr uint8_t kClass64 = 2;
constexpr uint16_t kTypeExecutable = 2;
constexpr uint16_t kTypeShared = 3;  // a relocatable kernel
constexpr uint16_t kExtendedNumbering = 0xffff;
constexpr uint64_t kProgramHeaderSize = 56;
constexpr uint32_t kProgramLoad = 1;
constexpr uint32_t kProgramInterpreter = 3;

struct ProgramHeader {
  ElfKernel::Piece piece;
  uint64_t at = 0;  // of the header in the file
  uint64_t vaddr = 0;
};

// Fields of the ELF header that lead on.
struct FileHeader {
  uint16_t machine = 0;
  uint64_t entry = 0;
  uint64_t table = 0;  // program headers: offset
  uint16_t count = 0;  // and how many
};

Result<ByteReader> OpenElf(ByteView contents) {
  ByteReader ident(contents, ByteOrder::kLittle, "ELF file");
  if (TRY(ident.U32(0)) != 0x464c457f) return Malformed("not an ELF file");
  uint8_t elf_class = TRY(ident.U8(4));
  uint8_t order = TRY(ident.U8(5));
  if (elf_class != kClass64)
    return Unsupported("ELF file: class {} at offset 0x4, only 64-bit kernels are loaded",
                       elf_class);
  if (order != 1 && order != 2)
    return Malformed("ELF file: unknown byte order {} at offset 0x5", order);
  return ByteReader(contents, order == 1 ? ByteOrder::kLittle : ByteOrder::kBig, "ELF file");
}

Result<FileHeader> ReadFileHeader(const ByteReader& reader) {
  uint16_t type = TRY(reader.U16(16));
  if (type != kTypeExecutable && type != kTypeShared)
    return Unsupported("ELF file: type {} at offset 0x10 is not a program{}", type,
                       type == 1   ? " but an object file, such as a kernel module"
                       : type == 4 ? " but a memory dump"
                                   : "");
  FileHeader header;
  header.machine = TRY(reader.U16(18));
  header.entry = TRY(reader.U64(24));
  header.table = TRY(reader.U64(32));
  uint16_t entry_size = TRY(reader.U16(54));
  header.count = TRY(reader.U16(56));
  if (header.count == 0) return Malformed("ELF file: no program headers (offset 0x38)");
  if (header.count == kExtendedNumbering)
    return Unsupported("ELF file: more than 65534 program headers (offset 0x38)");
  if (entry_size != kProgramHeaderSize)
    return Malformed("ELF file: program headers of {} bytes (offset 0x36), {} are right",
                     entry_size, kProgramHeaderSize);
  TRY(reader.Bytes(header.table, header.count * kProgramHeaderSize));
  return header;
}

Status CheckPiece(const ByteReader& reader, const ProgramHeader& header) {
  const ElfKernel::Piece& piece = header.piece;
  if (piece.file_size > piece.memory_size)
    return Malformed(
        "ELF file: program header at {:#x}: {:#x} bytes of the file for {:#x} of memory", header.at,
        piece.file_size, piece.memory_size);
  if (piece.memory_size > UINT64_MAX - piece.paddr)
    return Malformed("ELF file: program header at {:#x}: {:#x} bytes at address {:#x} wrap around",
                     header.at, piece.memory_size, piece.paddr);
  Result<ByteView> bytes = reader.Bytes(piece.file_offset, piece.file_size);
  if (bytes) return {};
  return std::move(bytes.error()).In(fmt::format("program header at {:#x}", header.at));
}

Result<ProgramHeader> ReadLoad(const ByteReader& reader, uint64_t at) {
  ProgramHeader header;
  header.at = at;
  header.piece.file_offset = TRY(reader.U64(at + 8));
  header.vaddr = TRY(reader.U64(at + 16));
  header.piece.paddr = TRY(reader.U64(at + 24));
  header.piece.file_size = TRY(reader.U64(at + 32));
  header.piece.memory_size = TRY(reader.U64(at + 40));
  TRY(CheckPiece(reader, header));
  return header;
}

// The PT_LOADs that take memory, ascending by physical address.
Result<std::vector<ProgramHeader>> ReadLoads(const ByteReader& reader, const FileHeader& file) {
  std::vector<ProgramHeader> loads;
  for (uint64_t i = 0; i < file.count; ++i) {
    uint64_t at = file.table + i * kProgramHeaderSize;
    uint32_t type = TRY(reader.U32(at));
    if (type == kProgramInterpreter)
      return Unsupported(
          "ELF file: program header at {:#x} asks for an interpreter: this is a program for a "
          "running system, not a kernel",
          at);
    if (type != kProgramLoad) continue;
    ProgramHeader header = TRY(ReadLoad(reader, at));
    if (header.piece.memory_size != 0) loads.push_back(header);
  }
  if (loads.empty()) return Malformed("ELF file: no program header loads anything");
  std::sort(loads.begin(), loads.end(), [](const ProgramHeader& a, const ProgramHeader& b) {
    return a.piece.paddr < b.piece.paddr;
  });
  return loads;
}

Status CheckDisjoint(const std::vector<ProgramHeader>& loads) {
  for (size_t i = 1; i < loads.size(); ++i) {
    if (loads[i - 1].piece.end() <= loads[i].piece.paddr) continue;
    return Malformed(
        "ELF file: program headers at {:#x} and {:#x} overlap in memory, at address {:#x}",
        loads[i - 1].at, loads[i].at, loads[i].piece.paddr);
  }
  return {};
}

// x86 states a physical address, other machines (arm64, ppc64) a virtual one.
Result<uint64_t> PhysicalEntry(uint64_t entry, const std::vector<ProgramHeader>& loads) {
  for (const ProgramHeader& load : loads)
    if (entry >= load.piece.paddr && entry < load.piece.end()) return entry;
  for (const ProgramHeader& load : loads)
    if (entry >= load.vaddr && entry - load.vaddr < load.piece.memory_size)
      return load.piece.paddr + (entry - load.vaddr);
  return Malformed("ELF file: the entry {:#x} (offset 0x18) lies in nothing that is loaded", entry);
}

}  // namespace

Result<ElfKernel> ParseElfKernel(ByteView contents) {
  ByteReader reader = TRY(OpenElf(contents));
  FileHeader header = TRY(ReadFileHeader(reader));
  std::vector<ProgramHeader> loads = TRY(ReadLoads(reader, header));
  TRY(CheckDisjoint(loads));
  ElfKernel kernel;
  kernel.machine = header.machine;
  kernel.entry = TRY(PhysicalEntry(header.entry, loads));
  for (const ProgramHeader& load : loads) kernel.pieces.push_back(load.piece);
  return kernel;
}

}  // namespace kdumpkit
