// SPDX-License-Identifier: GPL-2.0-or-later
// Writes BTF blobs, of any byte order, whole or split.
#pragma once

#include <string>
#include <vector>

#include "kernel/btf.h"

namespace kdumpkit {

class BtfBuilder {
 public:
  struct Member {
    std::string name;  // empty: anonymous
    uint32_t type = 0;
    uint32_t bit_offset = 0;
    uint32_t bit_size = 0;  // of a bitfield
  };
  struct Value {
    std::string name;
    int64_t value = 0;
  };

  explicit BtfBuilder(ByteOrder order = ByteOrder::kLittle) : types_(order), order_(order) {}
  // Split BTF on top of what `base` has now.
  BtfBuilder(const BtfBuilder& base, bool split);

  // Each returns the number of the type.
  uint32_t Int(const std::string& name, uint32_t size);
  uint32_t Array(uint32_t element, uint32_t length);
  uint32_t Struct(const std::string& name, uint32_t size, const std::vector<Member>& members,
                  Btf::Kind kind = Btf::kStruct);
  uint32_t Enum(const std::string& name, const std::vector<Value>& values);
  uint32_t Enum64(const std::string& name, const std::vector<Value>& values);
  // A kind that only refers to another type.
  uint32_t Reference(Btf::Kind kind, uint32_t type, const std::string& name = "");
  // A type of any kind with any bytes behind it.
  uint32_t Raw(uint32_t kind, uint32_t count, ByteView following, const std::string& name = "",
               uint32_t size_type = 0, bool flag = false);

  // Adds a layout section with this entry for one kind.
  void AddLayout(uint8_t kind, uint8_t fixed, uint8_t each);
  ByteBuffer Build() const;

 private:
  uint32_t Name(const std::string& name);
  uint32_t Begin(uint32_t kind, uint32_t count, const std::string& name, uint32_t size_type,
                 bool flag = false);

  ByteWriter types_;
  std::string strings_ = std::string(1, '\0');
  ByteBuffer layouts_;
  ByteOrder order_;
  uint32_t next_type_ = 1;
  uint32_t first_string_ = 0;
};

}  // namespace kdumpkit
