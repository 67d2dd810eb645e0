// SPDX-License-Identifier: GPL-2.0-or-later
#include "kdumpctl/network_facts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/kdumpctl/live_fixture.h"

namespace kdumpkit {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// What "ip -json" of iproute2 6.1 prints.
constexpr const char kLink[] =
    R"([{"ifindex":2,"ifname":"eth0","flags":["UP"],"mtu":1450,"link_type":"ether",)"
    R"("address":"52:54:00:12:34:56","inet6_addr_gen_mode":"eui64","num_tx_queues":1}])";
constexpr const char kAddresses[] =
    R"([{},{"ifindex":2,"ifname":"eth0","addr_info":[)"
    R"({"family":"inet","local":"10.0.2.15","prefixlen":24,"scope":"global","dynamic":true},)"
    R"({"family":"inet6","local":"fd00::9","prefixlen":64,"scope":"global","temporary":true},)"
    R"({"family":"inet6","local":"fd00::5","prefixlen":64,"scope":"global"},)"
    R"({"family":"inet6","local":"fe80::1","prefixlen":64,"scope":"link"}]}])";

class NetworkFactsTest : public testing::Test {
 protected:
  NetworkFactsTest() {
    machine_.Device("/sys/devices/pci0000:00/0000:00:03.0", "virtio_pci");
    machine_.Device("/sys/devices/pci0000:00/0000:00:03.0/virtio2", "virtio_net", "virtio:d1");
    machine_.Link("/sys/class/net/eth0/device", "/sys/devices/pci0000:00/0000:00:03.0/virtio2");
    system_.hosts["files"] = {"192.0.2.7"};
    system_.answers = {
        {"ip -json route get 192.0.2.7",
         R"([{"dst":"192.0.2.7","gateway":"10.0.2.2","dev":"eth0","prefsrc":"10.0.2.15"}])"},
        {"ip -json route get 10.0.2.9",
         R"([{"dst":"10.0.2.9","dev":"eth0","prefsrc":"10.0.2.15","flags":[]}])"},
        {"ip -json route get fd01::1",
         R"([{"dst":"fd01::1","via":{"family":"inet6","host":"fe80::2"},"dev":"eth0"}])"},
        {"ip -json route get 127.0.1.1", R"([{"dst":"127.0.1.1","dev":"lo"}])"},
        {"ip -json -details link show dev eth0", kLink},
        {"ip -json address show dev eth0", kAddresses},
    };
  }
  Result<NetworkFacts> Find(const std::vector<std::string>& servers) {
    return FindNetworkFacts(servers, known_, machine_.root(), system_);
  }

  Machine machine_;
  FakeLiveSystem system_;
  std::map<std::string, std::string> known_;
};

TEST_F(NetworkFactsTest, NoServerNoNetwork) {
  Result<NetworkFacts> facts = Find({});
  ASSERT_TRUE(facts.has_value());
  EXPECT_EQ(facts->network, "");
  EXPECT_EQ(facts->hosts, "");
  EXPECT_THAT(system_.runs, testing::IsEmpty());
}

TEST_F(NetworkFactsTest, SeveralServersThroughOneCard) {
  Result<NetworkFacts> facts = Find({"files", "10.0.2.9", "fd01::1", "files"});
  ASSERT_TRUE(facts.has_value()) << facts.error().message();
  EXPECT_EQ(facts->network,
            "interface 52:54:00:12:34:56 eth0\n"
            "mtu 1450\n"
            "address 10.0.2.15/24\n"
            "address fd00::5/64\n"
            "route 192.0.2.7/32 via 10.0.2.2\n"
            "route fd01::1/128 via fe80::2\n");
  EXPECT_EQ(facts->hosts, "127.0.0.1 localhost\n::1 localhost\n192.0.2.7 files\n");
  EXPECT_EQ(facts->local_address, "10.0.2.15");
  EXPECT_THAT(facts->drivers.modules, ElementsAre("virtio_net", "virtio_pci"));
  EXPECT_EQ(facts->not_small, "");
}

TEST_F(NetworkFactsTest, PermanentAddressOfTheCard) {
  std::string link = kLink;
  link.insert(link.find("\"address\""), R"("permaddr":"52:54:00:aa:bb:cc",)");
  system_.answers["ip -json -details link show dev eth0"] = link;
  EXPECT_THAT(Find({"files"})->network, HasSubstr("interface 52:54:00:aa:bb:cc eth0\n"));
}

TEST_F(NetworkFactsTest, AKnownAddressStandsAsLongAsItHolds) {
  const struct {
    std::vector<std::string> now;
    const char* address;
  } kCases[] = {
      {{"10.0.2.9", "192.0.2.7"}, "192.0.2.7"},  // another order
      {{"10.0.2.9"}, "10.0.2.9"},                // it has moved
      {{}, "192.0.2.7"},                         // no name service now
  };
  known_["files"] = "192.0.2.7";
  for (const auto& row : kCases) {
    system_.hosts["files"] = row.now;
    EXPECT_EQ(Find({"files"})->addresses.at("files"), row.address);
  }
}

TEST_F(NetworkFactsTest, WhatIsNoPlainCard) {
  std::string link = kLink;
  link.insert(link.find("\"inet6"), R"("linkinfo":{"info_kind":"team"},)");
  system_.answers["ip -json -details link show dev eth0"] = link;
  EXPECT_EQ(Find({"files"})->not_small, "'eth0' is a team");
  system_.answers["ip -json -details link show dev eth0"] = kLink;
  machine_.Write("/sys/class/net/eth0/phy80211", "");
  EXPECT_EQ(Find({"files"})->not_small, "'eth0' is wireless");
  machine_.Remove("/sys/class/net/eth0");
  EXPECT_EQ(Find({"files"})->not_small, "'eth0' is no network card");
}

// br0 has a virtual machine's port and a VLAN on a bond of two cards.
class StackedFactsTest : public NetworkFactsTest {
 protected:
  StackedFactsTest() {
    system_.answers["ip -json route get 192.0.2.7"] =
        R"([{"dst":"192.0.2.7","gateway":"10.0.2.2","dev":"br0","prefsrc":"10.0.2.15"}])";
    Interface("br0", "52:54:00:12:34:56", R"("linkinfo":{"info_kind":"bridge","info_data":{}})");
    Interface("vlan5", "52:54:00:12:34:56",
              R"("link":"bond0","linkinfo":{"info_kind":"vlan",)"
              R"("info_data":{"protocol":"802.1Q","id":5}})");
    Interface("bond0", "52:54:00:12:34:56", R"("linkinfo":{"info_kind":"bond"})");
    for (const char* card : {"eno1", "eno2"}) {
      Interface(card, "52:54:00:12:34:56",
                R"("permaddr":"52:54:00:00:00:0)" + std::string(1, card[3]) +
                    R"(","linkinfo":{"info_slave_kind":"bond"})");
      machine_.Link(fmt::format("/sys/class/net/{}/device", card),
                    "/sys/devices/pci0000:00/0000:00:03.0/virtio2");
    }
    machine_.Write("/sys/class/net/br0/brif/vnet0/x", "");
    machine_.Write("/sys/class/net/br0/brif/vlan5/x", "");
    machine_.Write("/sys/class/net/vlan5/uevent", "DEVTYPE=vlan\nINTERFACE=vlan5\n");
    machine_.Write("/sys/class/net/vnet0/uevent", "INTERFACE=vnet0\n");
    machine_.Write("/sys/class/net/bond0/bonding/mode", "802.3ad 4\n");
    machine_.Write("/sys/class/net/bond0/bonding/slaves", "eno1 eno2\n");
    system_.answers["ip -json address show dev br0"] =
        R"([{"ifname":"br0","addr_info":[{"local":"10.0.2.15","prefixlen":24,"scope":"global"}]}])";
  }
  void Interface(const std::string& name, const std::string& mac, const std::string& more) {
    system_.answers["ip -json -details link show dev " + name] =
        fmt::format(R"([{{"ifname":"{}","mtu":1500,"address":"{}",{}}}])", name, mac, more);
  }
};

TEST_F(StackedFactsTest, BridgeOnAVlanOnABond) {
  Result<NetworkFacts> facts = Find({"files"});
  ASSERT_TRUE(facts.has_value()) << facts.error().message();
  EXPECT_EQ(facts->network,
            "interface 52:54:00:00:00:01 eno1\n"
            "mtu 1500\n"
            "interface 52:54:00:00:00:02 eno2\n"
            "mtu 1500\n"
            "bond 52:54:00:12:34:56 bond0 802.3ad\n"
            "port eno1\n"
            "port eno2\n"
            "mtu 1500\n"
            "vlan vlan5 bond0 5\n"
            "mtu 1500\n"
            "address 10.0.2.15/24\n"
            "route 192.0.2.7/32 via 10.0.2.2\n");
  EXPECT_THAT(facts->drivers.modules, ElementsAre("8021q", "bonding", "virtio_net", "virtio_pci"));
  EXPECT_EQ(facts->not_small, "");
}

TEST_F(StackedFactsTest, WhatCannotBeFlattened) {
  machine_.Write("/sys/class/net/br0/brif/eno2/x", "");
  EXPECT_THAT(Find({"files"}).error().message(),
              HasSubstr("'br0' has several ports that lead out (eno2, vlan5)"));
  machine_.Remove("/sys/class/net/br0/brif");
  EXPECT_THAT(Find({"files"}).error().message(), HasSubstr("'br0' has no port that leads out"));
}

TEST_F(StackedFactsTest, BondsThatCannotBeMade) {
  machine_.Write("/sys/class/net/bond0/bonding/slaves", "\n");
  EXPECT_THAT(Find({"files"}).error().message(), HasSubstr("bond 'bond0' has no ports"));
  machine_.Write("/sys/class/net/bond0/bonding/slaves", "eno1 eno2\n");
  Interface("eno2", "52:54:00:12:34:56", R"("linkinfo":{"info_kind":"macvlan"})");
  EXPECT_EQ(Find({"files"})->not_small, "'eno2' is a macvlan");
  Interface("vlan5", "52:54:00:12:34:56",
            R"("link":"bond0","linkinfo":{"info_kind":"vlan",)"
            R"("info_data":{"protocol":"802.1ad","id":5}})");
  EXPECT_EQ(Find({"files"})->not_small, "'vlan5' is a VLAN of 802.1ad");
  Interface("vlan5", "52:54:00:12:34:56", R"("linkinfo":{"info_kind":"vlan"})");
  EXPECT_THAT(Find({"files"}).error().message(), HasSubstr("'vlan5' is on nothing"));
}

TEST_F(NetworkFactsTest, Failures) {
  system_.hosts["self"] = {"127.0.1.1"};
  system_.hosts["far"] = {"203.0.113.1"};
  const std::pair<const char*, const char*> kCases[] = {
      {"nobody", "the name 'nobody' is not known now"},
      {"self", "'self' is this machine"},
      {"far", "no way to 'far'"},
  };
  for (const auto& [server, message] : kCases)
    EXPECT_THAT(Find({server}).error().message(), HasSubstr(message));
  for (const char* nonsense : {"", "{}", "[[]]", "nonsense", "[{\"dev\":7}]"}) {
    system_.answers["ip -json route get 192.0.2.7"] = nonsense;
    EXPECT_FALSE(Find({"files"}).has_value()) << nonsense;
  }
}

TEST_F(NetworkFactsTest, ACardWithoutAddress) {
  system_.answers["ip -json address show dev eth0"] = "[{}]";
  EXPECT_FALSE(Find({"files"}).has_value());
  system_.answers["ip -json address show dev eth0"] = R"([{"ifname":"eth0","addr_info":[]}])";
  EXPECT_THAT(Find({"files"}).error().message(), HasSubstr("'eth0' has no address"));
}

}  // namespace
}  // namespace kdumpkit
