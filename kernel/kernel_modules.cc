// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/kernel_modules.h"

#include <algorithm>

#include "kernel/struct_field.h"

namespace kdumpkit {
namespace {

constexpr size_t kMaxModules = 1 << 14;
constexpr uint64_t kMaxSymbols = uint64_t{1} << 20;  // of one module
constexpr uint64_t kMaxStrings = uint64_t{32} << 20;
constexpr uint64_t kMaxTypes = uint64_t{16} << 20;
constexpr uint64_t kMaxName = 256;  // MODULE_NAME_LEN is 56

Result<const Btf*> TypesOf(const KernelNames& names) {
  if (names.types() != nullptr) return names.types();
  return Unsupported("the kernel's types are not known: {}", names.without_types());
}

// The entries of the list whose head is `symbol`: addresses of the structures that have a list_head
// at `offset`.
Result<std::vector<VirtAddr>> WalkList(const KernelNames& names, KernelMemory& memory,
                                       std::string_view symbol, uint64_t offset) {
  VirtAddr head = TRY(names.Symbol(symbol));
  std::vector<VirtAddr> entries;
  VirtAddr at(TRY(memory.ReadWord(head)));
  for (; at != head; at = VirtAddr(TRY(memory.ReadWord(at)))) {
    if (entries.size() == kMaxModules) return Malformed("the list {} does not end", symbol);
    entries.push_back(at - offset);
  }
  return entries;
}

Result<std::string> ReadName(KernelMemory& memory, VirtAddr address, const StructField& field) {
  ByteBuffer bytes(std::min(field.size, kMaxName));
  TRY(memory.Read(address + field.offset, bytes));
  std::string_view text = AsText(bytes);
  return std::string(text.substr(0, text.find('\0')));
}

// struct mod_kallsyms of a module; one that is loading has its own until it has started.
struct SymbolTables {
  VirtAddr symbols, strings;
  uint64_t count = 0;
};

Result<SymbolTables> FindTables(const CrashedKernel& kernel, const Btf& types, KernelMemory& memory,
                                const KernelModule& module) {
  auto read = [&](VirtAddr object, std::string_view type, std::string_view member) {
    Result<StructField> field = FindField(types, type, member);
    return field ? ReadField(kernel, memory, object, *field) : std::move(field).error();
  };
  VirtAddr tables(TRY(read(module.address, "module", "kallsyms")));
  if (tables.value == 0) return Unsupported("module {} has no symbols", module.name);
  SymbolTables found;
  found.symbols = VirtAddr(TRY(read(tables, "mod_kallsyms", "symtab")));
  found.strings = VirtAddr(TRY(read(tables, "mod_kallsyms", "strtab")));
  found.count = TRY(read(tables, "mod_kallsyms", "num_symtab"));
  if (found.count > kMaxSymbols)
    return Malformed("module {} with {} symbols", module.name, found.count);
  return found;
}

// What a symbol of an ELF file says (elf.h: Elf64_Sym, Elf32_Sym).
struct ElfSymbol {
  uint32_t name = 0;
  uint8_t info = 0;
  uint16_t section = 0;
  uint64_t value = 0;
};

size_t SymbolSize(size_t word_size) { return word_size == 8 ? 24 : 16; }

ElfSymbol SymbolAt(const std::byte* at, size_t word_size, ByteOrder order) {
  ElfSymbol symbol;
  symbol.name = LoadUnchecked<uint32_t>(at, order);
  if (word_size == 8) {
    symbol.info = LoadUnchecked<uint8_t>(at + 4, order);
    symbol.section = LoadUnchecked<uint16_t>(at + 6, order);
    symbol.value = LoadUnchecked<uint64_t>(at + 8, order);
  } else {
    symbol.value = LoadUnchecked<uint32_t>(at + 4, order);
    symbol.info = LoadUnchecked<uint8_t>(at + 12, order);
    symbol.section = LoadUnchecked<uint16_t>(at + 14, order);
  }
  return symbol;
}

// Nothing says how long the strings are: up to the end of the last one that a symbol names.
Result<ByteBuffer> ReadStrings(KernelMemory& memory, VirtAddr at, uint64_t last) {
  if (last > kMaxStrings) return Malformed("a symbol's name at 0x{:x}", at.value + last);
  ByteBuffer strings(static_cast<size_t>(last));
  TRY(memory.Read(at, strings));
  for (size_t i = 0; i < kMaxName * 4; ++i) {
    std::byte next;
    TRY(memory.Read(at + strings.size(), ByteSpan(&next, 1)));
    strings.push_back(next);
    if (next == std::byte{0}) return strings;
  }
  return Malformed("the name at 0x{:x} does not end", at.value + last);
}

}  // namespace

Result<std::vector<KernelModule>> ReadModules(const CrashedKernel& kernel,
                                              const KernelNames& names) {
  const Btf* types = TRY(TypesOf(names));
  StructField list = TRY(FindField(*types, "module", "list"));
  StructField name = TRY(FindField(*types, "module", "name"));
  std::unique_ptr<KernelMemory> memory = kernel.NewMemory();
  std::vector<KernelModule> modules;
  for (VirtAddr address : TRY(WalkList(names, *memory, "modules", list.offset)))
    modules.push_back({TRY(ReadName(*memory, address, name)), address});
  return modules;
}

Result<ModuleSymbols> ModuleSymbols::Read(const CrashedKernel& kernel, const KernelNames& names,
                                          const KernelModule& module) {
  const Btf* types = TRY(TypesOf(names));
  std::unique_ptr<KernelMemory> memory = kernel.NewMemory();
  SymbolTables tables = TRY(FindTables(kernel, *types, *memory, module));
  ModuleSymbols result;
  result.order_ = kernel.machine().order;
  result.word_size_ = static_cast<size_t>(kernel.machine().word_size);
  result.module_ = module.name;
  result.symbols_.resize(static_cast<size_t>(tables.count) * SymbolSize(result.word_size_));
  TRY(memory->Read(tables.symbols, result.symbols_));
  uint64_t last = 0;
  for (size_t at = 0; at < result.symbols_.size(); at += SymbolSize(result.word_size_))
    last = std::max<uint64_t>(
        last, SymbolAt(result.symbols_.data() + at, result.word_size_, result.order_).name);
  result.strings_ = TRY(ReadStrings(*memory, tables.strings, last));
  return result;
}

void ModuleSymbols::ForEach(const std::function<bool(const KernelSymbol&)>& visit) const {
  for (size_t at = 0; at < symbols_.size(); at += SymbolSize(word_size_)) {
    ElfSymbol symbol = SymbolAt(symbols_.data() + at, word_size_, order_);
    constexpr uint16_t kUndefined = 0;  // SHN_UNDEF
    if (symbol.section == kUndefined) continue;
    std::string_view name = AsText(strings_).substr(symbol.name);
    name = name.substr(0, name.find('\0'));
    if (name.empty()) continue;
    if (!visit({static_cast<char>(symbol.info & 0xf), name, VirtAddr(symbol.value)})) return;
  }
}

Result<VirtAddr> ModuleSymbols::Find(std::string_view name) const {
  std::optional<VirtAddr> found;
  ForEach([&](const KernelSymbol& symbol) {
    if (symbol.name == name) found = symbol.address;
    return !found;
  });
  if (!found) return Unsupported("module {} has no symbol {}", module_, name);
  return *found;
}

Result<ModuleTypes> ReadModuleTypes(const CrashedKernel& kernel, const KernelNames& names,
                                    const KernelModule& module) {
  const Btf* types = TRY(TypesOf(names));
  if (names.own_types() == nullptr && !names.vmlinux()->has_btf())
    return Unsupported("types of modules go with the kernel's BTF, and there is none");
  StructField list = TRY(FindField(*types, "btf_module", "list"));
  StructField owner = TRY(FindField(*types, "btf_module", "module"));
  StructField btf = TRY(FindField(*types, "btf_module", "btf"));
  StructField data = TRY(FindField(*types, "btf", "data"));
  StructField data_size = TRY(FindField(*types, "btf", "data_size"));
  std::unique_ptr<KernelMemory> memory = kernel.NewMemory();
  for (VirtAddr entry : TRY(WalkList(names, *memory, "btf_modules", list.offset))) {
    if (TRY(ReadField(kernel, *memory, entry, owner)) != module.address.value) continue;
    VirtAddr object(TRY(ReadField(kernel, *memory, entry, btf)));
    uint64_t size = TRY(ReadField(kernel, *memory, object, data_size));
    if (size > kMaxTypes) return Malformed("module {} with BTF of {} bytes", module.name, size);
    ByteBuffer blob(static_cast<size_t>(size));
    TRY(memory->Read(VirtAddr(TRY(ReadField(kernel, *memory, object, data))), blob));
    Btf parsed = TRY(Btf::Parse(blob, types).In(fmt::format("module {}", module.name)));
    return ModuleTypes{.blob = std::move(blob), .types = std::move(parsed)};
  }
  return Unsupported("module {} has no BTF", module.name);
}

}  // namespace kdumpkit
