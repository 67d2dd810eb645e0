// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/log_record.h"

namespace kdumpkit {
namespace {

constexpr uint32_t kCallerIsCpu = uint32_t{1} << 31;

void AppendText(std::string& out, std::string_view text) {
  for (char byte : text) {
    auto c = static_cast<unsigned char>(byte);
    bool printable = c >= 0x20 && c < 0x7f;
    bool space = c >= '\t' && c <= '\r';
    if (printable || space)
      out.push_back(byte);
    else
      out += fmt::format("\\x{:02x}", c);
  }
}

}  // namespace

std::string FormatLogRecord(const LogRecord& record) {
  if (!record.line.empty()) return std::string(record.line) + "\n";
  uint64_t time = record.ts_nsec.value_or(0);
  std::string line =
      fmt::format("[{:5}.{:06}] ", time / 1'000'000'000, time % 1'000'000'000 / 1000);
  AppendText(line, record.text);
  line.push_back('\n');
  return line;
}

std::string LogCallerName(uint32_t caller) {
  if ((caller & kCallerIsCpu) != 0) return fmt::format("C{}", caller & ~kCallerIsCpu);
  return fmt::format("T{}", caller);
}

// Bitfields fill a byte from the end at which the byte order begins.
int LogLevel(uint8_t level_byte, ByteOrder order) {
  return order == ByteOrder::kLittle ? level_byte >> 5 : level_byte & 7;
}

}  // namespace kdumpkit
