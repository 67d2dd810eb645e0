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
  std::string head;  // the line that begins its block
  std::vector<std::string> ports;
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

std::string LinkKind(const Json& link) {
  auto info = link.find("linkinfo");
  return info == link.end() || !info->is_object() ? "" : TextOf(*info, "info_kind");
}

std::string SysfsOf(const std::string& name) { return "/sys/class/net/" + name; }

// "it is wireless"; empty: a card that the capture kernel can set up.
std::string WhyNoCard(const RootDir& root, const std::string& name, const std::string& kind) {
  if (!kind.empty()) return fmt::format("'{}' is a {}", name, kind);
  if (root.Exists(SysfsOf(name) + "/phy80211")) return fmt::format("'{}' is wireless", name);
  if (!root.Exists(SysfsOf(name) + "/device")) return fmt::format("'{}' is no network card", name);
  return "";
}

std::string MacOf(const Json& link) {
  std::string permanent = TextOf(link, "permaddr");
  return permanent.empty() ? TextOf(link, "address") : permanent;
}

// Virtual machines and containers are ports of a bridge, too; what leads out of this machine is a
// card, or something on top of one.
bool LeadsOut(const RootDir& root, const std::string& name) {
  for (const char* mark : {"/device", "/bonding"})
    if (root.Exists(SysfsOf(name) + mark)) return true;
  return root.ReadText(SysfsOf(name) + "/uevent").value_or("").find("DEVTYPE=vlan\n") !=
         std::string::npos;
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
  // Writes down what an interface is, after all that it is on. Returns the name of its block, which
  // is that of the port when it is a bridge.
  Result<std::string> BlockOf(const std::string& name);
  Result<std::string> BridgePort(const std::string& name);
  Result<std::string> Head(const std::string& name, const Json& link, Interface& interface);
  Result<std::string> BondHead(const std::string& name, const Json& link, Interface& interface);
  Result<std::string> VlanHead(const std::string& name, const Json& link);
  Status AddAddresses(const std::string& name, Interface& interface);
  void AddInterfaceDrivers(const std::string& name);
  void NotSmall(std::string reason);

  const std::map<std::string, std::string>& known_;
  const RootDir& root_;
  LiveSystem& system_;
  NetworkFacts facts_;
  std::map<std::string, Interface> interfaces_;
  std::vector<std::string> order_;               // what stands on another comes after it
  std::map<std::string, std::string> block_of_;  // of each interface that was asked for
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

void FactFinder::NotSmall(std::string reason) {
  if (facts_.not_small.empty()) facts_.not_small = std::move(reason);
}

// With its addresses.
Result<Interface*> FactFinder::FindInterface(const std::string& name) {
  Interface* interface = &interfaces_[TRY(BlockOf(name))];
  if (std::ranges::count(facts_.interfaces, name) > 0) return interface;
  facts_.interfaces.push_back(name);
  TRY(AddAddresses(name, *interface));
  return interface;
}

Result<std::string> FactFinder::BlockOf(const std::string& name) {
  if (auto known = block_of_.find(name); known != block_of_.end()) return known->second;
  Json link = TRY(AskIp(system_, {"-details", "link", "show", "dev", name}));
  if (LinkKind(link) == "bridge") return block_of_[name] = TRY(BlockOf(TRY(BridgePort(name))));
  Interface interface;
  interface.head = TRY(Head(name, link, interface));
  interface.mtu = NumberOf(link, "mtu");
  interfaces_[name] = std::move(interface);
  order_.push_back(name);
  return block_of_[name] = name;
}

// The capture kernel has no other ports, so it needs no bridge: the one port gets the addresses.
Result<std::string> FactFinder::BridgePort(const std::string& name) {
  std::vector<std::string> ports = root_.List(SysfsOf(name) + "/brif");
  std::erase_if(ports, [&](const std::string& port) { return !LeadsOut(root_, port); });
  if (ports.size() == 1) return ports[0];
  if (ports.empty()) return UsageError("bridge '{}' has no port that leads out", name);
  return UsageError("bridge '{}' has several ports that lead out ({}); the capture kernel uses one",
                    name, fmt::join(ports, ", "));
}

Result<std::string> FactFinder::Head(const std::string& name, const Json& link,
                                     Interface& interface) {
  std::string kind = LinkKind(link);
  if (kind == "bond") return BondHead(name, link, interface);
  if (kind == "vlan") return VlanHead(name, link);
  if (std::string reason = WhyNoCard(root_, name, kind); !reason.empty()) NotSmall(reason);
  AddInterfaceDrivers(name);
  return fmt::format("interface {} {}", MacOf(link), name);
}

// A bond has no address of its own that is permanent.
Result<std::string> FactFinder::BondHead(const std::string& name, const Json& link,
                                         Interface& interface) {
  std::string folder = SysfsOf(name) + "/bonding";
  std::vector<std::string> mode = Words(root_.ReadLine(folder + "/mode").value_or(""));
  interface.ports = Words(root_.ReadLine(folder + "/slaves").value_or(""));
  if (mode.empty() || interface.ports.empty()) return UsageError("bond '{}' has no ports", name);
  for (const std::string& port : interface.ports)
    if (!interfaces_[TRY(BlockOf(port))].head.starts_with("interface "))
      NotSmall(fmt::format("'{}', a port of bond '{}', is no network card", port, name));
  facts_.drivers.modules.insert("bonding");
  return fmt::format("bond {} {} {}", TextOf(link, "address"), name, mode[0]);
}

Result<std::string> FactFinder::VlanHead(const std::string& name, const Json& link) {
  Json info = link["linkinfo"].value("info_data", Json::object());
  std::string protocol = TextOf(info, "protocol");
  if (!protocol.empty() && protocol != "802.1Q")
    NotSmall(fmt::format("'{}' is a VLAN of {}", name, protocol));
  std::string below = TextOf(link, "link");
  if (below.empty() || !info.contains("id")) return UsageError("'{}' is on nothing", name);
  below = TRY(BlockOf(below));
  facts_.drivers.modules.insert("8021q");
  return fmt::format("vlan {} {} {}", name, below, NumberOf(info, "id"));
}

Status FactFinder::AddAddresses(const std::string& name, Interface& interface) {
  size_t before = interface.addresses.size();
  Json shown = TRY(AskIp(system_, {"address", "show", "dev", name}));
  auto list = shown.find("addr_info");
  if (list == shown.end() || !list->is_array()) return UsageError("'{}' has no address", name);
  for (const Json& entry : *list) {
    if (!entry.is_object() || TextOf(entry, "scope") != "global") continue;
    // Privacy addresses of IPv6 come and go.
    if (entry.contains("temporary") || entry.contains("dadfailed")) continue;
    interface.addresses.push_back(
        fmt::format("{}/{}", TextOf(entry, "local"), NumberOf(entry, "prefixlen")));
  }
  if (interface.addresses.size() == before) return UsageError("'{}' has no address", name);
  std::sort(interface.addresses.begin(), interface.addresses.end());
  return {};
}

// Of the card, and of the chip that drives its cable.
void FactFinder::AddInterfaceDrivers(const std::string& name) {
  for (const char* part : {"device", "phydev", "device/physfn"})
    if (auto device = RealPath(root_, fmt::format("{}/{}", SysfsOf(name), part)))
      AddDrivers(root_, *device, facts_.drivers);
}

std::string TextOfInterface(const Interface& interface) {
  std::string text = interface.head + "\n";
  for (const std::string& port : interface.ports) text += fmt::format("port {}\n", port);
  if (interface.mtu != 0) text += fmt::format("mtu {}\n", interface.mtu);
  for (const std::string& address : interface.addresses)
    text += fmt::format("address {}\n", address);
  for (const std::string& route : interface.routes) text += fmt::format("route {}\n", route);
  return text;
}

Result<NetworkFacts> FactFinder::Finish() {
  for (const std::string& name : order_) facts_.network += TextOfInterface(interfaces_[name]);
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
