// SPDX-License-Identifier: GPL-2.0-or-later
// Makes the file of a dump from its flattened stream, record by record, as the pipe has them.
#pragma once

#include <atomic>
#include <optional>

#include "base/address.h"
#include "base/error.h"

namespace kdumpkit {

struct Unflattened {
  uint64_t records = 0;
  bool has_beginning = false;    // one of them is the beginning of the dump
  uint64_t bytes = 0;            // of them
  std::optional<Error> failure;  // why it ended before its end mark
};

// Reads `stream_fd` to the end mark and puts each record into `output_fd` at its place; what has
// none stays a hole. Nothing is read behind the end mark. A stream that ends early, or becomes
// nonsense, leaves what was read before, marked incomplete as far as it is a dump; the headers,
// which come last in our own streams, are then those that the stream's header keeps for this case.
// Error: this is no flattened stream at all, and nothing was written.
Result<Unflattened> Unflatten(int stream_fd, int output_fd, const std::atomic<bool>& stop);

}  // namespace kdumpkit
