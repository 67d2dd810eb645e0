// SPDX-License-Identifier: GPL-2.0-or-later
#include "kdumpctl/service_commands.h"

#include <thread>

#include "kdumpctl/image_builder.h"
#include "kdumpctl/json_read.h"
#include "kdumpctl/notify.h"
#include "kdumpctl/service.h"
#include "kdumpctl/state_files.h"
#include "kdumpctl/text.h"

namespace kdumpkit {
namespace {

using Json = nlohmann::ordered_json;
using std::chrono::seconds;

constexpr seconds kLockLimit{600};

std::string ImageLine(const Service& service) {
  const CapturePlan& plan = *service.plan();
  std::string line =
      fmt::format("image '{}' {} by {}", ImagePath(plan.kernel.release),
                  service.built() ? "built" : "of an earlier start is up to date, built",
                  BuilderName(plan.builder));
  if (!plan.builder_reason.empty()) line += fmt::format(" ({})", plan.builder_reason);
  if (const ImageRecord* record = service.record())
    line += fmt::format(", {}", SizeText(record->image.state.size));
  // Why it had to be built is worth a line: a full image takes minutes.
  if (service.built() && !service.stale_reasons().empty())
    line += fmt::format("; why: {}", fmt::join(service.stale_reasons(), "; "));
  return line;
}

Json Report(const Service& service, const Status& done) {
  Json json = {{"ok", done.has_value()}};
  if (!done) json["error"] = done.error().message();
  json["loaded_now"] = service.loaded_now();
  json["image_built"] = service.built();
  json["stale_reasons"] = service.stale_reasons();
  json["warnings"] = service.warnings();
  if (const CapturePlan* plan = service.plan()) {
    json["kernel"] = plan->kernel.file;
    json["release"] = plan->kernel.release;
    json["image"] = ImagePath(plan->kernel.release);
    json["builder"] = BuilderName(plan->builder);
    json["builder_reason"] = plan->builder_reason;
  }
  json["command_line"] = service.command_line();
  return json;
}

int Finish(const Invocation& invocation, const Service& service, const Status& done,
           const std::string& success) {
  if (invocation.json) {
    Print(invocation.out, JsonDump(Report(service, done)));
    return done ? kExitOk : kExitFailed;
  }
  for (const std::string& warning : service.warnings())
    invocation.Complain(fmt::format("warning: {}", warning));
  if (!done) {
    for (std::string_view line : Lines(done.error().message())) invocation.Complain(line);
    NotifyStatus(done.error().message());
    return kExitFailed;
  }
  if (service.plan() != nullptr && service.record() != nullptr)
    Print(invocation.out, fmt::format("{}\n", ImageLine(service)));
  Print(invocation.out, fmt::format("{}\n", success));
  return kExitOk;
}

// At boot another service may be loading a kernel, too (kexec-load.service of Debian).
Status CheckMachine(const RootDir& root) {
  constexpr int kTries = 15;  // of some two seconds each
  CrashState state = ReadCrashState(root);
  for (int tries = 1; state.busy && tries < kTries; ++tries) state = ReadCrashState(root);
  std::string reason = WhyNoCrashKernel(state);
  if (!reason.empty()) return UsageError("{}", reason);
  return {};
}

// A new image could not be made; an older one is better than none.
Status LoadEarlier(Service& service, const RootDir& root, const Status& failure) {
  if (ReadCrashState(root).loaded)
    return UsageError("{}\nthe crash kernel that is loaded stays loaded",
                      failure.error().message());
  if (service.record() == nullptr) return failure;
  if (!service.Load(true)) return failure;
  return UsageError("{}\nthe crash kernel is loaded with the earlier image",
                    failure.error().message());
}

Status StartService(Service& service, const RootDir& root, bool always) {
  TRY(CheckMachine(root));
  ServiceLock lock = TRY(ServiceLock::Take(root, kLockLimit));
  TRY(service.ReadConfig());
  NotifyStatus("checking the capture image");
  Status image = service.EnsureImage({});
  if (!image) return LoadEarlier(service, root, image);
  TRY(service.Load(always));
  NotifyReady("the crash kernel is loaded");
  return {};
}

int StartCommand(const Invocation& invocation, bool always) {
  Service service(invocation.root, invocation.system);
  Status done = StartService(service, invocation.root, always);
  return Finish(invocation, service, done,
                service.loaded_now() ? "crash kernel loaded" : "crash kernel is loaded already");
}

Status ReloadService(Service& service, const RootDir& root) {
  TRY(CheckMachine(root));
  ServiceLock lock = TRY(ServiceLock::Take(root, kLockLimit));
  TRY(service.ReadConfig());
  TRY(service.EnsureImage({.force = false, .may_build = false}));
  return service.Load(true);
}

// Of many calls at once one does the work. A change that comes after it has begun has a caller of
// its own, which waits here in its turn.
bool WaitForOthers(const RootDir& root) {
  constexpr seconds kSettle{2};
  Result<ServiceLock> lock = ServiceLock::TryNamed(root, "hotplug");
  if (!lock) return false;
  std::this_thread::sleep_for(kSettle);
  return ReadCrashState(root).loaded;
}

}  // namespace

int Start(const Invocation& invocation) {
  if (invocation.Has("if-loaded") && !ReadCrashState(invocation.root).loaded) return kExitOk;
  return StartCommand(invocation, false);
}

int Restart(const Invocation& invocation) { return StartCommand(invocation, true); }

int Stop(const Invocation& invocation) {
  Service service(invocation.root, invocation.system);
  auto stop = [&]() -> Status {
    ServiceLock lock = TRY(ServiceLock::Take(invocation.root, kLockLimit));
    if (!ReadCrashState(invocation.root).loaded) return {};
    return service.Unload();
  };
  return Finish(invocation, service, stop(), "no crash kernel is loaded");
}

int Reload(const Invocation& invocation) {
  if (invocation.Has("hotplug") && !WaitForOthers(invocation.root)) return kExitOk;
  Service service(invocation.root, invocation.system);
  Status done = ReloadService(service, invocation.root);
  return Finish(invocation, service, done, "crash kernel loaded anew");
}

int Rebuild(const Invocation& invocation) {
  Service service(invocation.root, invocation.system);
  auto rebuild = [&]() -> Status {
    ServiceLock lock = TRY(ServiceLock::Take(invocation.root, kLockLimit));
    TRY(service.ReadConfig());
    return service.EnsureImage({.force = true});
  };
  return Finish(invocation, service, rebuild(),
                "'kdumpctl reload' loads it, if a crash kernel is loaded");
}

int ShowMemory(const Invocation& invocation) {
  CrashState state = ReadCrashState(invocation.root);
  if (invocation.json) {
    Print(invocation.out, JsonDump({{"reserved", state.reserved}}));
  } else {
    Print(invocation.out,
          fmt::format("Reserved {}MB memory for crash kernel\n", state.reserved >> 20));
  }
  return state.supported ? kExitOk : kExitFailed;
}

int ImageFiles(const Invocation& invocation) {
  Service service(invocation.root, invocation.system);
  auto write = [&]() -> Status {
    TRY(service.ReadConfig());
    TRY(service.UseBuilder(invocation.Value("builder").value_or("dracut")));
    TRY(service.Check());
    return WriteImageFiles(*service.contents(), invocation.operands[0]);
  };
  Status done = write();
  if (done) return kExitOk;
  invocation.Complain(done.error().message());
  return kExitFailed;
}

}  // namespace kdumpkit
