// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/btf.h"

#include <algorithm>

namespace kdumpkit {
namespace {

constexpr uint16_t kMagic = 0xeb9f;
constexpr uint8_t kVersion = 1;
constexpr size_t kTypeSize = 12;   // struct btf_type: name_off, info, size or type
constexpr size_t kLayoutSize = 4;  // struct btf_layout: info_sz, elem_sz, flags
constexpr uint64_t kMaxBlob = uint64_t{256} << 20;
constexpr int kMaxChain = 32;           // typedefs, arrays of arrays, anonymous members
constexpr uint32_t kMaxMembers = 8192;  // looked at for one member; task_struct has some 250

ByteOrder OrderOf(ByteView blob) {
  if (blob.size() < 2) return kHostOrder;
  bool little = LoadUnchecked<uint16_t>(blob.data(), ByteOrder::kLittle) == kMagic;
  return little ? ByteOrder::kLittle : ByteOrder::kBig;
}

struct Header {
  uint32_t size = 0;
  uint32_t type_offset = 0, type_size = 0;  // offsets are from the end of the header
  uint32_t string_offset = 0, string_size = 0;
  uint32_t layout_offset = 0, layout_size = 0;

  static Result<Header> Read(const ByteReader& reader);
};

Result<Header> Header::Read(const ByteReader& reader) {
  if (TRY(reader.U16(0)) != kMagic) return Malformed("BTF without its magic number");
  if (uint8_t version = TRY(reader.U8(2)); version != kVersion) {
    return Unsupported("BTF of version {}", version);
  }
  Header header;
  header.size = TRY(reader.U32(4));
  if (header.size < Btf::kHeaderSize) return Malformed("BTF header of {} bytes", header.size);
  header.type_offset = TRY(reader.U32(8));
  header.type_size = TRY(reader.U32(12));
  header.string_offset = TRY(reader.U32(16));
  header.string_size = TRY(reader.U32(20));
  if (header.size >= Btf::kMaxHeader && reader.size() >= Btf::kMaxHeader) {
    header.layout_offset = TRY(reader.U32(24));
    header.layout_size = TRY(reader.U32(28));
  }
  return header;
}

bool CanBeLookedUp(Btf::Kind kind) {
  return kind == Btf::kStruct || kind == Btf::kUnion || kind == Btf::kEnum ||
         kind == Btf::kEnum64 || kind == Btf::kTypedef || kind == Btf::kVar;
}

bool IsModifier(Btf::Kind kind) {
  return kind == Btf::kTypedef || kind == Btf::kConst || kind == Btf::kVolatile ||
         kind == Btf::kRestrict || kind == Btf::kTypeTag;
}

bool HasMembers(Btf::Kind kind) { return kind == Btf::kStruct || kind == Btf::kUnion; }
bool IsEnum(Btf::Kind kind) { return kind == Btf::kEnum || kind == Btf::kEnum64; }

}  // namespace

Result<uint64_t> Btf::BlobSize(ByteView header_bytes) {
  ByteReader reader(header_bytes, OrderOf(header_bytes), "BTF");
  Header header = TRY(Header::Read(reader));
  uint64_t end = std::max({uint64_t{header.type_offset} + header.type_size,
                           uint64_t{header.string_offset} + header.string_size,
                           uint64_t{header.layout_offset} + header.layout_size});
  uint64_t size = header.size + end;
  if (size > kMaxBlob) return Malformed("BTF of {} bytes", size);
  return size;
}

Result<Btf> Btf::Parse(ByteView blob, const Btf* base) {
  ByteOrder order = OrderOf(blob);
  if (base != nullptr && base->order_ != order) return Malformed("split BTF of another byte order");
  Btf btf(order, base);
  if (base != nullptr) {
    btf.first_type_ = static_cast<uint32_t>(base->type_count());
    btf.first_string_ = base->string_bytes();
    btf.pointer_size_ = base->pointer_size_;
  }
  TRY(btf.ReadSections(blob));
  if (uint32_t type = btf.FindType(kInt, "long unsigned int"); type != 0) {
    btf.pointer_size_ = static_cast<uint32_t>(btf.SizeOf(type).value_or(btf.pointer_size_));
  }
  return btf;
}

Status Btf::ReadSections(ByteView blob) {
  if (blob.size() > kMaxBlob) return Malformed("BTF of {} bytes", blob.size());
  ByteReader reader(blob, order_, "BTF");
  Header header = TRY(Header::Read(reader));
  auto section = [&](uint32_t offset, uint32_t size) {
    return reader.Bytes(uint64_t{header.size} + offset, size);
  };
  strings_ = AsText(TRY(section(header.string_offset, header.string_size)));
  if (!strings_.empty() && strings_.back() != '\0') {
    return Malformed("the strings of BTF do not end in a NUL");
  }
  ByteView layouts = TRY(section(header.layout_offset, header.layout_size));
  return ReadTypes(TRY(section(header.type_offset, header.type_size)), layouts);
}

Result<Btf::Layout> Btf::LayoutOf(uint32_t kind, ByteView layouts) const {
  switch (kind) {
    case kInt:
    case kVar:
    case kDeclTag:
      return Layout{4, 0};
    case kArray:
      return Layout{12, 0};
    case kStruct:
    case kUnion:
    case kDataSection:
    case kEnum64:
      return Layout{0, 12};
    case kEnum:
    case kFuncProto:
      return Layout{0, 8};
    case kPointer:
    case kForward:
    case kTypedef:
    case kVolatile:
    case kConst:
    case kRestrict:
    case kFunc:
    case kFloat:
    case kTypeTag:
      return Layout{};
    default:
      break;
  }
  // Kinds of the future are in a table of the blob itself, by number.
  size_t at = size_t{kind} * kLayoutSize;
  if (kind == 0 || at + kLayoutSize > layouts.size()) {
    return Unsupported("BTF type of unknown kind {}", kind);
  }
  return Layout{std::to_integer<uint32_t>(layouts[at]), std::to_integer<uint32_t>(layouts[at + 1])};
}

Status Btf::ReadTypes(ByteView section, ByteView layouts) {
  types_.reserve(section.size() / 24);
  for (size_t at = 0; at < section.size();) {
    if (section.size() - at < kTypeSize) return Malformed("BTF type at 0x{:x} is cut off", at);
    const std::byte* begin = section.data() + at;
    uint32_t info = Word(begin, 1);
    uint32_t kind = (info >> 24) & 0x7f;
    Layout layout = TRY(LayoutOf(kind, layouts));
    uint64_t size = kTypeSize + layout.fixed + uint64_t{layout.each} * (info & 0xffffff);
    if (size > section.size() - at) return Malformed("BTF type at 0x{:x} is cut off", at);
    uint32_t number = static_cast<uint32_t>(type_count());
    types_.push_back(begin);
    uint32_t name = Word(begin, 0);
    Kind known = static_cast<Kind>(kind);
    if (name != 0 && (CanBeLookedUp(known) || known == kInt)) named_.push_back({name, number});
    at += size;
  }
  return {};
}

std::optional<Btf::Type> Btf::At(uint32_t number) const {
  if (number == 0 || number >= type_count()) return std::nullopt;
  if (number < first_type_) return base_ != nullptr ? base_->At(number) : std::nullopt;
  const std::byte* begin = types_[number - first_type_];
  uint32_t info = Word(begin, 1);
  return Type{.name = Word(begin, 0),
              .kind = static_cast<Kind>((info >> 24) & 0x7f),
              .flag = (info >> 31) != 0,
              .count = info & 0xffffff,
              .size_type = Word(begin, 2),
              .data = begin + kTypeSize};
}

// struct btf_member: name_off, type, offset (bits; with kind_flag the highest byte is the size of a
// bitfield).
Btf::Member Btf::MemberAt(const Type& type, uint32_t index) const {
  const std::byte* data = type.data + size_t{index} * 12;
  uint32_t offset = Word(data, 2);
  return {Word(data, 0),
          {.bit_offset = type.flag ? offset & 0xffffff : offset,
           .bit_size = type.flag ? offset >> 24 : 0,
           .type = Word(data, 1)}};
}

std::string_view Btf::StringAt(uint32_t offset) const {
  if (offset < first_string_) return base_ != nullptr ? base_->StringAt(offset) : "";
  offset -= first_string_;
  if (offset >= strings_.size()) return "";
  return strings_.substr(offset, strings_.find('\0', offset) - offset);
}

bool Btf::HasName(uint32_t offset, std::string_view name) const {
  if (offset < first_string_) return base_ != nullptr && base_->HasName(offset, name);
  offset -= first_string_;
  // The strings end in a NUL.
  if (offset >= strings_.size() || strings_.size() - offset <= name.size()) return false;
  return strings_.substr(offset, name.size()) == name && strings_[offset + name.size()] == '\0';
}

uint32_t Btf::FindType(Kind kind, std::string_view name) const {
  for (const Named& named : named_) {
    if (HasName(named.name, name) && At(named.type)->kind == kind) return named.type;
  }
  return base_ != nullptr ? base_->FindType(kind, name) : 0;
}

uint32_t Btf::FindType(std::string_view name) const {
  for (Kind kind : {kStruct, kUnion, kEnum, kEnum64, kTypedef}) {
    if (uint32_t type = FindType(kind, name); type != 0) return type;
  }
  return 0;
}

uint32_t Btf::Resolve(uint32_t number) const {
  for (int i = 0; i < kMaxChain; ++i) {
    std::optional<Type> type = At(number);
    if (!type || !IsModifier(type->kind)) return number;
    number = type->size_type;
  }
  return 0;
}

std::optional<uint64_t> Btf::SizeOf(uint32_t number) const {
  uint64_t elements = 1;
  for (int i = 0; i < kMaxChain; ++i) {
    std::optional<Type> type = At(Resolve(number));
    if (!type) return std::nullopt;
    uint64_t size = 0;
    switch (type->kind) {
      case kArray:
        elements *= Word(type->data, 2);
        if (elements > UINT32_MAX) return std::nullopt;
        number = Word(type->data, 0);
        continue;
      case kPointer:
        size = pointer_size_;
        break;
      case kInt:
      case kStruct:
      case kUnion:
      case kEnum:
      case kEnum64:
      case kFloat:
      case kDataSection:
        size = type->size_type;
        break;
      default:
        return std::nullopt;
    }
    return size * elements <= UINT32_MAX ? std::optional(size * elements) : std::nullopt;
  }
  return std::nullopt;
}

std::optional<uint64_t> Btf::ArrayLength(uint32_t number) const {
  std::optional<Type> type = At(Resolve(number));
  if (!type || type->kind != kArray) return std::nullopt;
  return Word(type->data, 2);
}

// Goes through anonymous members, and never looks at more members than it may, whatever the types
// contain each other.
class Btf::MemberSearch {
 public:
  MemberSearch(const Btf& btf, std::string_view wanted) : btf_(btf), wanted_(wanted) {}

  std::optional<BtfMember> In(uint32_t number, uint64_t base, int depth) {
    std::optional<Type> type = btf_.At(btf_.Resolve(number));
    if (!type || !HasMembers(type->kind) || depth > kMaxChain) return std::nullopt;
    for (uint32_t i = 0; i < type->count; ++i) {
      if (budget_ == 0) return std::nullopt;
      --budget_;
      auto [name, member] = btf_.MemberAt(*type, i);
      member.bit_offset += base;
      if (name != 0 && btf_.HasName(name, wanted_)) return member;
      if (name != 0) continue;
      if (auto found = In(member.type, member.bit_offset, depth + 1)) return found;
    }
    return std::nullopt;
  }

 private:
  const Btf& btf_;
  std::string_view wanted_;
  uint32_t budget_ = kMaxMembers;
};

std::optional<BtfMember> Btf::FindMember(uint32_t type, std::string_view member) const {
  if (member.empty()) return std::nullopt;
  return MemberSearch(*this, member).In(type, 0, 0);
}

void Btf::ForEachMember(
    uint32_t number,
    const std::function<bool(std::string_view name, const BtfMember& member)>& visit) const {
  std::optional<Type> type = At(Resolve(number));
  if (!type || !HasMembers(type->kind)) return;
  for (uint32_t i = 0; i < type->count; ++i) {
    Member member = MemberAt(*type, i);
    if (!visit(StringAt(member.name), member.member)) return;
  }
}

std::optional<uint32_t> Btf::ElementType(uint32_t number) const {
  std::optional<Type> type = At(Resolve(number));
  if (!type || type->kind != kArray) return std::nullopt;
  return Word(type->data, 0);  // struct btf_array: type, index_type, nelems
}

std::optional<uint32_t> Btf::PointerTarget(uint32_t number) const {
  std::optional<Type> type = At(Resolve(number));
  if (!type || type->kind != kPointer) return std::nullopt;
  return type->size_type;
}

std::optional<Btf::Kind> Btf::KindOf(uint32_t number) const {
  std::optional<Type> type = At(number);
  return type ? std::optional(type->kind) : std::nullopt;
}

std::string_view Btf::NameOf(uint32_t number) const {
  std::optional<Type> type = At(number);
  return type ? StringAt(type->name) : "";
}

std::optional<uint32_t> Btf::VariableType(std::string_view name) const {
  std::optional<Type> variable = At(FindType(kVar, name));
  return variable ? std::optional(variable->size_type) : std::nullopt;
}

std::optional<int64_t> Btf::Enumerator(uint32_t enum_type, std::string_view name) const {
  std::optional<Type> type = At(Resolve(enum_type));
  if (!type || !IsEnum(type->kind)) return std::nullopt;
  bool wide = type->kind == kEnum64;
  for (uint32_t i = 0; i < type->count; ++i) {
    // struct btf_enum: name_off, val. struct btf_enum64: name_off, val_lo32, val_hi32.
    const std::byte* data = type->data + size_t{i} * (wide ? 12 : 8);
    if (!HasName(Word(data, 0), name)) continue;
    uint32_t low = Word(data, 1);
    if (wide) return static_cast<int64_t>(uint64_t{Word(data, 2)} << 32 | low);
    return static_cast<int32_t>(low);
  }
  return std::nullopt;
}

std::optional<int64_t> Btf::Enumerator(std::string_view enum_name, std::string_view name) const {
  for (Kind kind : {kEnum, kEnum64}) {
    if (uint32_t type = FindType(kind, enum_name); type != 0) {
      if (auto value = Enumerator(type, name)) return value;
    }
  }
  return std::nullopt;
}

}  // namespace kdumpkit
