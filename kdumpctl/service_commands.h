// SPDX-License-Identifier: GPL-2.0-or-later
// Subcommands that load and unload the crash kernel and build its image; each returns an exit
// status.
#pragma once

#include "kdumpctl/command.h"

namespace kdumpkit {

int Start(const Invocation& invocation);
int Stop(const Invocation& invocation);
int Restart(const Invocation& invocation);
int Reload(const Invocation& invocation);
int Rebuild(const Invocation& invocation);
int ShowMemory(const Invocation& invocation);
int ImageFiles(const Invocation& invocation);

inline constexpr CommandOption kStartOptions[] = {
    {"if-loaded", nullptr, "do nothing unless a crash kernel is loaded"},
};
inline constexpr CommandOption kReloadOptions[] = {
    {"hotplug", nullptr, "for udev: wait until changes settle, and do it once for all of them"},
};
inline constexpr CommandOption kImageFilesOptions[] = {
    {"builder", "NAME", "who asks: dracut (default) or initramfs-tools"},
};

}  // namespace kdumpkit
