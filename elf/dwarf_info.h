// SPDX-License-Identifier: GPL-2.0-or-later
// Types and global variables in the debug information (DWARF) of a vmlinux. libdw reads it; that is
// loaded when it is wanted, so that programs run where it is not installed.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"

namespace kdumpkit {

// An entry of .debug_info by its offset, and of an array how many of its dimensions are gone.
struct DwarfTypeId {
  uint64_t entry = 0;  // 0: void
  uint32_t dimension = 0;
  bool operator==(const DwarfTypeId&) const = default;
};

// Names here and below are valid as long as the DwarfInfo.
struct DwarfType {
  enum Kind : uint8_t {
    kOther,  // a function, and what C does not have
    kInt,
    kFloat,
    kPointer,
    kArray,
    kStruct,
    kUnion,
    kEnum,
    kTypedef,
    kConst,
    kVolatile,
    kRestrict,
  };
  Kind kind = kOther;
  std::string_view name;
  uint64_t size = 0;        // bytes; 0 when the entry does not say
  uint64_t line = 0;        // of its declaration, in a file that is not read
  bool incomplete = false;  // only declared
  DwarfTypeId target;       // of a pointer, typedef, const...; an array's element
  uint64_t length = 0;      // of an array; 0 when it is not said
};

struct DwarfMember {
  std::string_view name;
  uint64_t bit_offset = 0;
  uint64_t bit_size = 0;  // of a bitfield; 0 for any other member
  DwarfTypeId type;
};

struct DwarfEnumerator {
  std::string_view name;
  uint64_t value = 0;  // sign-extended
};

struct DwarfVariable {
  std::string_view name;
  bool global = false;  // not static
  DwarfTypeId type;
};

class DwarfInfo {
 public:
  // kUnsupported when libdw is not installed (says the packages), or the file has no DWARF; errors
  // name the file.
  static Result<std::unique_ptr<DwarfInfo>> Open(const std::string& path);
  ~DwarfInfo();
  DwarfInfo(const DwarfInfo&) = delete;
  DwarfInfo& operator=(const DwarfInfo&) = delete;

  // Every type with a name outside of functions and of other types, once for each file that was
  // compiled; a second or two for a kernel. What is corrupt is left out.
  void ForEachType(const std::function<void(DwarfTypeId, const DwarfType&)>& visit) const;
  // The same for every variable that is defined (not only declared).
  void ForEachVariable(const std::function<void(const DwarfVariable&)>& visit) const;
  DwarfType TypeAt(DwarfTypeId type) const;  // kOther when there is none
  std::vector<DwarfMember> Members(DwarfTypeId type) const;
  std::vector<DwarfEnumerator> Enumerators(DwarfTypeId type) const;

 private:
  class Impl;
  explicit DwarfInfo(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace kdumpkit
