// SPDX-License-Identifier: GPL-2.0-or-later
#include "kexec/options.h"

#include <string_view>
#include <utility>

#include "kexec/given_options.h"

namespace kdumpkit {
namespace {

// The action options that exclude each other, in the order they are named in messages.
struct ActionRow {
  OptionId id;
  Action action;
  const char* name;
};
constexpr ActionRow kActions[] = {
    {OptionId::kUnload, Action::kUnload, "--unload"},
    {OptionId::kExec, Action::kExecute, "--exec"},
    {OptionId::kForce, Action::kLoadAndExecute, "--force"},
    {OptionId::kLoadPanic, Action::kLoad, "--load-panic"},
    {OptionId::kLoad, Action::kLoad, "--load"},
};

// -p and -l beside -u and -l beside -p only name the slot, -f beside -e says what -e does anyway.
bool Compatible(OptionId first, OptionId second) {
  bool second_is_load = second == OptionId::kLoad || second == OptionId::kLoadPanic;
  if (first == OptionId::kUnload || first == OptionId::kLoadPanic) return second_is_load;
  return first == OptionId::kExec && second == OptionId::kForce;
}

Result<Action> ChooseAction(const Given& given) {
  // These answer a question; whatever else was given is not done.
  if (given.Has(OptionId::kHelp)) return Action::kHelp;
  if (given.Has(OptionId::kVersion)) return Action::kVersion;
  if (given.Has(OptionId::kPrintReservation)) return Action::kPrintReservation;
  if (given.Has(OptionId::kStatus)) return Action::kStatus;
  const ActionRow* chosen = nullptr;
  for (const ActionRow& row : kActions) {
    if (!given.Has(row.id)) continue;
    if (chosen == nullptr) {
      chosen = &row;
    } else if (!Compatible(chosen->id, row.id)) {
      bool crash = row.id == OptionId::kLoadPanic;
      return UsageError("{} and {} cannot be combined: {}", chosen->name, row.name,
                        crash ? "a crash kernel is started by a panic only" : "give one of them");
    }
  }
  return chosen == nullptr ? Action::kLoadAndReboot : chosen->action;
}

Slot ChooseSlot(const Given& given, Action action) {
  if (given.Has(OptionId::kLoadPanic)) return Slot::kCrash;
  // Without a word about the slot, the question is about the crash kernel.
  if (action == Action::kStatus && !given.Has(OptionId::kLoad)) return Slot::kCrash;
  return Slot::kReboot;
}

bool IsLoad(Action action) {
  return action == Action::kLoad || action == Action::kLoadAndReboot ||
         action == Action::kLoadAndExecute;
}

Status CheckLoadArguments(const Given& given) {
  if (given.operands.empty() || given.operands[0].empty())
    return UsageError("no kernel given; see 'kexec --help'");
  if (given.operands.size() > 1)
    return UsageError(
        "more than one kernel given: '{}' and '{}' (a command line with spaces must "
        "be quoted)",
        given.operands[0], given.operands[1]);
  if (given.initrd && given.initrd->empty()) return UsageError("--initrd has an empty file name");
  if (given.segments.mem_min > given.segments.mem_max)
    return UsageError("--mem-min is above --mem-max");
  return {};
}

// What --unload, --exec and --status must not be given.
Status CheckNoLoadArguments(const Given& given, std::string_view action) {
  const std::pair<OptionId, const char*> kLoadOnly[] = {
      {OptionId::kAppend, "--append"},
      {OptionId::kInitrd, "--initrd"},
      {OptionId::kReuseCommandLine, "--reuse-cmdline"},
  };
  for (const auto& [id, name] : kLoadOnly)
    if (given.Has(id)) return UsageError("{} loads no kernel: {} has no meaning", action, name);
  if (!given.operands.empty())
    return UsageError("{} loads no kernel: '{}' has no meaning", action, given.operands[0]);
  return {};
}

Status CheckArguments(const Given& given, Action action) {
  if (given.Has(OptionId::kJson) && action != Action::kStatus &&
      !(IsLoad(action) && given.Has(OptionId::kDryRun)))
    return UsageError("--json needs --status, or --plan of a load");
  if (IsLoad(action)) return CheckLoadArguments(given);
  switch (action) {
    case Action::kUnload:
      return CheckNoLoadArguments(given, "--unload");
    case Action::kExecute:
      return CheckNoLoadArguments(given, "--exec");
    case Action::kStatus:
      return CheckNoLoadArguments(given, "--status");
    default:
      return {};
  }
}

}  // namespace

Result<Options> ParseOptions(const std::vector<std::string>& args) {
  Given given = TRY(ReadArguments(args));
  Options options;
  options.action = TRY(ChooseAction(given));
  options.slot = ChooseSlot(given, options.action);
  TRY(CheckArguments(given, options.action));
  if (!given.operands.empty()) options.kernel = given.operands[0];
  options.append = std::move(given.append);
  options.initrd = std::move(given.initrd);
  options.type = std::move(given.type);
  options.reuse_command_line = given.Has(OptionId::kReuseCommandLine);
  options.debug = given.Has(OptionId::kDebug);
  options.dry_run = given.Has(OptionId::kDryRun);
  options.json = given.Has(OptionId::kJson);
  options.sync = !given.Has(OptionId::kNoSync);
  options.interfaces_down = !given.Has(OptionId::kNoIfdown);
  options.call = given.call;
  options.hotplug = given.Has(OptionId::kHotplug);
  options.segments = given.segments;
  options.segments.check = !given.Has(OptionId::kNoChecks);
  options.segments.efi = !given.Has(OptionId::kNoEfi);
  if (options.debug) options.optional_flags |= kFileDebug;
  if (given.Has(OptionId::kNoCma)) options.optional_flags |= kFileNoCma;
  if (given.Has(OptionId::kForceDtb)) options.optional_flags |= kFileForceDtb;
  return options;
}

}  // namespace kdumpkit
