// SPDX-License-Identifier: GPL-2.0-or-later
#include "erase/c_type.h"

#include <algorithm>
#include <charconv>

#include "base/nearest.h"
#include "erase/lexer.h"

namespace kdumpkit {
namespace {

constexpr int kMaxPointers = 4;
constexpr int kMaxDepth = 8;  // of anonymous members, for suggestions
constexpr uint64_t kMaxLength = uint64_t{1} << 30;

// Plain types and their bytes; 0 stands for a word of the machine.
struct PlainType {
  std::string_view name;
  uint32_t size;
};
constexpr PlainType kPlainTypes[] = {
    {"char", 1},           {"signed char", 1},   {"unsigned char", 1}, {"short", 2},
    {"unsigned short", 2}, {"int", 4},           {"unsigned int", 4},  {"unsigned", 4},
    {"long", 0},           {"unsigned long", 0}, {"long long", 8},     {"unsigned long long", 8},
};

std::string_view Trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// With one blank between words, and without const and volatile.
std::string Words(std::string_view text) {
  std::string words;
  while (!(text = Trimmed(text)).empty()) {
    size_t end = std::min(text.find_first_of(" \t"), text.size());
    std::string_view word = text.substr(0, end);
    text.remove_prefix(end);
    if (word == "const" || word == "volatile") continue;
    if (!words.empty()) words += ' ';
    words += word;
  }
  return words;
}

// Takes "[16]" off the end.
Result<std::optional<uint64_t>> TakeLength(std::string_view& text) {
  if (!text.ends_with(']')) return std::optional<uint64_t>();
  size_t open = std::min(text.rfind('['), text.size() - 1);
  std::string_view digits = Trimmed(text.substr(open + 1, text.size() - open - 2));
  uint64_t length = 0;
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), length);
  bool good = error == std::errc() && end == digits.data() + digits.size();
  if (!good || length == 0 || length > kMaxLength)
    return UsageError("({}): an array has a length, as in (char[16])", ShownWord(text));
  text = Trimmed(text.substr(0, open));
  return std::optional(length);
}

}  // namespace

Result<CType> CTypes::Parse(std::string_view text) const {
  std::string_view rest = Trimmed(text);
  std::optional<uint64_t> length = TRY(TakeLength(rest));
  int pointers = 0;
  for (; rest.ends_with('*'); ++pointers) rest = Trimmed(rest.substr(0, rest.size() - 1));
  if (pointers > kMaxPointers) return UsageError("({}): too many pointers", ShownWord(text));
  CType type = TRY(ParseBase(rest));
  type.pointers = pointers;
  type.length = length;
  if (pointers == 0 && length && !SizeOf(type))
    return UsageError("({}): an array of what has no size", ShownWord(text));
  return type;
}

Result<CType> CTypes::ParseBase(std::string_view text) const {
  std::string words = Words(text);
  if (words == "void") return CType{};
  for (const PlainType& plain : kPlainTypes)
    if (words == plain.name) return CType{.scalar = plain.size == 0 ? word_size_ : plain.size};
  std::string_view rest = words;
  for (auto [word, kind] : {std::pair<std::string_view, Btf::Kind>{"struct ", Btf::kStruct},
                            {"union ", Btf::kUnion},
                            {"enum ", Btf::kEnum}})
    if (rest.starts_with(word)) return FindNamed(kind, word, rest.substr(word.size()));
  return FindNamed(Btf::kTypedef, "", rest);
}

Result<CType> CTypes::FindNamed(Btf::Kind kind, std::string_view word,
                                std::string_view name) const {
  if (types_ == nullptr) return UsageError("({}{}): no types are known", word, ShownWord(name));
  if (name.empty()) return UsageError("a type without a name");
  uint32_t type = types_->FindType(kind, name);
  if (type != 0) return CType{.btf = type};
  if (kind == Btf::kTypedef && types_->FindType(Btf::kStruct, name) != 0)
    return UsageError("there is no type '{}'; did you mean 'struct {}'?", ShownWord(name), name);
  return UsageError("the kernel has no type '{}{}'", word, ShownWord(name));
}

std::optional<CType> CTypes::OfVariable(std::string_view name) const {
  if (types_ == nullptr) return std::nullopt;
  std::optional<uint32_t> type = types_->VariableType(name);
  return type ? std::optional(CType{.btf = *type}) : std::nullopt;
}

std::optional<uint32_t> CTypes::Plain(const CType& type) const {
  if (type.btf == 0 || type.pointers > 0 || type.length) return std::nullopt;
  return types_->Resolve(type.btf);
}

std::optional<uint64_t> CTypes::SizeOf(const CType& type) const {
  std::optional<uint64_t> size;
  if (type.pointers > 0) {
    size = word_size_;
  } else if (type.btf != 0) {
    size = types_->SizeOf(type.btf);
  } else if (type.scalar > 0) {
    size = type.scalar;
  }
  if (size && type.length) *size *= *type.length;  // both below 2^32
  return size;
}

bool CTypes::IsStruct(const CType& type) const {
  std::optional<Btf::Kind> kind = types_ ? types_->KindOf(Plain(type).value_or(0)) : std::nullopt;
  return kind == Btf::kStruct || kind == Btf::kUnion;
}

bool CTypes::IsVoid(const CType& type) const {
  if (type.pointers > 0 || type.length) return false;
  return type.btf == 0 ? type.scalar == 0 : types_->Resolve(type.btf) == 0;
}

bool CTypes::IsNumber(const CType& type) const {
  if (type.pointers > 0 || type.length) return false;
  if (type.btf == 0) return type.scalar > 0;
  std::optional<Btf::Kind> kind = types_->KindOf(types_->Resolve(type.btf));
  return kind == Btf::kInt || kind == Btf::kEnum || kind == Btf::kEnum64;
}

bool CTypes::IsCharacter(const CType& type) const {
  if (!IsNumber(type) || SizeOf(type) != 1) return false;
  if (type.btf == 0) return true;
  return types_->NameOf(types_->Resolve(type.btf)).find("char") != std::string_view::npos;
}

bool CTypes::IsNamed(const CType& type, std::string_view name) const {
  return IsStruct(type) && types_->NameOf(*Plain(type)) == name;
}

std::optional<CType> CTypes::TargetOf(const CType& type) const {
  if (type.length) return std::nullopt;
  if (type.pointers > 0) {
    CType target = type;
    --target.pointers;
    return target;
  }
  if (type.btf == 0) return std::nullopt;
  std::optional<uint32_t> target = types_->PointerTarget(type.btf);
  return target ? std::optional(CType{.btf = *target}) : std::nullopt;
}

std::optional<CType> CTypes::ElementOf(const CType& type) const {
  if (type.length) {
    CType element = type;
    element.length.reset();
    return element;
  }
  if (type.btf == 0 || type.pointers > 0) return std::nullopt;
  std::optional<uint32_t> element = types_->ElementType(type.btf);
  return element ? std::optional(CType{.btf = *element}) : std::nullopt;
}

std::optional<uint64_t> CTypes::LengthOf(const CType& type) const {
  if (type.length) return type.length;
  if (type.btf == 0 || type.pointers > 0) return std::nullopt;
  return types_->ArrayLength(type.btf);
}

std::optional<CMember> CTypes::FindMember(const CType& type, std::string_view name) const {
  if (!IsStruct(type)) return std::nullopt;
  std::optional<BtfMember> member = types_->FindMember(*Plain(type), name);
  if (!member) return std::nullopt;
  bool bitfield = member->bit_size != 0 || member->bit_offset % 8 != 0;
  return CMember{member->bit_offset / 8, bitfield, CType{.btf = member->type}};
}

void CTypes::CollectMembers(uint32_t type, int depth, std::vector<std::string_view>& names) const {
  types_->ForEachMember(type, [&](std::string_view name, const BtfMember& member) {
    if (!name.empty()) names.push_back(name);
    if (name.empty() && depth < kMaxDepth) CollectMembers(member.type, depth + 1, names);
    return names.size() < 4096;
  });
}

std::string CTypes::NearestMember(const CType& type, std::string_view name) const {
  std::vector<std::string_view> names;
  if (IsStruct(type)) CollectMembers(*Plain(type), 0, names);
  return std::string(Nearest(name, names));
}

std::string CTypes::Name(const CType& type, int depth) const {
  // Types of a damaged kernel may go round in circles.
  if (depth > kMaxDepth) return "...";
  if (std::optional<CType> target = TargetOf(type)) return Name(*target, depth + 1) + " *";
  if (std::optional<CType> element = ElementOf(type))
    return fmt::format("{}[{}]", Name(*element, depth + 1), LengthOf(type).value_or(0));
  if (IsVoid(type)) return "void";
  if (type.btf == 0) return fmt::format("number of {} bytes", type.scalar);
  std::string_view name = types_->NameOf(types_->Resolve(type.btf));
  return fmt::format("{}{}", IsStruct(type) ? "struct " : "", name.empty() ? "(no name)" : name);
}

}  // namespace kdumpkit
