// SPDX-License-Identifier: GPL-2.0-or-later
// EFI zboot images: an EFI program that unpacks the kernel it carries. Header: Linux
// drivers/firmware/efi/libstub/zboot-header.S.
#pragma once

#include "base/bytes.h"
#include "base/error.h"
#include "kexec/decompress.h"

namespace kdumpkit {

// `head` is the beginning of a file.
bool IsZbootImage(ByteView head);

// The kernel inside; `file` is the whole file. Fails when the payload lies beyond its end, is
// packed with what is not known here (lzo), or is damaged.
Result<ByteBuffer> UnpackZbootImage(ByteView file, size_t limit = kMaxUnpackedSize);

}  // namespace kdumpkit
