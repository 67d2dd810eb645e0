// SPDX-License-Identifier: GPL-2.0-or-later
#include "elf/dwarf_info.h"

#include <dlfcn.h>
#include <dwarf.h>
#include <elfutils/libdw.h>
#include <fcntl.h>
#include <gelf.h>

#include <bit>

#include "base/file.h"

namespace kdumpkit {
namespace {

constexpr const char* kLibrary = "libdw.so.1";
// More than any type of a kernel has; the rest is left out.
constexpr size_t kMaxMembers = 65535;
constexpr uint32_t kMaxDimensions = 8;

// The functions of libdw that are used, by the names that they have there.
struct Libdw {
  decltype(&::dwarf_begin_elf) begin_elf = nullptr;
  decltype(&::dwarf_end) end = nullptr;
  decltype(&::dwarf_nextcu) nextcu = nullptr;
  decltype(&::dwarf_offdie) offdie = nullptr;
  decltype(&::dwarf_dieoffset) dieoffset = nullptr;
  decltype(&::dwarf_child) child = nullptr;
  decltype(&::dwarf_siblingof) siblingof = nullptr;
  decltype(&::dwarf_tag) tag = nullptr;
  decltype(&::dwarf_attr_integrate) attr_integrate = nullptr;
  decltype(&::dwarf_hasattr) hasattr = nullptr;
  decltype(&::dwarf_formstring) formstring = nullptr;
  decltype(&::dwarf_formudata) formudata = nullptr;
  decltype(&::dwarf_formsdata) formsdata = nullptr;
  decltype(&::dwarf_formref_die) formref_die = nullptr;

  static Result<Libdw> Load();
};

template <typename Function>
bool Find(void* library, const char* name, Function& function) {
  function = std::bit_cast<Function>(dlsym(library, name));
  return function != nullptr;
}

// Never unloaded: it is wanted once.
Result<Libdw> Libdw::Load() {
  void* library = dlopen(kLibrary, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr)
    return Unsupported(
        "{} is wanted to read DWARF and is not there; install libdw1 (Debian), elfutils-libs "
        "(Fedora) or libdw1 (SUSE)",
        kLibrary);
  Libdw dw;
  bool complete =
      Find(library, "dwarf_begin_elf", dw.begin_elf) && Find(library, "dwarf_end", dw.end) &&
      Find(library, "dwarf_nextcu", dw.nextcu) && Find(library, "dwarf_offdie", dw.offdie) &&
      Find(library, "dwarf_dieoffset", dw.dieoffset) && Find(library, "dwarf_child", dw.child) &&
      Find(library, "dwarf_siblingof", dw.siblingof) && Find(library, "dwarf_tag", dw.tag) &&
      Find(library, "dwarf_attr_integrate", dw.attr_integrate) &&
      Find(library, "dwarf_hasattr", dw.hasattr) &&
      Find(library, "dwarf_formstring", dw.formstring) &&
      Find(library, "dwarf_formudata", dw.formudata) &&
      Find(library, "dwarf_formsdata", dw.formsdata) &&
      Find(library, "dwarf_formref_die", dw.formref_die);
  if (!complete) return Unsupported("{} lacks functions; a newer one is wanted", kLibrary);
  return dw;
}

struct EndElf {
  void operator()(Elf* elf) const { elf_end(elf); }
};

DwarfType::Kind KindOf(int tag) {
  switch (tag) {
    case DW_TAG_base_type:
      return DwarfType::kInt;
    case DW_TAG_pointer_type:
      return DwarfType::kPointer;
    case DW_TAG_array_type:
      return DwarfType::kArray;
    case DW_TAG_structure_type:
      return DwarfType::kStruct;
    case DW_TAG_union_type:
      return DwarfType::kUnion;
    case DW_TAG_enumeration_type:
      return DwarfType::kEnum;
    case DW_TAG_typedef:
      return DwarfType::kTypedef;
    case DW_TAG_const_type:
      return DwarfType::kConst;
    case DW_TAG_volatile_type:
      return DwarfType::kVolatile;
    case DW_TAG_restrict_type:
      return DwarfType::kRestrict;
    default:
      return DwarfType::kOther;
  }
}

}  // namespace

class DwarfInfo::Impl {
 public:
  explicit Impl(Libdw libdw) : dw(libdw) {}
  ~Impl() {
    if (dwarf_ != nullptr) dw.end(dwarf_);  // before the file that it reads is closed
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  Status Open(const std::string& path);

  void ForEachTop(const std::function<void(Dwarf_Die&, int tag)>& visit) const;
  void ForEachChild(Dwarf_Die& parent, const std::function<bool(Dwarf_Die&, int tag)>& visit) const;
  std::optional<Dwarf_Die> At(uint64_t offset) const;

  std::string_view Name(Dwarf_Die& die) const;
  std::optional<uint64_t> Number(Dwarf_Die& die, unsigned attribute) const;
  uint64_t Value(Dwarf_Die& enumerator) const;
  bool IsGlobal(Dwarf_Die& variable) const;
  DwarfTypeId Type(Dwarf_Die& die) const;
  DwarfType Describe(Dwarf_Die& die) const;
  std::vector<uint64_t> Dimensions(Dwarf_Die& array) const;
  DwarfMember Member(Dwarf_Die& die) const;

  const Libdw dw;

 private:
  UniqueFd fd_;
  std::unique_ptr<Elf, EndElf> elf_;
  bool little_ = true;
  Dwarf* dwarf_ = nullptr;
};

Status DwarfInfo::Impl::Open(const std::string& path) {
  fd_ = TRY(OpenFile(path, O_RDONLY));
  CHECK(elf_version(EV_CURRENT) != EV_NONE);
  elf_.reset(elf_begin(fd_.get(), ELF_C_READ_MMAP, nullptr));
  GElf_Ehdr header;
  if (!elf_ || gelf_getehdr(elf_.get(), &header) == nullptr) return Malformed("not an ELF file");
  little_ = header.e_ident[EI_DATA] == ELFDATA2LSB;
  dwarf_ = dw.begin_elf(elf_.get(), DWARF_C_READ, nullptr);
  Dwarf_Off next = 0;
  size_t header_size = 0;
  bool any = dwarf_ != nullptr &&
             dw.nextcu(dwarf_, 0, &next, &header_size, nullptr, nullptr, nullptr) == 0;
  if (!any) return Unsupported("no debug information (DWARF) that can be read");
  return {};
}

void DwarfInfo::Impl::ForEachTop(const std::function<void(Dwarf_Die&, int tag)>& visit) const {
  Dwarf_Off at = 0, next = 0;
  size_t header = 0;
  while (dw.nextcu(dwarf_, at, &next, &header, nullptr, nullptr, nullptr) == 0 && next > at) {
    std::optional<Dwarf_Die> unit = At(at + header);
    at = next;
    if (!unit || dw.tag(&*unit) == DW_TAG_type_unit) continue;
    ForEachChild(*unit, [&](Dwarf_Die& die, int tag) {
      visit(die, tag);
      return true;
    });
  }
}

// A corrupt entry may say that the next one is before it: that ends the list.
void DwarfInfo::Impl::ForEachChild(Dwarf_Die& parent,
                                   const std::function<bool(Dwarf_Die&, int tag)>& visit) const {
  Dwarf_Die die;
  if (dw.child(&parent, &die) != 0) return;
  for (Dwarf_Off at = dw.dieoffset(&die);;) {
    if (!visit(die, dw.tag(&die))) return;
    Dwarf_Die sibling;
    if (dw.siblingof(&die, &sibling) != 0) return;
    Dwarf_Off next = dw.dieoffset(&sibling);
    if (next <= at) return;
    at = next;
    die = sibling;
  }
}

std::optional<Dwarf_Die> DwarfInfo::Impl::At(uint64_t offset) const {
  Dwarf_Die die;
  if (offset == 0 || dw.offdie(dwarf_, offset, &die) == nullptr) return std::nullopt;
  return die;
}

std::string_view DwarfInfo::Impl::Name(Dwarf_Die& die) const {
  Dwarf_Attribute attribute;
  if (dw.attr_integrate(&die, DW_AT_name, &attribute) == nullptr) return "";
  const char* name = dw.formstring(&attribute);
  return name != nullptr ? name : "";
}

std::optional<uint64_t> DwarfInfo::Impl::Number(Dwarf_Die& die, unsigned name) const {
  Dwarf_Attribute attribute;
  Dwarf_Word value = 0;
  if (dw.attr_integrate(&die, name, &attribute) == nullptr) return std::nullopt;
  if (dw.formudata(&attribute, &value) != 0) return std::nullopt;
  return value;
}

// Only the form says whether the number has a sign.
uint64_t DwarfInfo::Impl::Value(Dwarf_Die& enumerator) const {
  Dwarf_Attribute attribute;
  if (dw.attr_integrate(&enumerator, DW_AT_const_value, &attribute) == nullptr) return 0;
  if (attribute.form != DW_FORM_sdata && attribute.form != DW_FORM_implicit_const)
    return Number(enumerator, DW_AT_const_value).value_or(0);
  Dwarf_Sword value = 0;
  return dw.formsdata(&attribute, &value) == 0 ? static_cast<uint64_t>(value) : 0;
}

// A declaration that comes before the definition has the attribute alone.
bool DwarfInfo::Impl::IsGlobal(Dwarf_Die& variable) const {
  Dwarf_Attribute attribute;
  return dw.attr_integrate(&variable, DW_AT_external, &attribute) != nullptr;
}

// Types in units of their own, which no kernel has, are not in .debug_info of DWARF 4.
DwarfTypeId DwarfInfo::Impl::Type(Dwarf_Die& die) const {
  Dwarf_Attribute attribute;
  Dwarf_Die type;
  if (dw.attr_integrate(&die, DW_AT_type, &attribute) == nullptr) return {};
  if (attribute.form == DW_FORM_ref_sig8 || attribute.form == DW_FORM_GNU_ref_alt) return {};
  if (dw.formref_die(&attribute, &type) == nullptr) return {};
  return {dw.dieoffset(&type), 0};
}

DwarfType DwarfInfo::Impl::Describe(Dwarf_Die& die) const {
  DwarfType type;
  type.kind = KindOf(dw.tag(&die));
  if (type.kind == DwarfType::kOther) return type;
  type.name = Name(die);
  type.size = Number(die, DW_AT_byte_size).value_or(0);
  type.line = Number(die, DW_AT_decl_line).value_or(0);
  type.incomplete = dw.hasattr(&die, DW_AT_declaration) != 0;
  bool is_float = Number(die, DW_AT_encoding).value_or(0) == DW_ATE_float;
  if (type.kind == DwarfType::kInt && is_float) type.kind = DwarfType::kFloat;
  type.target = Type(die);
  return type;
}

std::vector<uint64_t> DwarfInfo::Impl::Dimensions(Dwarf_Die& array) const {
  std::vector<uint64_t> lengths;
  ForEachChild(array, [&](Dwarf_Die& die, int tag) {
    if (tag != DW_TAG_subrange_type) return true;
    std::optional<uint64_t> count = Number(die, DW_AT_count);
    std::optional<uint64_t> last = Number(die, DW_AT_upper_bound);
    // The last index of an empty array is -1.
    lengths.push_back(count ? *count : last ? *last + 1 : 0);
    return lengths.size() < kMaxDimensions;
  });
  return lengths;
}

// DWARF 2 and 3 count the bits of a bitfield from the highest one of the integer that it is in.
DwarfMember DwarfInfo::Impl::Member(Dwarf_Die& die) const {
  DwarfMember member{Name(die), Number(die, DW_AT_data_member_location).value_or(0) * 8,
                     Number(die, DW_AT_bit_size).value_or(0), Type(die)};
  if (std::optional<uint64_t> bits = Number(die, DW_AT_data_bit_offset)) member.bit_offset = *bits;
  std::optional<uint64_t> from_high = Number(die, DW_AT_bit_offset);
  if (!from_high) return member;
  uint64_t size = Number(die, DW_AT_byte_size).value_or(0);
  std::optional<Dwarf_Die> type = At(member.type.entry);
  if (size == 0 && type) size = Number(*type, DW_AT_byte_size).value_or(0);
  member.bit_offset += little_ ? size * 8 - *from_high - member.bit_size : *from_high;
  return member;
}

DwarfInfo::DwarfInfo(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
DwarfInfo::~DwarfInfo() = default;

Result<std::unique_ptr<DwarfInfo>> DwarfInfo::Open(const std::string& path) {
  std::string object = fmt::format("'{}'", path);
  auto impl = std::make_unique<Impl>(TRY(Libdw::Load().In(object)));
  TRY(impl->Open(path).In(object));
  return std::unique_ptr<DwarfInfo>(new DwarfInfo(std::move(impl)));
}

void DwarfInfo::ForEachType(const std::function<void(DwarfTypeId, const DwarfType&)>& visit) const {
  impl_->ForEachTop([&](Dwarf_Die& die, int tag) {
    switch (KindOf(tag)) {
      case DwarfType::kInt:
      case DwarfType::kStruct:
      case DwarfType::kUnion:
      case DwarfType::kEnum:
      case DwarfType::kTypedef:
        break;
      default:
        return;
    }
    DwarfType type = impl_->Describe(die);
    if (!type.name.empty()) visit({impl_->dw.dieoffset(&die), 0}, type);
  });
}

void DwarfInfo::ForEachVariable(const std::function<void(const DwarfVariable&)>& visit) const {
  impl_->ForEachTop([&](Dwarf_Die& die, int tag) {
    if (tag != DW_TAG_variable || impl_->dw.hasattr(&die, DW_AT_location) == 0) return;
    DwarfVariable variable{impl_->Name(die), impl_->IsGlobal(die), impl_->Type(die)};
    if (!variable.name.empty()) visit(variable);
  });
}

DwarfType DwarfInfo::TypeAt(DwarfTypeId id) const {
  std::optional<Dwarf_Die> die = impl_->At(id.entry);
  if (!die) return {};
  DwarfType type = impl_->Describe(*die);
  if (type.kind != DwarfType::kArray) return type;
  std::vector<uint64_t> lengths = impl_->Dimensions(*die);
  if (id.dimension < lengths.size()) type.length = lengths[id.dimension];
  if (id.dimension + 1 < lengths.size()) type.target = {id.entry, id.dimension + 1};
  return type;
}

std::vector<DwarfMember> DwarfInfo::Members(DwarfTypeId type) const {
  std::vector<DwarfMember> members;
  std::optional<Dwarf_Die> die = impl_->At(type.entry);
  if (!die) return members;
  impl_->ForEachChild(*die, [&](Dwarf_Die& child, int tag) {
    if (tag == DW_TAG_member) members.push_back(impl_->Member(child));
    return members.size() < kMaxMembers;
  });
  return members;
}

std::vector<DwarfEnumerator> DwarfInfo::Enumerators(DwarfTypeId type) const {
  std::vector<DwarfEnumerator> values;
  std::optional<Dwarf_Die> die = impl_->At(type.entry);
  if (!die) return values;
  impl_->ForEachChild(*die, [&](Dwarf_Die& child, int tag) {
    if (tag == DW_TAG_enumerator) values.push_back({impl_->Name(child), impl_->Value(child)});
    return values.size() < kMaxMembers;
  });
  return values;
}

}  // namespace kdumpkit
