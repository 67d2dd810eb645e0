// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/support/btf_builder.h"

namespace kdumpkit {

BtfBuilder::BtfBuilder(const BtfBuilder& base, bool split) : BtfBuilder(base.order_) {
  CHECK(split);
  next_type_ = base.next_type_;
  first_string_ = base.first_string_ + static_cast<uint32_t>(base.strings_.size());
  strings_.clear();
}

uint32_t BtfBuilder::Name(const std::string& name) {
  if (name.empty()) return 0;
  uint32_t at = first_string_ + static_cast<uint32_t>(strings_.size());
  strings_.append(name).push_back('\0');
  return at;
}

uint32_t BtfBuilder::Begin(uint32_t kind, uint32_t count, const std::string& name,
                           uint32_t size_type, bool flag) {
  types_.Put(Name(name));
  types_.Put(kind << 24 | count | (flag ? uint32_t{1} << 31 : 0));
  types_.Put(size_type);
  return next_type_++;
}

uint32_t BtfBuilder::Int(const std::string& name, uint32_t size) {
  uint32_t type = Begin(Btf::kInt, 0, name, size);
  types_.Put(size * 8);
  return type;
}

uint32_t BtfBuilder::Array(uint32_t element, uint32_t length) {
  uint32_t type = Begin(Btf::kArray, 0, "", 0);
  for (uint32_t value : {element, element, length}) types_.Put(value);
  return type;
}

uint32_t BtfBuilder::Struct(const std::string& name, uint32_t size,
                            const std::vector<Member>& members, Btf::Kind kind) {
  bool bitfields = false;
  for (const Member& member : members) bitfields |= member.bit_size != 0;
  uint32_t type = Begin(kind, static_cast<uint32_t>(members.size()), name, size, bitfields);
  for (const Member& member : members) {
    types_.Put(Name(member.name));
    types_.Put(member.type);
    types_.Put(member.bit_size << 24 | member.bit_offset);
  }
  return type;
}

uint32_t BtfBuilder::Enum(const std::string& name, const std::vector<Value>& values) {
  uint32_t type = Begin(Btf::kEnum, static_cast<uint32_t>(values.size()), name, 4);
  for (const Value& value : values) {
    types_.Put(Name(value.name));
    types_.Put(static_cast<uint32_t>(value.value));
  }
  return type;
}

uint32_t BtfBuilder::Enum64(const std::string& name, const std::vector<Value>& values) {
  uint32_t type = Begin(Btf::kEnum64, static_cast<uint32_t>(values.size()), name, 8);
  for (const Value& value : values) {
    uint64_t bits = static_cast<uint64_t>(value.value);
    types_.Put(Name(value.name));
    types_.Put(static_cast<uint32_t>(bits));
    types_.Put(static_cast<uint32_t>(bits >> 32));
  }
  return type;
}

uint32_t BtfBuilder::Reference(Btf::Kind kind, uint32_t type, const std::string& name) {
  return Begin(kind, 0, name, type);
}

uint32_t BtfBuilder::Raw(uint32_t kind, uint32_t count, ByteView following, const std::string& name,
                         uint32_t size_type, bool flag) {
  uint32_t type = Begin(kind, count, name, size_type, flag);
  types_.PutBytes(following);
  return type;
}

void BtfBuilder::AddLayout(uint8_t kind, uint8_t fixed, uint8_t each) {
  layouts_.resize(size_t{kind} * 4 + 4);
  layouts_[size_t{kind} * 4] = std::byte{fixed};
  layouts_[size_t{kind} * 4 + 1] = std::byte{each};
}

ByteBuffer BtfBuilder::Build() const {
  ByteWriter types = types_;
  ByteBuffer type_bytes = std::move(types).Take();
  uint32_t type_size = static_cast<uint32_t>(type_bytes.size());
  uint32_t string_size = static_cast<uint32_t>(strings_.size());
  ByteWriter blob(order_);
  blob.Put(uint16_t{0xeb9f});
  blob.Put(uint8_t{1});
  blob.Put(uint8_t{0});
  blob.Put(uint32_t{layouts_.empty() ? 24u : 32u});
  for (uint32_t value : {0u, type_size, type_size, string_size}) blob.Put(value);
  if (!layouts_.empty()) {
    blob.Put(type_size + string_size);
    blob.Put(static_cast<uint32_t>(layouts_.size()));
  }
  blob.PutBytes(type_bytes);
  blob.PutBytes(AsBytes(strings_));
  blob.PutBytes(layouts_);
  return std::move(blob).Take();
}

}  // namespace kdumpkit
