// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/given_vmlinux.h"

#include <charconv>

#include "kernel/btf_facts.h"
#include "kernel/dwarf_btf.h"
#include "kernel/kernel_facts.h"
#include "kernel/vmcoreinfo_keys.h"

namespace kdumpkit {
namespace {

constexpr uint16_t kX86_64 = 62;  // EM_X86_64
constexpr std::string_view kAdvice =
    "give the vmlinux of the kernel that crashed (the package of its debug symbols)";

// How far the kernel moved itself: from a symbol that both know, else as it says.
std::optional<uint64_t> OffsetOf(const Vmcoreinfo& info, const Vmlinux& file) {
  auto there = info.Symbol("_stext");
  auto here = file.Symbol("_stext");
  if (there && here) return there->value - here->address;
  uint64_t offset = 0;
  std::string text = info.Text("KERNELOFFSET").value_or("");
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), offset, 16);
  return error == std::errc() ? std::optional(offset) : std::nullopt;
}

}  // namespace

Result<std::unique_ptr<GivenVmlinux>> GivenVmlinux::Open(const std::string& path) {
  std::unique_ptr<GivenVmlinux> given(new GivenVmlinux);
  given->file_ = TRY(Vmlinux::Open(path));
  for (const char* name : {"_text", "_stext"}) {
    auto symbol = given->file_->Symbol(name);
    if (symbol && given->image_begin_ == 0) given->image_begin_ = symbol->address;
  }
  TRY(given->ReadTypes());
  return given;
}

Status GivenVmlinux::ReadTypes() {
  ByteView blob = file_->Btf();
  if (blob.empty()) {
    Status status = ReadDwarf(nullptr, dwarf_types_, types_);
    if (!status)
      without_types_ =
          fmt::format("'{}' has no section .BTF, and {}", file_->path(), status.error().message());
    return {};
  }
  Result<Btf> types = Btf::Parse(blob);
  if (!types) return std::move(types.error()).In(fmt::format("'{}': section .BTF", file_->path()));
  types_ = std::move(*types);
  return {};
}

Status GivenVmlinux::ReadDwarf(const Btf* base, ByteBuffer& blob, std::optional<Btf>& types) const {
  std::unique_ptr<DwarfInfo> dwarf = TRY(DwarfInfo::Open(file_->path()));
  blob = BtfFromDwarf(*dwarf, base, file_->order());
  types = TRY(Btf::Parse(blob, base).In("debug information, as BTF"));
  return {};
}

const Btf* GivenVmlinux::TypesWithVariables() const {
  if (has_btf() && !variables_wanted_) {
    Status status = ReadDwarf(&*types_, variables_blob_, variables_);
    if (!status) without_variables_ = status.error().message();
  }
  variables_wanted_ = true;
  return variables_ ? &*variables_ : types();
}

Status GivenVmlinux::CheckIdentity(const Vmcoreinfo& info) const {
  std::optional<std::string> id = info.Text("BUILD-ID");
  if (id && !file_->build_id().empty()) {
    if (*id == file_->build_id()) return {};
    return UsageError("'{}' is another kernel: its build-id is {}, the dead kernel's is {}; {}",
                      file_->path(), file_->build_id(), *id, kAdvice);
  }
  std::string mine = file_->Release();
  std::string release = info.Text("OSRELEASE").value_or("");
  if (!mine.empty() && mine == release) return {};
  return UsageError("'{}' is another kernel: its release is '{}', the dead kernel's is '{}'; {}",
                    file_->path(), mine, release, kAdvice);
}

Status GivenVmlinux::Match(const Vmcoreinfo& info) {
  TRY(CheckIdentity(info));
  offset_ = OffsetOf(info, *file_).value_or(0);
  return {};
}

std::optional<VirtAddr> GivenVmlinux::Symbol(std::string_view name) const {
  std::optional<VmlinuxSymbol> symbol = file_->Symbol(name);
  if (!symbol) return std::nullopt;
  bool moves = symbol->address >= image_begin_;
  return VirtAddr(symbol->address + (moves ? offset_ : 0));
}

// Elements of an array variable of pointers or of a struct; of the two members of struct
// dev_printk_info that VMCOREINFO gives names of their own.
std::optional<uint64_t> GivenVmlinux::LengthOf(std::string_view name) const {
  if (name.starts_with("printk_info_")) {
    auto member = types_->FindMember(types_->FindType("dev_printk_info"), name.substr(12));
    return member ? types_->ArrayLength(member->type) : std::nullopt;
  }
  std::optional<VmlinuxSymbol> symbol = file_->Symbol(name);
  if (!symbol) return std::nullopt;
  // An array of pointers with SPARSEMEM_EXTREME: one pointer when it is made at boot, which the
  // kernel itself calls a length of NR_SECTION_ROOTS.
  if (name == "node_data" && symbol->size > 8) return symbol->size / 8;
  return std::nullopt;
}

std::optional<std::string> GivenVmlinux::ValueOf(std::string_view key) const {
  if (key.starts_with("SYMBOL(")) {
    auto symbol = file_->Symbol(key.substr(7, key.size() - 8));
    return symbol ? std::optional(FactText(key, symbol->address)) : std::nullopt;
  }
  if (!types_) return std::nullopt;
  std::optional<uint64_t> value = FactFromBtf(*types_, key);
  if (!value) value = FactFromHistory(*types_, key);
  if (!value && key.starts_with("LENGTH(")) value = LengthOf(key.substr(7, key.size() - 8));
  return value ? std::optional(FactText(key, *value)) : std::nullopt;
}

std::string GivenVmlinux::VmcoreinfoText() const {
  std::string text = fmt::format("OSRELEASE={}\n", file_->Release());
  if (!file_->build_id().empty()) text += fmt::format("BUILD-ID={}\n", file_->build_id());
  // Of other machines the size of a page is not in the file.
  if (file_->machine() == kX86_64) text += "PAGESIZE=4096\n";
  for (const VmcoreinfoKey& row : kVmcoreinfoKeys)
    if (auto value = ValueOf(row.key)) text += fmt::format("{}={}\n", row.key, *value);
  return text;
}

}  // namespace kdumpkit
