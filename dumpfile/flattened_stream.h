// SPDX-License-Identifier: GPL-2.0-or-later
// A dump in flattened form, for a pipe: records that say where in the dump their bytes belong
// (docs/dump-formats.md). "makedumpfile -R" makes a file of them; crash opens them as they are.
#pragma once

#include <mutex>

#include "dumpfile/dump_sink.h"

namespace kdumpkit {

class FlattenedStream : public DumpSink {
 public:
  // Borrows the descriptor, which has to outlive it. The stream begins with the first record.
  explicit FlattenedStream(int fd);

  void Announce(ByteView beginning) override;
  Status WriteAt(FileOffset offset, ByteView bytes) override;
  // Readers take what has no record for zeros.
  Status Reserve(FileOffset, FileOffset) override { return {}; }
  // Crash sorts records by offset, and of two with the same one it may take either.
  bool rewritable() const override { return false; }
  Status End() override;

 private:
  Status WriteRecord(uint64_t offset, uint64_t size, ByteView bytes);

  int fd_;
  ByteBuffer header_;
  std::mutex mutex_;  // a record goes out in one piece
  bool begun_ = false;
};

}  // namespace kdumpkit
