// SPDX-License-Identifier: GPL-2.0-or-later
// kdumpctl propagate: a key for the capture kernel, and the servers that take it.
#include <fmt/ranges.h>

#include <filesystem>

#include "kdumpctl/dump_places.h"
#include "kdumpctl/json_output.h"
#include "kdumpctl/text.h"
#include "kdumpctl/upkeep_commands.h"

namespace kdumpkit {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::chrono::seconds kKeygenLimit{60};
// It asks for the password of the account on the server.
constexpr std::chrono::minutes kCopyLimit{10};

struct ServerResult {
  std::string server;    // "user@host"
  std::string host_key;  // how it is known: see HostKeyNote
  std::string error;     // empty: the server takes the key now
};

struct PropagateResult {
  std::string identity;
  bool created = false;
  std::vector<ServerResult> servers;
};

std::string Server(const Destination& destination) {
  return destination.user.empty() ? destination.host
                                  : fmt::format("{}@{}", destination.user, destination.host);
}

std::string LastLine(const std::string& text) {
  std::vector<std::string_view> lines = Lines(text);
  return lines.empty() ? "" : std::string(lines.back());
}

// The first identity that is there; none is: the first one is made, without a passphrase, since
// nobody can be asked for one while the machine crashes.
Result<std::string> EnsureIdentity(const Config& config, const Invocation& invocation,
                                   bool& created) {
  for (const std::string& identity : config.ssh_identities)
    if (invocation.root.Exists(identity)) return identity;
  if (config.ssh_identities.empty()) return UsageError("no 'sshkey' is configured");
  const std::string& identity = config.ssh_identities.front();
  std::string path = invocation.root.HostPath(identity);
  std::error_code error;
  std::filesystem::path folder = std::filesystem::path(path).parent_path();
  if (std::filesystem::create_directories(folder, error))
    std::filesystem::permissions(folder, std::filesystem::perms::owner_all, error);
  std::string comment =
      "kdump@" + invocation.root.ReadLine("/proc/sys/kernel/hostname").value_or("localhost");
  ProgramResult made = TRY(invocation.system.Run(
      {"ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", path}, kKeygenLimit));
  if (!made.state.ok())
    return UsageError("ssh-keygen could not make '{}': {}: {}", identity, made.state.ToString(),
                      LastLine(made.err));
  created = true;
  return identity;
}

// As known_hosts names it.
std::string KnownName(const Destination& destination) {
  if (destination.port == 0 || destination.port == 22) return destination.host;
  return fmt::format("[{}]:{}", destination.host, destination.port);
}

bool IsKnown(const Destination& destination, const std::string& known_hosts,
             const Invocation& invocation) {
  Result<ProgramResult> found = invocation.system.Run(
      {"ssh-keygen", "-F", KnownName(destination), "-f", known_hosts}, kKeygenLimit);
  return found && found->state.ok();
}

// ssh-copy-id, on the terminal of the caller.
Status CopyKey(const Destination& destination, const std::string& identity,
               const std::string& known_hosts, const Invocation& invocation) {
  std::vector<std::string> argv = {"ssh-copy-id",
                                   "-i",
                                   identity + ".pub",
                                   "-o",
                                   "UserKnownHostsFile=" + known_hosts,
                                   "-o",
                                   "StrictHostKeyChecking=ask"};
  if (destination.port != 0) {
    argv.push_back("-p");
    argv.push_back(std::to_string(destination.port));
  }
  argv.push_back(Server(destination));
  ExitState state = TRY(invocation.system.RunOnTerminal(argv, kCopyLimit));
  if (state.ok()) return {};
  return UsageError("'{}': {}", fmt::join(argv, " "), state.ToString());
}

ServerResult ServeOne(const Destination& destination, const Config& config,
                      const std::string& identity, const Invocation& invocation) {
  ServerResult result{Server(destination), "", ""};
  std::string known_hosts = invocation.root.HostPath(config.ssh_known_hosts);
  bool known = IsKnown(destination, known_hosts, invocation);
  Status copied = CopyKey(destination, invocation.root.HostPath(identity), known_hosts, invocation);
  if (!copied) result.error = copied.error().message();
  if (known) {
    result.host_key = "known";
  } else if (IsKnown(destination, known_hosts, invocation)) {
    result.host_key = "recorded";
  } else if (!config.ssh_host_keys.empty()) {
    result.host_key = "configured";
  } else {
    result.host_key = "unknown";
    if (result.error.empty())
      result.error = fmt::format(
          "the host key of '{}' is not in '{}', and the capture would refuse the server",
          destination.host, config.ssh_known_hosts);
  }
  return result;
}

void PrintServer(const Invocation& invocation, const Config& config, const ServerResult& server) {
  if (server.error.empty())
    Print(invocation.out, fmt::format("'{}' takes the key\n", server.server));
  if (server.host_key == "recorded")
    Print(invocation.out,
          fmt::format("the host key of '{}' was recorded in '{}'; compare it with the server's\n",
                      server.server, config.ssh_known_hosts));
  if (!server.error.empty()) invocation.Complain(server.error);
}

Json ResultJson(const PropagateResult& result) {
  Json servers = Json::array();
  for (const auto& [server, host_key, error] : result.servers)
    servers.push_back({{"server", server}, {"host_key", host_key}, {"error", error}});
  return {{"identity", result.identity}, {"created", result.created}, {"servers", servers}};
}

Result<PropagateResult> Propagate(const Config& config, const Invocation& invocation) {
  PropagateResult result;
  std::vector<const Destination*> servers;
  for (const Destination& destination : config.destinations)
    if (destination.kind == Destination::Kind::kSsh) servers.push_back(&destination);
  if (servers.empty()) return UsageError("no destination of kdump.conf is an ssh server");
  result.identity = TRY(EnsureIdentity(config, invocation, result.created));
  for (const Destination* server : servers)
    result.servers.push_back(ServeOne(*server, config, result.identity, invocation));
  return result;
}

}  // namespace

int PropagateCommand(const Invocation& invocation) {
  Result<Config> config = ReadConfig(invocation.root);
  if (!config) return ReportFailure(invocation, config.error().message());
  Result<PropagateResult> result = Propagate(*config, invocation);
  if (!result) return ReportFailure(invocation, result.error().message());
  if (invocation.json) {
    PrintJson(invocation.out, ResultJson(*result));
  } else {
    if (result->created)
      Print(invocation.out, fmt::format("made the key '{}'\n", result->identity));
    for (const ServerResult& server : result->servers) PrintServer(invocation, *config, server);
  }
  for (const ServerResult& server : result->servers)
    if (!server.error.empty()) return kExitFailed;
  return kExitOk;
}

}  // namespace kdumpkit
