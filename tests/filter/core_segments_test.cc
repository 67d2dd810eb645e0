// SPDX-License-Identifier: GPL-2.0-or-later
#include "filter/core_segments.h"

#include <gtest/gtest.h>

#include "tests/support/temp_dir.h"
#include "tests/support/vmcore_builder.h"

namespace kdumpkit {
namespace {

constexpr uint64_t kPage = 4096;

CoreMapping Mapping(uint64_t vaddr, uint64_t base, uint64_t size) {
  return {VirtAddr(vaddr), {PhysAddr(base), size}};
}

TEST(CoreSegments, EachEndsWhereTheNextKeptPageBegins) {
  std::vector<PfnRun> runs = {{2, 4}, {7, 8}};
  PageBitmap kept(16, runs);
  std::vector<CoreMapping> mappings = {Mapping(0x1000000, kPage, 9 * kPage + 0x100)};
  std::vector<ElfSegment> wanted = {
      {VirtAddr(0x1000000), PhysAddr(kPage), 0, kPage, 0},
      {VirtAddr(0x1001000), PhysAddr(2 * kPage), 2 * kPage, 5 * kPage, 0},
      {VirtAddr(0x1006000), PhysAddr(7 * kPage), kPage, 3 * kPage + 0x100, 2}};
  EXPECT_EQ(CutSegments(mappings, kept, 12), wanted);
}

TEST(CoreSegments, PartsOfPagesAndMemoryThatIsMappedTwice) {
  std::vector<PfnRun> runs = {{0, 10}};
  PageBitmap kept(10, runs);
  std::vector<CoreMapping> mappings = {Mapping(0x80000000, 4 * kPage, kPage),
                                       {std::nullopt, {PhysAddr(0x10), 10 * kPage - 0x410}}};
  std::vector<ElfSegment> wanted = {
      {VirtAddr(0x80000000), PhysAddr(4 * kPage), kPage, kPage, 4},
      {VirtAddr(0), PhysAddr(0x10), 10 * kPage - 0x410, 10 * kPage - 0x410, 0}};
  EXPECT_EQ(CutSegments(mappings, kept, 12), wanted);
}

TEST(CoreSegments, NothingKept) {
  PageBitmap kept(10, {});
  std::vector<CoreMapping> mappings = {Mapping(0x1000, 0, 10 * kPage)};
  EXPECT_EQ(CutSegments(mappings, kept, 12),
            (std::vector<ElfSegment>{{VirtAddr(0x1000), PhysAddr(0), 0, 10 * kPage, 0}}));
  EXPECT_TRUE(PlacePages(kept, 12).empty());
}

TEST(CoreSegments, ShortGapsStayHoles) {
  std::vector<PfnRun> runs = {{5, 6}, {7, 8}, {1031, 1040}, {2064, 2065}};
  PageBitmap kept(4096, runs);
  EXPECT_EQ(PlacePages(kept, 12), (std::vector<ElfRun>{{0, 0}, {1, 2}, {2, 1026}, {11, 1035}}));
}

TEST(CoreSegments, AddressesOfTheInputAreKept) {
  TempDir dir;
  VmcoreBuilder builder;
  builder.AddSegment(PhysAddr(kPage), VirtAddr(0xffffffff81000000), PatternBytes(kPage, 1));
  builder.AddSegment(PhysAddr(0), VirtAddr(0xffff888000000000), PatternBytes(4 * kPage, 1), 99999);
  Input input = Input::Open(builder.WriteTo(dir.File("core"))).value();
  EXPECT_EQ(FindMappings(input, nullptr),
            (std::vector<CoreMapping>{Mapping(0xffffffff81000000, kPage, kPage),
                                      Mapping(0xffff888000000000, 0, 99999)}));
}

TEST(CoreSegments, WithoutAnyAddressMemoryHasNone) {
  TempDir dir;
  VmcoreBuilder builder;
  builder.AddSegment(PhysAddr(0), PatternBytes(kPage, 1));
  Input input = Input::Open(builder.WriteTo(dir.File("core"))).value();
  EXPECT_EQ(FindMappings(input, nullptr),
            (std::vector<CoreMapping>{{std::nullopt, {PhysAddr(0), kPage}}}));
}

}  // namespace
}  // namespace kdumpkit
