// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "base/bytes.h"

namespace kdumpkit {

// The dump that a whole flattened stream describes, as "makedumpfile -R" would make it. Fails the
// test, and returns nothing, when the stream is not well-formed to its end mark or when two records
// overlap (which readers resolve in different ways).
ByteBuffer Rearrange(ByteView stream);

}  // namespace kdumpkit
