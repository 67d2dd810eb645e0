// SPDX-License-Identifier: GPL-2.0-or-later
#include "kdumpctl/network_facts.h"

#include <arpa/inet.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "kdumpctl/text.h"

namespace kdumpkit {
namespace {

using Json = nlohmann::json;

struct Interface {
  std::string mac;
  std::string name;
  unsigned mtu = 0;
  std::vector<std::string> addresses;
  std::vector<std::string> routes;
};

bool IsAddress(const std::string& text) {
  unsigned char buffer[sizeof(in6_addr)];
  std::string plain = text.substr(0, text.find('%'));
  return inet_pton(AF_INET, plain.c_str(), buffer) == 1 ||
         inet_pton(AF_INET6, plain.c_str(), buffer) == 1;
}

std::string TextOf(const Json& object, const char* name) {
  auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

unsigned NumberOf(const Json& object, const char* name) {
  auto found = object.find(name);
  return found != object.end() && found->is_number_unsigned() ? found->get<unsigned>() : 0;
}

// The first element of what "ip -json ..." (iproute2) prints.
Result<Json> AskIp(LiveSystem& system, std::vector<std::string> words) {
  std::vector<std::string> argv = {"ip", "-json"};
  argv.insert(argv.end(), words.begin(), words.end());
  ProgramResult result = TRY(system.Run(argv, std::chrono::seconds(5)));
  if (!result.state.ok())
    return UsageError(
        "'ip {} {} {}': {}", words[0], words[1], words.back(),
        result.err.empty() ? result.state.ToString() : result.err.substr(0, result.err.find('\n')));
  Json list = Json::parse(result.out, nullptr, false);
  // It prints empty objects for what does not match.
  if (list.is_array())
    for (const Json& element : list)
      if (element.is_object() && !element.empty()) return element;
  return UsageError("'ip {} {} {}' has no answer", words[0], words[1], words.back());
}

// As long as it is not the default one: "it is a vlan".
std::string KindReason(const RootDir& root, const std::string& name, const Json& link) {
  auto info = link.find("linkinfo");
  std::string kind = info == link.end() ? "" : TextOf(*info, "info_kind");
  std::string folder = "/sys/class/net/" + name;
  if (!kind.empty()) return fmt::format("'{}' is a {}", name, kind);
  if (root.Exists(folder + "/phy80211")) return fmt::format("'{}' is wireless", name);
  if (!root.Exists(folder + "/device")) return fmt::format("'{}' is no network card", name);
  return "";
}

class FactFinder {
 public:
  FactFinder(const std::map<std::string, std::string>& known, const RootDir& root,
             LiveSystem& system)
      : known_(known), root_(root), system_(system) {}

  Status AddServer(const std::string& host);
  Result<NetworkFacts> Finish();

 private:
  Result<std::string> AddressOf(const std::string& host);
  Status AddRoute(const std::string& host, const std::string& address);
  Result<Interface*> FindInterface(const std::string& name);
  Status AddAddresses(Interface& interface);
  void AddInterfaceDrivers(const std::string& name);

  const std::map<std::string, std::string>& known_;
  const RootDir& root_;
  LiveSystem& system_;
  NetworkFacts facts_;
  std::map<std::string, Interface> interfaces_;
};

Result<std::string> FactFinder::AddressOf(const std::string& host) {
  if (IsAddress(host)) return host;
  std::vector<std::string> addresses = system_.Resolve(host);
  auto known = known_.find(host);
  if (known != known_.end() &&
      (addresses.empty() || std::count(addresses.begin(), addresses.end(), known->second) > 0))
    return known->second;
  if (addresses.empty()) return UsageError("the name '{}' is not known now", host);
  return addresses.front();
}

Status FactFinder::AddServer(const std::string& host) {
  if (facts_.addresses.contains(host)) return {};
  std::string address = TRY(AddressOf(host));
  facts_.addresses[host] = address;
  if (address != host) facts_.hosts += fmt::format("{} {}\n", address, host);
  return AddRoute(host, address);
}

Status FactFinder::AddRoute(const std::string& host, const std::string& address) {
  Json route =
      TRY(AskIp(system_, {"route", "get", address}).In(fmt::format("no way to '{}'", host)));
  std::string device = TextOf(route, "dev");
  if (device.empty() || device == "lo")
    return UsageError("'{}' is this machine, which is gone after a crash", host);
  if (facts_.local_address.empty()) facts_.local_address = TextOf(route, "prefsrc");
  Interface* interface = TRY(FindInterface(device));
  std::string gateway = TextOf(route, "gateway");
  if (auto via = route.find("via"); gateway.empty() && via != route.end())
    gateway = TextOf(*via, "host");
  if (gateway.empty()) return {};
  unsigned bits = address.find(':') == std::string::npos ? 32 : 128;
  interface->routes.push_back(fmt::format("{}/{} via {}", address, bits, gateway));
  return {};
}

Result<Interface*> FactFinder::FindInterface(const std::string& name) {
  auto [place, is_new] = interfaces_.try_emplace(name);
  Interface& interface = place->second;
  if (!is_new) return &interface;
  Json link = TRY(AskIp(system_, {"-details", "link", "show", "dev", name}));
  interface.name = name;
  interface.mac = TextOf(link, "permaddr");
  if (interface.mac.empty()) interface.mac = TextOf(link, "address");
  interface.mtu = NumberOf(link, "mtu");
  if (facts_.not_small.empty()) facts_.not_small = KindReason(root_, name, link);
  facts_.interfaces.push_back(name);
  AddInterfaceDrivers(name);
  TRY(AddAddresses(interface));
  return &interface;
}

Status FactFinder::AddAddresses(Interface& interface) {
  Json shown = TRY(AskIp(system_, {"address", "show", "dev", interface.name}));
  auto list = shown.find("addr_info");
  if (list == shown.end() || !list->is_array()) return {};
  for (const Json& entry : *list) {
    if (!entry.is_object() || TextOf(entry, "scope") != "global") continue;
    // Privacy addresses of IPv6 come and go.
    if (entry.contains("temporary") || entry.contains("dadfailed")) continue;
    interface.addresses.push_back(
        fmt::format("{}/{}", TextOf(entry, "local"), NumberOf(entry, "prefixlen")));
  }
  std::sort(interface.addresses.begin(), interface.addresses.end());
  return {};
}

// Of the card, and of the chip that drives its cable.
void FactFinder::AddInterfaceDrivers(const std::string& name) {
  for (const char* part : {"device", "phydev", "device/physfn"})
    if (auto device = RealPath(root_, fmt::format("/sys/class/net/{}/{}", name, part)))
      AddDrivers(root_, *device, facts_.drivers);
}

std::string TextOfInterface(const Interface& interface) {
  std::string text = fmt::format("interface {} {}\n", interface.mac, interface.name);
  if (interface.mtu != 0) text += fmt::format("mtu {}\n", interface.mtu);
  for (const std::string& address : interface.addresses)
    text += fmt::format("address {}\n", address);
  for (const std::string& route : interface.routes) text += fmt::format("route {}\n", route);
  return text;
}

Result<NetworkFacts> FactFinder::Finish() {
  for (const auto& [name, interface] : interfaces_) {
    if (interface.addresses.empty()) return UsageError("'{}' has no address", name);
    facts_.network += TextOfInterface(interface);
  }
  if (!facts_.network.empty()) facts_.hosts.insert(0, "127.0.0.1 localhost\n::1 localhost\n");
  return std::move(facts_);
}

}  // namespace

Result<NetworkFacts> FindNetworkFacts(const std::vector<std::string>& servers,
                                      const std::map<std::string, std::string>& known,
                                      const RootDir& root, LiveSystem& system) {
  FactFinder finder(known, root, system);
  for (const std::string& server : servers) TRY(finder.AddServer(server));
  return finder.Finish();
}

}  // namespace kdumpkit
