// SPDX-License-Identifier: GPL-2.0-or-later
#include "erase/erasure.h"

#include <gtest/gtest.h>

#include "tests/support/btf_builder.h"
#include "tests/support/fake_kernel.h"
#include "tests/support/kallsyms_builder.h"

namespace kdumpkit {
namespace {

constexpr uint64_t kBtf = FakeKernel::kScratch, kTables = FakeKernel::kScratch + 0x4000;
constexpr uint64_t kData = FakeKernel::kScratch + 0x8000;
constexpr uint64_t kItems = kData + 0x1000;  // three struct item, of 64 bytes
constexpr uint64_t kVmalloc = 0xffffc90000000000;
constexpr uint32_t kWord = 64;  // bits

// struct item { struct item *next; struct list_head list; char name[16]; char *text; u32 len;
//   struct { void *secret; }; } and a few symbols.
class ErasureTest : public testing::Test {
 protected:
  ErasureTest() {
    BtfBuilder btf;
    uint32_t character = btf.Int("char", 1);
    uint32_t number = btf.Int("unsigned int", 4);
    uint32_t word = btf.Int("long unsigned int", 8);
    btf.Struct("page", 64, {{"flags", word, 0}});
    uint32_t list = btf.Struct("list_head", 16, {{"next", word, 0}, {"prev", word, kWord}});
    uint32_t text = btf.Reference(Btf::kPointer, btf.Reference(Btf::kConst, character));
    uint32_t hidden = btf.Struct("", 8, {{"secret", btf.Reference(Btf::kPointer, 0), 0}});
    constexpr uint32_t kItem = 12;  // its own number, for the pointer in it
    uint32_t to_item = btf.Reference(Btf::kPointer, kItem);
    uint32_t name = btf.Array(character, 16);
    EXPECT_EQ(name, kItem - 1);
    uint32_t item = btf.Struct("item", 64,
                               {{"next", to_item, 0},
                                {"list", list, kWord},
                                {"name", name, 3 * kWord},
                                {"text", text, 5 * kWord},
                                {"len", number, 6 * kWord},
                                {"bit", number, 6 * kWord + 32, 1},
                                {"", hidden, 7 * kWord}});
    EXPECT_EQ(item, kItem);
    Variable(btf, "items", btf.Array(item, 3));
    Variable(btf, "first", to_item);
    Variable(btf, "own", number);
    blob_ = btf.Build();
    memory().Write(At(kBtf), blob_);
    symbols_ = {{'T', "_stext", Address(0)},
                {'R', "__start_BTF", Address(kBtf)},
                {'R', "__stop_BTF", Address(kBtf + blob_.size())},
                {'D', "items", Address(kItems)},
                {'D', "first", Address(kData)},
                {'D', "head", Address(kData + 0x10)},
                {'D', "blob", Address(kData + 0x20)},
                {'D', "__per_cpu_offset", Address(kData + 0x40)},
                {'D', "__cpu_possible_mask", Address(kData + 0x60)},
                {'D', "nr_cpu_ids", Address(kData + 0x68)},
                {'D', "area", Address(kData + 0x70)},
                {'D', "__per_cpu_start", Address(kData + 0x2000)},
                {'D', "own", Address(kData + 0x2008)},
                {'D', "__per_cpu_end", Address(kData + 0x2100)}};
    PutData();
  }

  static void Variable(BtfBuilder& btf, const std::string& name, uint32_t type) {
    btf.Raw(Btf::kVar, 0, ByteBuffer(4), name, type);
  }
  FakeMemory& memory() { return kernel_.memory(); }
  uint64_t Address(uint64_t offset) const { return kernel_.InImage(offset).value; }
  PhysAddr At(uint64_t offset) const { return kernel_.Physical(kernel_.InImage(offset)); }
  void Put(uint64_t offset, uint64_t value) { memory().Put(At(offset), value); }

  void PutData() {
    Put(kData, Address(kItems));
    Put(kData + 0x10, Address(kItems + 8));  // head.next
    memory().Write(At(kData + 0x20), AsBytes("secret of the blob"));
    Put(kData + 0x40, 0x1000);  // CPU 0, 1, 2; CPU 1 cannot exist
    Put(kData + 0x48, 0xdead);
    Put(kData + 0x50, 0x1800);
    Put(kData + 0x60, 5);
    memory().Put(At(kData + 0x68), uint32_t{3});
    for (uint64_t i = 0; i < 3; ++i) {
      uint64_t item = kItems + i * 64;
      bool last = i == 2;
      Put(item, last ? 0 : Address(item + 64));
      Put(item + 8, last ? Address(kData + 0x10) : Address(item + 64 + 8));
      memory().Write(At(item + 24), AsBytes("the name of it!"));
      memory().Put(At(item + 48), uint32_t{40});
    }
    Put(kItems + 40, Address(kData + 0x20));  // text of the first; NULL in the others
    // Two pages that are not next to each other, the second before the first.
    memory().Put(kernel_.TableEntry(VirtAddr(kVmalloc), 12), uint64_t{0x3005163});
    memory().Put(kernel_.TableEntry(VirtAddr(kVmalloc + 0x1000), 12), uint64_t{0x3002163});
    Put(kItems + 64 + 56, kVmalloc + 0xff0);  // secret of the second
    Put(kData + 0x70, kVmalloc + 0xff0);
  }

  Erasure Run(const std::string& text) {
    KallsymsBuilder tables;
    tables.symbols = symbols_;
    tables.base = Address(0);
    std::string keys = tables.Put(memory(), VirtAddr(Address(kTables)), At(kTables));
    MachineId machine{FakeKernel::kElfMachine};
    crashed_ = CrashedKernel::Open(memory(), machine, kernel_.vmcoreinfo() + keys).value();
    KernelNames names = KernelNames::Learn(*crashed_);
    EXPECT_EQ(names.without_symbols(), "");
    EXPECT_EQ(names.without_types(), "");
    return FindErasedData(ParseEraseScript(text), *crashed_, names);
  }
  // "offset+size" of each piece, from kData on; "@address+size" elsewhere; '0' for NUL.
  std::string Pieces(const std::string& text) {
    Erasure erasure = Run(text);
    std::string pieces;
    for (const ScriptProblem& problem : erasure.problems) pieces += problem.text + "\n";
    uint64_t base = At(kData).value;
    for (const ErasePiece& piece : erasure.plan.pieces()) {
      uint64_t at = piece.range.base.value;
      pieces += at >= base && at < base + 0x10000 ? fmt::format("{:x}", at - base)
                                                  : fmt::format("@{:x}", at);
      pieces += fmt::format("+{}{} ", piece.range.size, piece.fill == EraseFill::kNul ? "0" : "");
    }
    return pieces;
  }

  FakeKernel kernel_;
  ByteBuffer blob_;
  std::vector<KallsymsBuilder::Symbol> symbols_;
  std::unique_ptr<CrashedKernel> crashed_;
};

struct Found {
  const char* script;
  const char* pieces;
};

TEST_F(ErasureTest, DataAreFound) {
  constexpr Found kScripts[] = {
      {"erase items", "1000+192 "},
      {"erase first", "1000+64 "},       // what it points to
      {"erase first nullify", "0+80 "},  // the pointer
      {"erase first.name", "1018+16 "},
      {"erase first.text", "20+18 "},  // a string, without its NUL
      {"erase first.text size 4", "20+4 "},
      {"erase first.text size first.len", "20+40 "},
      {"erase first.next.name", "1058+16 "},
      {"erase first.next.next.next.name", ""},  // NULL on the way
      {"erase first.next.text", ""},            // NULL at the end
      {"erase blob size 18", "20+18 "},         // of no known type
      {"erase (char[18])blob", "20+18 "},
      {"erase (struct item)items.len", "1030+4 "},
      // Crosses from one page to another, which lies elsewhere in physical memory.
      {"erase first.next.secret size 32", "@3002000+16 @3005ff0+16 "},
      {"erase (void *)area size 32", "@3002000+16 @3005ff0+16 "},
      {"erase own", "3008+4 3808+4 "},  // of each CPU that may exist
      {"for i in items erase i.name endfor", "1018+16 1058+16 1098+16 "},
      {"for i in first via next erase i.name endfor", "1018+16 1058+16 1098+16 "},
      {"for i in (struct list_head)head within item erase i.name endfor",
       "1018+16 1058+16 1098+16 "},
      {"for i in (struct list_head)head.next within item:list erase i.len endfor",
       "1030+4 1070+4 10b0+4 "},
      {"for i in items for k in i.next via next erase k.len endfor endfor", "1070+4 10b0+4 "},
      {"for i in items erase i.text size i.len endfor", "20+40 "},
  };
  for (const Found& script : kScripts)
    EXPECT_EQ(Pieces(script.script), script.pieces) << script.script;
}

TEST_F(ErasureTest, WhatCannotBeFoundIsSaid) {
  constexpr Found kScripts[] = {
      {"erase frist", "the kernel has no symbol frist; did you mean 'first'?\n"},
      {"erase first.nmae", "struct item has no member 'nmae'; did you mean 'name'?\n"},
      {"erase first.bit", "'bit' is a bit field, which cannot be erased\n"},
      {"erase items.name", "'.name' of an array (struct item[3]): go through it with 'for'\n"},
      {"erase first.len.x", "unsigned int has no members\n"},
      {"erase first.name nullify", "'nullify' is for pointers, and 'first.name' is char[16]\n"},
      {"erase first.next.secret",
       "'first.next.secret': void has no size of its own; write 'size N' or 'nullify'\n"},
      {"erase head",
       "the type of 'head' is not known (the kernel itself has the types of per-CPU variables "
       "only; give -x VMLINUX for others): "
       "write it before the name, as in (struct task_struct)init_task.comm\n"},
      {"erase area size 8",
       "the type of 'area' is not known, and it may be a pointer: write (char *)area for the data "
       "that it points to, or (char[N])area for an array\n"},
      {"erase (struct itme)head", "the kernel has no type 'struct itme'\n"},
      {"erase (item)head", "there is no type 'item'; did you mean 'struct item'?\n"},
      {"for i in first erase i endfor",
       "'first' is struct item *, not an array; to follow a list write 'via' or 'within'\n"},
      {"for i in first via list erase i endfor", "1000+64 "},
      {"for i in first within item erase i endfor",
       "'first' is struct item *, not struct list_head\n"},
      {"for i in (struct list_head)head within item:name erase i endfor",
       "'item:name' is char[16], not struct list_head\n"},
  };
  for (const Found& script : kScripts) {
    std::string pieces = Pieces(script.script);
    if (std::string_view(script.script).find("via list") != std::string_view::npos) {
      EXPECT_TRUE(pieces.starts_with("'list' is struct list_head, not a pointer")) << pieces;
    } else {
      EXPECT_EQ(pieces, script.pieces) << script.script;
    }
  }
}

TEST_F(ErasureTest, UnmappedDataAreSaid) {
  std::string pieces = Pieces("erase (void *)area size 8000");
  EXPECT_NE(pieces, "");
  EXPECT_EQ(pieces.find('+'), std::string::npos) << pieces;
}

TEST_F(ErasureTest, AListThatRunsInACircleEnds) {
  Put(kItems + 128 + 8, Address(kItems + 64 + 8));  // the last back to the second
  std::string pieces =
      Pieces("for i in (struct list_head)head within item:list\n erase i.len\nendfor");
  EXPECT_NE(pieces.find("the list runs in a circle at 0x"), std::string::npos) << pieces;
  Put(kItems + 128, Address(kItems + 64));
  pieces = Pieces("for i in first via next\n erase i.len\nendfor");
  EXPECT_NE(pieces.find("the list runs in a circle at 0x"), std::string::npos) << pieces;
  Put(kItems + 128, Address(kItems));  // back to the first: a ring, and no mistake
  EXPECT_EQ(Pieces("for i in first via next\n erase i.len\nendfor"), "1030+4 1070+4 10b0+4 ");
  Put(kItems + 8, 0);
  pieces = Pieces("for i in (struct list_head)head within item:list\n erase i.len\nendfor");
  EXPECT_NE(pieces.find("ends in NULL"), std::string::npos) << pieces;
}

TEST_F(ErasureTest, ASizeThatCannotBeRightIsSaid) {
  memory().Put(At(kItems + 48), UINT32_MAX);
  EXPECT_EQ(Pieces("erase first.text size first.len"),
            "the size 'first.len' is 0xffffffff in this kernel, which cannot be right\n");
}

TEST_F(ErasureTest, AModuleThatIsNotThereIsSaid) {
  Erasure erasure = Run("[ext4]\nerase a size 4\n");
  ASSERT_EQ(erasure.problems.size(), 1u);
  EXPECT_EQ(ProblemText("f", erasure.problems[0]).substr(0, 6), "f:2:1:");
}

TEST_F(ErasureTest, TheRecordHasALineForEachCommand) {
  Erasure erasure =
      Run("for i in items\n erase i.name\n erase i.text nullify\nendfor\n"
          "erase first.next.text\nerase blob size 18\n");
  EXPECT_EQ(erasure.Record(), "erase i.name size 48\nerase i.text nullify\nerase blob size 18\n");
  ASSERT_EQ(erasure.results.size(), 4u);
  EXPECT_EQ(erasure.results[0].count, 3u);
  EXPECT_EQ(erasure.results[2].count, 0u);
}

}  // namespace
}  // namespace kdumpkit
