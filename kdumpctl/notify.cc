// SPDX-License-Identifier: GPL-2.0-or-later
#include "kdumpctl/notify.h"

#ifdef KDUMPKIT_SYSTEMD
#include <systemd/sd-daemon.h>
#endif

namespace kdumpkit {

#ifdef KDUMPKIT_SYSTEMD

void NotifyStatus(const std::string& text) {
  (void)sd_notify(0, ("STATUS=" + text.substr(0, text.find('\n'))).c_str());
}

void NotifyReady(const std::string& text) {
  (void)sd_notify(0, ("READY=1\nSTATUS=" + text.substr(0, text.find('\n'))).c_str());
}

#else

void NotifyStatus(const std::string&) {}
void NotifyReady(const std::string&) {}

#endif

}  // namespace kdumpkit
