// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/printk.h"

#include <algorithm>
#include <array>

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
};

void AppendText(std::string& out, ByteView text) {
  for (std::byte byte : text) {
    auto c = static_cast<unsigned char>(byte);
    bool printable = c >= 0x20 && c < 0x7f;
    bool space = c >= '\t' && c <= '\r';
    if (printable || space)
      out.push_back(static_cast<char>(c));
    else
      out += fmt::format("\\x{:02x}", c);
  }
}

class LogWalk {
 public:
  LogWalk(const CrashedKernel& kernel, const PrintkLayout& layout, const PrintkRing& ring,
          TargetWord word)
      : descs_(kernel.NewMemory()),
        infos_(kernel.NewMemory()),
        texts_(kernel.NewMemory()),
        layout_(layout),
        ring_(ring),
        word_(word),
        page_size_(kernel.page_size()) {}

  Result<LogStats> Run(const std::function<Status(std::string_view)>& write);

 private:
  uint64_t IdMask() const { return word_.mask() >> 2; }
  uint64_t Slot(uint64_t id) const { return id & (ring_.count - 1); }

  Result<Desc> ReadDesc(uint64_t slot);
  Result<Info> ReadInfo(uint64_t slot);
  void Repair();
  std::optional<uint64_t> NewestId();
  uint64_t Unreadable(uint64_t slot) const;
  Status WriteRecord(uint64_t id, const Desc& desc,
                     const std::function<Status(std::string_view)>& write);
  Result<std::string> Format(uint64_t id, const Desc& desc);
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
  return Info{LoadUnchecked<uint64_t>(bytes.data() + layout_.seq, word_.order),
              LoadUnchecked<uint64_t>(bytes.data() + layout_.ts_nsec, word_.order),
              LoadUnchecked<uint16_t>(bytes.data() + layout_.text_len, word_.order)};
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

Result<std::string> LogWalk::Format(uint64_t id, const Desc& desc) {
  std::optional<PrintkText> text = LocatePrintkText(ring_, word_, desc.begin, desc.next);
  if (!text) return Malformed("no block of text from {:#x} to {:#x}", desc.begin, desc.next);
  Info info = TRY(ReadInfo(Slot(id)));
  uint64_t size = std::min<uint64_t>(info.text_len, text->size);
  if (size > text_left_) return Malformed("its text overlaps that of others");
  text_.resize(size);
  if (size > 0) TRY(texts_->Read(ring_.data + text->offset, text_));
  text_left_ -= size;
  std::string line = fmt::format("[{:5}.{:06}] ", info.ts_nsec / 1'000'000'000,
                                 info.ts_nsec % 1'000'000'000 / 1000);
  AppendText(line, text_);
  line.push_back('\n');
  return line;
}

Status LogWalk::WriteRecord(uint64_t id, const Desc& desc,
                            const std::function<Status(std::string_view)>& write) {
  if (desc.id != id || desc.state == DescState::kReserved || desc.state == DescState::kReusable) {
    ++stats_.skipped;
    return {};
  }
  Result<std::string> line = Format(id, desc);
  if (!line) {
    ++stats_.skipped;
    Problem(std::move(line.error()).In(fmt::format("record {:#x}", id)).message());
    return {};
  }
  ++stats_.records;
  return write(*line);
}

Result<LogStats> LogWalk::Run(const std::function<Status(std::string_view)>& write) {
  Repair();
  uint64_t count = ((ring_.head_id - ring_.tail_id) & IdMask()) + 1;
  for (uint64_t i = 0; i < count;) {
    uint64_t id = (ring_.tail_id + i) & IdMask();
    Result<Desc> desc = ReadDesc(Slot(id));
    if (desc) {
      TRY(WriteRecord(id, *desc, write));
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

}  // namespace

Result<LogStats> ReadKernelLog(const CrashedKernel& kernel,
                               const std::function<Status(std::string_view)>& write) {
  if (!kernel.info().Symbol("prb"))
    return Unsupported("VMCOREINFO has no SYMBOL(prb): no printk ring, as before Linux 5.10");
  TargetWord word{kernel.machine().word_size, kernel.machine().order};
  PrintkLayout layout = TRY(PrintkLayout::Find(kernel.info(), word));
  PrintkRing ring = TRY(PrintkRing::Read(*kernel.NewMemory(), kernel.info(), layout, word)
                            .In("reading the printk ring"));
  return LogWalk(kernel, layout, ring, word).Run(write);
}

}  // namespace kdumpkit
