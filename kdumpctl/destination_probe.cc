// SPDX-License-Identifier: GPL-2.0-or-later
#include "kdumpctl/destination_probe.h"

#include <unistd.h>

#include <charconv>

#include "kdumpctl/ssh_command.h"
#include "kdumpctl/text.h"

namespace kdumpkit {
namespace {

using Kind = Destination::Kind;
using std::chrono::seconds;

constexpr seconds kLimit{5};
constexpr unsigned kNfsPort = 2049;

Answer Yes(std::string detail = "") { return {true, std::move(detail)}; }
Answer No(std::string reason) { return {false, std::move(reason)}; }
Answer Unknown(std::string reason) { return {std::nullopt, std::move(reason)}; }

Answer RoomAnswer(uint64_t free, uint64_t estimate, uint64_t min_free) {
  std::string detail =
      fmt::format("{} free, a dump takes about {}", SizeText(free), SizeText(estimate));
  if (free >= estimate + min_free) return Yes(detail);
  return No(min_free == 0 ? detail
                          : fmt::format("{}, {} are to stay free", detail, SizeText(min_free)));
}

uint64_t NumberIn(std::string_view text) {
  uint64_t number = 0;
  (void)std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

class Prober {
 public:
  Prober(const ResolvedDestination& found, const Config& config, uint64_t estimate,
         const RootDir& root, LiveSystem& system)
      : found_(found), config_(config), estimate_(estimate), root_(root), system_(system) {}

  DestinationState Run() {
    state_.uri = DestinationUri(found_.configured);
    if (!found_.folder.empty())
      Folder();
    else if (found_.capture.kind == Kind::kSsh)
      Ssh();
    else if (found_.capture.kind == Kind::kNfs)
      Server();
    else
      Device();
    CheckKeys();
    return std::move(state_);
  }

 private:
  void Folder();
  void Ssh();
  void Server();
  void Device();
  void CheckKeys();
  void Free(uint64_t bytes) {
    state_.free_bytes = bytes;
    state_.room = RoomAnswer(bytes, estimate_, config_.min_free);
  }

  const ResolvedDestination& found_;
  const Config& config_;
  uint64_t estimate_;
  const RootDir& root_;
  LiveSystem& system_;
  DestinationState state_;
};

void Prober::Folder() {
  Result<FolderProbe> probe = system_.ProbeFolder(root_.HostPath(found_.folder), kLimit);
  if (!probe) {
    state_.reachable = No(probe.error().message());
    state_.writable = state_.room = Unknown("it is not reachable");
    return;
  }
  state_.reachable = Yes();
  state_.writable = probe->problem.empty() ? Yes() : No(probe->problem);
  // Another user's access says nothing about root's.
  if (!probe->problem.empty() && geteuid() != 0) state_.writable = Unknown("only root can tell");
  Free(probe->free_bytes);
}

// An open volume here says nothing about the capture kernel.
void Prober::CheckKeys() {
  for (const LuksVolume& volume : found_.volumes)
    if (!IsKeyOffered(volume, root_))
      state_.reachable = No(fmt::format(
          "the capture kernel has no key of LUKS volume '{}'; 'kdumpctl restart' hands it over",
          volume.name));
}

// Folders that are not there yet are made by the capture.
constexpr const char kRemoteProbe[] =
    "p=%; while [ ! -e \"$p\" ] && [ \"$p\" != / ] && [ \"$p\" != . ]; do p=$(dirname \"$p\"); "
    "done; [ -w \"$p\" ] && LC_ALL=C df -Pk \"$p\"";

std::string RemoteCommand(const std::string& path) {
  std::string command = kRemoteProbe;
  return command.replace(command.find('%'), 1, ShellQuoted(path));
}

std::string LastLine(std::string_view text) {
  std::string last;
  for (std::string_view line : Lines(text))
    if (!line.empty()) last = line;
  while (last.ends_with('\r')) last.pop_back();
  return last;
}

void Prober::Ssh() {
  Answer unknown = Unknown("it is not reachable");
  state_.writable = state_.room = unknown;
  if (geteuid() != 0) {
    state_.reachable = state_.writable = state_.room = Unknown("only root can use the key");
    return;
  }
  Result<ProgramResult> result = system_.Run(
      SshCommand(found_.capture, config_, root_, RemoteCommand(found_.capture.path)), kLimit);
  if (!result || result->state.timed_out || result->state.status == 255) {
    std::string reason = result ? LastLine(result->err) : result.error().message();
    state_.reachable = No(reason.empty() ? "no answer" : reason);
    return;
  }
  state_.reachable = Yes();
  state_.writable =
      result->state.ok() ? Yes() : No(fmt::format("'{}' there is not", found_.capture.path));
  std::vector<std::string> words = Words(LastLine(result->out));
  state_.room = Unknown("df there has no answer");
  if (result->state.ok() && words.size() >= 4) Free(NumberIn(words[3]) << 10);
}

void Prober::Server() {
  state_.writable = state_.room = Unknown("it is not mounted now");
  Status connected = system_.Connect(found_.capture.host, kNfsPort, kLimit);
  state_.reachable = connected ? Yes() : No(connected.error().message());
}

void Prober::Device() {
  state_.reachable = Yes();
  const std::string& sysfs = found_.device.sysfs;
  if (sysfs.empty()) {
    state_.writable = state_.room = Unknown("it is not mounted now");
    return;
  }
  bool read_only = root_.ReadLine(sysfs + "/ro") == "1";
  state_.writable = read_only ? No("the device is read-only") : Yes();
  uint64_t size = NumberIn(root_.ReadLine(sysfs + "/size").value_or("")) * 512;
  if (found_.capture.kind == Kind::kRaw)
    state_.room = RoomAnswer(size, estimate_, 0);
  else
    state_.room = Unknown("it is not mounted now");
}

}  // namespace

DestinationState ProbeDestination(const ResolvedDestination& found, const Config& config,
                                  uint64_t estimate, const RootDir& root, LiveSystem& system) {
  return Prober(found, config, estimate, root, system).Run();
}

}  // namespace kdumpkit
