// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/support/elf_file_builder.h"

#include <elf.h>

#include <algorithm>
#include <array>

namespace kdumpkit {
namespace {

constexpr size_t kHeaderSize = 64;
constexpr size_t kProgramHeaderSize = 56;
constexpr size_t kSectionHeaderSize = 64;

size_t AlignUp(size_t offset) { return (offset + 7) / 8 * 8; }

// Names, each ended by NUL; gives the offset of each.
class NameTable {
 public:
  uint32_t Add(const std::string& name) {
    uint32_t at = static_cast<uint32_t>(text_.size());
    text_ += name + '\0';
    return at;
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_ = std::string(1, '\0');
};

std::string Text(ByteWriter&& out) {
  ByteBuffer bytes = std::move(out).Take();
  return std::string(AsText(bytes));
}

}  // namespace

unsigned ElfFileBuilder::AddSection(std::string name, uint32_t section_type, std::string data,
                                    unsigned link, uint64_t entry_size) {
  sections_.push_back({std::move(name), section_type, std::move(data), link, entry_size});
  return static_cast<unsigned>(sections_.size());  // Section 0 is the empty one.
}

std::string ElfFileBuilder::Build() const {
  std::vector<Section> sections = {Section{}};
  sections.insert(sections.end(), sections_.begin(), sections_.end());
  sections.push_back({".shstrtab", SHT_STRTAB, ""});
  NameTable names;
  for (Section& section : sections) section.name_offset = names.Add(section.name);
  sections.back().data = names.text();

  ByteWriter out(ByteOrder::kLittle);
  out.PadTo(kHeaderSize);
  if (!interpreter_.empty()) PutInterpreter(out);
  for (Section& section : sections) {
    out.PadTo(AlignUp(out.size()));
    section.offset = out.size();
    out.PutBytes(AsBytes(section.data));
  }
  out.PadTo(AlignUp(out.size()));
  uint64_t table = out.size();
  for (const Section& section : sections) PutSectionHeader(out, section);
  ByteBuffer file = std::move(out).Take();
  ByteBuffer header = Header(table, sections.size());
  std::copy(header.begin(), header.end(), file.begin());
  return std::string(AsText(file));
}

void ElfFileBuilder::PutInterpreter(ByteWriter& out) const {
  uint64_t at = out.size() + kProgramHeaderSize;
  uint64_t size = interpreter_.size() + 1;
  out.Put(uint32_t{PT_INTERP});
  out.Put(uint32_t{PF_R});
  for (uint64_t field : {at, at, at, size, size, uint64_t{1}}) out.Put(field);
  out.PutText(interpreter_, size);
}

void ElfFileBuilder::PutSectionHeader(ByteWriter& out, const Section& section) {
  out.Put(section.name_offset);
  out.Put(section.type);
  out.Put(section.address != 0 ? uint64_t{SHF_ALLOC} : uint64_t{0});  // sh_flags
  out.Put(section.address);
  out.Put(section.offset);
  out.Put(uint64_t{section.data.size()});
  out.Put(static_cast<uint32_t>(section.link));
  out.Put(uint32_t{0});  // sh_info
  out.Put(uint64_t{1});  // sh_addralign
  out.Put(section.entry_size);
}

ByteBuffer ElfFileBuilder::Header(uint64_t section_table, size_t section_count) const {
  bool has_interpreter = !interpreter_.empty();
  ByteWriter out(ByteOrder::kLittle);
  // e_ident: magic, 64 bits, little-endian, version 1.
  constexpr std::array<uint8_t, 16> kIdent = {0x7f, 'E', 'L', 'F', 2, 1, 1};
  for (uint8_t byte : kIdent) out.Put(byte);
  out.Put(type_);
  out.Put(machine_);
  out.Put(uint32_t{1});                                            // e_version
  out.Put(uint64_t{0});                                            // e_entry
  out.Put(has_interpreter ? uint64_t{kHeaderSize} : uint64_t{0});  // e_phoff
  out.Put(section_table);                                          // e_shoff
  out.Put(uint32_t{0});                                            // e_flags
  out.Put(static_cast<uint16_t>(kHeaderSize));                     // e_ehsize
  out.Put(static_cast<uint16_t>(kProgramHeaderSize));              // e_phentsize
  out.Put(static_cast<uint16_t>(has_interpreter ? 1 : 0));         // e_phnum
  out.Put(static_cast<uint16_t>(kSectionHeaderSize));              // e_shentsize
  out.Put(static_cast<uint16_t>(section_count));                   // e_shnum
  out.Put(static_cast<uint16_t>(section_count - 1));               // e_shstrndx
  return std::move(out).Take();
}

std::string BuildLibrary(const FakeLibrary& library) {
  NameTable names;
  ByteWriter dynamic(ByteOrder::kLittle);
  auto put = [&](uint64_t tag, const std::string& text) {
    dynamic.Put(tag);
    dynamic.Put(uint64_t{names.Add(text)});
  };
  for (const std::string& name : library.needed) put(DT_NEEDED, name);
  if (!library.rpath.empty()) put(DT_RPATH, library.rpath);
  if (!library.runpath.empty()) put(DT_RUNPATH, library.runpath);
  dynamic.PadTo(dynamic.size() + 16);  // DT_NULL
  ElfFileBuilder builder(ET_DYN, library.machine);
  builder.SetInterpreter(library.interpreter);
  unsigned strings = builder.AddSection(".dynstr", SHT_STRTAB, names.text());
  builder.AddSection(".dynamic", SHT_DYNAMIC, Text(std::move(dynamic)), strings, 16);
  return builder.Build();
}

std::string BuildModule(const FakeModule& module) {
  NameTable names;
  ByteWriter symbols(ByteOrder::kLittle);
  symbols.PadTo(24);  // Symbol 0 is the empty one.
  for (const std::string& name : module.imports) {
    symbols.Put(names.Add(name));
    symbols.Put(static_cast<uint8_t>(ELF64_ST_INFO(STB_GLOBAL, STT_NOTYPE)));
    symbols.Put(uint8_t{0});
    symbols.Put(uint16_t{SHN_UNDEF});
    symbols.PadTo(symbols.size() + 16);  // value and size
  }
  std::string exported, info;
  for (const std::string& name : module.exports) exported += name + '\0';
  for (const std::string& entry : module.info) info += entry + '\0';
  ElfFileBuilder builder(ET_REL, EM_X86_64);
  builder.AddSection(".modinfo", SHT_PROGBITS, info);
  builder.AddSection("__ksymtab_strings", SHT_PROGBITS, exported);
  unsigned strings = builder.AddSection(".strtab", SHT_STRTAB, names.text());
  builder.AddSection(".symtab", SHT_SYMTAB, Text(std::move(symbols)), strings, 24);
  return builder.Build();
}

std::string BuildVmlinux(const FakeVmlinux& vmlinux) {
  constexpr uint16_t kX86_64 = 62;
  constexpr uint64_t kBanner = FakeVmlinux::kText + 0x1000;
  NameTable names;
  ByteWriter symbols(ByteOrder::kLittle);
  symbols.PadTo(24);  // Symbol 0 is the empty one.
  auto put = [&](const std::string& name, uint64_t address) {
    symbols.Put(names.Add(name));
    symbols.Put(static_cast<uint8_t>(ELF64_ST_INFO(STB_GLOBAL, STT_OBJECT)));
    symbols.Put(uint8_t{0});
    symbols.Put(uint16_t{1});
    symbols.Put(address);
    symbols.Put(uint64_t{16});
  };
  put("_text", FakeVmlinux::kText);
  put("_stext", FakeVmlinux::kText);
  put("linux_banner", kBanner);
  for (const auto& [name, address] : vmlinux.symbols) put(name, address);
  ByteWriter note(ByteOrder::kLittle);
  for (size_t field : {size_t{4}, vmlinux.build_id.size(), size_t{3}})  // NT_GNU_BUILD_ID
    note.Put(static_cast<uint32_t>(field));
  note.PutText("GNU", 4);
  note.PutText(vmlinux.build_id, (vmlinux.build_id.size() + 3) / 4 * 4);
  ElfFileBuilder builder(ET_EXEC, kX86_64);
  builder.AddSection(".rodata", SHT_PROGBITS, "Linux version " + vmlinux.release + " (us) #1\n");
  builder.SetAddress(kBanner);
  if (!vmlinux.build_id.empty()) builder.AddSection(".notes", SHT_NOTE, Text(std::move(note)));
  if (!vmlinux.btf.empty())
    builder.AddSection(".BTF", SHT_PROGBITS, std::string(AsText(vmlinux.btf)));
  unsigned strings = builder.AddSection(".strtab", SHT_STRTAB, names.text());
  builder.AddSection(".symtab", SHT_SYMTAB, Text(std::move(symbols)), strings, 24);
  return builder.Build();
}

}  // namespace kdumpkit
