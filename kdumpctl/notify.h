// SPDX-License-Identifier: GPL-2.0-or-later
// What systemd is told when it has started this program (Type=notify); nothing happens elsewhere.
#pragma once

#include <string>

namespace kdumpkit {

// One line that "systemctl status" shows.
void NotifyStatus(const std::string& text);
// The same, and that the service has started.
void NotifyReady(const std::string& text);

}  // namespace kdumpkit
