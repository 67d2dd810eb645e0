// SPDX-License-Identifier: GPL-2.0-or-later
// Interfaces, addresses and routes of this kernel, set through rtnetlink(7).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "base/unique_fd.h"

namespace kdumpkit {

struct IpAddress {
  ByteBuffer bytes;  // 4 or 16, in network order

  bool is_v6() const { return bytes.size() == 16; }
  unsigned bits() const { return static_cast<unsigned>(8 * bytes.size()); }
  // As people write it; kUsage when it is no address.
  static Result<IpAddress> Parse(std::string_view text);
  std::string ToString() const;

  bool operator==(const IpAddress&) const = default;
};

// An address and the network it is in, or a network.
struct IpPrefix {
  IpAddress address;
  unsigned length = 0;  // bits

  // "10.0.2.15/24"; without a length it is the whole address.
  static Result<IpPrefix> Parse(std::string_view text);
  std::string ToString() const;
  // With the bits behind `length` zero.
  IpPrefix Network() const;

  bool operator==(const IpPrefix&) const = default;
};

class Netlink {
 public:
  static Result<Netlink> Open();

  // `index` is that of an interface (if_nametoindex(3)). What is there already is no error. Errors
  // have the kernel's own words, where it has any.
  Status SetMtu(unsigned index, unsigned mtu);
  Status SetUp(unsigned index);
  Status SetDown(unsigned index);
  // `mode` is a BOND_MODE_ of linux/if_bonding.h, `mac` the address that the bond gets. Ports are
  // judged by their carriers, as soon as they have any. The module brings a bond "bond0" of its
  // own; that one is changed.
  Status AddBond(const std::string& name, uint8_t mode, ByteView mac);
  // Of IEEE 802.1Q. `below` is the index of the interface that has the cable.
  Status AddVlan(const std::string& name, unsigned below, uint16_t id);
  // Makes an interface, which has to be down, a port of a bond; that brings it up.
  Status AddPort(unsigned bond, unsigned port);
  // IPv6 addresses are used at once, without looking for duplicates (IFA_F_NODAD): the address is
  // the dead kernel's own, and nobody waits a second for it.
  Status AddAddress(unsigned index, const IpPrefix& prefix);
  // `gateway` without bytes: the network is reached directly. A gateway need not be in a network of
  // the interface.
  Status AddRoute(unsigned index, const IpPrefix& network, const IpAddress& gateway);

 private:
  explicit Netlink(UniqueFd fd) : fd_(std::move(fd)) {}
  Status Request(ByteBuffer message);
  Status SetFlag(unsigned index, bool up);

  UniqueFd fd_;
  uint32_t sequence_ = 0;
};

}  // namespace kdumpkit
