// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/destination.h"

#include <algorithm>

#include "base/nearest.h"
#include "config/destination_parts.h"
#include "config/problem.h"
#include "config/statement.h"
#include "config/value_text.h"

namespace kdumpkit {
namespace {

using Kind = Destination::Kind;

constexpr std::string_view kFormats =
    "write a folder (/var/crash), UUID=ID:/path, LABEL=NAME:/path, /dev/NAME:/path, "
    "nfs://host/export, ssh://user@host/path, virtiofs:TAG:/path or raw:/dev/NAME";

struct Uri {
  std::string_view authority;
  std::string_view path;  // from the first slash
};

Uri SplitUri(std::string_view rest) {
  size_t slash = std::min(rest.find('/'), rest.size());
  return {rest.substr(0, slash), rest.substr(slash)};
}

// Where the folder on a file system begins: behind the first ":/".
size_t FolderAt(std::string_view text) {
  size_t colon = text.find(":/");
  return std::min(colon, text.size());
}

Result<std::string> FolderOf(std::string_view text) {
  size_t at = FolderAt(text);
  if (at == text.size()) return std::string();
  return NormalPath(text.substr(at + 1));
}

Result<Destination> ParseFolder(std::string_view text) {
  Destination destination;
  destination.path = TRY(NormalPath(text));
  if (!destination.path.starts_with('/')) return UsageError("{}", kFormats);
  return destination;
}

Result<Destination> ParseDevice(std::string_view text, Kind kind) {
  Destination destination;
  destination.kind = kind;
  destination.source = text.substr(0, FolderAt(text));
  if (!IsDevice(destination.source))
    return UsageError(
        "'{}' is not a device; write /dev/NAME, UUID=ID, LABEL=NAME, PARTUUID=ID or "
        "PARTLABEL=NAME",
        Shown(destination.source));
  if (kind == Kind::kRaw && FolderAt(text) != text.size())
    return UsageError("a raw device has no folders");
  destination.path = TRY(FolderOf(text));
  return destination;
}

Result<Destination> ParseVirtiofs(std::string_view text) {
  Destination destination;
  destination.kind = Kind::kVirtiofs;
  destination.source = text.substr(0, FolderAt(text));
  if (destination.source.empty() || destination.source.find('/') != std::string::npos)
    return UsageError("the tag of a virtiofs file system is wanted: virtiofs:TAG:/path");
  destination.path = TRY(FolderOf(text));
  return destination;
}

// What ':/' separates is exported and mounted; without it the whole path is.
Result<Destination> ParseNfs(std::string_view rest) {
  Destination destination;
  destination.kind = Kind::kNfs;
  Uri uri = SplitUri(rest);
  TRY(SetHost(uri.authority, destination));
  if (destination.port != 0)
    return UsageError("the port of an NFS server is a mount option: options=port={}",
                      destination.port);
  if (uri.path.empty()) return UsageError("the exported folder is missing: nfs://host/export");
  std::string path = TRY(PercentDecode(uri.path));
  destination.source = TRY(NormalPath(std::string_view(path).substr(0, FolderAt(path))));
  destination.path = TRY(FolderOf(path));
  if (destination.path.empty()) destination.path = "/";
  return destination;
}

Result<Destination> ParseSsh(std::string_view rest) {
  Destination destination;
  destination.kind = Kind::kSsh;
  Uri uri = SplitUri(rest);
  size_t at = uri.authority.find('@');
  if (at != std::string_view::npos) destination.user = TRY(ParseUser(uri.authority.substr(0, at)));
  TRY(SetHost(uri.authority.substr(at == std::string_view::npos ? 0 : at + 1), destination));
  if (uri.path.empty()) return destination;
  if (uri.path.starts_with(kLoginFolder)) uri.path.remove_prefix(kLoginFolder.size());
  std::string path = TRY(PercentDecode(uri.path));
  destination.path = TRY(NormalPath(path));
  return destination;
}

Result<Destination> ParseFile(std::string_view rest) {
  if (!rest.starts_with('/'))
    return UsageError("a folder of this machine is meant: file:///var/crash, or only /var/crash");
  std::string path = TRY(PercentDecode(rest));
  return ParseFolder(path);
}

Result<Destination> Refuse(std::string_view instead) { return UsageError("{}", instead); }

struct Scheme {
  std::string_view name;
  Result<Destination> (*parse)(std::string_view rest);
};

constexpr Scheme kSchemes[] = {
    {"nfs://", ParseNfs},
    {"ssh://", ParseSsh},
    {"virtiofs:", ParseVirtiofs},
    {"raw:", [](std::string_view rest) { return ParseDevice(rest, Kind::kRaw); }},
    {"file://", ParseFile},
    {"sftp://",
     [](std::string_view) { return Refuse("a dump is streamed to a server by ssh: ssh://"); }},
    {"scp://",
     [](std::string_view) { return Refuse("a dump is streamed to a server by ssh: ssh://"); }},
    {"ftp://", [](std::string_view) { return Refuse("FTP is not supported: use ssh or nfs"); }},
    {"cifs://", [](std::string_view) { return Refuse("SMB is not supported: use ssh or nfs"); }},
    {"smb://", [](std::string_view) { return Refuse("SMB is not supported: use ssh or nfs"); }},
};

// "sshh://..." and the like, and host names without any scheme.
Error UnknownScheme(std::string_view text) {
  constexpr std::string_view kNames[] = {"nfs", "ssh", "virtiofs", "raw", "file"};
  std::string_view name = text.substr(0, text.find(':'));
  std::string_view nearest = Nearest(name, kNames);
  if (name.size() < text.size() && !nearest.empty())
    return UsageError("did you mean '{}:'? {}", nearest, kFormats);
  size_t at = text.find('@');
  if (at != std::string_view::npos) return UsageError("did you mean 'ssh://{}'?", Shown(text));
  size_t export_at = text.find(":/");
  if (export_at != std::string_view::npos && text.find("://") == std::string_view::npos)
    return UsageError("did you mean 'nfs://{}{}'?", Shown(text.substr(0, export_at)),
                      Shown(text.substr(export_at + 1)));
  return UsageError("{}", kFormats);
}

Result<Destination> ParseUri(std::string_view text) {
  for (const Scheme& scheme : kSchemes) {
    if (text.starts_with(scheme.name)) return scheme.parse(text.substr(scheme.name.size()));
  }
  if (IsDevice(text)) return ParseDevice(text, Kind::kDevice);
  if (text.starts_with('/')) return ParseFolder(text);
  return UnknownScheme(text);
}

// A file system type or mount options: one word for mount(2).
bool IsMountWord(std::string_view text) {
  return !text.empty() && text.find_first_of(" \t") == std::string_view::npos;
}

Status ApplyOption(std::string_view word, Destination& destination) {
  constexpr std::string_view kFsType = "fstype=";
  constexpr std::string_view kOptions = "options=";
  if (word.starts_with(kFsType) && IsMountWord(word.substr(kFsType.size()))) {
    if (destination.kind != Kind::kDevice)
      return UsageError("'{}': only a device has a file system type to choose", Shown(word));
    destination.fs_type = word.substr(kFsType.size());
    return {};
  }
  if (word.starts_with(kOptions) && IsMountWord(word.substr(kOptions.size()))) {
    if (!destination.IsMounted())
      return UsageError("'{}': this destination is not mounted by the capture", Shown(word));
    destination.mount_options = word.substr(kOptions.size());
    return {};
  }
  return UsageError(
      "'{}' is no option of a destination; there are fstype=TYPE and options=LIST "
      "(more destinations stand in lines of their own)",
      Shown(word));
}

// "host:/export"; an IPv6 address stands in brackets.
Result<Destination> ParseNfsTarget(const std::string& value) {
  size_t colon = value.find(":/");
  if (colon == std::string::npos) return UsageError("write host:/export");
  Destination destination;
  destination.kind = Kind::kNfs;
  std::string_view host = std::string_view(value).substr(0, colon);
  TRY(SetHost(host, destination));
  if (destination.port != 0) return UsageError("write host:/export");
  destination.source = TRY(NormalPath(std::string_view(value).substr(colon + 1)));
  if (FolderAt(destination.source) != destination.source.size())
    return UsageError("write host:/export");
  return destination;
}

// "user@host"; an IPv6 address may stand without brackets.
Result<Destination> ParseSshTarget(const std::string& value) {
  size_t at = value.find('@');
  if (at == std::string::npos) return UsageError("write user@host");
  Destination destination;
  destination.kind = Kind::kSsh;
  destination.user = TRY(ParseUser(std::string_view(value).substr(0, at)));
  TRY(SetHost(std::string_view(value).substr(at + 1), destination));
  return destination;
}

Result<Destination> ParseDeviceTarget(std::string_view fs_type, const std::string& value) {
  if (!IsDevice(value) || FolderAt(value) != value.size())
    return UsageError(
        "write a device: /dev/NAME, UUID=ID, LABEL=NAME, PARTUUID=ID or "
        "PARTLABEL=NAME");
  Destination destination;
  destination.kind = fs_type == "raw" ? Kind::kRaw : Kind::kDevice;
  destination.source = value;
  if (!destination.IsRaw()) destination.fs_type = fs_type;
  return destination;
}

}  // namespace

Result<std::string> NormalPath(std::string_view path) {
  std::string normal;
  for (char c : path) {
    if (c == '/' && normal.ends_with('/')) continue;
    normal += c;
  }
  if (normal.size() > 1 && normal.ends_with('/')) normal.pop_back();
  if (normal.empty()) return UsageError("the path is empty");
  if (fmt::format("/{}/", normal).find("/../") != std::string::npos)
    return UsageError("a path must not have '..' in it");
  return normal;
}

Result<Destination> ParseDestination(const std::vector<std::string>& words) {
  if (words.empty()) return UsageError("{}", kFormats);
  Destination destination = TRY(ParseUri(words[0]));
  for (size_t i = 1; i < words.size(); ++i) TRY(ApplyOption(words[i], destination));
  return destination;
}

Result<Destination> ParseFedoraTarget(std::string_view directive, const std::string& value) {
  if (directive == "nfs") return ParseNfsTarget(value);
  if (directive == "ssh") return ParseSshTarget(value);
  if (directive == "virtiofs") return ParseVirtiofs(value);
  return ParseDeviceTarget(directive, value);
}

std::vector<std::string> DracutMounts(const std::vector<std::string>& arguments) {
  constexpr std::string_view kMount = "--mount";
  constexpr std::string_view kMountIs = "--mount=";
  std::vector<std::string> mounts;
  for (size_t i = 0; i < arguments.size(); ++i) {
    const std::string& word = arguments[i];
    if (word == kMount && i + 1 < arguments.size()) mounts.push_back(arguments[i + 1]);
    if (word.starts_with(kMountIs)) mounts.push_back(word.substr(kMountIs.size()));
  }
  return mounts;
}

Result<Destination> ParseDracutMount(const std::string& value) {
  std::vector<Word> fields = TRY(SplitWords(value));
  if (fields.size() < 2)
    return UsageError("'--mount {}': a device and a mount point are wanted", Shown(value));
  std::string fs_type = fields.size() > 2 ? fields[2].text : "";
  if (fs_type == "auto") fs_type.clear();
  if (fs_type == "nfs4") fs_type = "nfs";
  std::string options = fields.size() > 3 ? fields[3].text : "";
  bool file_system =
      fs_type != "ssh" && fs_type != "raw" && (fs_type.empty() || IsMountWord(fs_type));
  if (!file_system || (!options.empty() && !IsMountWord(options)))
    return UsageError("'--mount {}': DEVICE MOUNTPOINT FSTYPE OPTIONS is wanted", Shown(value));
  Destination destination = TRY(ParseFedoraTarget(fs_type, fields[0].text));
  destination.mount_options = options;
  return destination;
}

Status SetDefaultPath(Destination& destination, const std::string& path) {
  if (destination.IsRaw() || !destination.path.empty()) return {};
  bool absolute = path.starts_with('/');
  if (destination.kind == Kind::kFolder && !absolute)
    return UsageError("'{}' must begin with a slash: it is a folder of this machine", Shown(path));
  // Below a mount point Fedora takes "crash" and "/crash" for the same; ssh does not.
  bool add_slash = destination.IsMounted() && !absolute;
  destination.path = add_slash ? "/" + path : path;
  return {};
}

}  // namespace kdumpkit
