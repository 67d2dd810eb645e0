// SPDX-License-Identifier: GPL-2.0-or-later
// Bytes as a file that lives in memory only: how the kernel is given what is in no file.
#pragma once

#include <string>

#include "base/bytes.h"
#include "base/error.h"
#include "base/unique_fd.h"

namespace kdumpkit {

// A memfd with `contents`, at position 0, sealed: nobody can change it any more, nor take the seals
// off. `name` is shown in /proc; it is cut at the 249 bytes that Linux takes.
Result<UniqueFd> SealedMemfd(const std::string& name, ByteView contents);

}  // namespace kdumpkit
