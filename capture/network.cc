// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/network.h"

#include <net/if.h>

#include <algorithm>
#include <cctype>
#include <charconv>

namespace kdumpkit {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds kPollInterval{100};
constexpr milliseconds kFirstSay{1000};
constexpr milliseconds kSayInterval{10'000};
constexpr unsigned kLeastMtu = 68;  // RFC 791
constexpr unsigned kMostMtu = 65535;

using Words = std::vector<std::string_view>;

Words SplitWords(std::string_view line) {
  constexpr std::string_view kBlanks = " \t\r";
  line = line.substr(0, line.find('#'));
  Words words;
  for (size_t at = line.find_first_not_of(kBlanks); at != std::string_view::npos;) {
    size_t end = std::min(line.find_first_of(kBlanks, at), line.size());
    words.push_back(line.substr(at, end - at));
    at = line.find_first_not_of(kBlanks, end);
  }
  return words;
}

// Ethernet has 6 bytes, Infiniband 20.
Result<std::string> ParseMac(std::string_view text) {
  std::string mac;
  size_t digits = 0;
  for (char c : text) {
    bool colon_due = digits == 2;
    if (colon_due != (c == ':') ||
        (!colon_due && std::isxdigit(static_cast<unsigned char>(c)) == 0))
      return UsageError("'{}' is no hardware address", text);
    digits = colon_due ? 0 : digits + 1;
    mac += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  if (digits != 2 || mac.size() < 17) return UsageError("'{}' is no hardware address", text);
  return mac;
}

Result<unsigned> ParseMtu(std::string_view text) {
  unsigned mtu = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), mtu);
  if (error != std::errc() || end != text.data() + text.size() || mtu < kLeastMtu || mtu > kMostMtu)
    return UsageError("mtu '{}': a number from {} to {} is wanted", text, kLeastMtu, kMostMtu);
  return mtu;
}

// "default" is of the gateway's family, without one of IPv4.
Result<NetworkRoute> ParseRoute(const Words& words) {
  NetworkRoute route;
  if (words.size() != 2 && (words.size() != 4 || words[2] != "via"))
    return UsageError("a route is 'route default|NET/PREFIX [via GATEWAY]'");
  if (words.size() == 4) route.gateway = TRY(IpAddress::Parse(words[3]));
  if (words[1] != "default") {
    route.network = TRY(IpPrefix::Parse(words[1])).Network();
  } else {
    route.network = TRY(IpPrefix::Parse(route.gateway.is_v6() ? "::/0" : "0.0.0.0/0"));
  }
  if (words.size() == 4 && route.gateway.is_v6() != route.network.address.is_v6())
    return UsageError("'{}' cannot be reached via '{}'", words[1], words[3]);
  return route;
}

// In the order of their numbers in linux/if_bonding.h (BOND_MODE_), which cannot be included beside
// net/if.h.
constexpr std::string_view kBondModes[] = {"balance-rr", "active-backup", "balance-xor",
                                           "broadcast",  "802.3ad",       "balance-tlb",
                                           "balance-alb"};

Result<uint8_t> ParseBondMode(std::string_view text) {
  const auto* found = std::ranges::find(kBondModes, text);
  if (found == std::end(kBondModes)) return UsageError("'{}' is no mode of a bond", text);
  return static_cast<uint8_t>(found - kBondModes);
}

Result<uint16_t> ParseVlanId(std::string_view text) {
  constexpr uint16_t kMostVlan = 4094;  // IEEE 802.1Q: 4095 is reserved
  uint16_t id = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (error != std::errc() || end != text.data() + text.size() || id > kMostVlan)
    return UsageError("VLAN '{}': a number from 0 to {} is wanted", text, kMostVlan);
  return id;
}

class Parser {
 public:
  Status Read(const Words& words);
  std::vector<NetworkInterface> Take() && { return std::move(interfaces_); }

 private:
  using Kind = NetworkInterface::Kind;

  Result<bool> Begin(const Words& words);
  Result<NetworkInterface*> Above(std::string_view name);
  Status Add(NetworkInterface interface);
  Status ReadPort(std::string_view name);

  std::vector<NetworkInterface> interfaces_;
};

Status Parser::Add(NetworkInterface interface) {
  if (Above(interface.name)) return UsageError("there are two '{}'", interface.name);
  if (interface.name.size() >= IFNAMSIZ)
    return UsageError("'{}' is too long for an interface's name", interface.name);
  interfaces_.push_back(std::move(interface));
  return {};
}

Result<NetworkInterface*> Parser::Above(std::string_view name) {
  auto found = std::ranges::find(interfaces_, name, &NetworkInterface::name);
  if (found == interfaces_.end()) return UsageError("no block of '{}' stands above", name);
  return &*found;
}

// Whether it is a statement that begins a block.
Result<bool> Parser::Begin(const Words& words) {
  NetworkInterface interface;
  if (words[0] == "interface") {
    if (words.size() != 3) return UsageError("an interface is 'interface MAC NAME'");
    interface.mac = TRY(ParseMac(words[1]));
    interface.name = words[2];
  } else if (words[0] == "bond") {
    if (words.size() != 4) return UsageError("a bond is 'bond MAC NAME MODE'");
    interface.kind = Kind::kBond;
    interface.mac = TRY(ParseMac(words[1]));
    interface.name = words[2];
    interface.bond_mode = TRY(ParseBondMode(words[3]));
  } else if (words[0] == "vlan") {
    if (words.size() != 4) return UsageError("a VLAN is 'vlan NAME BELOW ID'");
    interface.kind = Kind::kVlan;
    interface.name = words[1];
    interface.below = TRY(Above(words[2]))->name;
    interface.vlan_id = TRY(ParseVlanId(words[3]));
  } else {
    return false;
  }
  TRY(Add(std::move(interface)));
  return true;
}

Status Parser::ReadPort(std::string_view name) {
  NetworkInterface& bond = interfaces_.back();
  if (bond.kind != Kind::kBond) return UsageError("'port' is for bonds");
  const NetworkInterface* port = TRY(Above(name));
  if (port->kind != Kind::kCard) return UsageError("port '{}' is no card", name);
  bond.ports.emplace_back(name);
  return {};
}

Status Parser::Read(const Words& words) {
  std::string_view statement = words[0];
  if (TRY(Begin(words))) return {};
  if (interfaces_.empty()) return UsageError("'{}' before any 'interface'", statement);
  NetworkInterface& interface = interfaces_.back();
  if (statement == "route") {
    interface.routes.push_back(TRY(ParseRoute(words)));
    return {};
  }
  if (statement != "mtu" && statement != "address" && statement != "port")
    return UsageError("unknown statement '{}'", statement);
  if (words.size() != 2) return UsageError("'{}' has one value", statement);
  if (statement == "port") return ReadPort(words[1]);
  if (statement == "mtu") {
    interface.mtu = TRY(ParseMtu(words[1]));
  } else {
    interface.addresses.push_back(TRY(IpPrefix::Parse(words[1])));
  }
  return {};
}

// The bytes of a hardware address that ParseMac has taken.
ByteBuffer MacBytes(std::string_view mac) {
  constexpr size_t kStep = 3;
  ByteBuffer bytes;
  for (size_t at = 0; at + 1 < mac.size(); at += kStep) {
    uint8_t value = 0;
    (void)std::from_chars(mac.data() + at, mac.data() + at + 2, value, 16);
    bytes.push_back(std::byte{value});
  }
  return bytes;
}

std::string Describe(const NetworkInterface& interface) {
  if (interface.kind == NetworkInterface::Kind::kVlan)
    return fmt::format("'{}' (VLAN {})", interface.name, interface.vlan_id);
  return fmt::format("'{}' ({})", interface.name, interface.mac);
}

// Sets up each interface as soon as it appears; what is refused is said.
class Network {
 public:
  Network(const RootDir& root, Netlink netlink, CaptureSystem& system, CaptureLog& log,
          const std::vector<NetworkInterface>& interfaces);

  Status BringUp(milliseconds timeout);

 private:
  using Kind = NetworkInterface::Kind;

  struct Link {
    const NetworkInterface* interface;
    const NetworkInterface* bond;  // that it is a port of; null: none
    std::string name;              // in this kernel; empty: it is not there yet
    bool up = false;               // it has a carrier; a port: it is in its bond
    bool refused = false;          // the kernel does not make it
  };

  void Advance(Link& link);
  std::string Appear(Link& link);
  std::string Made(Link& link, const Status& status);
  unsigned IndexOf(std::string_view name) const;
  void AddPort(Link& port);
  void Configure(unsigned index, const NetworkInterface& interface);
  void Report(const Status& status, std::string_view what);
  static std::string Missing(const Link& link);

  const RootDir& root_;
  Netlink netlink_;
  CaptureSystem& system_;
  CaptureLog& log_;
  std::vector<Link> links_;
  std::set<std::string> made_;  // names of bonds and VLANs
};

Network::Network(const RootDir& root, Netlink netlink, CaptureSystem& system, CaptureLog& log,
                 const std::vector<NetworkInterface>& interfaces)
    : root_(root), netlink_(std::move(netlink)), system_(system), log_(log) {
  for (const NetworkInterface& interface : interfaces) {
    links_.push_back({&interface, nullptr, {}});
    if (interface.kind != Kind::kCard) made_.insert(interface.name);
    for (Link& link : links_)
      if (std::ranges::count(interface.ports, link.interface->name) > 0) link.bond = &interface;
  }
}

Status Network::BringUp(milliseconds timeout) {
  (void)netlink_.SetUp(if_nametoindex("lo"));
  milliseconds start = system_.Uptime(), say_at = start + kFirstSay;
  for (;;) {
    for (Link& link : links_) Advance(link);
    auto needed = [](const Link& link) { return !link.up && link.bond == nullptr; };
    auto missing = std::ranges::find_if(links_, needed);
    if (missing == links_.end()) return {};
    milliseconds now = system_.Uptime();
    if (now - start >= timeout) return Unsupported("{}", Missing(*missing));
    if (now >= say_at) {
      log_.Say("waiting: {}", Missing(*missing));
      say_at = now + kSayInterval;
    }
    system_.Sleep(kPollInterval);
  }
}

// Ports come before their bond, and get into it when both are there.
void Network::Advance(Link& link) {
  if (link.up) return;
  if (link.name.empty()) {
    link.name = Appear(link);
    if (link.name.empty()) return;
    if (link.bond == nullptr) Configure(if_nametoindex(link.name.c_str()), *link.interface);
  }
  if (link.bond != nullptr) return AddPort(link);
  link.up = root_.ReadLine(fmt::format("/sys/class/net/{}/carrier", link.name)) == "1";
  if (link.up) log_.Say("network interface {} is up as '{}'", Describe(*link.interface), link.name);
}

// Its name in this kernel, once it is there.
std::string Network::Appear(Link& link) {
  const NetworkInterface& interface = *link.interface;
  if (interface.kind == Kind::kCard) return FindInterface(root_, interface.mac, made_);
  if (link.refused) return {};
  if (interface.kind == Kind::kBond)
    return Made(link,
                netlink_.AddBond(interface.name, interface.bond_mode, MacBytes(interface.mac)));
  unsigned below = IndexOf(interface.below);
  if (below == 0) return {};
  return Made(link, netlink_.AddVlan(interface.name, below, interface.vlan_id));
}

std::string Network::Made(Link& link, const Status& status) {
  link.refused = !status;
  Report(status, link.interface->name);
  return status ? link.interface->name : std::string();
}

// In this kernel, of an interface as the dead one called it; 0: it is not there yet.
unsigned Network::IndexOf(std::string_view name) const {
  auto found =
      std::ranges::find_if(links_, [&](const Link& link) { return link.interface->name == name; });
  return found->name.empty() ? 0 : if_nametoindex(found->name.c_str());
}

void Network::AddPort(Link& port) {
  unsigned bond = IndexOf(port.bond->name), index = if_nametoindex(port.name.c_str());
  if (bond == 0) return;
  Report(netlink_.SetDown(index), port.interface->name);
  Report(netlink_.AddPort(bond, index),
         fmt::format("{}: port {}", port.bond->name, port.interface->name));
  port.up = true;
}

std::string Network::Missing(const Link& link) {
  std::string who = Describe(*link.interface);
  if (!link.name.empty()) return fmt::format("network interface {} has no carrier", who);
  if (link.interface->kind == Kind::kVlan && !link.refused)
    return fmt::format("network interface {} waits for '{}'", who, link.interface->below);
  return fmt::format("there is no network interface {}; is its driver in the image?", who);
}

void Network::Report(const Status& status, std::string_view what) {
  if (!status) log_.Say("{}: {}, ignoring", what, status.error().message());
}

// Up comes before the addresses: an interface that goes up forgets those of IPv6.
void Network::Configure(unsigned index, const NetworkInterface& interface) {
  if (interface.mtu != 0)
    Report(netlink_.SetMtu(index, interface.mtu),
           fmt::format("{}: mtu {}", interface.name, interface.mtu));
  Report(netlink_.SetUp(index), interface.name);
  for (const IpPrefix& address : interface.addresses)
    Report(netlink_.AddAddress(index, address),
           fmt::format("{}: address {}", interface.name, address.ToString()));
  for (const NetworkRoute& route : interface.routes)
    Report(netlink_.AddRoute(index, route.network, route.gateway),
           fmt::format("{}: route {}", interface.name, route.network.ToString()));
}

}  // namespace

Result<std::vector<NetworkInterface>> ParseNetwork(std::string_view text, std::string_view file) {
  Parser parser;
  for (size_t number = 1; !text.empty(); ++number) {
    size_t end = std::min(text.find('\n'), text.size());
    Words words = SplitWords(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (words.empty()) continue;
    Status parsed = parser.Read(words);
    if (!parsed) return Malformed("{}:{}: {}", file, number, parsed.error().message());
  }
  return std::move(parser).Take();
}

std::string FindInterface(const RootDir& root, std::string_view mac,
                          const std::set<std::string>& made) {
  for (const std::string& name : root.List("/sys/class/net")) {
    std::string folder = "/sys/class/net/" + name;
    if (made.contains(name) || root.Exists(folder + "/master")) continue;
    if (root.ReadLine(folder + "/address") == mac) return name;
  }
  return {};
}

Status BringUpNetwork(const RootDir& root, seconds timeout, CaptureSystem& system, CaptureLog& log,
                      Watchdog& watchdog) {
  constexpr milliseconds kGrace{60'000};
  if (!root.Exists(kNetworkFile)) return {};
  watchdog.Expect("bringing up the network", timeout + kGrace);
  std::string text = TRY(root.ReadText(kNetworkFile));
  std::vector<NetworkInterface> interfaces = TRY(ParseNetwork(text, kNetworkFile));
  return Network(root, TRY(Netlink::Open()), system, log, interfaces).BringUp(timeout);
}

}  // namespace kdumpkit
