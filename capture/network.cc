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

Status ParseStatement(const Words& words, std::vector<NetworkInterface>& interfaces) {
  std::string_view statement = words[0];
  if (statement == "interface") {
    if (words.size() != 3) return UsageError("an interface is 'interface MAC NAME'");
    interfaces.push_back({TRY(ParseMac(words[1])), std::string(words[2]), 0, {}, {}});
    return {};
  }
  if (interfaces.empty()) return UsageError("'{}' before any 'interface'", statement);
  NetworkInterface& interface = interfaces.back();
  if (statement == "route") {
    interface.routes.push_back(TRY(ParseRoute(words)));
    return {};
  }
  if (statement != "mtu" && statement != "address")
    return UsageError("unknown statement '{}'", statement);
  if (words.size() != 2) return UsageError("'{}' has one value", statement);
  if (statement == "mtu") {
    interface.mtu = TRY(ParseMtu(words[1]));
  } else {
    interface.addresses.push_back(TRY(IpPrefix::Parse(words[1])));
  }
  return {};
}

// Sets up each interface as soon as it appears; what is refused is said.
class Network {
 public:
  Network(const RootDir& root, Netlink netlink, CaptureSystem& system, CaptureLog& log,
          const std::vector<NetworkInterface>& interfaces)
      : root_(root), netlink_(std::move(netlink)), system_(system), log_(log) {
    for (const NetworkInterface& interface : interfaces) links_.push_back({&interface, {}, false});
  }

  Status BringUp(milliseconds timeout);

 private:
  struct Link {
    const NetworkInterface* interface;
    std::string name;  // in this kernel; empty: it is not there yet
    bool up;           // it has a carrier
  };

  void Advance(Link& link);
  void Configure(unsigned index, const NetworkInterface& interface);
  void Report(const Status& status, std::string_view what);
  static std::string Missing(const Link& link);

  const RootDir& root_;
  Netlink netlink_;
  CaptureSystem& system_;
  CaptureLog& log_;
  std::vector<Link> links_;
};

Status Network::BringUp(milliseconds timeout) {
  (void)netlink_.SetUp(if_nametoindex("lo"));
  milliseconds start = system_.Uptime(), say_at = start + kFirstSay;
  for (;;) {
    for (Link& link : links_) Advance(link);
    auto missing = std::ranges::find(links_, false, &Link::up);
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

void Network::Advance(Link& link) {
  if (link.up) return;
  if (link.name.empty()) {
    link.name = FindInterface(root_, link.interface->mac);
    if (link.name.empty()) return;
    Configure(if_nametoindex(link.name.c_str()), *link.interface);
  }
  link.up = root_.ReadLine(fmt::format("/sys/class/net/{}/carrier", link.name)) == "1";
  if (link.up)
    log_.Say("network interface '{}' ({}) is up as '{}'", link.interface->name, link.interface->mac,
             link.name);
}

std::string Network::Missing(const Link& link) {
  if (!link.name.empty())
    return fmt::format("network interface '{}' ({}) has no carrier", link.interface->name,
                       link.interface->mac);
  return fmt::format("there is no network interface '{}' ({}); is its driver in the image?",
                     link.interface->name, link.interface->mac);
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
  std::vector<NetworkInterface> interfaces;
  for (size_t number = 1; !text.empty(); ++number) {
    size_t end = std::min(text.find('\n'), text.size());
    Words words = SplitWords(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (words.empty()) continue;
    Status parsed = ParseStatement(words, interfaces);
    if (!parsed) return Malformed("{}:{}: {}", file, number, parsed.error().message());
  }
  return interfaces;
}

std::string FindInterface(const RootDir& root, std::string_view mac) {
  for (const std::string& name : root.List("/sys/class/net")) {
    std::string folder = "/sys/class/net/" + name;
    if (root.ReadLine(folder + "/address") == mac && !root.Exists(folder + "/master")) return name;
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
