// SPDX-License-Identifier: GPL-2.0-or-later
#include "kexec/kernel_block.h"

#include <algorithm>

#include "kexec/boot_params.h"
#include "kexec/elf_kernel.h"
#include "kexec/page.h"

namespace kdumpkit {
namespace {

constexpr uint64_t kMiB = uint64_t{1} << 20;
constexpr uint64_t kSector = 512;
// Documentation/arch/x86/boot.rst, "64-bit boot protocol": the entry is this far into the
// protected-mode code.
constexpr uint64_t kEntry64 = 0x200;
constexpr uint16_t kXlfEfiKexec = 0x10;
constexpr uint16_t kXlf5Level = 0x20;
// Of Linux 5.5. acpi_rsdp_addr came with 5.0 and no number of its own.
constexpr uint16_t kProtocolWithRsdp = 0x020f;
constexpr uint16_t kMachineX86_64 = 62;
// The kernel proper maps itself with pages of this size and halts when it is not placed so
// (__startup_64() in arch/x86/kernel/head64.c).
constexpr uint64_t kElfAlignment = 2 * kMiB;
constexpr uint64_t kElfCommandLineLimit = 2047;  // COMMAND_LINE_SIZE of x86, without the NUL
constexpr uint64_t kMaxElfMemory = 1024 * kMiB;

Result<ByteView> PayloadOf(const ByteReader& file, const BzImage& image) {
  uint64_t setup_sectors = TRY(file.U8(boot_params::kSetupHeader));
  uint64_t setup = ((setup_sectors == 0 ? 4 : setup_sectors) + 1) * kSector;
  // A signature may follow the payload.
  return file.Bytes(setup, image.file_size - setup);
}

Result<KernelBlock> BlockOfBzImage(const KernelFile& kernel) {
  const BzImage& image = *kernel.image.bzimage;
  if (!image.Is64Bit())
    return Unsupported("'{}' has no 64-bit entry, or cannot be loaded above 4 GiB", kernel.path);
  ByteReader file(kernel.contents, ByteOrder::kLittle, "bzImage");
  ByteView payload = TRY(PayloadOf(file, image));
  KernelBlock block;
  block.size = RoundUp(std::max<uint64_t>(image.init_size, payload.size()), kPageBytes);
  block.alignment = std::max(image.kernel_alignment, 1u);
  // Below its preferred address a kernel moves itself there, over whatever there is.
  block.min_address = std::max(TRY(file.U64(boot_params::kPreferredAddress)), kMiB);
  if (TRY(file.U8(boot_params::kRelocatable)) == 0)
    block.end_address = block.min_address + std::min(block.size, UINT64_MAX - block.min_address);
  block.entry_offset = kEntry64;
  block.pieces = {{0, payload, block.size}};
  block.setup_header = TRY(SetupHeaderOf(kernel.contents));
  block.command_line_limit = image.command_line_size;
  block.takes_efi = (image.xloadflags & kXlfEfiKexec) != 0;
  block.finds_rsdp = image.protocol >= kProtocolWithRsdp;
  block.five_levels = (image.xloadflags & kXlf5Level) != 0;
  return block;
}

// The pieces as they are, at offsets from `base`.
std::vector<KernelBlock::Piece> PiecesOf(const ElfKernel& elf, ByteView contents, uint64_t base) {
  std::vector<KernelBlock::Piece> pieces;
  for (const ElfKernel::Piece& piece : elf.pieces)
    pieces.push_back({piece.paddr - base, contents.subspan(piece.file_offset, piece.file_size),
                      piece.memory_size});
  return pieces;
}

// No piece begins inside a page or in a page of the one before.
bool InSeparatePages(std::span<const KernelBlock::Piece> pieces) {
  uint64_t end = 0;
  for (const KernelBlock::Piece& piece : pieces) {
    if (piece.offset % kPageBytes != 0 || piece.offset < end) return false;
    end = RoundUp(piece.offset + piece.memory_size, kPageBytes);
  }
  return true;
}

KernelBlock::Piece MergePieces(std::span<const KernelBlock::Piece> pieces, uint64_t size,
                               std::deque<ByteBuffer>& buffers) {
  ByteBuffer& buffer = buffers.emplace_back();
  for (const KernelBlock::Piece& piece : pieces) {
    buffer.resize(piece.offset);
    buffer.insert(buffer.end(), piece.bytes.begin(), piece.bytes.end());
  }
  return {0, buffer, size};
}

Result<KernelBlock> BlockOfElf(const KernelFile& kernel, size_t max_pieces,
                               std::deque<ByteBuffer>& buffers) {
  ElfKernel elf = TRY(ParseElfKernel(kernel.contents).In(fmt::format("'{}'", kernel.path)));
  if (elf.machine != kMachineX86_64)
    return Unsupported("'{}' is {}, not a kernel for x86_64", kernel.path,
                       kernel.image.description);
  uint64_t base = RoundDown(elf.pieces.front().paddr, kElfAlignment);
  KernelBlock block;
  block.size = elf.pieces.back().end() - base;
  if (block.size > kMaxElfMemory)
    return Unsupported("'{}' is spread over {:#x} bytes of memory", kernel.path, block.size);
  block.size = RoundUp(block.size, kPageBytes);
  block.alignment = kElfAlignment;
  block.min_address = kMiB;
  block.entry_offset = elf.entry - base;
  block.pieces = PiecesOf(elf, kernel.contents, base);
  if (block.pieces.size() > max_pieces || !InSeparatePages(block.pieces))
    block.pieces = {MergePieces(block.pieces, block.size, buffers)};
  block.setup_header = MakeSetupHeader();
  block.command_line_limit = kElfCommandLineLimit;
  return block;
}

}  // namespace

Result<KernelBlock> MakeKernelBlock(const KernelFile& kernel, size_t max_pieces,
                                    std::deque<ByteBuffer>& buffers) {
  if (kernel.image.bzimage) return BlockOfBzImage(kernel);
  if (kernel.image.kind == ImageKind::kElf) return BlockOfElf(kernel, max_pieces, buffers);
  return Unsupported("'{}' is {}: kexec_load takes a bzImage or an ELF file", kernel.path,
                     kernel.image.description);
}

}  // namespace kdumpkit
