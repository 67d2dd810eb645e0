// SPDX-License-Identifier: GPL-2.0-or-later
// A limit to the bytes of a dump, and a dump that goes nowhere.
#pragma once

#include <memory>
#include <mutex>

#include "dumpfile/dump_sink.h"

namespace kdumpkit {

// Hands on what stays below `limit`: of a file, no byte at or behind that offset is written; of a
// flattened stream, no byte more than that, with its headers and its end mark, for which room is
// kept. What would pass is refused as a whole, with EFBIG.
class LimitedSink : public DumpSink {
 public:
  LimitedSink(std::unique_ptr<DumpSink> sink, uint64_t limit)
      : sink_(std::move(sink)), limit_(limit) {}

  void Announce(ByteView beginning) override { sink_->Announce(beginning); }
  Status WriteAt(FileOffset offset, ByteView bytes) override;
  Status Reserve(FileOffset start, FileOffset end) override;
  bool rewritable() const override { return sink_->rewritable(); }
  Status End() override { return sink_->End(); }

 private:
  Status Passed() const;
  bool TakeFromStream(FileOffset offset, uint64_t size);

  std::unique_ptr<DumpSink> sink_;
  uint64_t limit_;
  std::mutex mutex_;
  uint64_t streamed_ = 0;
};

// For a dump that is only measured.
class NullSink : public DumpSink {
 public:
  // `stream`: as if it were a flattened stream.
  explicit NullSink(bool stream) : stream_(stream) {}

  void Announce(ByteView) override {}
  Status WriteAt(FileOffset, ByteView) override { return {}; }
  Status Reserve(FileOffset, FileOffset) override { return {}; }
  bool rewritable() const override { return !stream_; }
  Status End() override { return {}; }

 private:
  bool stream_;
};

}  // namespace kdumpkit
