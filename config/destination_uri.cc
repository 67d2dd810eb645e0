// SPDX-License-Identifier: GPL-2.0-or-later
// The text of destinations.
#include "config/destination.h"
#include "config/destination_parts.h"
#include "config/value_text.h"

namespace kdumpkit {
namespace {

using Kind = Destination::Kind;

std::string HostText(const Destination& destination) {
  bool brackets = destination.host.find(':') != std::string::npos;
  std::string text = brackets ? fmt::format("[{}]", destination.host) : destination.host;
  if (!destination.user.empty()) text = fmt::format("{}@{}", destination.user, text);
  if (destination.port != 0) text += fmt::format(":{}", destination.port);
  return text;
}

// ":/path", nothing while the path is not known.
std::string FolderText(const Destination& destination) {
  return destination.path.empty() ? "" : fmt::format(":{}", destination.path);
}

// What begins with /dev/ is a device elsewhere.
std::string FolderUri(const Destination& destination) {
  if (!IsDevice(destination.path)) return destination.path;
  return fmt::format("file://{}", PercentEncode(destination.path));
}

std::string NfsUri(const Destination& destination) {
  std::string path = destination.source;
  if (destination.path != "/") path += FolderText(destination);
  return fmt::format("nfs://{}{}", HostText(destination), PercentEncode(path));
}

std::string SshUri(const Destination& destination) {
  std::string uri = fmt::format("ssh://{}", HostText(destination));
  if (destination.path.empty()) return uri;
  std::string path = PercentEncode(destination.path);
  if (!path.starts_with('/')) return fmt::format("{}{}{}", uri, kLoginFolder, path);
  if (path.starts_with(kLoginFolder)) path.replace(0, kLoginFolder.size(), "/%7E/");
  return uri + path;
}

}  // namespace

std::string_view KindName(Kind kind) {
  switch (kind) {
    case Kind::kFolder:
      return "folder";
    case Kind::kDevice:
      return "device";
    case Kind::kNfs:
      return "nfs";
    case Kind::kSsh:
      return "ssh";
    case Kind::kVirtiofs:
      return "virtiofs";
    case Kind::kRaw:
      return "raw";
  }
  CHECK(false);
}

std::string DestinationUri(const Destination& destination) {
  switch (destination.kind) {
    case Kind::kFolder:
      return FolderUri(destination);
    case Kind::kDevice:
      return destination.source + FolderText(destination);
    case Kind::kVirtiofs:
      return fmt::format("virtiofs:{}{}", destination.source, FolderText(destination));
    case Kind::kRaw:
      return fmt::format("raw:{}", destination.source);
    case Kind::kNfs:
      return NfsUri(destination);
    case Kind::kSsh:
      return SshUri(destination);
  }
  CHECK(false);
}

std::vector<std::string> DestinationWords(const Destination& destination) {
  std::vector<std::string> words = {DestinationUri(destination)};
  if (!destination.fs_type.empty()) words.push_back("fstype=" + destination.fs_type);
  if (!destination.mount_options.empty()) words.push_back("options=" + destination.mount_options);
  return words;
}

}  // namespace kdumpkit
