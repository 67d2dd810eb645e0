// SPDX-License-Identifier: GPL-2.0-or-later
// Physical memory of a machine that never was, for tests.
#pragma once

#include <cerrno>
#include <map>
#include <vector>

#include "base/memory_source.h"

namespace kdumpkit {

// Memory that a test writes and the code under test reads. Bytes never written are zero and take
// no space, so ranges may be as large as those of real machines.
class FakeMemory : public MemorySource {
 public:
  // Memory exists at [base, base + size). May be called again; touching ranges become one.
  void AddRange(PhysAddr base, uint64_t size);
  // Memory must exist there.
  void Write(PhysAddr address, ByteView bytes);
  template <std::unsigned_integral T>
  void Put(PhysAddr address, T value, ByteOrder order = ByteOrder::kLittle) {
    std::byte bytes[sizeof(T)];
    StoreUnchecked(bytes, value, order);
    Write(address, bytes);
  }

  std::span<const PhysRange> ranges() const override { return ranges_; }
  // Every view is a buffer of its own that the next call frees: under ASan, a view that is used
  // too long is found.
  std::unique_ptr<MemoryReader> NewReader() const override;

  // Any bytes; zero where there is no memory.
  ByteBuffer Copy(PhysAddr address, size_t size) const;

 private:
  static constexpr size_t kChunk = 4096;

  std::vector<PhysRange> ranges_;
  std::map<uint64_t, ByteBuffer> chunks_;  // by address / kChunk
};

// Another memory, parts of which cannot be read.
class FaultyMemory : public MemorySource {
 public:
  // `inner` must outlive this object.
  explicit FaultyMemory(const MemorySource& inner) : inner_(inner) {}

  // From now on, views that touch [base, base + size) fail with this errno.
  void Fail(PhysAddr base, uint64_t size, int error_number = EIO) {
    faults_.push_back({PhysRange{base, size}, error_number});
  }

  std::span<const PhysRange> ranges() const override { return inner_.ranges(); }
  std::unique_ptr<MemoryReader> NewReader() const override;

 private:
  struct Fault {
    PhysRange range;
    int error_number;
  };
  class Reader;

  const MemorySource& inner_;
  std::vector<Fault> faults_;
};

}  // namespace kdumpkit
