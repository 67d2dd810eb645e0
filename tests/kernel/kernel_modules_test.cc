// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/kernel_modules.h"

#include <gtest/gtest.h>

#include "kernel/struct_field.h"
#include "tests/support/btf_builder.h"
#include "tests/support/identity_kernel.h"
#include "tests/support/kallsyms_builder.h"

namespace kdumpkit {
namespace {

constexpr uint64_t kText = 0x100000, kHeads = 0x180000, kBtf = 0x200000, kTables = 0x300000;
constexpr uint64_t kModule = 0x380000;  // one module each 0x10000, with all that belongs to it
constexpr uint64_t kMemory = 0x400000;
// Offsets in what belongs to a module.
constexpr uint64_t kKallsyms = 0x1000, kSymtab = 0x2000, kStrtab = 0x3000, kBtfModule = 0x4000,
                   kBtfObject = 0x5000, kBlob = 0x6000;

BtfBuilder KernelTypes() {
  BtfBuilder builder;
  uint32_t word = builder.Int("long unsigned int", 8);
  uint32_t half = builder.Int("unsigned int", 4);
  uint32_t text = builder.Array(builder.Int("char", 1), 56);
  uint32_t list = builder.Struct("list_head", 16, {{"next", word, 0}, {"prev", word, 64}});
  builder.Struct("module", 512, {{"list", list, 64}, {"name", text, 192}, {"kallsyms", word, 640}});
  builder.Struct("mod_kallsyms", 24,
                 {{"symtab", word, 0}, {"num_symtab", half, 64}, {"strtab", word, 128}});
  builder.Struct("btf_module", 32, {{"list", list, 0}, {"btf", word, 128}, {"module", word, 192}});
  builder.Struct("btf", 16, {{"data", word, 0}, {"data_size", half, 64}});
  builder.Struct("page", 64, {{"flags", word, 0}, {"bit", word, 64, 3}, {"list", list, 128}});
  return builder;
}

class KernelModulesTest : public testing::Test {
 protected:
  KernelModulesTest() : types_(KernelTypes()) {
    memory_.AddRange(PhysAddr(0), kMemory);
    ByteBuffer blob = types_.Build();
    memory_.Write(PhysAddr(kBtf), blob);
    KallsymsBuilder symbols;
    symbols.symbols = {{'T', "_stext", kText},
                       {'D', "modules", kHeads},
                       {'D', "btf_modules", kHeads + 0x100},
                       {'R', "__start_BTF", kBtf},
                       {'R', "__stop_BTF", kBtf + blob.size()}};
    std::string keys = fmt::format("SYMBOL(_stext)={:x}\n", kText);
    keys += symbols.Put(memory_, VirtAddr(kTables), PhysAddr(kTables));
    kernel_ = std::make_unique<IdentityKernel>(memory_, keys, MachineId{62});
    Put(kHeads, kHeads);
    Put(kHeads + 0x100, kHeads + 0x100);
    AddModule(0, "first");
    AddModule(1, "second");
    names_.emplace(KernelNames::Learn(*kernel_));
  }

  void Put(uint64_t at, uint64_t value) { memory_.Put(PhysAddr(at), value); }
  void PutText(uint64_t at, std::string_view text) { memory_.Write(PhysAddr(at), AsBytes(text)); }
  // Puts an entry behind the head of a list.
  void Link(uint64_t head, uint64_t entry) {
    std::byte next[8];
    ByteBuffer copy = memory_.Copy(PhysAddr(head), sizeof(next));
    Put(entry, LoadUnchecked<uint64_t>(copy.data(), ByteOrder::kLittle));
    Put(head, entry);
  }
  void PutSymbol(uint64_t at, uint32_t name, uint16_t section, uint64_t value) {
    memory_.Put(PhysAddr(at), name);
    memory_.Put(PhysAddr(at + 4), uint8_t{0x11});  // STB_GLOBAL, STT_OBJECT
    memory_.Put(PhysAddr(at + 6), section);
    Put(at + 8, value);
  }
  static uint64_t Place(int number) { return kModule + static_cast<uint64_t>(number) * 0x10000; }

  void AddModule(int number, const std::string& name) {
    uint64_t at = Place(number);
    Link(kHeads, at + 8);
    PutText(at + 24, name);
    Put(at + 80, at + kKallsyms);
    Put(at + kKallsyms, at + kSymtab);
    memory_.Put(PhysAddr(at + kKallsyms + 8), uint32_t{4});
    Put(at + kKallsyms + 16, at + kStrtab);
    PutText(at + kStrtab, std::string_view("\0printk\0secret\0key\0", 19));
    PutSymbol(at + kSymtab, 0, 0, 0);
    PutSymbol(at + kSymtab + 24, 1, 0, 0x1234);  // undefined here
    PutSymbol(at + kSymtab + 48, 8, 3, at + 0x100);
    PutSymbol(at + kSymtab + 72, 15, 3, at + 0x200);
    Link(kHeads + 0x100, at + kBtfModule);
    Put(at + kBtfModule + 16, at + kBtfObject);
    Put(at + kBtfModule + 24, at);
    BtfBuilder split(types_, true);
    split.Struct("secret", 8 + static_cast<uint32_t>(number), {{"key", 1, 0}});
    ByteBuffer blob = split.Build();
    memory_.Write(PhysAddr(at + kBlob), blob);
    Put(at + kBtfObject, at + kBlob);
    memory_.Put(PhysAddr(at + kBtfObject + 8), static_cast<uint32_t>(blob.size()));
  }

  const CrashedKernel& kernel() const { return *kernel_; }
  KernelModule Module(int number) const { return {"m", VirtAddr(Place(number))}; }

  BtfBuilder types_;
  FakeMemory memory_;
  std::unique_ptr<IdentityKernel> kernel_;
  std::optional<KernelNames> names_;
};

TEST_F(KernelModulesTest, ListsModulesNewestFirst) {
  Result<std::vector<KernelModule>> modules = ReadModules(kernel(), *names_);
  ASSERT_TRUE(modules) << modules.error().message();
  ASSERT_EQ(modules->size(), 2u);
  EXPECT_EQ((*modules)[0].name, "second");
  EXPECT_EQ((*modules)[1].name, "first");
  EXPECT_EQ((*modules)[1].address, VirtAddr(Place(0)));
}

TEST_F(KernelModulesTest, AListThatDoesNotComeBackIsAnError) {
  Put(Place(0) + 8, Place(1) + 8);
  EXPECT_EQ(ReadModules(kernel(), *names_).error().kind(), ErrorKind::kMalformed);
  Put(Place(0) + 8, kMemory * 2);
  EXPECT_FALSE(ReadModules(kernel(), *names_));
}

TEST_F(KernelModulesTest, ReadsTheSymbolsThatAModuleDefines) {
  Result<ModuleSymbols> symbols = ModuleSymbols::Read(kernel(), *names_, Module(1));
  ASSERT_TRUE(symbols) << symbols.error().message();
  std::vector<std::string> found;
  symbols->ForEach([&](const KernelSymbol& symbol) {
    found.emplace_back(symbol.name);
    EXPECT_EQ(symbol.type, 1);
    return true;
  });
  EXPECT_EQ(found, (std::vector<std::string>{"secret", "key"}));
  EXPECT_EQ(symbols->Find("key").value(), VirtAddr(Place(1) + 0x200));
  EXPECT_EQ(symbols->Find("printk").error().message(), "module m has no symbol printk");
}

TEST_F(KernelModulesTest, DamagedTablesAreErrors) {
  auto read = [&] { return ModuleSymbols::Read(kernel(), *names_, Module(0)).has_value(); };
  ASSERT_TRUE(read());
  memory_.Put(PhysAddr(Place(0) + kKallsyms + 8), uint32_t{0x80000000});
  EXPECT_FALSE(read());  // so many symbols
  memory_.Put(PhysAddr(Place(0) + kKallsyms + 8), uint32_t{4});
  memory_.Put(PhysAddr(Place(0) + kSymtab + 48), uint32_t{0xfffffff0});
  EXPECT_FALSE(read());  // a name far away
  memory_.Put(PhysAddr(Place(0) + kSymtab + 48), uint32_t{8});
  Put(Place(0) + 80, 0);
  EXPECT_FALSE(read());  // no tables
}

TEST_F(KernelModulesTest, ReadsTypesOnTopOfTheKernels) {
  for (int number : {0, 1}) {
    Result<ModuleTypes> read = ReadModuleTypes(kernel(), *names_, Module(number));
    ASSERT_TRUE(read) << read.error().message();
    ModuleTypes types = std::move(*read);
    EXPECT_EQ(FindField(types.types, "secret", "key")->size, 8u);
    EXPECT_EQ(types.types.SizeOf(types.types.FindType("secret")), 8u + static_cast<size_t>(number));
    EXPECT_EQ(FindField(types.types, "module", "list")->offset, 8u);
    EXPECT_FALSE(FindField(*names_->types(), "secret", "key"));
  }
}

TEST_F(KernelModulesTest, AModuleWithoutTypesIsUnsupported) {
  Put(Place(0) + kBtfModule + 24, 0);
  EXPECT_EQ(ReadModuleTypes(kernel(), *names_, Module(0)).error().message(), "module m has no BTF");
  memory_.Put(PhysAddr(Place(1) + kBlob), uint16_t{0});
  EXPECT_EQ(ReadModuleTypes(kernel(), *names_, Module(1)).error().kind(), ErrorKind::kMalformed);
  memory_.Put(PhysAddr(Place(1) + kBtfObject + 8), ~uint32_t{0});
  EXPECT_EQ(ReadModuleTypes(kernel(), *names_, Module(1)).error().kind(), ErrorKind::kMalformed);
}

TEST_F(KernelModulesTest, AFieldIsFoundByItsPath) {
  const Btf& types = *names_->types();
  StructField field = FindField(types, "page", "list.prev").value();
  EXPECT_EQ(field.offset, 24u);
  EXPECT_EQ(field.size, 8u);
  for (const char* path : {"nothing", "list.nothing", "flags.x", "bit"})
    EXPECT_EQ(FindField(types, "page", path).error().message(),
              fmt::format("the kernel has no page.{}", path));
  std::unique_ptr<KernelMemory> memory = kernel_->NewMemory();
  Put(kHeads + 24, 77);
  EXPECT_EQ(ReadField(kernel(), *memory, VirtAddr(kHeads), field).value(), 77u);
  EXPECT_FALSE(ReadField(kernel(), *memory, VirtAddr(kHeads), *FindField(types, "page", "list")));
}

}  // namespace
}  // namespace kdumpkit
