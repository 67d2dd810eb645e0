// SPDX-License-Identifier: GPL-2.0-or-later
#include "kexec/elf_kernel.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/kexec/image_builder.h"

namespace kdumpkit {
namespace {

using testing::HasSubstr;

constexpr size_t kFirstHeader = 64;  // of MakeElfKernel's program headers
constexpr size_t kHeaderSize = 56;

std::string WhyNot(const std::string& file) {
  Result<ElfKernel> kernel = ParseElfKernel(AsBytes(file));
  return kernel ? "a kernel" : kernel.error().message();
}
std::string WhyNot(const ElfFields& fields) { return WhyNot(MakeElfKernel(fields)); }

std::string Bytes(const std::string& file, const ElfKernel::Piece& piece) {
  return file.substr(piece.file_offset, piece.file_size);
}

TEST(ElfKernel, PiecesOfAVmlinux) {
  std::string file = MakeElfKernel(VmlinuxFields());
  ElfKernel kernel = ParseElfKernel(AsBytes(file)).value();
  EXPECT_EQ(kernel.machine, 62);
  EXPECT_EQ(kernel.entry, 0x1000000u);
  ASSERT_EQ(kernel.pieces.size(), 4u);
  EXPECT_EQ(kernel.pieces[0].paddr, 0x1000000u);
  EXPECT_EQ(Bytes(file, kernel.pieces[0]), std::string(0x300, 't'));
  // The per-CPU area has the virtual address 0.
  EXPECT_EQ(kernel.pieces[2].paddr, 0x2100000u);
  EXPECT_EQ(Bytes(file, kernel.pieces[2]), std::string(0x20, 'p'));
  EXPECT_EQ(kernel.pieces[3].memory_size, 0x5000u);
  EXPECT_EQ(kernel.pieces[3].file_size, 0x40u);
  EXPECT_EQ(kernel.pieces[3].end(), 0x2205000u);
}

TEST(ElfKernel, BigEndian) {
  ElfFields fields = VmlinuxFields();
  fields.big_endian = true;
  fields.machine = 21;
  ElfKernel kernel = ParseElfKernel(AsBytes(MakeElfKernel(fields))).value();
  EXPECT_EQ(kernel.machine, 21);
  EXPECT_EQ(kernel.pieces.size(), 4u);
  EXPECT_EQ(kernel.pieces[3].memory_size, 0x5000u);
}

TEST(ElfKernel, PiecesAreSortedAndEmptyOnesDropped) {
  ElfFields fields;
  fields.pieces.push_back({0x3000000, "high", 0, {}, {}, {}});
  fields.pieces.push_back({0x2000000, "", 0, {}, {}, {}});
  fields.pieces.push_back({0x1000000, "low", 0, {}, {}, {}});
  ElfKernel kernel = ParseElfKernel(AsBytes(MakeElfKernel(fields))).value();
  ASSERT_EQ(kernel.pieces.size(), 2u);
  EXPECT_EQ(kernel.pieces[0].paddr, 0x1000000u);
  EXPECT_EQ(kernel.pieces[1].paddr, 0x3000000u);
}

TEST(ElfKernel, MemoryWithoutBytesOfTheFile) {
  ElfFields fields;
  fields.pieces.push_back({0x1000000, "", 0, 0x4000, {}, {}});
  ElfKernel kernel = ParseElfKernel(AsBytes(MakeElfKernel(fields))).value();
  EXPECT_EQ(kernel.pieces[0].memory_size, 0x4000u);
  EXPECT_EQ(kernel.pieces[0].file_size, 0u);
}

TEST(ElfKernel, VirtualEntryIsTranslated) {
  ElfFields fields = VmlinuxFields();
  fields.entry = 0xffffffff81000010;
  EXPECT_EQ(ParseElfKernel(AsBytes(MakeElfKernel(fields)))->entry, 0x1000010u);
}

TEST(ElfKernel, EntryOutsideEveryPiece) {
  ElfFields fields = VmlinuxFields();
  fields.entry = 0x1000300;
  EXPECT_EQ(WhyNot(fields),
            "ELF file: the entry 0x1000300 (offset 0x18) lies in nothing that is loaded");
}

// kexec-tools let p_offset + p_filesz wrap around and handed the bytes in front of its buffer to
// the kernel.
TEST(ElfKernel, FileOffsetThatWrapsAround) {
  ElfFields fields = VmlinuxFields();
  fields.pieces[1].file_offset = UINT64_MAX - 0x7f;
  EXPECT_EQ(WhyNot(fields),
            "program header at 0x78: ELF file: 128 bytes at offset 0xffffffffffffff80 lie beyond "
            "its end at 0x544");
  fields.pieces[1].file_offset = 0x40;
  fields.pieces[1].file_size = UINT64_MAX;
  fields.pieces[1].memory_size = UINT64_MAX;
  EXPECT_THAT(WhyNot(fields), HasSubstr("wrap around"));
}

TEST(ElfKernel, AddressThatWrapsAround) {
  ElfFields fields = VmlinuxFields();
  fields.pieces[1].paddr = UINT64_MAX - 0x10;
  EXPECT_EQ(WhyNot(fields),
            "ELF file: program header at 0x78: 0x80 bytes at address 0xffffffffffffffef wrap "
            "around");
}

TEST(ElfKernel, PieceBeyondTheFile) {
  ElfFields fields = VmlinuxFields();
  fields.pieces[1].file_offset = 0x501;
  EXPECT_EQ(WhyNot(fields),
            "program header at 0x78: ELF file: 128 bytes at offset 0x501 lie beyond its end at "
            "0x544");
}

TEST(ElfKernel, MoreOfTheFileThanOfMemory) {
  ElfFields fields = VmlinuxFields();
  fields.pieces[0].memory_size = 0x2ff;
  EXPECT_EQ(WhyNot(fields),
            "ELF file: program header at 0x40: 0x300 bytes of the file for 0x2ff of memory");
}

TEST(ElfKernel, PiecesThatOverlap) {
  ElfFields fields = VmlinuxFields();
  fields.pieces[3].paddr = 0x2100010;
  EXPECT_EQ(WhyNot(fields),
            "ELF file: program headers at 0xb0 and 0xe8 overlap in memory, at address 0x2100010");
  fields.pieces[3].paddr = 0x2100020;
  EXPECT_EQ(WhyNot(fields), "a kernel");
}

TEST(ElfKernel, TableOfProgramHeaders) {
  std::string file = MakeElfKernel(VmlinuxFields());
  auto with = [&](size_t at, std::string_view bytes) {
    return WhyNot(std::string(file).replace(at, bytes.size(), bytes));
  };
  EXPECT_EQ(with(32, std::string_view("\0\0\0\0\1\0\0\0", 8)),
            "ELF file: 280 bytes at offset 0x100000000 lie beyond its end at 0x544");
  EXPECT_THAT(with(32, "\xff\xff\xff\xff\xff\xff\xff\xff"), HasSubstr("lie beyond its end"));
  EXPECT_EQ(with(54, "\x20"), "ELF file: program headers of 32 bytes (offset 0x36), 56 are right");
  EXPECT_EQ(with(56, std::string_view("\0\0", 2)), "ELF file: no program headers (offset 0x38)");
  EXPECT_EQ(with(56, "\xff\xff"), "ELF file: more than 65534 program headers (offset 0x38)");
  EXPECT_THAT(with(56, "\xfe\xff"), HasSubstr("lie beyond its end"));
}

TEST(ElfKernel, OtherElfFiles) {
  ElfFields fields = VmlinuxFields();
  fields.type = 1;
  EXPECT_EQ(WhyNot(fields),
            "ELF file: type 1 at offset 0x10 is not a program but an object file, such as a kernel "
            "module");
  fields.type = 4;
  EXPECT_EQ(WhyNot(fields), "ELF file: type 4 at offset 0x10 is not a program but a memory dump");
  fields = VmlinuxFields();
  fields.pieces[4].type = 3;
  EXPECT_EQ(WhyNot(fields),
            "ELF file: program header at 0x120 asks for an interpreter: this is a program for a "
            "running system, not a kernel");
  for (ElfPiece& piece : fields.pieces) piece.type = 4;
  EXPECT_EQ(WhyNot(fields), "ELF file: no program header loads anything");
  EXPECT_EQ(WhyNot(std::string("text")), "not an ELF file");
}

TEST(ElfKernel, ClassAndByteOrder) {
  std::string file = MakeElfKernel(VmlinuxFields());
  file[4] = 1;
  EXPECT_EQ(WhyNot(file), "ELF file: class 1 at offset 0x4, only 64-bit kernels are loaded");
  file[4] = 2;
  file[5] = 3;
  EXPECT_EQ(WhyNot(file), "ELF file: unknown byte order 3 at offset 0x5");
}

TEST(ElfKernel, EveryPrefixIsAnError) {
  for (bool big_endian : {false, true}) {
    ElfFields fields = VmlinuxFields();
    fields.big_endian = big_endian;
    std::string file = MakeElfKernel(fields);
    size_t loaded = file.size() - 4;  // the note is not
    for (size_t size = 0; size < loaded; ++size) {
      ByteBuffer prefix(AsBytes(file).begin(),
                        AsBytes(file).begin() + static_cast<ptrdiff_t>(size));
      EXPECT_FALSE(ParseElfKernel(prefix)) << size;
    }
  }
}

TEST(ElfKernel, SurvivesEveryDamagedByte) {
  std::string file = MakeElfKernel(VmlinuxFields());
  for (size_t at = 0; at < kFirstHeader + 5 * kHeaderSize; ++at) {
    for (char bad : {'\0', '\xff', static_cast<char>(file[at] ^ 0x80)}) {
      char good = std::exchange(file[at], bad);
      Result<ElfKernel> kernel = ParseElfKernel(AsBytes(file));
      for (const ElfKernel::Piece& piece : kernel.value_or(ElfKernel()).pieces) {
        EXPECT_LE(piece.file_size, file.size());
        EXPECT_LE(piece.file_offset, file.size() - piece.file_size);
      }
      file[at] = good;
    }
  }
}

}  // namespace
}  // namespace kdumpkit
