// SPDX-License-Identifier: GPL-2.0-or-later
// The "newc" cpio archive, the format of an initramfs.
#pragma once

#include "initramfs/file_tree.h"

namespace kdumpkit {

// The archive's bytes; the same tree always gives the same ones (all times are 0). Fails with
// kUnsupported when a file is too large for the format (4 GiB).
Result<ByteBuffer> WriteNewc(const FileTree& tree);

}  // namespace kdumpkit
