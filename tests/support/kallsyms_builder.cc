// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/support/kallsyms_builder.h"

#include <fmt/format.h>

namespace kdumpkit {
namespace {

constexpr uint8_t kPrefixToken = 1;  // stands for kPrefix; other tokens are one character
constexpr std::string_view kPrefix = "__x64_sys_";

std::string TokenText(int token) {
  if (token == kPrefixToken) return std::string(kPrefix);
  // Only those that are printable occur in names.
  return token > ' ' && token <= '~' ? std::string(1, static_cast<char>(token))
                                     : fmt::format("t{:02x}", token);
}

std::string Compressed(std::string text) {
  size_t at = text.find(kPrefix);
  if (at != text.npos) text.replace(at, kPrefix.size(), 1, static_cast<char>(kPrefixToken));
  return text;
}

}  // namespace

ByteBuffer KallsymsBuilder::Names(std::vector<uint32_t>& markers) const {
  ByteWriter names(order);
  for (size_t i = 0; i < symbols.size(); ++i) {
    if (i % 256 == 0) markers.push_back(static_cast<uint32_t>(names.size()));
    std::string text = Compressed(symbols[i].type + symbols[i].name);
    if (long_lengths && text.size() > 0x7f) {
      names.Put(static_cast<uint8_t>(0x80 | (text.size() & 0x7f)));
      names.Put(static_cast<uint8_t>(text.size() >> 7));
    } else {
      names.Put(static_cast<uint8_t>(text.size()));
    }
    names.PutBytes(AsBytes(text));
  }
  return std::move(names).Take();
}

ByteBuffer KallsymsBuilder::Addresses(VirtAddr at) const {
  ByteWriter table(order);
  for (const Symbol& symbol : symbols) {
    uint64_t entry = symbol.address;
    if (kind == KallsymsAddress::kAbsolute && word_size == 8) {
      table.Put(entry);
      continue;
    }
    if (kind == KallsymsAddress::kBaseRelative) entry -= base;
    if (kind == KallsymsAddress::kPlaceRelative) entry -= at.value + table.size();
    // Below the base are the addresses of per-cpu variables, which are offsets.
    if (kind == KallsymsAddress::kAbsolutePercpu && entry >= base) entry = base - 1 - entry;
    table.Put(static_cast<uint32_t>(entry));
  }
  return std::move(table).Take();
}

std::string KallsymsBuilder::Put(FakeMemory& memory, VirtAddr at, PhysAddr physical) {
  std::vector<uint32_t> markers;
  ByteBuffer names = Names(markers);
  ByteWriter marker_table(order), tokens(order), index(order), count(order), base_word(order);
  for (uint32_t marker : markers) marker_table.Put(marker);
  for (int token = 0; token < 256; ++token) {
    index.Put(static_cast<uint16_t>(tokens.size()));
    tokens.PutBytes(AsBytes(TokenText(token)));
    tokens.Put(uint8_t{0});
  }
  count.Put(static_cast<uint32_t>(symbols.size()));
  word_size == 8 ? base_word.Put(base) : base_word.Put(static_cast<uint32_t>(base));

  places_.clear();
  uint64_t used = 0;
  auto put = [&](const std::string& name, ByteView bytes) {
    memory.Write(physical + used, bytes);
    places_.emplace_back(name, at + used);
    used = (used + bytes.size() + word_size - 1) / word_size * word_size;
  };
  bool absolute = kind == KallsymsAddress::kAbsolute;
  auto put_addresses = [&] {
    put(absolute ? "addresses" : "offsets", Addresses(at + used));
    if (!absolute && kind != KallsymsAddress::kPlaceRelative) {
      put("relative_base", std::move(base_word).Take());
    }
  };
  if (old_order) put_addresses();
  put("num_syms", std::move(count).Take());
  put("names", names);
  put("markers", std::move(marker_table).Take());
  put("token_table", std::move(tokens).Take());
  put("token_index", std::move(index).Take());
  if (!old_order) put_addresses();

  std::string text;
  for (const auto& [name, place] : places_) {
    if (name != "markers") text += fmt::format("SYMBOL(kallsyms_{})={:x}\n", name, place.value);
  }
  return text;
}

VirtAddr KallsymsBuilder::PlaceOf(const std::string& table) const {
  for (const auto& [name, place] : places_) {
    if (name == table) return place;
  }
  CHECK(false);
  return {};
}

}  // namespace kdumpkit
