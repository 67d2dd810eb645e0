// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/netlink.h"

#include <arpa/inet.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <cerrno>
#include <charconv>

namespace kdumpkit {
namespace {

constexpr size_t kAlignment = 4;
// The kernel answers within the call that sends; more than this is not waited for.
constexpr timeval kAnswerTime = {10, 0};

template <typename T>
ByteView BytesOf(const T& value) {
  return std::as_bytes(std::span(&value, 1));
}

// A message of one type with its fixed part; attributes are added behind. Names of interfaces and
// kinds need no zero at their end (linux/netlink.h: NLA_STRING).
class Message {
 public:
  template <typename Body>
  Message(uint16_t type, uint16_t flags, const Body& body) {
    nlmsghdr header = {};
    header.nlmsg_type = type;
    header.nlmsg_flags = static_cast<uint16_t>(NLM_F_REQUEST | NLM_F_ACK | flags);
    Put(BytesOf(header));
    Put(BytesOf(body));
  }
  template <typename T>
  Message& Add(uint16_t type, const T& value) {
    return AddBytes(type, BytesOf(value));
  }
  Message& AddBytes(uint16_t type, ByteView value) {
    rtattr attribute = {};
    attribute.rta_type = type;
    attribute.rta_len = static_cast<uint16_t>(RTA_LENGTH(value.size()));
    Put(BytesOf(attribute));
    Put(value);
    return *this;
  }
  // An attribute that is made of others.
  Message& Add(uint16_t type, const Message& inside) { return AddBytes(type, inside.bytes_); }
  Message& AddText(uint16_t type, std::string_view text) { return AddBytes(type, AsBytes(text)); }
  ByteBuffer Take() && { return std::move(bytes_); }

  // Attributes alone.
  Message() = default;

 private:
  void Put(ByteView part) {
    bytes_.insert(bytes_.end(), part.begin(), part.end());
    bytes_.resize((bytes_.size() + kAlignment - 1) / kAlignment * kAlignment);
  }
  ByteBuffer bytes_;
};

uint8_t Family(const IpAddress& address) { return address.is_v6() ? AF_INET6 : AF_INET; }

template <typename T>
T LoadStruct(ByteView bytes) {
  T value;
  std::memcpy(&value, bytes.data(), sizeof(T));
  return value;
}

// The kernel's sentence in the attributes behind an error; empty when there is none.
std::string_view ExplanationIn(ByteView attributes) {
  while (attributes.size() >= sizeof(nlattr)) {
    auto attribute = LoadStruct<nlattr>(attributes);
    if (attribute.nla_len < sizeof(nlattr) || attribute.nla_len > attributes.size()) return {};
    if (attribute.nla_type == NLMSGERR_ATTR_MSG) {
      std::string_view text =
          AsText(attributes.subspan(sizeof(nlattr), attribute.nla_len - sizeof(nlattr)));
      return text.substr(0, text.find('\0'));
    }
    attributes =
        attributes.subspan(std::min<size_t>(NLA_ALIGN(attribute.nla_len), attributes.size()));
  }
  return {};
}

// An answer with a negative errno, or with 0 for success.
Status ReadAnswer(ByteView answer, uint32_t sequence) {
  if (answer.size() < NLMSG_HDRLEN + sizeof(nlmsgerr)) return Malformed("netlink: a short answer");
  auto header = LoadStruct<nlmsghdr>(answer);
  auto error = LoadStruct<nlmsgerr>(answer.subspan(NLMSG_HDRLEN));
  if (header.nlmsg_type != NLMSG_ERROR || header.nlmsg_seq != sequence)
    return Malformed("netlink: an answer to something else");
  if (error.error == 0) return {};
  // With NETLINK_CAP_ACK only the header of what was asked is repeated.
  std::string_view text = ExplanationIn(answer.subspan(NLMSG_HDRLEN + sizeof(nlmsgerr)));
  return SystemError(-error.error, text.empty() ? "netlink" : text);
}

Status UnlessThere(Status status) {
  if (!status && status.error().error_number() == EEXIST) return {};
  return status;
}

}  // namespace

Result<IpAddress> IpAddress::Parse(std::string_view text) {
  IpAddress address;
  std::string copy(text);
  bool v6 = text.find(':') != std::string_view::npos;
  address.bytes.resize(v6 ? 16 : 4);
  if (inet_pton(v6 ? AF_INET6 : AF_INET, copy.c_str(), address.bytes.data()) != 1)
    return UsageError("'{}' is no IP address", text);
  return address;
}

std::string IpAddress::ToString() const {
  char text[INET6_ADDRSTRLEN] = {};
  if (inet_ntop(is_v6() ? AF_INET6 : AF_INET, bytes.data(), text, sizeof(text)) == nullptr)
    return {};
  return text;
}

Result<IpPrefix> IpPrefix::Parse(std::string_view text) {
  size_t slash = text.find('/');
  IpPrefix prefix;
  prefix.address = TRY(IpAddress::Parse(text.substr(0, slash)));
  prefix.length = prefix.address.bits();
  if (slash == std::string_view::npos) return prefix;
  std::string_view length = text.substr(slash + 1);
  auto [end, error] = std::from_chars(length.data(), length.data() + length.size(), prefix.length);
  if (error != std::errc() || end != length.data() + length.size() ||
      prefix.length > prefix.address.bits())
    return UsageError("'{}': the part behind the slash is to be a number from 0 to {}", text,
                      prefix.address.bits());
  return prefix;
}

std::string IpPrefix::ToString() const { return fmt::format("{}/{}", address.ToString(), length); }

IpPrefix IpPrefix::Network() const {
  IpPrefix network = *this;
  for (unsigned bit = length; bit < address.bits(); ++bit)
    network.address.bytes[bit / 8] &= ~(std::byte{0x80} >> (bit % 8));
  return network;
}

Result<Netlink> Netlink::Open() {
  UniqueFd fd(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
  if (!fd.valid()) return SystemError(errno, "cannot open a netlink socket");
  // Both are for better messages; kernels without them do as well.
  int on = 1;
  (void)setsockopt(fd.get(), SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on));
  (void)setsockopt(fd.get(), SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on));
  (void)setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &kAnswerTime, sizeof(kAnswerTime));
  return Netlink(std::move(fd));
}

Status Netlink::Request(ByteBuffer message) {
  auto header = LoadStruct<nlmsghdr>(message);
  header.nlmsg_len = static_cast<uint32_t>(message.size());
  header.nlmsg_seq = ++sequence_;
  std::memcpy(message.data(), &header, sizeof(header));
  // Without an address a netlink socket sends to the kernel.
  if (send(fd_.get(), message.data(), message.size(), 0) < 0)
    return SystemError(errno, "netlink: sending");
  ByteBuffer answer(8192);
  ssize_t n = 0;
  while ((n = recv(fd_.get(), answer.data(), answer.size(), 0)) < 0)
    if (errno != EINTR) return SystemError(errno, "netlink: receiving");
  return ReadAnswer(ByteView(answer).first(static_cast<size_t>(n)), sequence_);
}

Status Netlink::SetMtu(unsigned index, unsigned mtu) {
  ifinfomsg link = {};
  link.ifi_index = static_cast<int>(index);
  Message message(RTM_NEWLINK, 0, link);
  message.Add<uint32_t>(IFLA_MTU, mtu);
  return Request(std::move(message).Take());
}

Status Netlink::SetFlag(unsigned index, bool up) {
  ifinfomsg link = {};
  link.ifi_index = static_cast<int>(index);
  link.ifi_change = IFF_UP;
  link.ifi_flags = up ? IFF_UP : 0;
  return Request(Message(RTM_NEWLINK, 0, link).Take());
}

Status Netlink::SetUp(unsigned index) { return SetFlag(index, true); }

Status Netlink::SetDown(unsigned index) { return SetFlag(index, false); }

// The mode comes before the rest: in the kernel's order of attributes, too, it is set first.
Status Netlink::AddBond(const std::string& name, uint8_t mode, ByteView mac) {
  constexpr uint32_t kLookAtCarriers = 100;  // milliseconds
  Message settings;
  settings.Add<uint8_t>(IFLA_BOND_MODE, mode).Add<uint32_t>(IFLA_BOND_MIIMON, kLookAtCarriers);
  Message kind;
  kind.AddText(IFLA_INFO_KIND, "bond").Add(IFLA_INFO_DATA, settings);
  Message message(RTM_NEWLINK, NLM_F_CREATE, ifinfomsg{});
  message.AddText(IFLA_IFNAME, name).AddBytes(IFLA_ADDRESS, mac).Add(IFLA_LINKINFO, kind);
  return Request(std::move(message).Take());
}

Status Netlink::AddVlan(const std::string& name, unsigned below, uint16_t id) {
  Message settings;
  settings.Add<uint16_t>(IFLA_VLAN_ID, id);
  Message kind;
  kind.AddText(IFLA_INFO_KIND, "vlan").Add(IFLA_INFO_DATA, settings);
  Message message(RTM_NEWLINK, NLM_F_CREATE, ifinfomsg{});
  message.AddText(IFLA_IFNAME, name).Add<uint32_t>(IFLA_LINK, below).Add(IFLA_LINKINFO, kind);
  return Request(std::move(message).Take());
}

Status Netlink::AddPort(unsigned bond, unsigned port) {
  ifinfomsg link = {};
  link.ifi_index = static_cast<int>(port);
  Message message(RTM_NEWLINK, 0, link);
  message.Add<uint32_t>(IFLA_MASTER, bond);
  return Request(std::move(message).Take());
}

Status Netlink::AddAddress(unsigned index, const IpPrefix& prefix) {
  ifaddrmsg address = {};
  address.ifa_family = Family(prefix.address);
  address.ifa_prefixlen = static_cast<uint8_t>(prefix.length);
  address.ifa_index = index;
  if (prefix.address.is_v6()) address.ifa_flags = IFA_F_NODAD;
  Message message(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, address);
  message.AddBytes(IFA_LOCAL, prefix.address.bytes).AddBytes(IFA_ADDRESS, prefix.address.bytes);
  return UnlessThere(Request(std::move(message).Take()));
}

Status Netlink::AddRoute(unsigned index, const IpPrefix& network, const IpAddress& gateway) {
  rtmsg route = {};
  route.rtm_family = Family(network.address);
  route.rtm_dst_len = static_cast<uint8_t>(network.length);
  route.rtm_table = RT_TABLE_MAIN;
  route.rtm_protocol = RTPROT_BOOT;
  route.rtm_type = RTN_UNICAST;
  route.rtm_scope = gateway.bytes.empty() ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
  if (!gateway.bytes.empty()) route.rtm_flags = RTNH_F_ONLINK;
  Message message(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, route);
  message.Add<uint32_t>(RTA_OIF, index);
  if (network.length > 0) message.AddBytes(RTA_DST, network.Network().address.bytes);
  if (!gateway.bytes.empty()) message.AddBytes(RTA_GATEWAY, gateway.bytes);
  return UnlessThere(Request(std::move(message).Take()));
}

}  // namespace kdumpkit
