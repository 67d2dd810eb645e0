// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/vmcoreinfo.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace kdumpkit {
namespace {

using namespace std::string_view_literals;

Vmcoreinfo Parse(std::string_view text) {
  Result<Vmcoreinfo> info = Vmcoreinfo::Parse(text);
  CHECK(info.has_value());
  return std::move(*info);
}

TEST(Vmcoreinfo, TextIsWhatFollowsTheFirstEqualsSign) {
  EXPECT_EQ(Parse("OSRELEASE=6.1.0-50-amd64\n").Text("OSRELEASE"), "6.1.0-50-amd64");
  EXPECT_EQ(Parse("A=b=c\n").Text("A"), "b=c");
  EXPECT_EQ(Parse("A=\n").Text("A"), "");
  EXPECT_EQ(Parse("A=1\n").Text("B"), std::nullopt);
}

TEST(Vmcoreinfo, SymbolIsHexadecimalWithoutPrefix) {
  EXPECT_EQ(Parse("SYMBOL(_stext)=ffffffff84400000\n").Symbol("_stext"),
            VirtAddr(0xffffffff84400000));
  EXPECT_EQ(Parse("SYMBOL(_stext)=10\n").Symbol("_stext"), VirtAddr(0x10));
}

TEST(Vmcoreinfo, SizeOffsetAndLengthAreDecimal) {
  Vmcoreinfo info = Parse(
      "SIZE(page)=64\nOFFSET(page.compound_head)=8\nLENGTH(zone.free_area)=11\nPAGESIZE=4096\n");
  EXPECT_EQ(info.Size("page"), 64u);
  EXPECT_EQ(info.Offset("page", "compound_head"), 8u);
  EXPECT_EQ(info.Length("zone.free_area"), 11u);
  EXPECT_EQ(info.PageSize(), 4096u);
  EXPECT_EQ(info.Size("zone"), std::nullopt);
  EXPECT_EQ(info.Offset("page", "lru"), std::nullopt);
}

TEST(Vmcoreinfo, NumberMayBeNegative) {
  EXPECT_EQ(Parse("NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)=-129\n").Number("PAGE_BUDDY_MAPCOUNT_VALUE"),
            -129);
}

TEST(Vmcoreinfo, NumberMayBeHexadecimal) {
  EXPECT_EQ(Parse("NUMBER(VMALLOC_START)=0xff50a01280000000\n").Number("VMALLOC_START"),
            static_cast<int64_t>(0xff50a01280000000));
}

TEST(Vmcoreinfo, NumberAboveTheSignedRangeKeepsItsBits) {
  EXPECT_EQ(Parse("NUMBER(n)=18446744073709551615\n").Number("n"), -1);
}

TEST(Vmcoreinfo, LastOfTwoEqualKeysWins) {
  EXPECT_EQ(Parse("SIZE(page)=56\nSIZE(page)=64\n").Size("page"), 64u);
}

TEST(Vmcoreinfo, BadLineDoesNotReplaceAGoodOne) {
  EXPECT_EQ(Parse("SIZE(page)=56\nSIZE(page)=x\n").Size("page"), 56u);
}

TEST(Vmcoreinfo, CarriageReturnsAndEmptyLinesAreIgnored) {
  Vmcoreinfo info = Parse("\r\nSIZE(page)=64\r\n\nPAGESIZE=4096");
  EXPECT_EQ(info.Size("page"), 64u);
  EXPECT_EQ(info.PageSize(), 4096u);
  EXPECT_TRUE(info.bad_lines().empty());
}

TEST(Vmcoreinfo, TextEndsAtTheFirstNul) {
  Vmcoreinfo info = Parse("SIZE(page)=64\n\0SIZE(zone)=1\n"sv);
  EXPECT_EQ(info.Size("page"), 64u);
  EXPECT_EQ(info.Size("zone"), std::nullopt);
}

TEST(Vmcoreinfo, BadLinesAreNamedAndLeftOut) {
  for (const char* line :
       {"SYMBOL(a)=xyz", "SYMBOL(a)=", "SYMBOL(a)=1ffffffffffffffff", "OFFSET(page.lru)=zz",
        "OFFSET(page.lru)=-1", "SIZE(page)=64 ", "SIZE(page)=0x40",
        "LENGTH(a)=18446744073709551616", "NUMBER(n)=", "NUMBER(n)=1-", "NUMBER(n)=--1",
        "KERNELOFFSET=g", "no equals sign", "=value"}) {
    Vmcoreinfo info = Parse(fmt::format("OSRELEASE=6.1\n{}\n", line));
    EXPECT_EQ(info.bad_lines(), std::vector<std::string>{fmt::format("line 2: '{}'", line)});
  }
}

TEST(Vmcoreinfo, UnprintableBytesAreNotRepeatedInMessages) {
  EXPECT_EQ(Parse("A=1\nB=\x1b[2J\n").bad_lines().at(0), "line 2: 'B=?[2J'");
}

TEST(Vmcoreinfo, LongLineIsBadAndItsQuotationShort) {
  Vmcoreinfo info = Parse("A=1\nB=" + std::string(100000, 'b') + "\nC=3\n");
  EXPECT_EQ(info.Text("B"), std::nullopt);
  EXPECT_EQ(info.Text("C"), "3");
  EXPECT_LT(info.bad_lines().at(0).size(), 120u);
}

TEST(Vmcoreinfo, ListOfBadLinesIsBounded) {
  std::string text = "A=1\n";
  for (int i = 0; i < 1000; ++i) text += "bad\n";
  EXPECT_LE(Parse(text).bad_lines().size(), 16u);
}

TEST(Vmcoreinfo, TextWithoutAValidLineIsMalformed) {
  for (std::string_view text : {""sv, "\0\0\0\0"sv, "\n\n"sv, "garbage"sv, "SIZE(page)=x"sv}) {
    Result<Vmcoreinfo> info = Vmcoreinfo::Parse(text);
    ASSERT_FALSE(info);
    EXPECT_EQ(info.error().kind(), ErrorKind::kMalformed);
  }
}

TEST(Vmcoreinfo, HugeTextIsRefused) {
  EXPECT_FALSE(Vmcoreinfo::Parse("A=1\n" + std::string(2 << 20, '\n')));
}

TEST(Vmcoreinfo, RequiredKeyIsNamedWhenMissing) {
  Vmcoreinfo info = Parse("A=1\n");
  EXPECT_EQ(info.RequireSymbol("prb").error().message(), "VMCOREINFO has no SYMBOL(prb)");
  EXPECT_EQ(info.RequireSize("page").error().message(), "VMCOREINFO has no SIZE(page)");
  EXPECT_EQ(info.RequireOffset("page", "lru").error().message(),
            "VMCOREINFO has no OFFSET(page.lru)");
  EXPECT_EQ(info.RequireLength("node_data").error().message(),
            "VMCOREINFO has no LENGTH(node_data)");
  EXPECT_EQ(info.RequireNumber("PG_lru").error().message(), "VMCOREINFO has no NUMBER(PG_lru)");
  EXPECT_EQ(info.RequireNumber("PG_lru").error().kind(), ErrorKind::kUnsupported);
}

TEST(Vmcoreinfo, RequiredKeyIsGivenWhenPresent) {
  EXPECT_EQ(*Parse("SIZE(page)=64\n").RequireSize("page"), 64u);
}

}  // namespace
}  // namespace kdumpkit
