// SPDX-License-Identifier: GPL-2.0-or-later
// The log of Linux 3.5 to 5.9: records of any length one behind the other in a buffer, the oldest
// at log_first_idx, the next one to be written at log_next_idx. A record of length 0, or no room
// for a head, says that the log goes on at the beginning of the buffer.
#include <algorithm>
#include <array>

#include "kernel/printk.h"

namespace kdumpkit {
namespace {

// log_buf_len= is an int.
constexpr uint64_t kMaxBuffer = uint64_t{1} << 31;
constexpr uint64_t kMaxHead = 256;

// struct printk_log, struct log before Linux 3.11 (commit 62e32ac3505a). Facility and the byte with
// flags and level stand behind dict_len.
struct HeadLayout {
  uint64_t size = 0;
  uint64_t ts_nsec = 0, len = 0, text_len = 0, dict_len = 0;
  std::optional<uint64_t> caller_id;

  bool Fits() const {
    return size <= kMaxHead && ts_nsec + 8 <= size && len + 2 <= size && text_len + 2 <= size &&
           dict_len + 4 <= size && (!caller_id || *caller_id + 4 <= size);
  }
};

Result<HeadLayout> FindHead(const Vmcoreinfo& info) {
  HeadLayout head;
  if (info.Size("printk_log")) {
    head.size = TRY(info.RequireSize("printk_log"));
    head.ts_nsec = TRY(info.RequireOffset("printk_log", "ts_nsec"));
    head.len = TRY(info.RequireOffset("printk_log", "len"));
    head.text_len = TRY(info.RequireOffset("printk_log", "text_len"));
    head.dict_len = TRY(info.RequireOffset("printk_log", "dict_len"));
    head.caller_id = info.Offset("printk_log", "caller_id");
  } else {
    head.size = TRY(info.RequireSize("log"));
    head.ts_nsec = TRY(info.RequireOffset("log", "ts_nsec"));
    head.len = TRY(info.RequireOffset("log", "len"));
    head.text_len = TRY(info.RequireOffset("log", "text_len"));
    head.dict_len = TRY(info.RequireOffset("log", "dict_len"));
  }
  for (uint64_t offset : {head.ts_nsec, head.len, head.text_len, head.dict_len})
    if (offset > kMaxHead) return Malformed("VMCOREINFO: no record has a member at {}", offset);
  if (head.caller_id && *head.caller_id > kMaxHead) head.caller_id.reset();
  if (!head.Fits()) return Malformed("VMCOREINFO: {} bytes are no head of a record", head.size);
  return head;
}

// The values of the kernel's variables.
struct Buffer {
  VirtAddr data;
  uint64_t size = 0;
  uint32_t first = 0;
  uint32_t next = 0;
  uint32_t clear = 0;  // 0: never cleared
};

Result<Buffer> ReadBuffer(KernelMemory& memory, const Vmcoreinfo& info, bool since_clear) {
  Buffer buffer;
  buffer.data = VirtAddr(TRY(memory.ReadWord(TRY(info.RequireSymbol("log_buf")))));
  buffer.size = TRY(memory.ReadU32(TRY(info.RequireSymbol("log_buf_len"))));
  buffer.first = TRY(memory.ReadU32(TRY(info.RequireSymbol("log_first_idx"))));
  buffer.next = TRY(memory.ReadU32(TRY(info.RequireSymbol("log_next_idx"))));
  if (since_clear) buffer.clear = TRY(memory.ReadU32(TRY(info.RequireSymbol("clear_idx"))));
  if (buffer.size == 0 || buffer.size > kMaxBuffer)
    return Malformed("log_buf_len is {}: the log is corrupt", buffer.size);
  return buffer;
}

struct Head {
  uint64_t ts_nsec = 0;
  uint64_t len = 0;
  uint64_t text_len = 0;
  uint64_t dict_len = 0;
  int facility = 0;
  int level = 0;
  std::optional<uint32_t> caller;
};

class RecordWalk {
 public:
  RecordWalk(const CrashedKernel& kernel, const HeadLayout& layout, const Buffer& buffer)
      : memory_(kernel.NewMemory()),
        order_(kernel.machine().order),
        layout_(layout),
        buffer_(buffer) {}

  Result<LogStats> Run(const LogSink& sink);

 private:
  Result<Head> ReadHead(uint64_t at);
  // The places of all records, up to the first that cannot be.
  std::vector<uint32_t> FindRecords();
  // The first of them that is wanted.
  size_t FirstWanted(const std::vector<uint32_t>& places) const;
  Status Give(uint64_t at, const LogSink& sink);
  void Problem(std::string_view text) {
    if (stats_.problem.empty()) stats_.problem = text;
  }

  std::unique_ptr<KernelMemory> memory_;
  ByteOrder order_;
  const HeadLayout& layout_;
  const Buffer& buffer_;
  ByteBuffer body_;
  LogStats stats_;
};

Result<Head> RecordWalk::ReadHead(uint64_t at) {
  if (at > buffer_.size || layout_.size > buffer_.size - at)
    return Malformed("it begins behind the end of the buffer");
  std::array<std::byte, kMaxHead> bytes;
  TRY(memory_->Read(buffer_.data + at, ByteSpan(bytes).first(layout_.size)));
  auto u16 = [&](uint64_t offset) { return LoadUnchecked<uint16_t>(&bytes[offset], order_); };
  Head head;
  head.ts_nsec = LoadUnchecked<uint64_t>(&bytes[layout_.ts_nsec], order_);
  head.len = u16(layout_.len);
  head.text_len = u16(layout_.text_len);
  head.dict_len = u16(layout_.dict_len);
  head.facility = std::to_integer<int>(bytes[layout_.dict_len + 2]);
  head.level = LogLevel(std::to_integer<uint8_t>(bytes[layout_.dict_len + 3]), order_);
  if (layout_.caller_id) head.caller = LoadUnchecked<uint32_t>(&bytes[*layout_.caller_id], order_);
  if (head.len != 0 && head.len < layout_.size + head.text_len + head.dict_len)
    return Malformed("{} bytes of text and {} of dictionary in {} bytes", head.text_len,
                     head.dict_len, head.len);
  if (head.len > buffer_.size - at) return Malformed("it ends behind the end of the buffer");
  return head;
}

// Records do not overlap, so the walk never comes to the first one again, nor further than the
// buffer is long: then it goes round in circles.
std::vector<uint32_t> RecordWalk::FindRecords() {
  std::vector<uint32_t> places;
  bool wrapped = false;
  for (uint64_t at = buffer_.first; at != buffer_.next;) {
    Result<Head> head = ReadHead(at);
    if (!head) {
      Problem(std::move(head.error())
                  .In(fmt::format("record at {:#x} of the log, the rest is lost", at))
                  .message());
      break;
    }
    bool wraps = head->len == 0;
    if (wrapped && (wraps || at >= buffer_.first)) {
      Problem(fmt::format("the records do not lead to log_next_idx {:#x}", buffer_.next));
      break;
    }
    wrapped |= wraps;
    if (!wraps) places.push_back(static_cast<uint32_t>(at));
    at = wraps ? 0 : at + head->len;
  }
  return places;
}

// clear_idx is a place between records only as long as what was cleared has not been written over;
// 0 is where it stands in a kernel whose log was never cleared.
size_t RecordWalk::FirstWanted(const std::vector<uint32_t>& places) const {
  if (buffer_.clear == 0) return 0;
  if (buffer_.clear == buffer_.next) return places.size();
  auto found = std::find(places.begin(), places.end(), buffer_.clear);
  return found == places.end() ? 0 : static_cast<size_t>(found - places.begin());
}

// "KEY=value" with a NUL between two.
void AddDictionary(std::string_view text, LogRecord& record) {
  while (!text.empty()) {
    std::string_view pair = text.substr(0, text.find('\0'));
    text.remove_prefix(std::min(pair.size() + 1, text.size()));
    size_t equals = pair.find('=');
    if (equals != std::string_view::npos && equals > 0)
      record.device.emplace_back(pair.substr(0, equals), pair.substr(equals + 1));
  }
}

Status RecordWalk::Give(uint64_t at, const LogSink& sink) {
  Result<Head> head = ReadHead(at);
  body_.resize(head ? head->text_len + head->dict_len : 0);
  Status read = memory_->Read(buffer_.data + at + layout_.size, body_);
  if (!head || !read) {
    ++stats_.skipped;
    Error error = std::move(head ? read.error() : head.error());
    Problem(std::move(error).In(fmt::format("record at {:#x} of the log", at)).message());
    return {};
  }
  LogRecord record{std::nullopt,   head->ts_nsec, head->level,
                   head->facility, head->caller,  AsText(body_).substr(0, head->text_len)};
  AddDictionary(AsText(body_).substr(head->text_len), record);
  ++stats_.records;
  return sink(record);
}

Result<LogStats> RecordWalk::Run(const LogSink& sink) {
  std::vector<uint32_t> places = FindRecords();
  for (size_t i = FirstWanted(places); i < places.size(); ++i) TRY(Give(places[i], sink));
  return std::move(stats_);
}

}  // namespace

Result<LogStats> ReadRecordLog(const CrashedKernel& kernel, const LogOptions& options,
                               const LogSink& sink) {
  HeadLayout layout = TRY(FindHead(kernel.info()));
  Buffer buffer = TRY(ReadBuffer(*kernel.NewMemory(), kernel.info(), options.since_clear)
                          .In("reading where the log is"));
  return RecordWalk(kernel, layout, buffer).Run(sink);
}

}  // namespace kdumpkit
