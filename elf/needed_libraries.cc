// SPDX-License-Identifier: GPL-2.0-or-later
#include "elf/needed_libraries.h"

#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <optional>
#include <string_view>

#include "base/file.h"

namespace kdumpkit {
namespace {

// Longer names of an interpreter are refused by the kernel too (PATH_MAX).
constexpr uint64_t kMaxInterpreter = 4096;

struct EndElf {
  void operator()(Elf* elf) const { elf_end(elf); }
};
using ElfHandle = std::unique_ptr<Elf, EndElf>;

Error ElfError(const char* what) { return Malformed("{}: {}", what, elf_errmsg(-1)); }

std::vector<std::string> SplitAtColons(std::string_view text) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    size_t end = std::min(text.find(':'), text.size());
    if (end > 0) parts.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

Result<std::string> ReadInterpreter(int fd, const GElf_Phdr& header) {
  if (header.p_filesz == 0 || header.p_filesz > kMaxInterpreter)
    return Malformed("PT_INTERP has {} bytes", header.p_filesz);
  ByteBuffer bytes(header.p_filesz);
  TRY(ReadFullyAt(fd, FileOffset(header.p_offset), bytes).In("reading PT_INTERP"));
  std::string_view text = AsText(bytes);
  return std::string(text.substr(0, text.find('\0')));
}

Status ReadProgramHeaders(Elf* elf, int fd, DynamicNeeds& needs) {
  size_t count = 0;
  if (elf_getphdrnum(elf, &count) != 0) return ElfError("reading program headers");
  for (size_t i = 0; i < count; ++i) {
    GElf_Phdr header;
    if (gelf_getphdr(elf, static_cast<int>(i), &header) == nullptr)
      return ElfError("reading program headers");
    if (header.p_type == PT_INTERP) needs.interpreter = TRY(ReadInterpreter(fd, header));
  }
  return {};
}

Status ApplyEntry(Elf* elf, size_t strings, const GElf_Dyn& entry, DynamicNeeds& needs) {
  if (entry.d_tag != DT_NEEDED && entry.d_tag != DT_RPATH && entry.d_tag != DT_RUNPATH) return {};
  const char* text = elf_strptr(elf, strings, entry.d_un.d_val);
  if (text == nullptr) return ElfError("reading names of the dynamic section");
  if (entry.d_tag == DT_NEEDED) needs.needed.emplace_back(text);
  if (entry.d_tag == DT_RPATH) needs.rpaths = SplitAtColons(text);
  if (entry.d_tag == DT_RUNPATH) needs.runpaths = SplitAtColons(text);
  return {};
}

Status ReadDynamicSection(Elf* elf, Elf_Scn* section, const GElf_Shdr& header,
                          DynamicNeeds& needs) {
  Elf_Data* data = elf_getdata(section, nullptr);
  if (data == nullptr) return ElfError("reading the dynamic section");
  GElf_Dyn entry;
  for (int i = 0; gelf_getdyn(data, i, &entry) != nullptr && entry.d_tag != DT_NULL; ++i)
    TRY(ApplyEntry(elf, header.sh_link, entry, needs));
  return {};
}

Status ReadSections(Elf* elf, DynamicNeeds& needs) {
  for (Elf_Scn* section = nullptr; (section = elf_nextscn(elf, section)) != nullptr;) {
    GElf_Shdr header;
    if (gelf_getshdr(section, &header) == nullptr) return ElfError("reading section headers");
    if (header.sh_type == SHT_DYNAMIC) TRY(ReadDynamicSection(elf, section, header, needs));
  }
  return {};
}

Result<DynamicNeeds> Read(int fd) {
  CHECK(elf_version(EV_CURRENT) != EV_NONE);
  ElfHandle elf(elf_begin(fd, ELF_C_READ, nullptr));
  GElf_Ehdr header;
  if (!elf || elf_kind(elf.get()) != ELF_K_ELF || gelf_getehdr(elf.get(), &header) == nullptr)
    return Unsupported("not an ELF file");
  if (header.e_type != ET_EXEC && header.e_type != ET_DYN)
    return Unsupported("neither a program nor a shared library");
  DynamicNeeds needs;
  needs.elf_class = header.e_ident[EI_CLASS];
  needs.machine = header.e_machine;
  TRY(ReadProgramHeaders(elf.get(), fd, needs));
  TRY(ReadSections(elf.get(), needs));
  return needs;
}

}  // namespace

Result<DynamicNeeds> ReadDynamicNeeds(const std::string& path) {
  UniqueFd fd = TRY(OpenFile(path, O_RDONLY));
  return Read(fd.get()).In(fmt::format("'{}'", path));
}

}  // namespace kdumpkit
