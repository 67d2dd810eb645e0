// SPDX-License-Identifier: GPL-2.0-or-later
// What a load would do, and every reason against it, worked out before the kernel is asked: it
// throws the loaded crash kernel away before it looks at the new one.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "kexec/kernel_image.h"
#include "kexec/options.h"
#include "kexec/placement.h"
#include "kexec/reservation.h"
#include "kexec/system_state.h"

namespace kdumpkit {

// The result of one check, a sentence.
struct Finding {
  enum class Level {
    kGood,
    kWarning,  // may go wrong; the load is tried
    kRefusal,  // cannot work; the load is not tried
  };
  Level level;
  std::string text;
};

struct InputFile {
  std::string path;
  UniqueFd fd;
  uint64_t size = 0;
  bool open_for_writing = false;  // by any process; the kernel does not read such files
};

struct LoadPlan {
  Slot slot = Slot::kReboot;
  InputFile kernel;
  std::optional<InputFile> initrd;
  KernelImage image;
  std::string command_line;
  uint64_t command_line_limit = 0;  // longest command line the kernel takes, in characters
  uint64_t flags = 0;               // of kexec_file_load, with the optional ones
  SystemState state;                // before the load
  CrashReservation reservation;
  MemoryNeed need;
  std::vector<Finding> findings;

  bool Refused() const;
};

// Opens the files and reads the system below `root`; `machine` is the machine as uname spells it.
// Fails when a file cannot be read; what speaks against the load stands in `findings`.
Result<LoadPlan> MakeLoadPlan(const Options& options, const RootDir& root,
                              std::string_view machine);

// "the crash kernel" or "the kernel".
std::string_view SlotNoun(Slot slot);

}  // namespace kdumpkit
