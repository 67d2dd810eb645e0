// SPDX-License-Identifier: GPL-2.0-or-later
// The log before Linux 3.5: a ring of text. log_end counts the characters ever written, and
// logged_chars those since the log was last cleared, at most as many as the ring holds. Each line
// begins with "<N>", its level (and facility times 8), and the time if the kernel was to print it.
#include <algorithm>
#include <bit>
#include <charconv>

#include "kernel/printk.h"

namespace kdumpkit {
namespace {

constexpr uint64_t kMaxBuffer = uint64_t{1} << 31;
constexpr size_t kChunk = size_t{64} << 10;
constexpr size_t kMaxLine = size_t{1} << 20;

struct Ring {
  VirtAddr data;
  uint64_t size = 0;   // a power of two
  uint64_t start = 0;  // of the text that is wanted
  uint64_t chars = 0;
};

Result<Ring> ReadRing(KernelMemory& memory, const Vmcoreinfo& info, bool since_clear) {
  Ring ring;
  ring.data = VirtAddr(TRY(memory.ReadWord(TRY(info.RequireSymbol("log_buf")))));
  ring.size = TRY(memory.ReadU32(TRY(info.RequireSymbol("log_buf_len"))));
  if (!std::has_single_bit(ring.size) || ring.size > kMaxBuffer)
    return Malformed("log_buf_len is {}: the log is corrupt", ring.size);
  // An unsigned long until Linux 2.6.24; only its position in the ring counts.
  uint64_t end = TRY(memory.ReadU32(TRY(info.RequireSymbol("log_end"))));
  ring.chars = std::min(end, ring.size);
  if (since_clear)
    ring.chars = std::min<uint64_t>(ring.chars,
                                    TRY(memory.ReadU32(TRY(info.RequireSymbol("logged_chars")))));
  ring.start = (end - ring.chars) & (ring.size - 1);
  return ring;
}

// Takes "<N>" off the line.
void TakePrefix(std::string_view& text, LogRecord& record) {
  size_t end = text.find('>');
  if (!text.starts_with('<') || end == std::string_view::npos) return;
  int value = 0;
  auto [stop, error] = std::from_chars(text.data() + 1, text.data() + end, value);
  if (error != std::errc() || stop != text.data() + end || value < 0) return;
  record.level = value & 7;
  record.facility = value >> 3;
  text.remove_prefix(end + 1);
}

// Takes "[    1.234567] " off the line.
void TakeTime(std::string_view& text, LogRecord& record) {
  if (!text.starts_with('[')) return;
  size_t digits = text.find_first_not_of(' ', 1);
  size_t end = text.find("] ");
  if (digits == std::string_view::npos || end == std::string_view::npos || end < digits) return;
  const char* last = text.data() + end;
  uint64_t seconds = 0, micros = 0;
  auto [dot, error] = std::from_chars(text.data() + digits, last, seconds);
  if (error != std::errc() || dot == last || *dot != '.' || last - dot != 7) return;
  auto [stop, bad] = std::from_chars(dot + 1, last, micros);
  if (bad != std::errc() || stop != last) return;
  record.ts_nsec = seconds * 1'000'000'000 + micros * 1000;
  text.remove_prefix(end + 2);
}

Status GiveLine(std::string_view line, LogStats& stats, const LogSink& sink) {
  LogRecord record;
  record.line = line;
  std::string_view text = line;
  TakePrefix(text, record);
  TakeTime(text, record);
  record.text = text;
  ++stats.records;
  return sink(record);
}

// Gives the whole lines of `pending` and leaves the rest.
Status GiveLines(std::string& pending, bool last, LogStats& stats, const LogSink& sink) {
  size_t at = 0;
  for (size_t end; (end = pending.find('\n', at)) != std::string::npos; at = end + 1)
    TRY(GiveLine(std::string_view(pending).substr(at, end - at), stats, sink));
  pending.erase(0, at);
  if (pending.empty() || (!last && pending.size() < kMaxLine)) return {};
  TRY(GiveLine(pending, stats, sink));
  pending.clear();
  return {};
}

}  // namespace

Result<LogStats> ReadTextLog(const CrashedKernel& kernel, const LogOptions& options,
                             const LogSink& sink) {
  std::unique_ptr<KernelMemory> memory = kernel.NewMemory();
  Ring ring =
      TRY(ReadRing(*memory, kernel.info(), options.since_clear).In("reading where the log is"));
  LogStats stats;
  std::string pending;
  ByteBuffer chunk;
  for (uint64_t done = 0; done < ring.chars;) {
    uint64_t at = (ring.start + done) & (ring.size - 1);
    chunk.resize(std::min<uint64_t>({kChunk - at % kChunk, ring.chars - done, ring.size - at}));
    Status read = memory->Read(ring.data + at, chunk);
    if (read) pending += AsText(chunk);
    if (!read && stats.problem.empty())
      stats.problem = std::move(read.error()).In("a part of the log is lost").message();
    done += chunk.size();
    TRY(GiveLines(pending, !read || done == ring.chars, stats, sink));
  }
  return stats;
}

}  // namespace kdumpkit
