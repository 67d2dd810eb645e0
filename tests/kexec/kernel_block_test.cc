// SPDX-License-Identifier: GPL-2.0-or-later
#include "kexec/kernel_block.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/kexec/image_builder.h"
#include "tests/kexec/segment_machine.h"

namespace kdumpkit {
namespace {

using testing::HasSubstr;

class KernelBlockTest : public testing::Test {
 protected:
  Result<KernelBlock> Make(std::string_view bytes, size_t max_pieces = 8) {
    kernel_ = KernelFromBytes("/boot/kernel", bytes);
    return MakeKernelBlock(kernel_, max_pieces, buffers_);
  }
  Result<KernelBlock> MakeElfBlock(std::vector<ElfPiece> pieces, uint64_t entry = 0x1000000) {
    ElfFields fields;
    fields.pieces = std::move(pieces);
    fields.entry = entry;
    return Make(MakeElfKernel(fields));
  }

  KernelFile kernel_;
  std::deque<ByteBuffer> buffers_;
};

TEST_F(KernelBlockTest, BzImage) {
  std::string file = MakeBzImage();
  file.replace(4 * 512, 4, "code");
  KernelBlock block = Make(file).value();
  ASSERT_EQ(block.pieces.size(), 1u);
  EXPECT_EQ(block.pieces[0].offset, 0u);
  EXPECT_EQ(block.pieces[0].bytes.size(), 64u * 16);
  EXPECT_EQ(AsText(block.pieces[0].bytes.first(4)), "code");
  EXPECT_EQ(block.size, 48u << 20);
  EXPECT_EQ(block.pieces[0].memory_size, block.size);
  EXPECT_EQ(block.alignment, 0x200000u);
  EXPECT_EQ(block.min_address, 16u << 20);
  EXPECT_EQ(block.end_address, UINT64_MAX);
  EXPECT_EQ(block.entry_offset, 0x200u);
  EXPECT_EQ(block.command_line_limit, 2047u);
  EXPECT_EQ(block.setup_header.size(), 0x26cu - 0x1f1);
  EXPECT_TRUE(block.takes_efi);
  EXPECT_TRUE(block.finds_rsdp);
  EXPECT_TRUE(block.five_levels);
}

TEST_F(KernelBlockTest, ASignatureIsNotLoaded) {
  KernelBlock block = Make(MakeBzImage({.is_signed = true})).value();
  EXPECT_EQ(block.pieces[0].bytes.size(), 64u * 16);
}

TEST_F(KernelBlockTest, OldKernels) {
  KernelBlock block = Make(MakeBzImage({.protocol = 0x020d, .xloadflags = 0x0003})).value();
  EXPECT_FALSE(block.takes_efi);
  EXPECT_FALSE(block.finds_rsdp);
  EXPECT_FALSE(block.five_levels);
}

TEST_F(KernelBlockTest, AtLeastAsLargeAsItsFile) {
  EXPECT_EQ(Make(MakeBzImage({.payload_paragraphs = 1000, .init_size = 0x1000}))->size, 0x4000u);
}

TEST_F(KernelBlockTest, WhatCannotMoveStaysWhereItBelongs) {
  KernelBlock block = Make(MakeBzImage({.relocatable = false})).value();
  EXPECT_EQ(block.min_address, 16u << 20);
  EXPECT_EQ(block.end_address, 64u << 20);
}

TEST_F(KernelBlockTest, TruncatedBzImage) {
  std::string file = MakeBzImage();
  for (size_t size : {file.size() - 1, size_t{2048}, size_t{0x300}}) {
    Result<KernelBlock> block = Make(file.substr(0, size));
    EXPECT_EQ(block.error().kind(), ErrorKind::kTruncated) << size;
  }
}

TEST_F(KernelBlockTest, No64BitEntry) {
  EXPECT_THAT(Make(MakeBzImage({.xloadflags = 0x0002})).error().message(),
              HasSubstr("'/boot/kernel' has no 64-bit entry"));
}

TEST_F(KernelBlockTest, VmlinuxKeepsItsOffsets) {
  KernelBlock block = Make(MakeElfKernel(VmlinuxFields())).value();
  ASSERT_EQ(block.pieces.size(), 4u);
  EXPECT_EQ(block.pieces[0].offset, 0u);
  EXPECT_EQ(AsText(block.pieces[0].bytes), std::string(0x300, 't'));
  EXPECT_EQ(block.pieces[1].offset, 0x1000000u);
  EXPECT_EQ(block.pieces[3].offset, 0x1200000u);
  EXPECT_EQ(block.pieces[3].bytes.size(), 0x40u);
  EXPECT_EQ(block.pieces[3].memory_size, 0x5000u);
  EXPECT_EQ(block.size, 0x1205000u);
  EXPECT_EQ(block.alignment, 0x200000u);
  EXPECT_EQ(block.entry_offset, 0u);
  EXPECT_FALSE(block.takes_efi);
  EXPECT_TRUE(buffers_.empty());
}

TEST_F(KernelBlockTest, OffsetsInside2MiBAreKept) {
  KernelBlock block = MakeElfBlock({{0x1101000, "text", 0, {}, {}, {}}}, 0x1101002).value();
  EXPECT_EQ(block.pieces[0].offset, 0x101000u);
  EXPECT_EQ(block.entry_offset, 0x101002u);
  EXPECT_EQ(block.size, 0x102000u);
}

TEST_F(KernelBlockTest, PiecesThatShareAPageAreMerged) {
  KernelBlock block =
      MakeElfBlock({{0x1000000, "text", 0, 0x10, {}, {}}, {0x1000010, "data", 0, 0x3000, {}, {}}})
          .value();
  ASSERT_EQ(block.pieces.size(), 1u);
  EXPECT_EQ(AsText(block.pieces[0].bytes), std::string("text") + std::string(12, '\0') + "data");
  EXPECT_EQ(block.pieces[0].memory_size, 0x4000u);
  EXPECT_EQ(buffers_.size(), 1u);
}

TEST_F(KernelBlockTest, TooManyPiecesAreMerged) {
  std::vector<ElfPiece> pieces;
  for (uint64_t i = 0; i < 9; ++i)
    pieces.push_back(
        {0x1000000 + i * 0x1000, std::string(1, static_cast<char>('a' + i)), 0, {}, {}, {}});
  KernelBlock block = MakeElfBlock(pieces).value();
  ASSERT_EQ(block.pieces.size(), 1u);
  EXPECT_EQ(block.pieces[0].bytes.size(), 0x8001u);
  EXPECT_EQ(block.pieces[0].bytes[0x5000], std::byte{'f'});
  pieces.pop_back();
  EXPECT_EQ(MakeElfBlock(pieces)->pieces.size(), 8u);
}

TEST_F(KernelBlockTest, ElfOfAnotherMachineOrSpreadTooWide) {
  ElfFields fields = VmlinuxFields();
  fields.machine = 183;
  EXPECT_THAT(Make(MakeElfKernel(fields)).error().message(), HasSubstr("aarch64"));
  EXPECT_THAT(
      MakeElfBlock({{0x1000000, "text", 0, {}, {}, {}}, {0x100000000, "far", 0, {}, {}, {}}})
          .error()
          .message(),
      HasSubstr("spread over"));
}

TEST_F(KernelBlockTest, OtherFilesAreRefused) {
  EXPECT_THAT(Make(std::string(4096, 'x')).error().message(), HasSubstr("'/boot/kernel' is"));
  EXPECT_FALSE(Make(MakeArm64Image()));
}

}  // namespace
}  // namespace kdumpkit
