// SPDX-License-Identifier: GPL-2.0-or-later
// The log since Linux 5.10: a ring of descriptors, one of what goes with each, one of text.
#include <algorithm>
#include <array>

#include "kernel/printk.h"
#include "kernel/printk_ring.h"

namespace kdumpkit {
namespace {

// enum desc_state of the kernel, the two top bits of state_var; the others hold the id.
enum class DescState { kReserved = 0, kCommitted = 1, kFinalized = 2, kReusable = 3 };

struct Desc {
  DescState state = DescState::kReserved;
  uint64_t id = 0;
  uint64_t begin = 0;
  uint64_t next = 0;
};

struct Info {
  uint64_t seq = 0;
  uint64_t ts_nsec = 0;
  uint16_t text_len = 0;
  std::optional<int> level;
  std::optional<int> facility;
  std::optional<uint32_t> caller;
  std::string subsystem;  // empty but for messages about a device
  std::string device;
};

// A text that fills its array or ends at a NUL.
std::string FixedText(ByteView bytes) {
  std::string_view text = AsText(bytes);
  return std::string(text.substr(0, text.find('\0')));
}

class LogWalk {
 public:
  LogWalk(const CrashedKernel& kernel, const PrintkLayout& layout, const PrintkRing& ring,
          TargetWord word, uint64_t first_seq)
      : descs_(kernel.NewMemory()),
        infos_(kernel.NewMemory()),
        texts_(kernel.NewMemory()),
        layout_(layout),
        ring_(ring),
        word_(word),
        page_size_(kernel.page_size()),
        first_seq_(first_seq) {}

  Result<LogStats> Run(const LogSink& sink);

 private:
  uint64_t IdMask() const { return word_.mask() >> 2; }
  uint64_t Slot(uint64_t id) const { return id & (ring_.count - 1); }

  Result<Desc> ReadDesc(uint64_t slot);
  Result<Info> ReadInfo(uint64_t slot);
  void Repair();
  std::optional<uint64_t> NewestId();
  uint64_t Unreadable(uint64_t slot) const;
  Status GiveRecord(uint64_t id, const Desc& desc, const LogSink& sink);
  // Absent for a record that is older than what was asked for.
  Result<std::optional<LogRecord>> ReadRecord(uint64_t id, const Desc& desc);
  void Problem(std::string_view text);

  // One reader for each of the three arrays: each is gone through in order, and a reader fetches
  // larger pieces while it is.
  std::unique_ptr<KernelMemory> descs_;
  std::unique_ptr<KernelMemory> infos_;
  std::unique_ptr<KernelMemory> texts_;
  const PrintkLayout& layout_;
  PrintkRing ring_;
  TargetWord word_;
  uint64_t page_size_;
  uint64_t first_seq_;  // records before it are not wanted
  // Blocks of text do not overlap, so all records together have no more text than the ring holds.
  uint64_t text_left_ = ring_.data_size();
  ByteBuffer text_;
  LogStats stats_;
};

void LogWalk::Problem(std::string_view text) {
  if (stats_.problem.empty()) stats_.problem = text;
}

Result<Desc> LogWalk::ReadDesc(uint64_t slot) {
  std::array<std::byte, 4096> bytes;
  TRY(descs_->Read(ring_.descs + slot * layout_.desc_size,
                   ByteSpan(bytes).first(layout_.desc_size)));
  uint64_t state_var = word_.Load(bytes.data() + layout_.state_var);
  return Desc{static_cast<DescState>(state_var >> (word_.bits() - 2)), state_var & IdMask(),
              word_.Load(bytes.data() + layout_.begin), word_.Load(bytes.data() + layout_.next)};
}

Result<Info> LogWalk::ReadInfo(uint64_t slot) {
  std::array<std::byte, 4096> bytes;
  TRY(infos_->Read(ring_.infos + slot * layout_.info_size,
                   ByteSpan(bytes).first(layout_.info_size)));
  auto field = [&](size_t offset) { return bytes.data() + offset; };
  Info info;
  info.seq = LoadUnchecked<uint64_t>(field(layout_.seq), word_.order);
  info.ts_nsec = LoadUnchecked<uint64_t>(field(layout_.ts_nsec), word_.order);
  info.text_len = LoadUnchecked<uint16_t>(field(layout_.text_len), word_.order);
  if (layout_.facility) {
    info.facility = std::to_integer<int>(*field(*layout_.facility));
    info.level = LogLevel(std::to_integer<uint8_t>(*field(*layout_.facility + 1)), word_.order);
  }
  if (layout_.caller_id)
    info.caller = LoadUnchecked<uint32_t>(field(*layout_.caller_id), word_.order);
  if (layout_.has_device) {
    info.subsystem = FixedText({field(layout_.subsystem), layout_.subsystem_size});
    info.device = FixedText({field(layout_.device), layout_.device_size});
  }
  return info;
}

// How many descriptors to skip when that of `slot` cannot be read: those in the rest of its page.
uint64_t LogWalk::Unreadable(uint64_t slot) const {
  VirtAddr address = ring_.descs + slot * layout_.desc_size;
  uint64_t rest = page_size_ - address.value % page_size_;
  return std::clamp<uint64_t>(rest / layout_.desc_size, 1, ring_.count - slot);
}

// The id of the record with the highest sequence number, from all descriptors there are.
std::optional<uint64_t> LogWalk::NewestId() {
  std::optional<uint64_t> newest;
  uint64_t highest = 0;
  for (uint64_t slot = 0; slot < ring_.count;) {
    Result<Desc> desc = ReadDesc(slot);
    if (!desc) {
      slot += Unreadable(slot);
      continue;
    }
    bool record = desc->state == DescState::kCommitted || desc->state == DescState::kFinalized;
    if (record && Slot(desc->id) == slot) {
      Result<Info> info = ReadInfo(slot);
      if (info && (!newest || info->seq > highest)) {
        newest = desc->id;
        highest = info->seq;
      }
    }
    ++slot;
  }
  return newest;
}

// The ids from the tail to the head are never more than there are descriptors. When they are, one
// of the two was overwritten; the descriptors themselves still tell where the newest is.
void LogWalk::Repair() {
  uint64_t span = (ring_.head_id - ring_.tail_id) & IdMask();
  if (span < ring_.count) return;
  Problem(fmt::format("head {:#x} and tail {:#x} of the ring are not within its {} descriptors",
                      ring_.head_id, ring_.tail_id, ring_.count));
  ring_.head_id = NewestId().value_or(ring_.count - 1);
  ring_.tail_id = ring_.head_id - (ring_.count - 1);
}

Result<std::optional<LogRecord>> LogWalk::ReadRecord(uint64_t id, const Desc& desc) {
  std::optional<PrintkText> text = LocatePrintkText(ring_, word_, desc.begin, desc.next);
  if (!text) return Malformed("no block of text from {:#x} to {:#x}", desc.begin, desc.next);
  Info info = TRY(ReadInfo(Slot(id)));
  if (info.seq < first_seq_) return std::optional<LogRecord>();
  uint64_t size = std::min<uint64_t>(info.text_len, text->size);
  if (size > text_left_) return Malformed("its text overlaps that of others");
  text_.resize(size);
  if (size > 0) TRY(texts_->Read(ring_.data + text->offset, text_));
  text_left_ -= size;
  LogRecord record{info.seq, info.ts_nsec, info.level, info.facility, info.caller, AsText(text_)};
  if (!info.subsystem.empty()) record.device.emplace_back("SUBSYSTEM", std::move(info.subsystem));
  if (!info.device.empty()) record.device.emplace_back("DEVICE", std::move(info.device));
  return std::optional<LogRecord>(std::move(record));
}

Status LogWalk::GiveRecord(uint64_t id, const Desc& desc, const LogSink& sink) {
  if (desc.id != id || desc.state == DescState::kReserved || desc.state == DescState::kReusable) {
    ++stats_.skipped;
    return {};
  }
  Result<std::optional<LogRecord>> record = ReadRecord(id, desc);
  if (!record) {
    ++stats_.skipped;
    Problem(std::move(record.error()).In(fmt::format("record {:#x}", id)).message());
    return {};
  }
  if (!*record) return {};
  ++stats_.records;
  return sink(**record);
}

Result<LogStats> LogWalk::Run(const LogSink& sink) {
  Repair();
  uint64_t count = ((ring_.head_id - ring_.tail_id) & IdMask()) + 1;
  for (uint64_t i = 0; i < count;) {
    uint64_t id = (ring_.tail_id + i) & IdMask();
    Result<Desc> desc = ReadDesc(Slot(id));
    if (desc) {
      TRY(GiveRecord(id, *desc, sink));
      ++i;
      continue;
    }
    uint64_t lost = std::min(Unreadable(Slot(id)), count - i);
    Problem(std::move(desc.error()).In(fmt::format("descriptor {:#x}", id)).message());
    stats_.skipped += lost;
    i += lost;
  }
  return std::move(stats_);
}

// Where "dmesg --clear" left its mark. Since Linux 5.12 the number is kept twice, and the lowest
// bit of a counter before the two says which is valid (commit 7d7a23a91c91, "printk: use
// seqcount_latch for clear_seq"); a reader in the middle of an update takes the old one.
Result<uint64_t> ReadClearSeq(KernelMemory& memory, const Vmcoreinfo& info, ByteOrder order) {
  VirtAddr address = TRY(info.RequireSymbol("clear_seq"));
  std::array<std::byte, 8> bytes;
  if (info.Size("latched_seq")) {
    uint64_t values = TRY(info.RequireOffset("latched_seq", "val"));
    uint32_t counter = TRY(memory.ReadU32(address));
    address = address + values + (counter & 1) * bytes.size();
  }
  TRY(memory.Read(address, bytes));
  return LoadUnchecked<uint64_t>(bytes.data(), order);
}

}  // namespace

Result<LogStats> ReadLocklessLog(const CrashedKernel& kernel, const LogOptions& options,
                                 const LogSink& sink) {
  TargetWord word{kernel.machine().word_size, kernel.machine().order};
  PrintkLayout layout = TRY(PrintkLayout::Find(kernel.info(), word));
  std::unique_ptr<KernelMemory> memory = kernel.NewMemory();
  PrintkRing ring =
      TRY(PrintkRing::Read(*memory, kernel.info(), layout, word).In("reading the printk ring"));
  uint64_t first_seq = 0;
  if (options.since_clear)
    first_seq = TRY(ReadClearSeq(*memory, kernel.info(), word.order)
                        .In("finding where the log was last cleared"));
  return LogWalk(kernel, layout, ring, word, first_seq).Run(sink);
}

}  // namespace kdumpkit
