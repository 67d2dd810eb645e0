// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/support/fake_memory.h"

#include <algorithm>

namespace kdumpkit {
namespace {

bool Overlaps(const PhysRange& range, PhysAddr address, uint64_t size) {
  return address < range.end() && range.base < address + size;
}

class FakeReader : public MemoryReader {
 public:
  explicit FakeReader(const FakeMemory& memory) : memory_(memory) {}

  Result<ByteView> View(PhysAddr address, size_t size) override {
    CHECK(size > 0 && size <= kMaxView);
    auto ranges = memory_.ranges();
    bool exists = std::any_of(ranges.begin(), ranges.end(), [&](const PhysRange& range) {
      return Overlaps(range, address, size);
    });
    if (!exists) return Malformed("no memory at physical address 0x{:x}", address.value);
    // A new buffer each time, never the old one reused.
    buffer_ = ByteBuffer();
    buffer_ = memory_.Copy(address, size);
    return ByteView(buffer_);
  }

 private:
  const FakeMemory& memory_;
  ByteBuffer buffer_;
};

}  // namespace

void FakeMemory::AddRange(PhysAddr base, uint64_t size) {
  ranges_.push_back(PhysRange{base, size});
  ranges_ = MergeRanges(std::move(ranges_));
}

void FakeMemory::Write(PhysAddr address, ByteView bytes) {
  for (size_t i = 0; i < bytes.size();) {
    uint64_t at = address.value + i;
    CHECK(std::any_of(ranges_.begin(), ranges_.end(),
                      [&](const PhysRange& range) { return range.Contains(PhysAddr(at)); }));
    size_t step = std::min(bytes.size() - i, kChunk - at % kChunk);
    ByteBuffer& chunk = chunks_[at / kChunk];
    chunk.resize(kChunk);
    std::copy_n(bytes.data() + i, step, chunk.data() + at % kChunk);
    i += step;
  }
}

ByteBuffer FakeMemory::Copy(PhysAddr address, size_t size) const {
  ByteBuffer result(size);
  for (size_t i = 0; i < size;) {
    uint64_t at = address.value + i;
    size_t step = std::min(size - i, kChunk - at % kChunk);
    auto chunk = chunks_.find(at / kChunk);
    if (chunk != chunks_.end()) {
      std::copy_n(chunk->second.data() + at % kChunk, step, result.data() + i);
    }
    i += step;
  }
  return result;
}

std::unique_ptr<MemoryReader> FakeMemory::NewReader() const {
  return std::make_unique<FakeReader>(*this);
}

class FaultyMemory::Reader : public MemoryReader {
 public:
  explicit Reader(const FaultyMemory& memory)
      : memory_(memory), inner_(memory.inner_.NewReader()) {}

  Result<ByteView> View(PhysAddr address, size_t size) override {
    for (const Fault& fault : memory_.faults_) {
      if (Overlaps(fault.range, address, size)) {
        return SystemError(fault.error_number,
                           fmt::format("reading physical address 0x{:x}", address.value));
      }
    }
    return inner_->View(address, size);
  }

 private:
  const FaultyMemory& memory_;
  std::unique_ptr<MemoryReader> inner_;
};

std::unique_ptr<MemoryReader> FaultyMemory::NewReader() const {
  return std::make_unique<Reader>(*this);
}

}  // namespace kdumpkit
