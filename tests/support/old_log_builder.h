// SPDX-License-Identifier: GPL-2.0-or-later
// Writes the logs of kernels before 5.10 into FakeMemory, as those kernels would, and damages them
// where a test wants them damaged.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <string_view>

#include "tests/support/fake_memory.h"

namespace kdumpkit {

// What both have: the buffer, and the variables that say where it is.
class OldLog {
 public:
  static constexpr uint64_t kVariables = 0x10000;  // a word each
  static constexpr uint64_t kBuffer = 0x20000;
  static constexpr uint32_t kSize = 4096;  // of the buffer

  virtual ~OldLog() = default;
  std::string Vmcoreinfo() const;
  ByteOrder order() const { return order_; }
  FakeMemory& memory() { return memory_; }
  const FakeMemory& memory() const { return memory_; }
  void SetBufferLength(uint32_t size) { SetVariable("log_buf_len", size); }

 protected:
  explicit OldLog(ByteOrder order);
  void SetVariable(const std::string& name, uint32_t value);
  void SetKey(const std::string& key, uint64_t value) { keys_[key] = std::to_string(value); }

 private:
  ByteOrder order_;
  FakeMemory memory_;
  std::map<std::string, std::string> keys_;
  std::map<std::string, uint64_t> variables_;  // their addresses
};

// Linux 3.5 to 5.9.
class RecordLog : public OldLog {
 public:
  struct Options {
    std::string type = "printk_log";  // or "log"
    bool caller = true;
    ByteOrder order = ByteOrder::kLittle;
  };
  struct Record {
    uint64_t ts_nsec = 0;
    int level = 6;
    int facility = 0;
    uint32_t caller = 1;
    std::string dictionary = {};
  };

  explicit RecordLog(const Options& options);
  void Add(std::string_view text, const Record& record);
  void Add(std::string_view text) { Add(text, Record()); }
  void Clear() { SetVariable("clear_idx", next_); }
  void SetFirst(uint32_t place) { SetVariable("log_first_idx", place); }
  void SetNext(uint32_t place) { SetVariable("log_next_idx", place); }
  // Of the nth record that is still there.
  void SetLength(size_t n, uint16_t length) { PutHead(places_[n] + 8, length); }
  void SetTextLength(size_t n, uint16_t length) { PutHead(places_[n] + 10, length); }

 private:
  template <typename T>
  void PutHead(uint64_t place, T value) {
    memory().Put(PhysAddr(kBuffer + place), value, order());
  }
  // The place for `size` bytes; old records go when there is no room.
  uint32_t MakeRoom(uint32_t size);

  Options options_;
  uint32_t head_size_;
  uint32_t next_ = 0;
  std::deque<uint32_t> places_;
  std::map<uint32_t, uint32_t> sizes_;
};

// Before Linux 3.5.
class TextLog : public OldLog {
 public:
  TextLog();
  void Add(std::string_view text);
  void Clear();
  const std::string& text() const { return text_; }  // all that was added

 private:
  void Store();

  std::string text_;
  size_t cleared_ = 0;
};

}  // namespace kdumpkit
