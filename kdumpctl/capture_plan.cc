// SPDX-License-Identifier: GPL-2.0-or-later
#include "kdumpctl/capture_plan.h"

#include <fcntl.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "config/serialize.h"
#include "initramfs/kernel_modules.h"
#include "kdumpctl/full_image.h"
#include "kdumpctl/text.h"

namespace kdumpkit {
namespace {

using Kind = Destination::Kind;

constexpr const char kInit[] = "/init";
constexpr const char kFilter[] = "/usr/bin/kdump-filter";
// Where distributions have the cluster's notifier.
constexpr const char* kFenceSend[] = {"/usr/libexec/fence_kdump_send", "/usr/lib/fence_kdump_send",
                                      "/usr/sbin/fence_kdump_send"};
constexpr const char* kHookFolders[] = {"/etc/kdump/pre.d", "/etc/kdump/post.d",
                                        "/etc/kdump/emergency.d"};
// ssh wants to know who it is, and the C library where to look that up.
std::vector<ImageText> AccountTexts() {
  return {{"/etc/passwd", "root:x:0:0:root:/root:/bin/sh\n", 0644},
          {"/etc/group", "root:x:0:\n", 0644},
          {"/etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files\n", 0644}};
}

// Brings its own commands, which a shell alone does not.
constexpr const char kBusybox[] = "/bin/busybox";

bool WantsShell(const Config& config) {
  return config.failure_action == FailureAction::kShell || config.final_action == EndAction::kShell;
}

class Planner {
 public:
  Planner(const Config& config, const EarlierNetwork& earlier, const RootDir& root,
          LiveSystem& system)
      : earlier_(earlier), root_(root), system_(system) {
    plan_.config = config;
  }

  Result<CapturePlan> Run() {
    plan_.kernel = TRY(ChooseKernel(plan_.config, root_));
    TRY(ResolveDestinations());
    TRY(AddFence());
    TRY(AddNetwork());
    TRY(ChooseBuilder());
    TRY(AddOwnPrograms());
    if (Uses(Kind::kSsh)) TRY(AddSsh());
    TRY(AddHooks());
    AddModules();
    AddTexts();
    return std::move(plan_);
  }

 private:
  template <typename... Args>
  void Warn(fmt::format_string<Args...> format, Args&&... args) {
    plan_.warnings.push_back(fmt::format(format, std::forward<Args>(args)...));
  }
  bool Uses(Kind kind) const {
    return std::any_of(plan_.destinations.begin(), plan_.destinations.end(),
                       [&](const auto& found) { return found.capture.kind == kind; });
  }

  Status ResolveDestinations();
  Status AddRoot();
  Status AddNetwork();
  Status AddFence();
  Status ChooseBuilder();
  std::string WhyNotSmall() const;
  Result<ImageBuilder> FullBuilder(const std::string& reason);
  Status AddOwnPrograms();
  Status AddOwn(const char* name, const char* destination);
  Status AddSsh();
  void CheckHostKey(const Destination& destination);
  Status AddHooks();
  Status AddExecutable(const std::string& path, int depth = 0);
  Status AddScript(const std::string& path, std::string_view head, int depth);
  void AddFile(const std::string& path);
  void AddModules();
  void AddWatchdogs(bool other, std::vector<std::string>& modules);
  void WarnAboutUnknown(const std::vector<std::string>& modules);
  void AddTexts();

  const EarlierNetwork& earlier_;
  const RootDir& root_;
  LiveSystem& system_;
  std::vector<std::string> servers_;
  std::set<std::string> places_;  // of what is in the image
  CapturePlan plan_;
};

// One that cannot be served now is left out as long as there is another one.
Status Planner::ResolveDestinations() {
  std::vector<Destination> configured = std::exchange(plan_.config.destinations, {});
  std::vector<std::string> failures;
  for (const Destination& destination : configured) {
    Result<ResolvedDestination> found = ResolveDestination(destination, root_, system_);
    if (!found) {
      failures.push_back(found.error().message());
      continue;
    }
    if (!found->unreachable.empty()) {
      failures.push_back(fmt::format("{}: {}", DestinationUri(destination), found->unreachable));
      continue;
    }
    if (found->NeedsNetwork()) servers_.push_back(found->capture.host);
    plan_.config.destinations.push_back(found->capture);
    plan_.destinations.push_back(std::move(*found));
  }
  if (plan_.destinations.empty())
    return UsageError("no destination can get a dump: {}", fmt::join(failures, "; "));
  for (const std::string& failure : failures) Warn("a destination is left out: {}", failure);
  return AddRoot();
}

Status Planner::AddRoot() {
  if (plan_.config.failure_action != FailureAction::kDumpToRootfs) return {};
  Destination root;
  root.path = "/";
  plan_.root = TRY(ResolveDestination(root, root_, system_).In("failure_action dump_to_rootfs"));
  if (plan_.root->unreachable.empty()) return {};
  Warn("failure_action dump_to_rootfs will not work: {}", plan_.root->unreachable);
  plan_.root.reset();
  return {};
}

Status Planner::AddFence() {
  if (plan_.config.fence_nodes.empty()) return {};
  for (const char* path : kFenceSend) {
    if (!root_.Exists(path)) continue;
    servers_.insert(servers_.end(), plan_.config.fence_nodes.begin(),
                    plan_.config.fence_nodes.end());
    return AddExecutable(path);
  }
  return UsageError("fence_kdump_nodes needs '{}', which is not there", kFenceSend[0]);
}

Status Planner::AddNetwork() {
  Result<NetworkFacts> facts = FindNetworkFacts(servers_, earlier_.addresses, root_, system_);
  // In every image kdump-capture sets up the network itself, by the card's address.
  if (facts && !facts->not_small.empty())
    return Unsupported(
        "{}, and the capture kernel sets up network cards, bonds, VLANs and bridges only; a "
        "destination on a disk of this machine can be reached",
        facts->not_small);
  if (facts) {
    plan_.network = std::move(*facts);
    return {};
  }
  bool another = std::any_of(plan_.destinations.begin(), plan_.destinations.end(),
                             [](const auto& found) { return !found.NeedsNetwork(); });
  if (earlier_.network.empty() && !another) return facts.error();
  Warn("{}; {}", facts.error().message(),
       earlier_.network.empty() ? "destinations on servers cannot be reached"
                                : "the network of the earlier image is kept");
  plan_.network.addresses = earlier_.addresses;
  plan_.network.network = earlier_.network;
  plan_.network.hosts = earlier_.hosts;
  plan_.network.local_address = earlier_.local_address;
  return {};
}

std::string Planner::WhyNotSmall() const {
  for (const ResolvedDestination* found : plan_.All())
    if (!found->not_small.empty())
      return fmt::format("{}: {}", DestinationUri(found->configured), found->not_small);
  return "";
}

Result<ImageBuilder> Planner::FullBuilder(const std::string& reason) {
  if (system_.FindProgram("dracut")) return ImageBuilder::kDracut;
  if (system_.FindProgram("mkinitramfs")) return ImageBuilder::kInitramfsTools;
  return UsageError(
      "{}, so that dracut or initramfs-tools has to build the image, and neither is installed",
      reason);
}

Status Planner::ChooseBuilder() {
  std::string reason = WhyNotSmall();
  ImageBuilder wanted = plan_.config.image_builder;
  if (wanted == ImageBuilder::kKdumpkit && !reason.empty())
    return UsageError("image_builder kdumpkit cannot serve {}; say 'image_builder auto'", reason);
  if (wanted == ImageBuilder::kAuto) {
    plan_.builder = reason.empty() ? ImageBuilder::kKdumpkit : TRY(FullBuilder(reason));
    plan_.builder_reason = reason;
    return {};
  }
  plan_.builder = wanted;
  if (wanted != ImageBuilder::kKdumpkit) plan_.builder_reason = "kdump.conf says so";
  return {};
}

Status Planner::AddOwn(const char* name, const char* destination) {
  std::optional<std::string> file = system_.FindProgram(name);
  if (!file) return UsageError("'{}' is not installed", name);
  plan_.image.programs.push_back({*file, destination});
  places_.insert(destination);
  return {};
}

Status Planner::AddOwnPrograms() {
  bool small = plan_.builder == ImageBuilder::kKdumpkit;
  TRY(AddOwn("kdump-capture", small ? kInit : "/usr/bin/kdump-capture"));
  return AddOwn("kdump-filter", kFilter);
}

Status Planner::AddSsh() {
  TRY(AddOwn("ssh", "/usr/bin/ssh"));
  std::vector<std::string> identities;
  for (const std::string& identity : plan_.config.ssh_identities) {
    if (!root_.Exists(identity)) {
      Warn("there is no sshkey '{}'", identity);
      continue;
    }
    identities.push_back(identity);
    AddFile(identity);
  }
  if (identities.empty())
    return UsageError("there is no private key for ssh; 'kdumpctl propagate' makes one");
  plan_.config.ssh_identities = identities;
  if (root_.Exists(plan_.config.ssh_known_hosts)) AddFile(plan_.config.ssh_known_hosts);
  for (const ResolvedDestination& found : plan_.destinations)
    if (found.capture.kind == Kind::kSsh) CheckHostKey(found.capture);
  return {};
}

// A server whose key is not known would be refused after the crash.
void Planner::CheckHostKey(const Destination& destination) {
  if (!plan_.config.ssh_host_keys.empty() || !system_.FindProgram("ssh-keygen")) return;
  std::string name = destination.port == 0 || destination.port == 22
                         ? destination.host
                         : fmt::format("[{}]:{}", destination.host, destination.port);
  std::string file = root_.HostPath(plan_.config.ssh_known_hosts);
  Result<ProgramResult> found =
      system_.Run({"ssh-keygen", "-F", name, "-f", file}, std::chrono::seconds(5));
  if (found && found->state.ok()) return;
  Warn("'{}' has no key of '{}', which will be refused; see 'kdumpctl propagate'",
       plan_.config.ssh_known_hosts, name);
}

void Planner::AddFile(const std::string& path) {
  if (places_.insert(path).second) plan_.image.files.push_back({root_.HostPath(path), path});
}

// A program with its libraries; a script with its interpreter.
Status Planner::AddExecutable(const std::string& path, int depth) {
  if (places_.contains(path)) return {};
  UniqueFd fd = TRY(root_.OpenAt(path, O_RDONLY));
  ByteBuffer head(256);
  head.resize(TRY(ReadAt(fd.get(), FileOffset(0), head).In(path)));
  std::string_view text = AsText(head);
  if (text.starts_with("#!")) return AddScript(path, text.substr(2), depth);
  if (!text.starts_with("\177ELF"))
    return UsageError("'{}' is no program and no script with a '#!' line", path);
  places_.insert(path);
  plan_.image.programs.push_back({root_.HostPath(path), path});
  return {};
}

Status Planner::AddScript(const std::string& path, std::string_view head, int depth) {
  if (depth > 4) return UsageError("'{}': interpreters that need interpreters", path);
  AddFile(path);
  std::vector<std::string> words = Words(head.substr(0, head.find('\n')));
  if (words.empty()) return UsageError("'{}' names no interpreter", path);
  TRY(AddExecutable(words[0], depth + 1).In(path));
  if (BaseName(words[0]) != "env" || words.size() < 2) return {};
  std::optional<std::string> program = system_.FindProgram(words.back());
  if (!program) return UsageError("'{}': there is no '{}'", path, words.back());
  return AddExecutable(*program, depth + 1);
}

Status Planner::AddHooks() {
  const Config& config = plan_.config;
  std::vector<std::string> programs = config.extra_bins;
  for (const std::string& hook : {config.pre_hook, config.post_hook, config.emergency_hook})
    if (!hook.empty()) programs.push_back(hook);
  for (const char* folder : kHookFolders)
    for (const std::string& name : root_.List(folder))
      if (std::string path = fmt::format("{}/{}", folder, name); IsExecutable(root_, path))
        programs.push_back(path);
  if (WantsShell(config)) programs.push_back(root_.Exists(kBusybox) ? kBusybox : "/bin/sh");
  for (const std::string& program : programs) TRY(AddExecutable(program));
  if (config.collector.empty()) return {};
  std::optional<std::string> collector = system_.FindProgram(config.collector[0]);
  if (config.collector[0].starts_with('/')) collector = config.collector[0];
  if (!collector) return UsageError("core_collector: there is no '{}'", config.collector[0]);
  return AddExecutable(*collector);
}

void AddAll(const DriverNeeds& needs, bool aliases, std::vector<std::string>& modules) {
  modules.insert(modules.end(), needs.modules.begin(), needs.modules.end());
  if (aliases) modules.insert(modules.end(), needs.aliases.begin(), needs.aliases.end());
}

// Of device mapper and md: those that are loaded for the devices that stand on others. Their
// sysfs folders name no driver.
void AddStacked(const RootDir& root, std::vector<std::string>& modules) {
  std::string loaded = root.ReadText("/proc/modules").value_or("");
  for (std::string_view line : Lines(loaded))
    for (std::string_view begin : {"dm_", "md_mod ", "raid", "linear ", "bcache "})
      if (line.starts_with(begin)) modules.push_back(Words(line)[0]);
}

void Planner::AddWatchdogs(bool other, std::vector<std::string>& modules) {
  DriverNeeds needs;
  for (const std::string& name : root_.List("/sys/class/watchdog"))
    if (auto device = RealPath(root_, fmt::format("/sys/class/watchdog/{}/device", name)))
      AddDrivers(root_, *device, needs);
  std::vector<std::string>& found = plan_.watchdog_modules;
  AddAll(needs, other, found);
  if (found.empty()) found = earlier_.watchdog_modules;
  modules.insert(modules.end(), found.begin(), found.end());
}

// File systems come last, once their devices are on the way.
void Planner::AddModules() {
  plan_.image.module_folder =
      plan_.kernel.module_folder.empty() ? "" : root_.HostPath(plan_.kernel.module_folder);
  std::vector<std::string> modules;
  // Drivers that are no modules in this kernel may be some in another one.
  bool other = plan_.kernel.release != root_.ReadLine("/proc/sys/kernel/osrelease");
  for (const ResolvedDestination* found : plan_.All()) AddAll(found->drivers, other, modules);
  if (!WhyNotSmall().empty()) AddStacked(root_, modules);
  AddAll(plan_.network.drivers, other, modules);
  if (plan_.config.watchdog) AddWatchdogs(other, modules);
  for (const LuksVolume& volume : plan_.Volumes()) {
    std::vector<std::string> needed = VolumeModules(volume, root_);
    modules.insert(modules.end(), needed.begin(), needed.end());
  }
  for (const ResolvedDestination* found : plan_.All())
    modules.insert(modules.end(), found->modules.begin(), found->modules.end());
  modules.insert(modules.end(), plan_.config.extra_modules.begin(),
                 plan_.config.extra_modules.end());
  if (plan_.network.network.find(':') != std::string::npos) modules.push_back("ipv6");
  WarnAboutUnknown(plan_.config.extra_modules);
  if (plan_.image.module_folder.empty()) return;
  plan_.image.optional_modules = std::move(modules);
  plan_.image.firmware_folder = root_.HostPath("/lib/firmware");
}

void Planner::WarnAboutUnknown(const std::vector<std::string>& modules) {
  if (modules.empty()) return;
  Result<ModuleTree> tree = ModuleTree::Open(plan_.image.module_folder);
  for (const std::string& name : modules)
    if (!tree || !tree->Knows(name))
      Warn("extra_modules: kernel {} has no module '{}'", plan_.kernel.release, name);
}

void Planner::AddTexts() {
  std::vector<ImageText>& texts = plan_.image.texts;
  texts.push_back({"/etc/kdump.conf", SerializeForCapture(plan_.config), 0600});
  if (auto id = root_.ReadLine("/etc/machine-id"))
    texts.push_back({"/etc/machine-id", *id + "\n", 0444});
  if (!plan_.network.network.empty())
    texts.push_back({"/etc/kdumpkit/network", plan_.network.network, 0644});
  std::string volumes;
  for (const LuksVolume& volume : plan_.Volumes()) volumes += VolumeLine(volume);
  if (!volumes.empty()) texts.push_back({"/etc/kdumpkit/volumes", volumes, 0644});
  if (!plan_.network.hosts.empty()) texts.push_back({"/etc/hosts", plan_.network.hosts, 0644});
  for (ImageText& text : AccountTexts()) texts.push_back(std::move(text));
  if (plan_.builder != ImageBuilder::kKdumpkit) AddFullImageTexts(plan_);
}

}  // namespace

std::vector<const ResolvedDestination*> CapturePlan::All() const {
  std::vector<const ResolvedDestination*> all;
  for (const ResolvedDestination& found : destinations) all.push_back(&found);
  if (root) all.push_back(&*root);
  return all;
}

std::vector<LuksVolume> CapturePlan::Volumes() const {
  std::vector<LuksVolume> volumes;
  for (const ResolvedDestination* found : All())
    for (const LuksVolume& volume : found->volumes)
      if (std::find(volumes.begin(), volumes.end(), volume) == volumes.end())
        volumes.push_back(volume);
  return volumes;
}

Result<CapturePlan> MakeCapturePlan(const Config& config, const EarlierNetwork& earlier,
                                    const RootDir& root, LiveSystem& system) {
  return Planner(config, earlier, root, system).Run();
}

std::string_view BuilderName(ImageBuilder builder) {
  switch (builder) {
    case ImageBuilder::kAuto:
      return "auto";
    case ImageBuilder::kKdumpkit:
      return "kdumpkit";
    case ImageBuilder::kDracut:
      return "dracut";
    case ImageBuilder::kInitramfsTools:
      return "initramfs-tools";
  }
  CHECK(false);
}

std::string HostTagOf(const Config& config, const std::string& local_address, const RootDir& root) {
  if (config.host_tag == HostTag::kHostName)
    return root.ReadLine("/proc/sys/kernel/hostname").value_or("localhost");
  return local_address.empty() ? "127.0.0.1" : local_address;
}

}  // namespace kdumpkit
