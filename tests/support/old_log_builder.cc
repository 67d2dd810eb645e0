// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/support/old_log_builder.h"

namespace kdumpkit {

OldLog::OldLog(ByteOrder order) : order_(order) {
  memory_.AddRange(PhysAddr(kVariables), kBuffer + kSize - kVariables);
  keys_["OSRELEASE"] = "4.19.0";
  SetVariable("log_buf", 0);
  memory_.Put(PhysAddr(variables_["log_buf"]), uint64_t{kBuffer}, order_);
  SetBufferLength(kSize);
}

std::string OldLog::Vmcoreinfo() const {
  std::string text;
  for (const auto& [key, value] : keys_) text += fmt::format("{}={}\n", key, value);
  for (const auto& [name, address] : variables_)
    text += fmt::format("SYMBOL({})={:x}\n", name, address);
  return text;
}

void OldLog::SetVariable(const std::string& name, uint32_t value) {
  auto [place, added] = variables_.try_emplace(name, kVariables + 8 * variables_.size());
  memory_.Put(PhysAddr(place->second), value, order_);
}

RecordLog::RecordLog(const Options& options)
    : OldLog(options.order), options_(options), head_size_(options.caller ? 24 : 16) {
  SetKey(fmt::format("SIZE({})", options.type), head_size_);
  auto offset = [&](std::string_view member, uint64_t value) {
    SetKey(fmt::format("OFFSET({}.{})", options_.type, member), value);
  };
  offset("ts_nsec", 0);
  offset("len", 8);
  offset("text_len", 10);
  offset("dict_len", 12);
  if (options.caller) offset("caller_id", 16);
  SetFirst(0);
  SetNext(0);
  SetVariable("clear_idx", 0);
}

uint32_t RecordLog::MakeRoom(uint32_t size) {
  uint32_t place = next_;
  // A head without a length has to fit behind the last record before the end.
  if (place + size + head_size_ > kSize) {
    for (uint32_t i = 0; i < head_size_; ++i) PutHead(place + i, uint8_t{0});
    while (!places_.empty() && places_.front() >= place) places_.pop_front();
    place = 0;
  }
  while (!places_.empty() && places_.front() < place + size + head_size_ &&
         places_.front() + sizes_[places_.front()] > place)
    places_.pop_front();
  return place;
}

void RecordLog::Add(std::string_view text, const Record& record) {
  auto wanted = static_cast<uint32_t>(head_size_ + text.size() + record.dictionary.size());
  uint32_t size = (wanted + 7) / 8 * 8;
  uint32_t place = MakeRoom(size);
  PutHead(place, record.ts_nsec);
  PutHead(place + 8, static_cast<uint16_t>(size));
  PutHead(place + 10, static_cast<uint16_t>(text.size()));
  PutHead(place + 12, static_cast<uint16_t>(record.dictionary.size()));
  PutHead(place + 14, static_cast<uint8_t>(record.facility));
  int level_byte = order() == ByteOrder::kLittle ? record.level << 5 : record.level;
  PutHead(place + 15, static_cast<uint8_t>(level_byte));
  if (options_.caller) PutHead(place + 16, record.caller);
  memory().Write(PhysAddr(kBuffer + place + head_size_), AsBytes(text));
  memory().Write(PhysAddr(kBuffer + place + head_size_ + text.size()), AsBytes(record.dictionary));
  places_.push_back(place);
  sizes_[place] = size;
  next_ = place + size;
  SetNext(next_);
  SetFirst(places_.front());
}

TextLog::TextLog() : OldLog(ByteOrder::kLittle) { Store(); }

void TextLog::Add(std::string_view text) {
  for (size_t i = 0; i < text.size(); ++i)
    memory().Write(PhysAddr(kBuffer + (text_.size() + i) % kSize), AsBytes(text.substr(i, 1)));
  text_ += text;
  Store();
}

void TextLog::Clear() {
  cleared_ = text_.size();
  Store();
}

void TextLog::Store() {
  SetVariable("log_end", static_cast<uint32_t>(text_.size()));
  SetVariable("logged_chars",
              static_cast<uint32_t>(std::min<size_t>(text_.size() - cleared_, kSize)));
}

}  // namespace kdumpkit
