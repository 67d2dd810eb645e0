// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/kallsyms.h"

#include <gtest/gtest.h>

#include "tests/support/identity_kernel.h"
#include "tests/support/kallsyms_builder.h"

namespace kdumpkit {
namespace {

constexpr uint64_t kText = 0x100000;
constexpr uint64_t kTables = 0x200000;
constexpr uint64_t kMemory = 0x400000;

struct Shape {
  KallsymsAddress kind;
  bool long_lengths;
  bool old_order;
  ByteOrder order;
  size_t word_size;
};

void PrintTo(const Shape& shape, std::ostream* out) {
  *out << KallsymsAddressName(shape.kind) << (shape.long_lengths ? " long" : " short")
       << (shape.old_order ? " old" : " new")
       << (shape.order == ByteOrder::kLittle ? " little-endian " : " big-endian ")
       << shape.word_size * 8;
}

// More symbols than one marker is for. Those below `base` are per-cpu ones.
KallsymsBuilder SomeSymbols(const Shape& shape) {
  KallsymsBuilder builder;
  builder.kind = shape.kind;
  builder.long_lengths = shape.long_lengths;
  builder.old_order = shape.old_order;
  builder.order = shape.order;
  builder.word_size = shape.word_size;
  builder.base = kText;
  if (shape.kind == KallsymsAddress::kAbsolutePercpu) {
    builder.symbols.push_back({'A', "fixed_percpu_data", 0});
    builder.symbols.push_back({'D', "current_task", 0x1480});
  }
  builder.symbols.push_back({'T', "_stext", kText});
  builder.symbols.push_back({'t', "twice", kText + 0x10});
  builder.symbols.push_back({'t', "twice", kText + 0x20});
  for (uint64_t i = 0; i < 600; ++i) {
    builder.symbols.push_back({'T', fmt::format("__x64_sys_{}", i), kText + 0x100 + i * 16});
  }
  builder.symbols.push_back(
      {'D', std::string(shape.long_lengths ? 300 : 140, 'x'), kText + 0x8000});
  builder.symbols.push_back({'B', "_end", kText + 0x9000});
  return builder;
}

class KallsymsTest : public testing::TestWithParam<Shape> {
 protected:
  KallsymsTest() : builder_(SomeSymbols(GetParam())) {
    memory_.AddRange(PhysAddr(0), kMemory);
    keys_ = builder_.Put(memory_, VirtAddr(kTables), PhysAddr(kTables));
  }
  Result<Kallsyms> Read(const std::string& keys) {
    MachineId machine{62, GetParam().order, static_cast<int>(GetParam().word_size)};
    IdentityKernel kernel(memory_, fmt::format("SYMBOL(_stext)={:x}\n", kText) + keys, machine);
    return Kallsyms::Read(kernel);
  }
  void ExpectAll(const Kallsyms& symbols) {
    ASSERT_EQ(symbols.size(), builder_.symbols.size());
    size_t at = 0;
    symbols.ForEach([&](const KernelSymbol& symbol) {
      const KallsymsBuilder::Symbol& wanted = builder_.symbols[at++];
      EXPECT_EQ(symbol.name, wanted.name);
      EXPECT_EQ(symbol.type, wanted.type);
      EXPECT_EQ(symbol.address.value, wanted.address) << wanted.name;
      return true;
    });
    EXPECT_EQ(at, builder_.symbols.size());
  }

  KallsymsBuilder builder_;
  FakeMemory memory_;
  std::string keys_;
};

TEST_P(KallsymsTest, ReadByKeys) {
  Result<Kallsyms> symbols = Read(keys_);
  ASSERT_TRUE(symbols) << symbols.error().message();
  EXPECT_EQ(symbols->address_kind(), GetParam().kind);
  EXPECT_EQ(symbols->long_lengths(), GetParam().long_lengths);
  EXPECT_FALSE(symbols->by_signature());
  ExpectAll(*symbols);
}

TEST_P(KallsymsTest, FindsNames) {
  Result<Kallsyms> symbols = Read(keys_);
  ASSERT_TRUE(symbols);
  auto found = symbols->Find({"_end", "nothing", "twice", "__x64_sys_599", "__x64_sys_"});
  EXPECT_EQ(found[0], VirtAddr(kText + 0x9000));
  EXPECT_EQ(found[1], std::nullopt);
  EXPECT_EQ(found[2], VirtAddr(kText + 0x10));
  EXPECT_EQ(found[3], VirtAddr(kText + 0x100 + 599 * 16));
  EXPECT_EQ(found[4], std::nullopt);
}

// Before Linux 6.0: the order of then, lengths of one byte, and no keys.
TEST_P(KallsymsTest, FoundByShape) {
  Result<Kallsyms> symbols = Read("");
  if (!GetParam().old_order) {
    EXPECT_FALSE(symbols);
    return;
  }
  ASSERT_TRUE(symbols) << symbols.error().message();
  EXPECT_TRUE(symbols->by_signature());
  EXPECT_EQ(symbols->address_kind(), GetParam().kind);
  ExpectAll(*symbols);
}

std::vector<Shape> Shapes() {
  std::vector<Shape> shapes;
  using enum KallsymsAddress;
  for (ByteOrder order : {ByteOrder::kLittle, ByteOrder::kBig}) {
    for (size_t word : {size_t{4}, size_t{8}}) {
      for (KallsymsAddress kind : {kAbsolute, kBaseRelative, kAbsolutePercpu}) {
        shapes.push_back({kind, false, true, order, word});
        shapes.push_back({kind, true, true, order, word});
        shapes.push_back({kind, true, false, order, word});
      }
      shapes.push_back({kPlaceRelative, true, false, order, word});
    }
  }
  return shapes;
}

INSTANTIATE_TEST_SUITE_P(Shapes, KallsymsTest, testing::ValuesIn(Shapes()));

// A table, the byte in it, its new value, and the message.
struct Damage {
  const char* table;
  uint64_t at;
  uint8_t value;
  const char* message;
};

TEST(Kallsyms, DamagedTables) {
  constexpr Damage kDamages[] = {
      {"num_syms", 3, 0xff, "kallsyms: kallsyms_num_syms is 4278190685"},
      {"num_syms", 1, 0xff, "kallsyms: the names cannot be read or lack _stext"},
      {"names", 0, 0, "kallsyms: the names cannot be read or lack _stext"},
      {"names", 2, 'X', "kallsyms: the names cannot be read or lack _stext"},
      {"token_table", 1, 7, "kallsyms: tokens that are no text"},
      {"token_table", 3, 'x', "kallsyms: token 1 is not where the index says"},
      {"token_index", 0, 1, "kallsyms: token 0 is not where the index says"},
      {"offsets", 0, 1, "kallsyms: no encoding gives _stext its address 0x100000"},
      {"relative_base", 0, 1, "kallsyms: no encoding gives _stext its address 0x100000"},
  };
  for (const Damage& damage : kDamages) {
    FakeMemory memory;
    memory.AddRange(PhysAddr(0), kMemory);
    KallsymsBuilder builder =
        SomeSymbols({KallsymsAddress::kBaseRelative, true, false, ByteOrder::kLittle, 8});
    std::string keys = builder.Put(memory, VirtAddr(kTables), PhysAddr(kTables));
    memory.Put(PhysAddr(builder.PlaceOf(damage.table).value + damage.at), damage.value);
    IdentityKernel kernel(memory, "SYMBOL(_stext)=100000\n" + keys, {62});
    Result<Kallsyms> symbols = Kallsyms::Read(kernel);
    ASSERT_FALSE(symbols) << damage.message;
    EXPECT_EQ(symbols.error().message(), damage.message);
  }
}

TEST(Kallsyms, MemoryWithoutTables) {
  FakeMemory memory;
  memory.AddRange(PhysAddr(0), kMemory);
  IdentityKernel kernel(memory, "SYMBOL(_stext)=100000\n", {62});
  EXPECT_EQ(Kallsyms::Read(kernel).error().message(),
            "VMCOREINFO does not lead to kallsyms, and no table was found");
}

}  // namespace
}  // namespace kdumpkit
