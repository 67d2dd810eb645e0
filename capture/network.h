// SPDX-License-Identifier: GPL-2.0-or-later
// Brings up the network as the dead kernel had it, from what kdumpctl wrote down when it built the
// image: no DHCP, no names of interfaces, which may be others in this kernel.
//
// One statement a line, '#' begins a comment:
//   interface MAC NAME    begins the block of a card; NAME is that of the dead kernel
//   bond MAC NAME MODE    begins the block of a bond; MODE as the kernel names it: "802.3ad"
//   vlan NAME BELOW ID    begins the block of a VLAN on top of the interface BELOW
//   mtu N
//   address A/PREFIX
//   route default|NET/PREFIX [via GATEWAY]
//   port NAME             in the block of a bond: one of its cards
// What NAME and BELOW refer to has its block above. A bond and a VLAN get their names here, too.
#pragma once

#include <chrono>
#include <cstdint>
#include <set>
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
  enum class Kind { kCard, kBond, kVlan };

  Kind kind = Kind::kCard;
  // As sysfs has it: lower case, colons. A card is found by it, a bond gets it; a VLAN has none.
  std::string mac;
  std::string name;                // in the dead kernel
  uint8_t bond_mode = 0;           // BOND_MODE_ of linux/if_bonding.h
  std::vector<std::string> ports;  // of a bond: names of cards
  std::string below;               // of a VLAN: the name of what it is on
  uint16_t vlan_id = 0;
  unsigned mtu = 0;  // 0: as it is
  std::vector<IpPrefix> addresses;
  std::vector<NetworkRoute> routes;
};

// Errors are kMalformed and begin with "file:line: ".
Result<std::vector<NetworkInterface>> ParseNetwork(std::string_view text, std::string_view file);

// Waits for the cards of kNetworkFile by their MAC, makes the bonds and VLANs, sets all that stands
// there and waits for carriers. Of a bond's cards one is enough. Without the file there is nothing
// to do. What the kernel refuses is logged and left out: a second address is no reason to lose a
// dump. Error: the file is wrong, or after `timeout` an interface or its carrier is missing; then
// the others are up all the same.
Status BringUpNetwork(const RootDir& root, std::chrono::seconds timeout, CaptureSystem& system,
                      CaptureLog& log, Watchdog& watchdog);

// The name in this kernel of the interface with this address; empty when there is none (yet). Of
// several with the same one it is the one on top: on Hyper-V and Azure a virtual function stands
// below another interface. `made` are names that it is not to be: bonds and VLANs have the address
// of a card below them.
std::string FindInterface(const RootDir& root, std::string_view mac,
                          const std::set<std::string>& made = {});

}  // namespace kdumpkit
