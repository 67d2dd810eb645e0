// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/btf.h"

#include <gtest/gtest.h>

#include "tests/support/btf_builder.h"

namespace kdumpkit {
namespace {

// A struct page in small: flags, then a union of anonymous structs, and a bitfield.
class BtfTest : public testing::TestWithParam<ByteOrder> {
 protected:
  BtfTest() {
    ulong_ = builder_.Int("long unsigned int", 8);
    uint_ = builder_.Int("unsigned int", 4);
    pointer_ = builder_.Reference(Btf::kPointer, 0);
    list_ = builder_.Struct("list_head", 16, {{"next", pointer_, 0}, {"prev", pointer_, 64}});
    uint32_t in_list = builder_.Struct("", 24, {{"lru", list_, 0}, {"mapping", pointer_, 128}});
    uint32_t in_tail = builder_.Struct("", 8, {{"compound_head", ulong_, 0}});
    uint32_t any = builder_.Struct("", 24, {{"", in_list, 0}, {"", in_tail, 0}}, Btf::kUnion);
    flags_t_ = builder_.Reference(Btf::kTypedef, ulong_, "flags_t");
    uint32_t constant = builder_.Reference(Btf::kConst, flags_t_);
    page_ = builder_.Struct("page", 40,
                            {{"flags", constant, 0},
                             {"", any, 64},
                             {"inuse", uint_, 256, 16},
                             {"frozen", uint_, 287, 1},
                             {"plain", uint_, 288}});
    areas_ = builder_.Array(builder_.Array(list_, 4), 11);
    builder_.Enum("pageflags", {{"PG_locked", 0}, {"PG_lru", 5}, {"PG_none", -1}});
    builder_.Enum64("wide", {{"WIDE_LOW", 1}, {"WIDE_HIGH", int64_t{1} << 40}, {"WIDE_NEG", -2}});
    blob_ = builder_.Build();
  }
  Btf Parsed() const {
    Result<Btf> btf = Btf::Parse(blob_);
    CHECK(btf.has_value());
    return std::move(*btf);
  }

  BtfBuilder builder_{GetParam()};
  uint32_t ulong_, uint_, pointer_, list_, page_, areas_, flags_t_;
  ByteBuffer blob_;
};

TEST_P(BtfTest, FindsTypesByName) {
  Btf btf = Parsed();
  EXPECT_EQ(btf.order(), GetParam());
  EXPECT_EQ(btf.FindType("page"), page_);
  EXPECT_EQ(btf.FindType("flags_t"), flags_t_);
  EXPECT_EQ(btf.FindType(Btf::kUnion, "page"), 0u);
  EXPECT_EQ(btf.FindType("pag"), 0u);
  EXPECT_EQ(btf.FindType("pages"), 0u);
  EXPECT_EQ(btf.FindType(""), 0u);
}

TEST_P(BtfTest, Sizes) {
  Btf btf = Parsed();
  EXPECT_EQ(btf.SizeOf(page_), 40u);
  EXPECT_EQ(btf.SizeOf(pointer_), 8u);
  EXPECT_EQ(btf.SizeOf(btf.FindType("flags_t")), 8u);
  EXPECT_EQ(btf.SizeOf(areas_), 11u * 4 * 16);
  EXPECT_EQ(btf.SizeOf(0), std::nullopt);
  EXPECT_EQ(btf.SizeOf(static_cast<uint32_t>(btf.type_count())), std::nullopt);
  EXPECT_EQ(btf.SizeOf(UINT32_MAX), std::nullopt);
}

TEST_P(BtfTest, PointersAreAsLongAsLong) {
  BtfBuilder small(GetParam());
  small.Int("long unsigned int", 4);
  uint32_t pointer = small.Reference(Btf::kPointer, 0);
  ByteBuffer blob = small.Build();
  EXPECT_EQ(Btf::Parse(blob)->SizeOf(pointer), 4u);
}

struct Place {
  const char* member;
  uint64_t bit_offset;
  uint32_t bit_size;
};

TEST_P(BtfTest, Members) {
  Btf btf = Parsed();
  constexpr Place kPlaces[] = {{"flags", 0, 0},          {"lru", 64, 0},     {"mapping", 192, 0},
                               {"compound_head", 64, 0}, {"inuse", 256, 16}, {"frozen", 287, 1},
                               {"plain", 288, 0}};
  for (const Place& place : kPlaces) {
    std::optional<BtfMember> member = btf.FindMember(page_, place.member);
    ASSERT_TRUE(member) << place.member;
    EXPECT_EQ(member->bit_offset, place.bit_offset) << place.member;
    EXPECT_EQ(member->bit_size, place.bit_size) << place.member;
  }
  EXPECT_FALSE(btf.FindMember(page_, "next"));  // of a member that has a name
  EXPECT_FALSE(btf.FindMember(page_, ""));
  EXPECT_FALSE(btf.FindMember(ulong_, "flags"));
  EXPECT_FALSE(btf.FindMember(0, "flags"));
}

TEST_P(BtfTest, ArrayLength) {
  Btf btf = Parsed();
  EXPECT_EQ(btf.ArrayLength(areas_), 11u);
  EXPECT_EQ(btf.ArrayLength(page_), std::nullopt);
}

TEST_P(BtfTest, StepsFromVariableToMember) {
  uint32_t to_page = builder_.Reference(Btf::kPointer, builder_.Reference(Btf::kConst, page_));
  uint32_t table = builder_.Array(builder_.Reference(Btf::kTypedef, to_page, "page_ptr"), 7);
  ByteBuffer linkage(4);
  uint32_t variable = builder_.Raw(Btf::kVar, 0, linkage, "pages", table);
  blob_ = builder_.Build();
  Btf btf = Parsed();
  EXPECT_EQ(btf.KindOf(variable), Btf::kVar);
  EXPECT_EQ(btf.VariableType("pages"), table);
  EXPECT_EQ(btf.VariableType("page"), std::nullopt);
  EXPECT_EQ(btf.FindType("pages"), 0u);  // is no type
  uint32_t element = btf.ElementType(table).value();
  EXPECT_EQ(btf.NameOf(element), "page_ptr");
  uint32_t target = btf.PointerTarget(element).value();
  EXPECT_EQ(btf.KindOf(target), Btf::kConst);
  EXPECT_EQ(btf.Resolve(target), page_);
  EXPECT_EQ(btf.PointerTarget(pointer_), 0u);
  EXPECT_EQ(btf.PointerTarget(page_), std::nullopt);
  EXPECT_EQ(btf.ElementType(page_), std::nullopt);
  EXPECT_EQ(btf.KindOf(0), std::nullopt);
  EXPECT_EQ(btf.NameOf(0), "");
  EXPECT_EQ(btf.KindOf(UINT32_MAX), std::nullopt);
}

TEST_P(BtfTest, VisitsEveryMemberUntilToldToEnd) {
  Btf btf = Parsed();
  std::vector<std::string> names;
  uint64_t last_offset = 0;
  auto visit = [&](std::string_view name, const BtfMember& member) {
    names.emplace_back(name);
    last_offset = member.bit_offset;
    return name != "frozen";
  };
  btf.ForEachMember(page_, visit);
  EXPECT_EQ(names, (std::vector<std::string>{"flags", "", "inuse", "frozen"}));
  EXPECT_EQ(last_offset, 287u);
  names.clear();
  btf.ForEachMember(ulong_, visit);
  EXPECT_TRUE(names.empty());
}

TEST_P(BtfTest, Enumerators) {
  Btf btf = Parsed();
  EXPECT_EQ(btf.Enumerator("pageflags", "PG_lru"), 5);
  EXPECT_EQ(btf.Enumerator("pageflags", "PG_none"), -1);
  EXPECT_EQ(btf.Enumerator("pageflags", "WIDE_LOW"), std::nullopt);
  EXPECT_EQ(btf.Enumerator("wide", "WIDE_LOW"), 1);
  EXPECT_EQ(btf.Enumerator("wide", "WIDE_HIGH"), int64_t{1} << 40);
  EXPECT_EQ(btf.Enumerator("wide", "WIDE_NEG"), -2);
  EXPECT_EQ(btf.Enumerator("page", "flags"), std::nullopt);
}

TEST_P(BtfTest, SplitBtfGoesOnWhereItsBaseEnds) {
  BtfBuilder split(builder_, true);
  uint32_t mine = split.Struct("mine", 48, {{"page", page_, 0}, {"", page_, 64}});
  ByteBuffer blob = split.Build();
  Btf base = Parsed();
  Result<Btf> btf = Btf::Parse(blob, &base);
  ASSERT_TRUE(btf) << btf.error().message();
  EXPECT_EQ(btf->FindType("mine"), mine);
  EXPECT_EQ(mine, base.type_count());
  EXPECT_EQ(btf->FindType("page"), page_);
  EXPECT_EQ(btf->FindMember(mine, "page")->bit_offset, 0u);
  EXPECT_EQ(btf->FindMember(mine, "flags")->bit_offset, 64u);
  EXPECT_EQ(btf->SizeOf(page_), 40u);
  EXPECT_EQ(btf->Enumerator("pageflags", "PG_lru"), 5);
  EXPECT_EQ(base.FindType("mine"), 0u);
}

TEST_P(BtfTest, SplitBtfOfAnotherByteOrder) {
  bool little = GetParam() == ByteOrder::kLittle;
  BtfBuilder other(little ? ByteOrder::kBig : ByteOrder::kLittle);
  ByteBuffer blob = other.Build();
  Btf base = Parsed();
  EXPECT_EQ(Btf::Parse(blob, &base).error().message(), "split BTF of another byte order");
}

TEST_P(BtfTest, UnknownKindsAreSizedByTheBlobItself) {
  builder_.Raw(60, 3, ByteBuffer(4 + 3 * 20));
  uint32_t after = builder_.Struct("after", 4, {{"x", uint_, 0}});
  ByteBuffer unsized = builder_.Build();
  EXPECT_EQ(Btf::Parse(unsized).error().message(), "BTF type of unknown kind 60");
  builder_.AddLayout(60, 4, 20);
  ByteBuffer sized = builder_.Build();
  Result<Btf> btf = Btf::Parse(sized);
  ASSERT_TRUE(btf) << btf.error().message();
  EXPECT_EQ(btf->FindType("after"), after);
  EXPECT_EQ(Btf::BlobSize(ByteView(sized).first(32)), sized.size());
}

TEST_P(BtfTest, ChainsEnd) {
  uint32_t self = static_cast<uint32_t>(Parsed().type_count());
  builder_.Reference(Btf::kTypedef, self, "self");
  builder_.Array(self + 1, 2);
  builder_.Struct("inside", 8, {{"", self + 2, 0}, {"", self + 2, 0}, {"", self + 2, 0}});
  blob_ = builder_.Build();
  Btf btf = Parsed();
  EXPECT_EQ(btf.Resolve(self), 0u);
  EXPECT_EQ(btf.SizeOf(self), std::nullopt);
  EXPECT_EQ(btf.SizeOf(self + 1), std::nullopt);
  EXPECT_FALSE(btf.FindMember(self + 2, "nothing"));
}

TEST_P(BtfTest, ArraysTooLargeHaveNoSize) {
  uint32_t large = builder_.Array(builder_.Array(ulong_, UINT32_MAX), UINT32_MAX);
  uint32_t longs = builder_.Array(ulong_, UINT32_MAX / 4);
  blob_ = builder_.Build();
  EXPECT_EQ(Parsed().SizeOf(large), std::nullopt);
  EXPECT_EQ(Parsed().SizeOf(longs), std::nullopt);
}

TEST_P(BtfTest, EveryPrefixIsRefused) {
  EXPECT_EQ(Btf::BlobSize(blob_), blob_.size());
  for (size_t size = 0; size < blob_.size(); ++size) {
    ByteBuffer cut(blob_.begin(), blob_.begin() + static_cast<ptrdiff_t>(size));
    EXPECT_FALSE(Btf::Parse(cut)) << size;
  }
}

struct Damage {
  size_t at;
  uint8_t value;
  const char* message;
};

TEST(Btf, DamagedHeaders) {
  BtfBuilder builder;
  builder.Int("int", 4);
  ByteBuffer good = builder.Build();
  constexpr Damage kDamages[] = {
      {0, 0, "BTF without its magic number"},
      {2, 2, "BTF of version 2"},
      {4, 23, "BTF header of 23 bytes"},
      {8, 200, "BTF: 16 bytes at offset 0xe0 lie beyond its end at 0x2d"},
      {12, 15, "BTF type at 0x0 is cut off"},
      {31, 0, "BTF type of unknown kind 0"},
  };
  for (const Damage& damage : kDamages) {
    ByteBuffer bad = good;
    bad[damage.at] = std::byte{damage.value};
    Result<Btf> btf = Btf::Parse(bad);
    ASSERT_FALSE(btf) << damage.message;
    EXPECT_EQ(btf.error().message(), damage.message);
  }
  good.back() = std::byte{'x'};
  EXPECT_EQ(Btf::Parse(good).error().message(), "the strings of BTF do not end in a NUL");
}

INSTANTIATE_TEST_SUITE_P(Orders, BtfTest, testing::Values(ByteOrder::kLittle, ByteOrder::kBig),
                         [](const auto& shape) {
                           return shape.param == ByteOrder::kLittle ? "Little" : "Big";
                         });

}  // namespace
}  // namespace kdumpkit
