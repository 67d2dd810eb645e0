// SPDX-License-Identifier: GPL-2.0-or-later
#include "elf/vmlinux.h"

#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>

#include <algorithm>
#include <vector>

#include "base/file.h"

namespace kdumpkit {
namespace {

constexpr size_t kMaxBuildId = 64;  // bytes; SHA-1 has 20
constexpr size_t kMaxBanner = 512;
constexpr std::string_view kBannerBegin = "Linux version ";

struct EndElf {
  void operator()(Elf* elf) const { elf_end(elf); }
};
using ElfHandle = std::unique_ptr<Elf, EndElf>;

ByteView Bytes(const Elf_Data* data) {
  if (data == nullptr || data->d_buf == nullptr) return {};
  return {static_cast<const std::byte*>(data->d_buf), data->d_size};
}

std::string Hex(ByteView bytes) {
  std::string text;
  for (std::byte byte : bytes) text += fmt::format("{:02x}", std::to_integer<unsigned>(byte));
  return text;
}

// Sections, undefined symbols and names of source files are no places of the kernel.
bool IsPlace(const GElf_Sym& symbol) {
  int type = GELF_ST_TYPE(symbol.st_info);
  return symbol.st_shndx != SHN_UNDEF && type != STT_SECTION && type != STT_FILE;
}

}  // namespace

class Vmlinux::Impl {
 public:
  Status Open(const std::string& path);
  std::optional<VmlinuxSymbol> Symbol(std::string_view name) const;
  ByteView Contents(uint64_t address, size_t size) const;
  ByteView Btf() const;

  std::string path;
  GElf_Ehdr header = {};
  std::string build_id;

 private:
  struct Section {
    Elf_Scn* handle;
    GElf_Shdr header;
    std::string_view name;
  };
  Status ReadSections();
  void ReadNotes(Elf_Scn* section);

  UniqueFd fd_;
  ElfHandle elf_;
  std::vector<Section> sections_;
  Elf_Data* symbols_ = nullptr;
  ByteView symbol_names_;
};

Status Vmlinux::Impl::Open(const std::string& file) {
  path = file;
  fd_ = TRY(OpenFile(path, O_RDONLY));
  CHECK(elf_version(EV_CURRENT) != EV_NONE);
  elf_.reset(elf_begin(fd_.get(), ELF_C_READ_MMAP, nullptr));
  if (!elf_ || elf_kind(elf_.get()) != ELF_K_ELF || gelf_getehdr(elf_.get(), &header) == nullptr)
    return Unsupported("not an ELF file; the uncompressed vmlinux is wanted, not a boot image");
  if (header.e_type != ET_EXEC && header.e_type != ET_DYN)
    return Unsupported("ELF type {} is not a kernel", header.e_type);
  TRY(ReadSections());
  if (symbols_ == nullptr)
    return Unsupported("no table of symbols; a vmlinux that is not stripped is wanted");
  return {};
}

Status Vmlinux::Impl::ReadSections() {
  size_t names = 0;
  if (elf_getshdrstrndx(elf_.get(), &names) != 0)
    return Malformed("reading section headers: {}", elf_errmsg(-1));
  for (Elf_Scn* at = nullptr; (at = elf_nextscn(elf_.get(), at)) != nullptr;) {
    Section section{at, {}, {}};
    if (gelf_getshdr(at, &section.header) == nullptr)
      return Malformed("reading section headers: {}", elf_errmsg(-1));
    const char* name = elf_strptr(elf_.get(), names, section.header.sh_name);
    section.name = name != nullptr ? name : "";
    if (section.header.sh_type == SHT_NOTE) ReadNotes(at);
    if (section.header.sh_type == SHT_SYMTAB) {
      symbols_ = elf_getdata(at, nullptr);
      Elf_Scn* strings = elf_getscn(elf_.get(), section.header.sh_link);
      symbol_names_ = strings != nullptr ? Bytes(elf_getdata(strings, nullptr)) : ByteView();
    }
    sections_.push_back(section);
  }
  return {};
}

void Vmlinux::Impl::ReadNotes(Elf_Scn* section) {
  Elf_Data* data = elf_getdata(section, nullptr);
  ByteView bytes = Bytes(data);
  GElf_Nhdr note;
  size_t name = 0, desc = 0;
  for (size_t at = 0; at < bytes.size();) {
    size_t next = gelf_getnote(data, at, &note, &name, &desc);
    if (next <= at) return;
    bool is_id = note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 &&
                 AsText(bytes.subspan(name, 4)) == std::string_view("GNU", 4);
    if (is_id && note.n_descsz <= kMaxBuildId) build_id = Hex(bytes.subspan(desc, note.n_descsz));
    at = next;
  }
}

std::optional<VmlinuxSymbol> Vmlinux::Impl::Symbol(std::string_view name) const {
  std::optional<VmlinuxSymbol> found;
  std::string_view names = AsText(symbol_names_);
  GElf_Sym symbol;
  for (int i = 1; gelf_getsym(symbols_, i, &symbol) != nullptr; ++i) {
    if (symbol.st_name >= names.size() || !names.substr(symbol.st_name).starts_with(name)) continue;
    // A name that is not ended within the table is none.
    size_t end = symbol.st_name + name.size();
    if (end >= names.size() || names[end] != '\0' || !IsPlace(symbol)) continue;
    bool global = GELF_ST_BIND(symbol.st_info) == STB_GLOBAL;
    if (!found || global) found = VmlinuxSymbol{symbol.st_value, symbol.st_size};
    if (global) return found;
  }
  return found;
}

ByteView Vmlinux::Impl::Contents(uint64_t address, size_t size) const {
  for (const Section& section : sections_) {
    const GElf_Shdr& shdr = section.header;
    if ((shdr.sh_flags & SHF_ALLOC) == 0 || shdr.sh_type == SHT_NOBITS) continue;
    if (address < shdr.sh_addr || address - shdr.sh_addr >= shdr.sh_size) continue;
    ByteView bytes = Bytes(elf_rawdata(section.handle, nullptr));
    size_t at = static_cast<size_t>(address - shdr.sh_addr);
    return at < bytes.size() ? bytes.subspan(at, std::min(size, bytes.size() - at)) : ByteView();
  }
  return {};
}

ByteView Vmlinux::Impl::Btf() const {
  for (const Section& section : sections_) {
    if (section.name != ".BTF" || section.header.sh_type == SHT_NOBITS) continue;
    if ((section.header.sh_flags & SHF_COMPRESSED) != 0) elf_compress(section.handle, 0, 0);
    return Bytes(elf_getdata(section.handle, nullptr));
  }
  return {};
}

Vmlinux::Vmlinux(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Vmlinux::~Vmlinux() = default;

Result<std::unique_ptr<Vmlinux>> Vmlinux::Open(const std::string& path) {
  auto impl = std::make_unique<Impl>();
  TRY(impl->Open(path).In(fmt::format("'{}'", path)));
  return std::unique_ptr<Vmlinux>(new Vmlinux(std::move(impl)));
}

const std::string& Vmlinux::path() const { return impl_->path; }
uint16_t Vmlinux::machine() const { return impl_->header.e_machine; }
const std::string& Vmlinux::build_id() const { return impl_->build_id; }

ByteOrder Vmlinux::order() const {
  bool little = impl_->header.e_ident[EI_DATA] == ELFDATA2LSB;
  return little ? ByteOrder::kLittle : ByteOrder::kBig;
}

int Vmlinux::word_size() const { return impl_->header.e_ident[EI_CLASS] == ELFCLASS64 ? 8 : 4; }

std::string Vmlinux::Release() const {
  std::optional<VmlinuxSymbol> banner = Symbol("linux_banner");
  if (!banner) return "";
  std::string_view text = AsText(Contents(banner->address, kMaxBanner));
  if (!text.starts_with(kBannerBegin)) return "";
  text.remove_prefix(kBannerBegin.size());
  return std::string(text.substr(0, text.find_first_of(std::string_view(" \0", 2))));
}

std::optional<VmlinuxSymbol> Vmlinux::Symbol(std::string_view name) const {
  return impl_->Symbol(name);
}
ByteView Vmlinux::Contents(uint64_t address, size_t size) const {
  return impl_->Contents(address, size);
}
ByteView Vmlinux::Btf() const { return impl_->Btf(); }

}  // namespace kdumpkit
