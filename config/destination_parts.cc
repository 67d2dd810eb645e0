// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/destination_parts.h"

#include <algorithm>
#include <cctype>

#include "config/problem.h"
#include "config/value_text.h"

namespace kdumpkit {
namespace {

constexpr std::string_view kTags[] = {"UUID=", "LABEL=", "PARTUUID=", "PARTLABEL="};

bool IsWord(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; }

bool IsIpv6(std::string_view text) {
  return std::count(text.begin(), text.end(), ':') >= 2 &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return std::isxdigit(static_cast<unsigned char>(c)) != 0 || c == ':' || c == '.';
         });
}

// A name of the DNS or an IPv4 address. One that began with '-' would be an option to ssh.
bool IsHostName(std::string_view text) {
  return !text.empty() && IsWord(text.front()) && std::all_of(text.begin(), text.end(), [](char c) {
    return IsWord(c) || c == '.' || c == '-' || c == '_';
  });
}

Status SetPort(std::string_view text, Destination& destination) {
  constexpr unsigned kLast = 65535;
  Result<unsigned> port = ParseCount(text, 1, kLast);
  if (!port) return UsageError("port '{}': {}", Shown(text), port.error().message());
  destination.port = static_cast<uint16_t>(*port);
  return {};
}

}  // namespace

bool IsDevice(std::string_view text) {
  constexpr std::string_view kDev = "/dev/";
  if (text.starts_with(kDev)) return text.size() > kDev.size();
  return std::any_of(std::begin(kTags), std::end(kTags), [text](std::string_view tag) {
    return text.starts_with(tag) && text.size() > tag.size();
  });
}

Result<std::string> ParseUser(std::string_view text) {
  bool good =
      !text.empty() && text.front() != '-' && std::all_of(text.begin(), text.end(), [](char c) {
        return IsWord(c) || c == '.' || c == '-' || c == '_' || c == '$' || c == '\\';
      });
  if (text.find(':') != std::string_view::npos)
    return UsageError("a password cannot be given: the login is by a key (sshkey)");
  if (!good) return UsageError("'{}' is not the name of a user", Shown(text));
  return std::string(text);
}

Status SetHost(std::string_view text, Destination& destination) {
  std::string_view host = text;
  std::string_view port;
  if (text.starts_with('[')) {
    host = text.substr(1, std::min(text.find(']'), text.size()) - 1);
    port = text.substr(std::min(host.size() + 2, text.size()));
    bool closed = host.size() + 2 <= text.size();
    if (!closed || !IsIpv6(host) || (!port.empty() && !port.starts_with(':')))
      return UsageError("'{}' is not an IPv6 address in brackets", Shown(text));
  } else if (!IsIpv6(text)) {
    host = text.substr(0, text.find(':'));
    port = text.substr(host.size());
    if (!IsHostName(host)) return UsageError("'{}' is not the name of a host", Shown(host));
  }
  destination.host = host;
  if (port.empty()) return {};
  return SetPort(port.substr(1), destination);
}

}  // namespace kdumpkit
