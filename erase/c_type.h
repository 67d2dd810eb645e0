// SPDX-License-Identifier: GPL-2.0-or-later
// Types of the data that a script names: those of BTF, and what is written in parentheses, which
// may be a pointer or an array that BTF has no type for.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kernel/btf.h"

namespace kdumpkit {

struct CType {
  uint32_t btf = 0;                // the type at the bottom; 0: a plain one of `scalar` bytes
  uint32_t scalar = 0;             // 0: void
  int pointers = 0;                // how many pointers lead to it
  std::optional<uint64_t> length;  // an array of all this
};

struct CMember {
  uint64_t offset = 0;  // bytes
  bool bitfield = false;
  CType type;
};

class CTypes {
 public:
  // `types` is null when none are known, and must outlive this object.
  CTypes(const Btf* types, uint32_t word_size) : types_(types), word_size_(word_size) {}

  bool known() const { return types_ != nullptr; }
  // "struct NAME *", "char[16]", "unsigned long"; kUsage when there is no such type.
  Result<CType> Parse(std::string_view text) const;
  std::optional<CType> OfVariable(std::string_view name) const;

  // In bytes; absent for what has none.
  std::optional<uint64_t> SizeOf(const CType& type) const;
  bool IsPointer(const CType& type) const { return TargetOf(type).has_value(); }
  bool IsStruct(const CType& type) const;  // or a union
  bool IsVoid(const CType& type) const;
  bool IsCharacter(const CType& type) const;                     // char, of any sign
  bool IsNumber(const CType& type) const;                        // an integer or an enum
  bool IsNamed(const CType& type, std::string_view name) const;  // a struct of this name
  // What a pointer points to.
  std::optional<CType> TargetOf(const CType& type) const;
  // Of an array.
  std::optional<CType> ElementOf(const CType& type) const;
  std::optional<uint64_t> LengthOf(const CType& type) const;

  std::optional<CMember> FindMember(const CType& type, std::string_view name) const;
  // The name that was probably meant; empty without one.
  std::string NearestMember(const CType& type, std::string_view name) const;
  // As C has it: "struct list_head *".
  std::string Name(const CType& type) const { return Name(type, 0); }

 private:
  std::string Name(const CType& type, int depth) const;
  // The BTF type of a type that is nothing but one.
  std::optional<uint32_t> Plain(const CType& type) const;
  Result<CType> ParseBase(std::string_view text) const;
  Result<CType> FindNamed(Btf::Kind kind, std::string_view word, std::string_view name) const;
  void CollectMembers(uint32_t type, int depth, std::vector<std::string_view>& names) const;

  const Btf* types_;
  uint32_t word_size_;
};

}  // namespace kdumpkit
