// SPDX-License-Identifier: GPL-2.0-or-later
// How this machine reaches the servers of its destinations, taken down for the capture kernel:
// the file /etc/kdumpkit/network, and the lines of /etc/hosts, so that neither DHCP nor DNS is
// needed there.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "kdumpctl/block_device.h"
#include "kdumpctl/live_system.h"

namespace kdumpkit {

struct NetworkFacts {
  std::string network;        // the text of /etc/kdumpkit/network; empty: no server is needed
  std::string hosts;          // the text of /etc/hosts
  std::string local_address;  // towards the first server
  std::map<std::string, std::string> addresses;  // host -> the address it has been given
  std::vector<std::string> interfaces;           // their names now
  DriverNeeds drivers;
  // Why it is nothing that the capture kernel sets up, which are cards, bonds of them, VLANs on
  // either, and bridges of which one port leads out: "'wlan0' is wireless"; empty: it is.
  std::string not_small;
};

// `known` has the addresses of an earlier image: they stand as long as the name still has them,
// or cannot be looked up, so that a server with several does not make each image stale. An error
// says which server cannot be reached, and why.
Result<NetworkFacts> FindNetworkFacts(const std::vector<std::string>& servers,
                                      const std::map<std::string, std::string>& known,
                                      const RootDir& root, LiveSystem& system);

}  // namespace kdumpkit
