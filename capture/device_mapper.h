// SPDX-License-Identifier: GPL-2.0-or-later
// Makes devices of the kernel's device mapper (linux/dm-ioctl.h).
#pragma once

#include "base/error.h"
#include "capture/system.h"

namespace kdumpkit {

// Keys of tables are looked for in root's own keyring, too. A failure leaves nothing behind. Where
// nobody else does, /dev/mapper gets a link of the device's name.
Status MapDevice(const MapRequest& request);

}  // namespace kdumpkit
