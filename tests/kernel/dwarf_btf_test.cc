// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/dwarf_btf.h"

#include <gtest/gtest.h>

#include <fstream>

#include "kernel/given_vmlinux.h"
#include "tests/support/temp_dir.h"

namespace kdumpkit {
namespace {

std::string Sample(const std::string& name) { return KDUMPKIT_SAMPLES + name; }

// "struct item", "pointer to const char", "3 of 5 of int": of a type and what it consists of.
std::string Text(const Btf& btf, uint32_t type) {
  auto kind = btf.KindOf(type);
  if (!kind) return "void";
  std::string name(btf.NameOf(type));
  if (auto length = btf.ArrayLength(type); length && kind == Btf::kArray)
    return fmt::format("{} of {}", *length, Text(btf, *btf.ElementType(type)));
  if (kind == Btf::kPointer) return "pointer to " + Text(btf, *btf.PointerTarget(type));
  if (kind == Btf::kConst) return "const " + Text(btf, btf.Resolve(type));
  if (kind == Btf::kVolatile) return "volatile " + Text(btf, btf.Resolve(type));
  if (kind == Btf::kStruct) return "struct " + name;
  if (kind == Btf::kForward) return "incomplete " + name;
  return name;
}

std::string VariableText(const Btf& btf, std::string_view name) {
  std::optional<uint32_t> type = btf.VariableType(name);
  return type ? Text(btf, *type) : "unknown";
}

void ExpectVariables(const Btf& btf) {
  constexpr std::pair<const char*, const char*> kVariables[] = {
      {"first_item", "struct item"},
      {"table", "3 of 5 of pointer to const char"},
      {"current_item", "pointer to volatile struct item"},
      {"number", "int"},         // has a weak definition, too
      {"elsewhere", "unknown"},  // is only declared
      {"twice", "unknown"},      // are two
      {"item", "unknown"}};
  for (auto [name, type] : kVariables) EXPECT_EQ(VariableText(btf, name), type) << name;
}

struct Place {
  const char* member;
  uint64_t bit_offset;
  uint32_t bit_size;
  const char* type;
};

void ExpectMembers(const Btf& btf, uint32_t type, std::initializer_list<Place> places) {
  for (const Place& place : places) {
    std::optional<BtfMember> member = btf.FindMember(type, place.member);
    ASSERT_TRUE(member) << place.member;
    EXPECT_EQ(member->bit_offset, place.bit_offset) << place.member;
    EXPECT_EQ(member->bit_size, place.bit_size) << place.member;
    EXPECT_EQ(Text(btf, member->type), place.type) << place.member;
  }
}

class DwarfBtfTest : public testing::TestWithParam<const char*> {};

TEST_P(DwarfBtfTest, WithoutBtfAllTypesAreOfDwarf) {
  auto given = GivenVmlinux::Open(Sample(GetParam())).value();
  ASSERT_NE(given->types(), nullptr) << given->without_types();
  const Btf& btf = *given->types();
  EXPECT_FALSE(given->has_btf());
  EXPECT_EQ(given->TypesWithVariables(), given->types());
  ExpectVariables(btf);
  uint32_t item = btf.FindType(Btf::kStruct, "item");
  EXPECT_EQ(btf.SizeOf(item), 16u + 16 + 8 + 4 + 4 + 8 + 8);
  ExpectMembers(btf, item,
                {{"name", 0, 0, "16 of char"},
                 {"list", 128, 0, "struct list"},
                 {"first", 256, 0, "long unsigned int"},
                 {"call", 256, 0, "pointer to void"},
                 {"packed", 320, 0, "packed_t"},
                 {"color", 352, 0, "color"},
                 {"opaque", 384, 0, "pointer to incomplete unknown"},
                 {"next", 448, 0, "pointer to struct item"}});
  ExpectMembers(
      btf, btf.FindType(Btf::kTypedef, "packed_t"),
      {{"low", 0, 5, "unsigned int"}, {"high", 5, 7, "unsigned int"}, {"letter", 16, 0, "char"}});
  EXPECT_EQ(btf.Enumerator("color", "kDark"), 200);
  EXPECT_EQ(btf.Enumerator("color", "kNegative"), -3);
}

INSTANTIATE_TEST_SUITE_P(Versions, DwarfBtfTest,
                         testing::Values("dwarf_sample_3", "dwarf_sample_4", "dwarf_sample_5"));

TEST(DwarfBtf, OnTopOfBtfVariablesUseItsTypes) {
  auto given = GivenVmlinux::Open(Sample("dwarf_sample_btf")).value();
  ASSERT_NE(given->types(), nullptr);
  EXPECT_TRUE(given->has_btf());
  EXPECT_EQ(given->types()->VariableType("first_item"), std::nullopt);
  const Btf& btf = *given->TypesWithVariables();
  EXPECT_EQ(given->without_variables(), "");
  ExpectVariables(btf);
  // Of .BTF, which has but one member; lists are not in it.
  EXPECT_EQ(btf.VariableType("first_item"), 1u);
  ExpectMembers(btf, 1, {{"mark", 0, 0, "int"}});
  EXPECT_EQ(btf.FindType("list"), 0u);  // no variable with one type leads to it
}

TEST(DwarfBtf, WithoutDwarfThereAreNoTypes) {
  auto given = GivenVmlinux::Open(Sample("no_dwarf_sample")).value();
  EXPECT_EQ(given->types(), nullptr);
  EXPECT_EQ(given->TypesWithVariables(), nullptr);
  EXPECT_NE(given->without_types().find("no debug information (DWARF)"), std::string::npos)
      << given->without_types();
}

// Every byte of the file's end, where debug information is, some 10 KiB, is another one in turn.
TEST(DwarfBtf, CorruptInformationIsReadSafely) {
  TempDir dir;
  std::ifstream file(Sample("dwarf_sample_4"), std::ios::binary);
  std::string whole((std::istreambuf_iterator<char>(file)), {});
  ASSERT_FALSE(whole.empty());
  size_t read = 0;
  for (size_t at = 64; at < whole.size(); at += 41) {
    std::string changed = whole;
    changed[at] = static_cast<char>(changed[at] ^ (at % 2 == 0 ? 0xff : 0x01));
    auto given = GivenVmlinux::Open(dir.Write("changed", changed));
    if (!given || (*given)->types() == nullptr) continue;
    ++read;
    for (const char* name : {"first_item", "table"}) {
      uint32_t type = (*given)->types()->VariableType(name).value_or(0);
      (void)(*given)->types()->SizeOf(type);
      (void)(*given)->types()->FindMember(type, "list");
    }
  }
  EXPECT_GT(read, 100u);
}

}  // namespace
}  // namespace kdumpkit
