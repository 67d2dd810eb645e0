// SPDX-License-Identifier: GPL-2.0-or-later
// Where the bytes of a dump go: into a file, or through a pipe (flattened_stream.h).
#pragma once

#include "base/address.h"
#include "base/bytes.h"
#include "base/error.h"

namespace kdumpkit {

class DumpSink {
 public:
  virtual ~DumpSink() = default;

  // Before anything else: how the dump begins as long as it is incomplete. A sink that gets its
  // beginning last can tell it early, for the case that it ends early. At most 2048 bytes.
  virtual void Announce(ByteView beginning) = 0;
  // Puts all of `bytes` at `offset` of the dump. Thread safe.
  virtual Status WriteAt(FileOffset offset, ByteView bytes) = 0;
  // Makes the dump reach to `end` at least; bytes from `start` on that are never written read as
  // zeros. Where space can be reserved, ENOSPC shows here.
  virtual Status Reserve(FileOffset start, FileOffset end) = 0;
  // Whether bytes may be written again, the later ones in place of the earlier.
  virtual bool rewritable() const = 0;
  // Says that nothing more comes.
  virtual Status End() = 0;
};

// A file. Borrows the descriptor, which has to outlive it; never syncs.
class FileSink : public DumpSink {
 public:
  explicit FileSink(int fd) : fd_(fd) {}

  void Announce(ByteView) override {}
  Status WriteAt(FileOffset offset, ByteView bytes) override;
  Status Reserve(FileOffset start, FileOffset end) override;
  bool rewritable() const override { return true; }
  Status End() override { return {}; }

 private:
  int fd_;
};

}  // namespace kdumpkit
