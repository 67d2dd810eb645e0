// SPDX-License-Identifier: GPL-2.0-or-later
// What the header of an EFI program (PE/COFF) tells: enough to name it and to see a signature.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"

namespace kdumpkit {

struct PeImage {
  uint16_t machine = 0;               // IMAGE_FILE_MACHINE_*
  bool is_signed = false;             // the certificate table is not empty
  std::vector<std::string> sections;  // names, as many as the given bytes hold
};

// `head` is the beginning of a file. Absent when it holds no PE header.
std::optional<PeImage> ParsePeImage(ByteView head);

}  // namespace kdumpkit
