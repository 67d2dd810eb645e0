// SPDX-License-Identifier: GPL-2.0-or-later
#include "kdumpctl/status.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>

#include "kdumpctl/destination_probe.h"
#include "kdumpctl/dump_places.h"
#include "kdumpctl/text.h"

namespace kdumpkit {
namespace {

Answer Yes(std::string detail) { return {true, std::move(detail)}; }
Answer No(std::string reason) { return {false, std::move(reason)}; }

Answer ReservedAnswer(const CrashState& state) {
  std::string reason = WhyNoCrashKernel(state);
  if (state.busy) return {std::nullopt, reason};
  return reason.empty() ? Yes(SizeText(state.reserved)) : No(reason);
}

// What keeps even a kernel with a reservation from loading; empty: nothing is known.
std::string WhyNoLoad(const RootDir& root) {
  // Once set, it stays (Linux: Documentation/admin-guide/sysctl/kernel.rst).
  if (root.ReadLine("/proc/sys/kernel/kexec_load_disabled") == "1")
    return "sysctl kernel.kexec_load_disabled is set, which only a restart undoes; take it out of "
           "/etc/sysctl.d, or set it after kdump.service has started";
  std::string lockdown = root.ReadLine("/sys/kernel/security/lockdown").value_or("");
  if (lockdown.find("[integrity]") != std::string::npos ||
      lockdown.find("[confidentiality]") != std::string::npos)
    return "this kernel is locked down, and takes only a signed kernel that it trusts; 'kdumpctl "
           "start' tries it and says what is refused";
  return "";
}

// The advice is what helps.
Answer NotLoaded(const CrashState& state, const RootDir& root) {
  if (state.busy) return No(WhyNoCrashKernel(state));
  if (std::string reason = WhyNoCrashKernel(state); !reason.empty())
    return No(fmt::format("no crash kernel can be loaded: {}", reason));
  if (std::string reason = WhyNoLoad(root); !reason.empty())
    return No(fmt::format("no crash kernel is loaded: {}", reason));
  return No("no crash kernel is loaded; 'kdumpctl start' loads it");
}

Answer LoadedAnswer(const CrashState& state, const RootDir& root) {
  if (!state.loaded) return NotLoaded(state, root);
  std::optional<LoadRecord> load = ReadLoadRecord(root);
  if (!load || load->boot_id != root.ReadLine("/proc/sys/kernel/random/boot_id"))
    return Yes("by something else than kdumpctl");
  return Yes(load->kernel);
}

// Whether what is loaded is what the image is now.
std::string WhyLoadIsOld(const Service& service, const CrashState& state, const RootDir& root) {
  if (!state.loaded || service.record() == nullptr) return "";
  std::optional<LoadRecord> load = ReadLoadRecord(root);
  if (!load) return "";
  if (load->image_sha256 == service.record()->image.sha256) return "";
  return "another one than this is loaded; 'kdumpctl restart' loads it";
}

Answer ImageAnswer(const Service& service, const CrashState& state, const RootDir& root) {
  const ImageRecord* record = service.record();
  // Where nothing can be loaded, start would refuse.
  bool loads = WhyNoCrashKernel(state).empty();
  if (record == nullptr)
    return No(
        fmt::format("there is none yet; 'kdumpctl {}' builds it", loads ? "start" : "rebuild"));
  if (!service.stale_reasons().empty())
    return No(fmt::format("{}; 'kdumpctl {}' builds it anew",
                          fmt::join(service.stale_reasons(), "; "), loads ? "restart" : "rebuild"));
  if (std::string old = WhyLoadIsOld(service, state, root); !old.empty()) return No(old);
  return Yes(fmt::format("{}, built {} by {}", SizeText(record->image.state.size), record->built,
                         record->builder));
}

// Numbers of /proc/meminfo in bytes.
uint64_t MemoryOf(std::string_view text, std::string_view name) {
  for (std::string_view line : Lines(text)) {
    std::vector<std::string> words = Words(line);
    if (words.size() < 2 || words[0] != fmt::format("{}:", name)) continue;
    uint64_t kilobytes = 0;
    (void)std::from_chars(words[1].data(), words[1].data() + words[1].size(), kilobytes);
    return kilobytes << 10;
  }
  return 0;
}

// Those of servers may hang, and have other machines' dumps.
std::optional<LastDump> FindLastDump(const Config& config, const RootDir& root) {
  std::vector<DumpPlace> places = DumpPlaces(config, root);
  std::erase_if(places, [](const DumpPlace& place) { return place.shared; });
  for (const DumpRecord& dump : ListDumps(places, root)) {
    if (!dump.own || !dump.test_id.empty()) continue;
    return LastDump{dump.folder, TimeText(dump.time), dump.outcome, dump.reason};
  }
  return std::nullopt;
}

bool WouldTakeDump(const DestinationState& destination) {
  for (const Answer* answer : {&destination.reachable, &destination.writable, &destination.room})
    if (answer->good == false) return false;
  return true;
}

}  // namespace

bool ServiceState::ready() const {
  return loaded.good == true && image.good == true &&
         std::any_of(destinations.begin(), destinations.end(), WouldTakeDump);
}

uint64_t EstimateDump(const Config& config, const RootDir& root) {
  std::string text = root.ReadText("/proc/meminfo").value_or("");
  uint64_t kept = MemoryOf(text, "MemTotal");
  auto leave_out = [&](unsigned bit, uint64_t bytes) {
    if ((config.level & bit) != 0) kept -= std::min(kept, bytes);
  };
  leave_out(16, MemoryOf(text, "MemFree"));
  leave_out(8, MemoryOf(text, "AnonPages"));
  leave_out(2, MemoryOf(text, "Cached") + MemoryOf(text, "Buffers"));
  if (config.dmesg_only) return uint64_t{1} << 20;
  return config.compression == DumpCompression::kNone ? kept : kept / 2;
}

ServiceState ReadServiceState(const RootDir& root, LiveSystem& system) {
  ServiceState state;
  state.crash = ReadCrashState(root);
  state.reserved = ReservedAnswer(state.crash);
  state.loaded = LoadedAnswer(state.crash, root);
  state.test = ReadTest(root);
  Service service(root, system);
  if (Status read = service.ReadConfig(); !read) {
    state.image = No(read.error().message());
    return state;
  }
  Status checked = service.Check();
  state.image = checked ? ImageAnswer(service, state.crash, root) : No(checked.error().message());
  // Keys and files that cannot be seen look as if they were missing.
  if (geteuid() != 0 && state.image.good == false)
    state.image = {std::nullopt, state.image.reason + "; only root can tell for sure"};
  state.warnings = service.warnings();
  state.estimate = EstimateDump(service.config(), root);
  if (service.plan() != nullptr)
    for (const ResolvedDestination& found : service.plan()->destinations)
      state.destinations.push_back(
          ProbeDestination(found, service.plan()->config, state.estimate, root, system));
  state.test = FollowTest(service.config(), root, system);
  state.last_dump = FindLastDump(service.config(), root);
  return state;
}

}  // namespace kdumpkit
