// SPDX-License-Identifier: GPL-2.0-or-later
// Files of up to 64 KiB that are mostly zero, in a few hundred bytes: for fuzz corpora. A record is
// a little-endian 16-bit offset, a length byte and that many bytes; length 0 extends the file to
// the offset. Any input is an image.
#pragma once

#include "base/bytes.h"

namespace kdumpkit {

ByteBuffer ExpandImage(ByteView records);
ByteBuffer PackImage(ByteView image);

}  // namespace kdumpkit
