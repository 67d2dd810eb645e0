// SPDX-License-Identifier: GPL-2.0-or-later
// Brings up the network as the dead kernel had it, from what kdumpctl wrote down when it built the
// image: no DHCP, no names of interfaces, which may be others in this kernel.
//
// One statement a line, '#' begins a comment:
//   interface MAC NAME    begins a block; NAME is that of the dead kernel, for messages
//   mtu N
//   address A/PREFIX
//   route default|NET/PREFIX [via GATEWAY]
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "capture/log.h"
#include "capture/netlink.h"
#include "capture/system.h"
#include "capture/watchdog.h"

namespace kdumpkit {

inline constexpr std::string_view kNetworkFile = "/etc/kdumpkit/network";

struct NetworkRoute {
  IpPrefix network;   // of length 0: the default route
  IpAddress gateway;  // without bytes: none

  bool operator==(const NetworkRoute&) const = default;
};

struct NetworkInterface {
  std::string mac;   // as sysfs has it: lower case, colons
  std::string name;  // in the dead kernel
  unsigned mtu = 0;  // 0: as it is
  std::vector<IpPrefix> addresses;
  std::vector<NetworkRoute> routes;
};

// Errors are kMalformed and begin with "file:line: ".
Result<std::vector<NetworkInterface>> ParseNetwork(std::string_view text, std::string_view file);

// Waits for the interfaces of kNetworkFile by their MAC, sets all that stands there and waits for a
// carrier. Without the file there is nothing to do. What the kernel refuses is logged and left out:
// a second address is no reason to lose a dump. Error: the file is wrong, or after `timeout` an
// interface or its carrier is missing; then the others are up all the same.
Status BringUpNetwork(const RootDir& root, std::chrono::seconds timeout, CaptureSystem& system,
                      CaptureLog& log, Watchdog& watchdog);

// The name in this kernel of the interface with this address; empty when there is none (yet). Of
// several with the same one it is the one on top: on Hyper-V and Azure a virtual function stands
// below another interface.
std::string FindInterface(const RootDir& root, std::string_view mac);

}  // namespace kdumpkit
