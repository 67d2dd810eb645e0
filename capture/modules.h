// SPDX-License-Identifier: GPL-2.0-or-later
// Loads the kernel modules that the image lists.
#pragma once

#include <string>
#include <string_view>

#include "base/file.h"
#include "capture/log.h"
#include "capture/system.h"

namespace kdumpkit {

// One path of a module a line, in loading order; written by kdump-mkinitramfs.
inline constexpr std::string_view kModuleList = "/etc/kdumpkit/modules";

// The name of a module as the kernel spells it: "virtio_blk" for "…/virtio-blk.ko".
std::string ModuleName(std::string_view path);

// What the command line sets for a module ("virtio_blk.num_request_queues=1"), as the kernel takes
// it when it loads the module: "num_request_queues=1".
std::string ModuleParameters(std::string_view module, std::string_view command_line);

// A module that cannot be loaded is reported and left out. Returns how many were loaded.
size_t LoadListedModules(const RootDir& root, std::string_view command_line, CaptureSystem& system,
                         CaptureLog& log);

}  // namespace kdumpkit
