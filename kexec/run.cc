// SPDX-License-Identifier: GPL-2.0-or-later
#include "kexec/run.h"

#include <cerrno>

#include "kexec/load.h"
#include "kexec/load_plan.h"
#include "kexec/option_table.h"
#include "kexec/options.h"
#include "kexec/plan_json.h"
#include "kexec/plan_report.h"
#include "kexec/status_report.h"
#include "kexec/text.h"

namespace kdumpkit {
namespace {

int ExitStatus(const Error& error) {
  return error.kind() == ErrorKind::kSystem ? kExitFailed : kExitRefused;
}

// Prints the error; returns the exit status.
int Fail(const Error& error, Console& console) {
  for (std::string_view line : SplitLines(error.message()))
    console.Err(fmt::format("kexec: {}\n", line));
  return ExitStatus(error);
}

class Program {
 public:
  Program(const Options& options, const RootDir& root, std::string_view machine,
          KexecSyscalls& syscalls, Console& console)
      : options_(options), root_(root), machine_(machine), syscalls_(syscalls), console_(console) {}

  int Do() {
    switch (options_.action) {
      case Action::kHelp:
        console_.Out(HelpText());
        return kExitDone;
      case Action::kVersion:
        console_.Out("kexec (kdumpkit) " KDUMPKIT_VERSION "\n");
        return kExitDone;
      case Action::kPrintReservation:
        return PrintReservation();
      case Action::kStatus:
        return PrintStatus();
      case Action::kUnload:
        return DoUnload();
      case Action::kExecute:
        return Start();
      case Action::kLoad:
        return DoLoad();
      case Action::kLoadAndExecute:
      case Action::kLoadAndReboot:
        return LoadAndStart();
    }
    CHECK(false);
  }

 private:
  int Fail(const Error& error) { return kdumpkit::Fail(error, console_); }
  void Warn(std::string_view text) { console_.Err(fmt::format("kexec: warning: {}\n", text)); }

  int PrintReservation() {
    uint64_t size = ReadCrashReservation(root_).TargetSize().value_or(0);
    console_.Out(fmt::format("{}\n", size));
    return kExitDone;
  }

  // Silent, as scripts expect: 1 is loaded, 0 is not.
  int PrintStatus() {
    if (options_.json) console_.Out(StatusToJson(root_));
    KexecFile file = options_.slot == Slot::kCrash ? KexecFile::kCrashLoaded : KexecFile::kLoaded;
    std::optional<uint64_t> loaded = ReadKexecNumber(root_, file);
    if (loaded) return *loaded != 0 ? 1 : 0;
    return Fail(Error(ErrorKind::kSystem,
                      fmt::format("cannot read '{}': is sysfs mounted, and does the kernel have "
                                  "CONFIG_KEXEC_CORE?",
                                  KexecFilePath(root_, file))));
  }

  int DoUnload() {
    if (options_.dry_run) {
      console_.Out(fmt::format("plan: unload {}\n", SlotNoun(options_.slot)));
      return kExitDone;
    }
    Status status = Unload(options_.slot, options_.call, root_, syscalls_);
    return status ? kExitDone : Fail(status.error());
  }

  int Start() {
    if (options_.dry_run) {
      console_.Out("plan: start the loaded kernel now\n");
      return kExitDone;
    }
    return Fail(StartLoaded({options_.sync, options_.interfaces_down}, root_, syscalls_));
  }

  void SayWhatIsStillLoaded() {
    if (SystemState::Read(root_).LoadedIn(options_.slot).value_or(false))
      console_.Err(fmt::format("kexec: nothing was changed, {} loaded before is still in place\n",
                               SlotNoun(options_.slot)));
  }

  // Prints every refusal, not only the first: they are repaired together.
  int Refuse(const LoadPlan& plan) {
    for (const Finding& finding : plan.findings)
      if (finding.level == Finding::Level::kRefusal)
        console_.Err(fmt::format("kexec: {}\n", finding.text));
    SayWhatIsStillLoaded();
    return kExitRefused;
  }

  int PrintPlan(const LoadPlan& plan) {
    console_.Out(options_.json ? PlanToJson(plan) : DescribePlan(plan));
    return plan.Refused() ? kExitRefused : kExitDone;
  }

  int DoLoad() {
    Result<LoadPlan> plan = MakeLoadPlan(options_, root_, machine_);
    if (!plan) {
      int status = Fail(plan.error());
      SayWhatIsStillLoaded();
      return status;
    }
    if (options_.dry_run) return PrintPlan(*plan);
    if (options_.debug) console_.Err(DescribePlan(*plan));
    if (plan->Refused()) return Refuse(*plan);
    for (const Finding& finding : plan->findings)
      if (finding.level == Finding::Level::kWarning) Warn(finding.text);
    return LoadPlanned(*plan);
  }

  int LoadPlanned(LoadPlan& plan) {
    Result<LoadReport> report = Load(plan, root_, syscalls_);
    if (!report) return Fail(report.error());
    if (options_.debug)
      for (const std::string& step : report->steps) console_.Err(step + "\n");
    for (const std::string& warning : report->warnings) Warn(warning);
    if (options_.debug) console_.Err(fmt::format("loaded {}\n", SlotNoun(plan.slot)));
    return kExitDone;
  }

  int LoadAndStart() {
    int status = DoLoad();
    if (status != kExitDone) return status;
    bool now = options_.action == Action::kLoadAndExecute;
    if (options_.dry_run) {
      if (!options_.json)
        console_.Out(now ? "then: start it now\n" : "then: shutdown -r now, which starts it\n");
      return kExitDone;
    }
    if (now) return Start();
    int error = syscalls_.RunShutdown();
    return Fail(SystemError(error,
                            "the kernel is loaded, but shutdown(8) cannot be run (start it "
                            "with 'kexec -e')"));
  }

  const Options& options_;
  const RootDir& root_;
  std::string_view machine_;
  KexecSyscalls& syscalls_;
  Console& console_;
};

}  // namespace

int Run(const std::vector<std::string>& args, const RootDir& root, std::string_view machine,
        KexecSyscalls& syscalls, Console& console) {
  Result<Options> options = ParseOptions(args);
  if (!options) return Fail(options.error(), console);
  return Program(*options, root, machine, syscalls, console).Do();
}

}  // namespace kdumpkit
