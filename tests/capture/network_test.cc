// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/network.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <net/if.h>
#include <sched.h>
#include <unistd.h>

#include <cerrno>
#include <thread>

#include "capture/command.h"
#include "tests/capture/fake_system.h"
#include "tests/support/temp_dir.h"

namespace kdumpkit {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr const char* kMac = "52:54:00:12:34:56";

TEST(IpPrefix, Table) {
  for (const char* text :
       {"10.0.2.15/24", "0.0.0.0/0", "255.255.255.255/32", "2001:db8::1/64", "::/0", "fe80::1/128"})
    EXPECT_EQ(IpPrefix::Parse(text).value().ToString(), text);
  EXPECT_EQ(IpPrefix::Parse("10.0.2.15").value().ToString(), "10.0.2.15/32");
  EXPECT_EQ(IpPrefix::Parse("::1").value().ToString(), "::1/128");
  for (const char* text :
       {"", "/", "10.0.2/24", "10.0.2.256", "10.0.2.15/", "10.0.2.15/33", "10.0.2.15/-1",
        "10.0.2.15/2x", "::1/129", "::1::", "host", "fe80::1%lo"})
    EXPECT_FALSE(IpPrefix::Parse(text)) << text;
}

TEST(IpPrefix, Network) {
  EXPECT_EQ(IpPrefix::Parse("10.0.255.15/20").value().Network().ToString(), "10.0.240.0/20");
  EXPECT_EQ(IpPrefix::Parse("10.0.2.15/0").value().Network().ToString(), "0.0.0.0/0");
  EXPECT_EQ(IpPrefix::Parse("2001:db8:ffff::1/33").value().Network().ToString(),
            "2001:db8:8000::/33");
}

TEST(ParseNetwork, Everything) {
  std::vector<NetworkInterface> interfaces = ParseNetwork(
                                                 "# written by kdumpctl\n"
                                                 "interface 52:54:00:AB:CD:EF eth0 # the first\n"
                                                 "\tmtu 9000\r\n"
                                                 "address 10.0.2.15/24\n"
                                                 "address 2001:db8::2/64\n"
                                                 "\n"
                                                 "route 10.9.0.1/16\n"
                                                 "route default via 10.0.2.2\n"
                                                 "route default via fe80::1\n"
                                                 "interface 52:54:00:12:34:57 lan\n"
                                                 "route 10.1.2.3 via 10.0.0.1",
                                                 "network")
                                                 .value();
  ASSERT_EQ(interfaces.size(), 2u);
  const NetworkInterface& first = interfaces[0];
  EXPECT_EQ(first.mac, "52:54:00:ab:cd:ef");
  EXPECT_EQ(first.name, "eth0");
  EXPECT_EQ(first.mtu, 9000u);
  ASSERT_EQ(first.addresses.size(), 2u);
  EXPECT_EQ(first.addresses[1].ToString(), "2001:db8::2/64");
  ASSERT_EQ(first.routes.size(), 3u);
  EXPECT_EQ(first.routes[0].network.ToString(), "10.9.0.0/16");
  EXPECT_TRUE(first.routes[0].gateway.bytes.empty());
  EXPECT_EQ(first.routes[1].network.ToString(), "0.0.0.0/0");
  EXPECT_EQ(first.routes[1].gateway.ToString(), "10.0.2.2");
  EXPECT_EQ(first.routes[2].network.ToString(), "::/0");
  EXPECT_EQ(interfaces[1].mtu, 0u);
  EXPECT_EQ(interfaces[1].routes[0].network.ToString(), "10.1.2.3/32");
}

TEST(ParseNetwork, VlanOnABond) {
  std::vector<NetworkInterface> interfaces = ParseNetwork(
                                                 "interface 52:54:00:00:00:01 eno1\n"
                                                 "interface 52:54:00:00:00:02 eno2\n"
                                                 "bond 52:54:00:00:00:01 bond0 802.3ad\n"
                                                 "port eno1\n"
                                                 "port eno2\n"
                                                 "vlan bond0.5 bond0 5\n"
                                                 "address 10.0.5.2/24\n",
                                                 "network")
                                                 .value();
  ASSERT_EQ(interfaces.size(), 4u);
  EXPECT_EQ(interfaces[2].kind, NetworkInterface::Kind::kBond);
  EXPECT_EQ(interfaces[2].mac, "52:54:00:00:00:01");
  EXPECT_EQ(interfaces[2].bond_mode, 4);
  EXPECT_THAT(interfaces[2].ports, testing::ElementsAre("eno1", "eno2"));
  EXPECT_EQ(interfaces[3].kind, NetworkInterface::Kind::kVlan);
  EXPECT_EQ(interfaces[3].name, "bond0.5");
  EXPECT_EQ(interfaces[3].below, "bond0");
  EXPECT_EQ(interfaces[3].vlan_id, 5);
  EXPECT_EQ(interfaces[3].addresses[0].ToString(), "10.0.5.2/24");
}

TEST(ParseNetwork, NothingIsNothing) {
  EXPECT_THAT(ParseNetwork("", "network").value(), IsEmpty());
  EXPECT_THAT(ParseNetwork("\n# only a comment\n", "network").value(), IsEmpty());
}

TEST(ParseNetwork, Mistakes) {
  struct Case {
    const char* text;
    const char* message;
  };
  for (const Case& c : std::initializer_list<Case>{
           {"mtu 1500\n", "network:1: 'mtu' before any 'interface'"},
           {"interface 52:54:00:12:34:56\n", "network:1: an interface is"},
           {"interface 52:54:00:12:34:56 a b\n", "network:1: an interface is"},
           {"interface 52:54:00:12:34 eth0\n", "'52:54:00:12:34' is no hardware address"},
           {"interface 52:54:00:12:34:5g eth0\n", "is no hardware address"},
           {"interface 52:54:00:12:34:567 eth0\n", "is no hardware address"},
           {"interface 52-54-00-12-34-56 eth0\n", "is no hardware address"},
           {"interface 52:54:00:12:34:56: eth0\n", "is no hardware address"},
           {"interface 52:54:00:12:34:56 e\n\nmtu\n", "network:3: 'mtu' has one value"},
           {"interface 52:54:00:12:34:56 e\nmtu 67\n", "network:2: mtu '67'"},
           {"interface 52:54:00:12:34:56 e\nmtu 65536\n", "mtu '65536'"},
           {"interface 52:54:00:12:34:56 e\nmtu -1\n", "mtu '-1'"},
           {"interface 52:54:00:12:34:56 e\naddress 10.0.0.1/24 x\n", "'address' has one value"},
           {"interface 52:54:00:12:34:56 e\naddress 10.0.0/24\n", "'10.0.0' is no IP address"},
           {"interface 52:54:00:12:34:56 e\nroute\n", "network:2: a route is"},
           {"interface 52:54:00:12:34:56 e\nroute default dev 10.0.0.1\n", "a route is"},
           {"interface 52:54:00:12:34:56 e\nroute default via\n", "a route is"},
           {"interface 52:54:00:12:34:56 e\nroute 10.0.0.0/8 via fe80::1\n", "cannot be reached"},
           {"bond 52:54:00:12:34:56 bond0\n", "network:1: a bond is"},
           {"bond 52:54:00:12:34:56 bond0 fast\n", "'fast' is no mode of a bond"},
           {"bond 52:54:00:12:34:56 bond0 802.3ad\nport e\n", "no block of 'e' stands above"},
           {"interface 52:54:00:12:34:56 e\nport e\n", "'port' is for bonds"},
           {"bond 52:54:00:12:34:56 b 802.3ad\nport b\n", "port 'b' is no card"},
           {"vlan v e 5\n", "network:1: no block of 'e' stands above"},
           {"interface 52:54:00:12:34:56 e\nvlan v e\n", "network:2: a VLAN is"},
           {"interface 52:54:00:12:34:56 e\nvlan v e 4095\n", "VLAN '4095'"},
           {"interface 52:54:00:12:34:56 e\nvlan v e -1\n", "VLAN '-1'"},
           {"interface 52:54:00:12:34:56 e\nvlan sixteen-letters! e 1\n", "is too long"},
           {"interface 52:54:00:12:34:56 e\nvlan e e 1\n", "there are two 'e'"},
           {"interface 52:54:00:12:34:56 e\ndhcp\n", "network:2: unknown statement 'dhcp'"}}) {
    Result<std::vector<NetworkInterface>> parsed = ParseNetwork(c.text, "network");
    ASSERT_FALSE(parsed) << c.text;
    EXPECT_EQ(parsed.error().kind(), ErrorKind::kMalformed);
    EXPECT_THAT(parsed.error().message(), HasSubstr(c.message));
  }
}

// A machine whose /sys is a fixture; interfaces are those of a network namespace of its own.
class NetworkTest : public testing::Test {
 protected:
  void AddInterface(const std::string& name, const std::string& mac, const std::string& carrier) {
    dir_.Write("sys/class/net/" + name + "/address", mac + "\n");
    dir_.Write("sys/class/net/" + name + "/carrier", carrier + "\n");
  }
  void Write(const std::string& text) { dir_.Write("etc/kdumpkit/network", text); }
  RootDir root() const { return RootDir::Open(dir_.path()).value(); }
  Status BringUp() { return BringUpNetwork(root(), seconds(30), system_, log_, watchdog_); }
  std::string OutputOf(const std::vector<std::string>& argv) {
    CommandRequest request;
    request.argv = argv;
    Result<CommandEnd> end = RunCommand(request, watchdog_);
    if (!end) return end.error().message();
    return end->output + end->errors;
  }

  TempDir dir_;
  std::string keep_ = dir_.Write("sys/class/net/keep", "");
  FakeSystem system_;
  FakeConsole console_{dir_.File("console")};
  CaptureLog log_{console_.fd(), [] { return milliseconds(0); }};
  Watchdog watchdog_{[](const std::string&) {}};
};

TEST_F(NetworkTest, NothingToDoWithoutItsFile) { EXPECT_TRUE(BringUp()); }

TEST_F(NetworkTest, MistakeInItsFile) {
  Write("address 10.0.0.1/24\n");
  Status up = BringUp();
  ASSERT_FALSE(up);
  EXPECT_THAT(up.error().message(), HasSubstr("/etc/kdumpkit/network:1: "));
}

TEST_F(NetworkTest, FindInterface) {
  AddInterface("a0", "52:54:00:00:00:01", "1");
  AddInterface("eth7", kMac, "1");
  EXPECT_EQ(FindInterface(root(), kMac), "eth7");
  EXPECT_EQ(FindInterface(root(), "52:54:00:00:00:09"), "");
  // A virtual function under the interface that is used.
  AddInterface("b0", kMac, "1");
  dir_.Write("sys/class/net/b0/master", "");
  EXPECT_EQ(FindInterface(root(), kMac), "eth7");
  // A bond that was made here has a card's address.
  EXPECT_EQ(FindInterface(root(), "52:54:00:00:00:01", {"a0"}), "");
}

TEST_F(NetworkTest, WaitsForAnInterfaceThatNeverComes) {
  Write(std::string("interface ") + kMac + " eth0\n");
  Status up = BringUp();
  ASSERT_FALSE(up);
  EXPECT_THAT(up.error().message(),
              HasSubstr("there is no network interface 'eth0' (52:54:00:12:34:56)"));
  EXPECT_GE(system_.now, seconds(30));
  EXPECT_LT(system_.now, seconds(40));
  EXPECT_TRUE(console_.Shows("waiting: there is no network interface 'eth0'"));
}

TEST_F(NetworkTest, NoCarrier) {
  AddInterface("no-such-link", kMac, "0");
  Write(std::string("interface ") + kMac + " eth0\n");
  Status up = BringUp();
  ASSERT_FALSE(up);
  EXPECT_THAT(up.error().message(), HasSubstr("'eth0' (52:54:00:12:34:56) has no carrier"));
}

// In a thread, which alone gets the namespace.
class NamespaceTest : public NetworkTest {
 protected:
  // A virtual cable, its other end plugged in. What went wrong.
  std::string MakeLink() {
    std::string problem =
        OutputOf({"ip", "link", "add", "kdump0", "type", "veth", "peer", "name", "kdump1"});
    return problem.empty() ? OutputOf({"ip", "link", "set", "kdump1", "up"}) : problem;
  }
  void InNamespace(const std::function<void()>& body) {
    if (geteuid() != 0) GTEST_SKIP() << "needs root, for a network namespace";
    std::string problem;
    std::thread([&] {
      if (unshare(CLONE_NEWNET) != 0) {
        problem = "cannot make a network namespace";
      } else if (problem = MakeLink(); problem.empty()) {
        body();
      }
    }).join();
    if (!problem.empty()) GTEST_SKIP() << problem;
  }
};

TEST_F(NamespaceTest, SetsWhatTheFileSays) {
  InNamespace([this] {
    AddInterface("kdump0", kMac, "1");
    Write(std::string("interface ") + kMac +
          " eth0\n"
          "mtu 1400\n"
          "address 10.0.2.15/24\n"
          "address 10.0.3.15/32\n"
          "address 2001:db8::2/64\n"
          "route 10.9.0.0/16\n"
          "route 10.8.0.0/16 via 10.0.2.3\n"
          "route default via 192.168.7.1\n"
          "route default via fe80::1\n");
    Status up = BringUp();
    ASSERT_TRUE(up) << up.error().message();
    EXPECT_FALSE(console_.Shows("ignoring")) << console_.text();
    EXPECT_THAT(OutputOf({"ip", "-o", "link", "show", "dev", "kdump0"}),
                AllOf(HasSubstr("mtu 1400"), HasSubstr("UP,LOWER_UP")));
    EXPECT_THAT(OutputOf({"ip", "-o", "link", "show", "dev", "lo"}), HasSubstr("UP,LOWER_UP"));
    std::string addresses = OutputOf({"ip", "-o", "addr", "show", "dev", "kdump0"});
    EXPECT_THAT(addresses, AllOf(HasSubstr("inet 10.0.2.15/24"), HasSubstr("inet 10.0.3.15/32"),
                                 HasSubstr("inet6 2001:db8::2/64 scope global nodad"),
                                 Not(HasSubstr("2001:db8::2/64 scope global tentative"))));
    std::string routes = OutputOf({"ip", "route"});
    EXPECT_THAT(routes, AllOf(HasSubstr("10.9.0.0/16 dev kdump0 scope link"),
                              HasSubstr("10.8.0.0/16 via 10.0.2.3 dev kdump0"),
                              HasSubstr("default via 192.168.7.1 dev kdump0")));
    EXPECT_THAT(OutputOf({"ip", "-6", "route"}), HasSubstr("default via fe80::1 dev kdump0"));
    // Once more: all is there already.
    ASSERT_TRUE(BringUp());
    EXPECT_FALSE(console_.Shows("ignoring")) << console_.text();
  });
}

// Virtual cables are cards, too. Kernels without bonds and VLANs say so; the guests of tests/vm
// have both.
TEST_F(NamespaceTest, VlanOnABond) {
  InNamespace([this] {
    std::string problem = OutputOf({"ip", "link", "add", "try", "type", "bond"}) +
                          OutputOf({"ip", "link", "add", "link", "kdump1", "name", "try.5", "type",
                                    "vlan", "id", "5"});
    if (!problem.empty()) GTEST_SKIP() << "this kernel makes no bond or VLAN: " << problem;
    OutputOf({"ip", "link", "add", "kdump2", "type", "veth", "peer", "name", "kdump3"});
    OutputOf({"ip", "link", "set", "kdump3", "up"});
    AddInterface("kdump0", kMac, "1");
    AddInterface("kdump2", "52:54:00:00:00:02", "1");
    dir_.Write("sys/class/net/bond7/carrier", "1\n");
    dir_.Write("sys/class/net/bond7/address", std::string(kMac) + "\n");
    dir_.Write("sys/class/net/bond7.9/carrier", "1\n");
    Write(std::string("interface ") + kMac +
          " eno1\ninterface 52:54:00:00:00:02 eno2\nbond 52:54:00:00:00:07 bond7 active-backup\n"
          "port eno1\nport eno2\nmtu 1400\nvlan bond7.9 bond7 9\naddress 10.0.9.15/24\n");
    Status up = BringUp();
    ASSERT_TRUE(up) << up.error().message();
    EXPECT_FALSE(console_.Shows("ignoring")) << console_.text();
    EXPECT_THAT(OutputOf({"ip", "-d", "link", "show", "dev", "bond7"}),
                AllOf(HasSubstr("LOWER_UP"), HasSubstr("mtu 1400"), HasSubstr("52:54:00:00:00:07"),
                      HasSubstr("bond mode active-backup"), HasSubstr("miimon 100")));
    for (const char* port : {"kdump0", "kdump2"})
      EXPECT_THAT(OutputOf({"ip", "link", "show", "dev", port}),
                  AllOf(HasSubstr("master bond7"), HasSubstr("UP")));
    EXPECT_THAT(OutputOf({"ip", "-d", "link", "show", "dev", "bond7.9"}),
                AllOf(HasSubstr("bond7.9@bond7"), HasSubstr("id 9")));
    EXPECT_THAT(OutputOf({"ip", "addr", "show", "dev", "bond7.9"}), HasSubstr("10.0.9.15/24"));
  });
}

TEST_F(NamespaceTest, BondThatTheKernelRefusesIsSaidOnce) {
  InNamespace([this] {
    // There is another kind of interface of this name.
    OutputOf({"ip", "link", "add", "bond7", "type", "veth", "peer", "name", "bond8"});
    Write("bond 52:54:00:00:00:07 bond7 802.3ad\n");
    Status up = BringUp();
    ASSERT_FALSE(up);
    EXPECT_THAT(up.error().message(),
                HasSubstr("no network interface 'bond7' (52:54:00:00:00:07)"));
    std::string text = console_.text();
    size_t first = text.find("bond7: ");
    ASSERT_NE(first, std::string::npos) << text;
    EXPECT_EQ(text.find(", ignoring", text.find(", ignoring", first) + 1), std::string::npos);
  });
}

TEST_F(NamespaceTest, WhatTheKernelRefusesIsSaidInItsWords) {
  InNamespace([] {
    Netlink netlink = Netlink::Open().value();
    Status mtu = netlink.SetMtu(if_nametoindex("kdump0"), UINT32_MAX);
    ASSERT_FALSE(mtu);
    EXPECT_EQ(mtu.error().error_number(), EINVAL);
    EXPECT_THAT(mtu.error().message(), Not(HasSubstr("netlink"))) << "the kernel has a sentence";
    EXPECT_EQ(netlink.SetUp(9999).error().error_number(), ENODEV);
    // And the next answer is not mixed up with it.
    EXPECT_TRUE(netlink.SetUp(if_nametoindex("kdump0")));
  });
}

TEST_F(NamespaceTest, OneThatIsMissingDoesNotKeepTheOthersDown) {
  InNamespace([this] {
    AddInterface("kdump0", kMac, "1");
    Write(std::string("interface 52:54:00:00:00:01 eth0\ninterface ") + kMac +
          " eth1\naddress 10.0.2.15/24\n");
    EXPECT_FALSE(BringUp());
    EXPECT_TRUE(console_.Shows("'eth1' (52:54:00:12:34:56) is up as 'kdump0'"));
    EXPECT_THAT(OutputOf({"ip", "-o", "addr", "show", "dev", "kdump0"}), HasSubstr("10.0.2.15/24"));
  });
}

}  // namespace
}  // namespace kdumpkit
