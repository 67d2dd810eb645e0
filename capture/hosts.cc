// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/hosts.h"

#include <arpa/inet.h>
#include <strings.h>

#include "capture/config.h"

namespace kdumpkit {
namespace {

bool IsAddress(const std::string& text) {
  in6_addr address = {};
  return inet_pton(AF_INET, text.c_str(), &address) == 1 ||
         inet_pton(AF_INET6, text.c_str(), &address) == 1;
}

// Whether a line "ADDRESS NAME...  # comment" has the name.
bool HasName(const std::vector<std::string>& words, const std::string& name) {
  for (size_t i = 1; i < words.size() && !words[i].starts_with('#'); ++i)
    if (strcasecmp(words[i].c_str(), name.c_str()) == 0) return true;
  return false;
}

}  // namespace

Result<std::string> ResolveHost(const RootDir& root, const std::string& host) {
  if (IsAddress(host)) return host;
  std::string text = TRY(root.ReadText("/etc/hosts"));
  for (size_t at = 0; at < text.size();) {
    size_t end = std::min(text.find('\n', at), text.size());
    std::vector<std::string> words = SplitCommandLine(std::string_view(text).substr(at, end - at));
    if (!words.empty() && IsAddress(words[0]) && HasName(words, host)) return words[0];
    at = end + 1;
  }
  return Unsupported("server '{}' is not in '/etc/hosts' of the capture image", host);
}

}  // namespace kdumpkit
