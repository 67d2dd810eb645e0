// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/dwarf_btf.h"

#include <map>
#include <unordered_map>

namespace kdumpkit {
namespace {

constexpr uint32_t kMaxTypes = 4 << 20;              // a kernel has some 100,000
constexpr size_t kMaxTypeBytes = size_t{128} << 20;  // a kernel has some 10 MiB of either
constexpr size_t kMaxStrings = size_t{48} << 20;
constexpr uint64_t kMaxBitOffset = UINT32_MAX;     // of a member
constexpr uint64_t kMaxBitfieldOffset = 0xffffff;  // of all members, where one is a bitfield
constexpr uint64_t kMaxBitfield = 0xff;
constexpr uint32_t kFlag = uint32_t{1} << 31;  // members have bit sizes

Btf::Kind BtfKind(const DwarfType& type) {
  switch (type.kind) {
    case DwarfType::kInt:
      return Btf::kInt;
    case DwarfType::kFloat:
      return Btf::kFloat;
    case DwarfType::kPointer:
      return Btf::kPointer;
    case DwarfType::kArray:
      return Btf::kArray;
    case DwarfType::kStruct:
      return Btf::kStruct;
    case DwarfType::kUnion:
      return Btf::kUnion;
    case DwarfType::kEnum:
      return Btf::kEnum;
    case DwarfType::kTypedef:
      return Btf::kTypedef;
    case DwarfType::kConst:
      return Btf::kConst;
    case DwarfType::kVolatile:
      return Btf::kVolatile;
    case DwarfType::kRestrict:
    case DwarfType::kOther:
      break;
  }
  return Btf::kRestrict;
}

// What says that two types of two files are the same one.
struct TypeKey {
  Btf::Kind kind;
  std::string_view name;
  uint64_t size = 0;
  uint64_t line = 0;
  bool operator==(const TypeKey&) const = default;
};

struct KeyHash {
  size_t operator()(const TypeKey& key) const {
    uint64_t numbers = (key.size * 8191 + key.line) * 31 + key.kind;
    return std::hash<std::string_view>()(key.name) ^ std::hash<uint64_t>()(numbers);
  }
};
using TypesByKey = std::unordered_map<TypeKey, uint32_t, KeyHash>;

bool IsComplete(const DwarfType& type) { return !type.incomplete && type.size <= UINT32_MAX; }

class Translation {
 public:
  Translation(const DwarfInfo& dwarf, const Btf* base, ByteOrder order)
      : dwarf_(dwarf), base_(base), order_(order), types_(order) {
    if (base == nullptr) return;
    first_type_ = static_cast<uint32_t>(base->type_count());
    first_string_ = base->string_bytes();
    strings_.clear();
    LearnBase();
  }

  void AddNamedTypes();
  void AddVariables();
  ByteBuffer Take();

 private:
  // Types are numbered when they are first wanted and written in that order, so that it does not
  // matter how deep they are in each other.
  struct Wanted {
    DwarfTypeId type;
    std::string_view variable;  // of this type; empty: the type itself
  };

  void LearnBase();
  uint32_t Add(const Wanted& wanted);
  uint32_t Number(DwarfTypeId id);
  uint32_t NumberOfNamed(DwarfTypeId id, const DwarfType& type);
  std::optional<uint32_t> InBase(const TypeKey& key) const;

  uint32_t Name(std::string_view name);
  void Begin(Btf::Kind kind, uint32_t count, std::string_view name, uint64_t size_type);
  void Write(const Wanted& wanted);
  void WriteType(DwarfTypeId id);
  void WriteStruct(DwarfTypeId id, const DwarfType& type);
  void WriteEnum(DwarfTypeId id, const DwarfType& type);

  const DwarfInfo& dwarf_;
  const Btf* base_;
  ByteOrder order_;
  TypesByKey base_types_;  // 0: several
  TypesByKey own_types_;
  TypesByKey complete_;  // by kind and name alone: the first
  std::unordered_map<uint64_t, uint32_t> numbers_;
  std::vector<Wanted> wanted_;
  ByteWriter types_;
  std::string strings_ = std::string(1, '\0');
  std::unordered_map<std::string_view, uint32_t> names_;
  uint32_t first_type_ = 1;
  uint32_t first_string_ = 0;
};

void Translation::LearnBase() {
  for (uint32_t number = 1; number < first_type_; ++number) {
    Btf::Kind kind = *base_->KindOf(number);
    std::string_view name = base_->NameOf(number);
    bool typed = kind == Btf::kTypedef;
    std::optional<uint64_t> size = typed ? 0 : base_->SizeOf(number);
    if (name.empty() || !size) continue;
    if (kind == Btf::kEnum64) kind = Btf::kEnum;
    complete_.try_emplace({kind, name}, number);
    auto [at, is_new] = base_types_.try_emplace({kind, name, *size}, number);
    if (!is_new) at->second = 0;
  }
}

std::optional<uint32_t> Translation::InBase(const TypeKey& key) const {
  auto found = base_types_.find({key.kind, key.name, key.size});
  if (found == base_types_.end() || found->second == 0) return std::nullopt;
  return found->second;
}

uint32_t Translation::Add(const Wanted& wanted) {
  if (wanted_.size() >= kMaxTypes) return 0;
  wanted_.push_back(wanted);
  return first_type_ + static_cast<uint32_t>(wanted_.size()) - 1;
}

// The same type in another file is the same type.
uint32_t Translation::NumberOfNamed(DwarfTypeId id, const DwarfType& type) {
  TypeKey key{BtfKind(type), type.name, type.size, type.line};
  if (!IsComplete(type)) {
    auto found = complete_.find({key.kind, key.name});
    if (found != complete_.end()) return found->second;
  } else if (auto number = InBase(key)) {
    return *number;
  }
  auto found = own_types_.find(key);
  if (found != own_types_.end()) return found->second;
  uint32_t number = Add({id, ""});
  own_types_.emplace(key, number);
  if (IsComplete(type)) complete_.try_emplace({key.kind, key.name}, number);
  return number;
}

uint32_t Translation::Number(DwarfTypeId id) {
  if (id.entry == 0) return 0;
  uint64_t key = id.entry << 4 | id.dimension;  // there are at most 8 dimensions
  auto found = numbers_.find(key);
  if (found != numbers_.end()) return found->second;
  DwarfType type = dwarf_.TypeAt(id);
  uint32_t number = 0;
  if (type.kind != DwarfType::kOther)
    number = type.name.empty() ? Add({id, ""}) : NumberOfNamed(id, type);
  numbers_.emplace(key, number);
  return number;
}

void Translation::AddNamedTypes() {
  dwarf_.ForEachType([&](DwarfTypeId id, const DwarfType& type) {
    if (IsComplete(type)) NumberOfNamed(id, type);
  });
}

// Global ones of the same name are one variable (init_uts_ns has a weak definition besides the
// other). Which one of several is meant is not known where one of them is static.
void Translation::AddVariables() {
  struct Known {
    DwarfVariable variable;
    bool clear = true;
  };
  std::map<std::string_view, Known> variables;
  dwarf_.ForEachVariable([&](const DwarfVariable& variable) {
    auto [at, is_new] = variables.try_emplace(variable.name, Known{variable});
    if (is_new) return;
    Known& known = at->second;
    known.clear = known.clear && known.variable.global && variable.global;
  });
  for (const auto& [name, known] : variables)
    if (known.clear) Add({known.variable.type, name});
}

uint32_t Translation::Name(std::string_view name) {
  if (name.empty() || strings_.size() > kMaxStrings) return 0;
  auto [at, is_new] =
      names_.try_emplace(name, first_string_ + static_cast<uint32_t>(strings_.size()));
  if (is_new) strings_.append(name).push_back('\0');
  return at->second;
}

void Translation::Begin(Btf::Kind kind, uint32_t count, std::string_view name, uint64_t size_type) {
  types_.Put(Name(name));
  types_.Put(uint32_t{kind} << 24 | count);
  types_.Put(static_cast<uint32_t>(size_type));
}

void Translation::Write(const Wanted& wanted) {
  if (wanted.variable.empty()) return WriteType(wanted.type);
  Begin(Btf::kVar, 0, wanted.variable, Number(wanted.type));
  types_.Put(uint32_t{0});  // struct btf_var: linkage
}

void Translation::WriteType(DwarfTypeId id) {
  DwarfType type = dwarf_.TypeAt(id);
  Btf::Kind kind = BtfKind(type);
  if (!IsComplete(type) || types_.size() > kMaxTypeBytes)
    return Begin(Btf::kForward, 0, type.name, 0);
  switch (kind) {
    case Btf::kStruct:
    case Btf::kUnion:
      return WriteStruct(id, type);
    case Btf::kEnum:
      return WriteEnum(id, type);
    case Btf::kInt:
      Begin(kind, 0, type.name, type.size);
      return types_.Put(static_cast<uint32_t>(type.size * 8));  // bits, at bit 0
    case Btf::kFloat:
      return Begin(kind, 0, type.name, type.size);
    case Btf::kArray:
      Begin(kind, 0, "", 0);
      types_.Put(Number(type.target));
      types_.Put(uint32_t{0});  // the type of an index
      return types_.Put(static_cast<uint32_t>(type.length > UINT32_MAX ? 0 : type.length));
    default:
      return Begin(kind, 0, type.name, Number(type.target));
  }
}

// A member that BTF has no room for, which is one of corrupt debug information, is left out.
void Translation::WriteStruct(DwarfTypeId id, const DwarfType& type) {
  std::vector<DwarfMember> members = dwarf_.Members(id);
  bool bitfields = false;
  for (const DwarfMember& member : members) bitfields = bitfields || member.bit_size != 0;
  std::erase_if(members, [&](const DwarfMember& member) {
    return member.bit_offset > (bitfields ? kMaxBitfieldOffset : kMaxBitOffset) ||
           member.bit_size > kMaxBitfield;
  });
  uint32_t count = static_cast<uint32_t>(members.size());
  Begin(BtfKind(type), count | (bitfields ? kFlag : 0), type.name, type.size);
  for (const DwarfMember& member : members) {
    types_.Put(Name(member.name));
    types_.Put(Number(member.type));
    types_.Put(static_cast<uint32_t>(member.bit_size << 24 | member.bit_offset));
  }
}

void Translation::WriteEnum(DwarfTypeId id, const DwarfType& type) {
  std::vector<DwarfEnumerator> values = dwarf_.Enumerators(id);
  bool wide = type.size > 4;
  Begin(wide ? Btf::kEnum64 : Btf::kEnum, static_cast<uint32_t>(values.size()), type.name,
        type.size);
  for (const DwarfEnumerator& value : values) {
    types_.Put(Name(value.name));
    types_.Put(static_cast<uint32_t>(value.value));
    if (wide) types_.Put(static_cast<uint32_t>(value.value >> 32));
  }
}

// struct btf_header: magic, version, flags, hdr_len, and where types and strings are.
ByteBuffer Translation::Take() {
  for (size_t i = 0; i < wanted_.size(); ++i) {
    Wanted wanted = wanted_[i];  // writing it adds to the list
    Write(wanted);
  }
  ByteBuffer types = std::move(types_).Take();
  uint32_t type_size = static_cast<uint32_t>(types.size());
  ByteWriter blob(order_);
  blob.Put(uint16_t{0xeb9f});
  blob.Put(uint8_t{1});
  blob.Put(uint8_t{0});
  blob.Put(uint32_t{Btf::kHeaderSize});
  for (uint32_t value : {uint32_t{0}, type_size, type_size, static_cast<uint32_t>(strings_.size())})
    blob.Put(value);
  blob.PutBytes(types);
  blob.PutBytes(AsBytes(strings_));
  return std::move(blob).Take();
}

}  // namespace

ByteBuffer BtfFromDwarf(const DwarfInfo& dwarf, const Btf* base, ByteOrder order) {
  Translation translation(dwarf, base, order);
  if (base == nullptr) translation.AddNamedTypes();
  translation.AddVariables();
  return translation.Take();
}

}  // namespace kdumpkit
