// SPDX-License-Identifier: GPL-2.0-or-later
// BTF: the types of a kernel, which it carries in its own read-only data (Linux
// Documentation/bpf/btf.rst, include/uapi/linux/btf.h). Any blob is read safely: every offset is
// bounded, chains of types end, and the work of a look-up is limited.
#pragma once

#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"

namespace kdumpkit {

struct BtfMember {
  uint64_t bit_offset = 0;  // from the beginning of the structure that was asked
  uint32_t bit_size = 0;    // of a bitfield; 0 for any other member
  uint32_t type = 0;        // number of its type
};

class Btf {
 public:
  enum Kind : uint8_t {
    kInt = 1,
    kPointer,
    kArray,
    kStruct,
    kUnion,
    kEnum,
    kForward,
    kTypedef,
    kVolatile,
    kConst,
    kRestrict,
    kFunc,
    kFuncProto,
    kVar,
    kDataSection,
    kFloat,
    kDeclTag,
    kTypeTag,
    kEnum64,
  };

  // `blob` must outlive the result. Split BTF (that of a module) goes on counting types and strings
  // where `base`, which must outlive the result too, ends. Fails when a header, a type or the
  // strings do not fit; kUnsupported on a kind of type that neither we nor the blob's own layout
  // section can size.
  static Result<Btf> Parse(ByteView blob, const Btf* base = nullptr);
  // The bytes of a whole blob, from a view of its beginning, for who finds one in memory.
  static constexpr size_t kHeaderSize = 24;  // at least
  static constexpr size_t kMaxHeader = 32;   // with a layout section
  static Result<uint64_t> BlobSize(ByteView header);

  ByteOrder order() const { return order_; }
  size_t type_count() const { return first_type_ + types_.size(); }  // with type 0, void
  // Of all strings, where those of a split blob go on.
  uint32_t string_bytes() const { return first_string_ + static_cast<uint32_t>(strings_.size()); }

  // Of a struct, union, enum or typedef of this name, in this order; 0 when there is none.
  uint32_t FindType(std::string_view name) const;
  uint32_t FindType(Kind kind, std::string_view name) const;
  // All in bytes. Absent for a type without a size (void, a function, a forward declaration), and
  // for a size of 2^32 and more.
  std::optional<uint64_t> SizeOf(uint32_t type) const;
  // A member of a struct or union (through typedef and const), also one inside of anonymous
  // members.
  std::optional<BtfMember> FindMember(uint32_t type, std::string_view member) const;
  // Calls `visit` for every member of a struct or union, in order, anonymous ones too (their name
  // is empty); ends when it returns false.
  void ForEachMember(
      uint32_t type,
      const std::function<bool(std::string_view name, const BtfMember& member)>& visit) const;
  // Number of elements, if the type is an array.
  std::optional<uint64_t> ArrayLength(uint32_t type) const;
  // The type of an element, if the type is an array (of arrays: the inner array).
  std::optional<uint32_t> ElementType(uint32_t type) const;
  // What a pointer points to; 0 for void. Absent when the type is no pointer.
  std::optional<uint32_t> PointerTarget(uint32_t type) const;
  // The value of an enumerator, sign-extended: kernels before 6.0 do not say which enums are
  // signed. An unsigned value of 64 bits keeps its bits.
  std::optional<int64_t> Enumerator(uint32_t enum_type, std::string_view name) const;
  // The same in an enum whose name is given.
  std::optional<int64_t> Enumerator(std::string_view enum_name, std::string_view name) const;
  // The type behind typedef, const, volatile, restrict and type tags; 0 (void) when the chain does
  // not end.
  uint32_t Resolve(uint32_t type) const;
  // Of the type itself, not of what it resolves to; absent for void, and for a number too high.
  std::optional<Kind> KindOf(uint32_t type) const;
  // Empty for a type without a name.
  std::string_view NameOf(uint32_t type) const;
  // The type of a variable. A kernel's own BTF has those of per-CPU variables only.
  std::optional<uint32_t> VariableType(std::string_view name) const;

 private:
  struct Type {
    uint32_t name = 0;  // offset in the strings
    Kind kind = kInt;
    bool flag = false;                // kind_flag: members have bit sizes, or the enum is signed
    uint32_t count = 0;               // vlen: members or enumerators that follow
    uint32_t size_type = 0;           // bytes, or a type's number
    const std::byte* data = nullptr;  // what follows the type
  };
  struct Layout {
    uint32_t fixed = 0;  // bytes after each type of a kind
    uint32_t each = 0;   // and for each of its elements
  };
  struct Named {
    uint32_t name;
    uint32_t type;
  };
  class MemberSearch;
  struct Member {
    uint32_t name;
    BtfMember member;
  };

  Btf(ByteOrder order, const Btf* base) : order_(order), base_(base) {}
  Status ReadSections(ByteView blob);
  Status ReadTypes(ByteView section, ByteView layouts);
  Result<Layout> LayoutOf(uint32_t kind, ByteView layouts) const;

  std::optional<Type> At(uint32_t number) const;
  // One that exists: of a struct or union, below its count.
  Member MemberAt(const Type& type, uint32_t index) const;
  bool HasName(uint32_t offset, std::string_view name) const;
  std::string_view StringAt(uint32_t offset) const;  // empty outside of the strings
  uint32_t Word(const std::byte* data, uint32_t index) const {
    return LoadUnchecked<uint32_t>(data + size_t{index} * 4, order_);
  }

  ByteOrder order_;
  const Btf* base_;
  uint32_t first_type_ = 1;
  uint32_t first_string_ = 0;
  std::string_view strings_;
  std::vector<const std::byte*> types_;  // where each type begins; the first is `first_type_`
  std::vector<Named> named_;             // those that look-ups by name want
  uint32_t pointer_size_ = 8;
};

}  // namespace kdumpkit
