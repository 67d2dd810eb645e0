// SPDX-License-Identifier: GPL-2.0-or-later
// What a load would do, and every reason against it, worked out before the kernel is asked: it
// throws the loaded crash kernel away before it looks at the new one.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "kexec/kernel_file.h"
#include "kexec/options.h"
#include "kexec/placement.h"
#include "kexec/reservation.h"
#include "kexec/route.h"
#include "kexec/segment_plan.h"
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
  KernelFile contents;              // of `kernel`, its wrappers taken off
  std::optional<InputFile> initrd;  // --initrd; without it a unified image's own is taken
  std::string command_line;         // of the new kernel, without what the chosen call adds
  uint64_t command_line_limit = 0;  // longest command line the call takes, in characters
  std::optional<Route> route;       // absent: no call takes the image, `no_route` says why
  std::string no_route;
  uint64_t file_flags = 0;     // of kexec_file_load, with the optional ones
  uint64_t segment_flags = 0;  // of kexec_load, likewise
  bool hotplug_demanded = false;
  SegmentOptions segment_options;
  // The image for kexec_load, with that route and when it could be made.
  std::optional<SegmentPlan> segments;
  ByteBuffer initrd_bytes;  // what `segments` borrows when there is an `initrd`
  SystemState state;        // before the load
  CrashReservation reservation;
  MemoryNeed need;
  std::vector<Finding> findings;

  const KernelImage& image() const { return contents.image; }
  bool HasInitrd() const { return initrd || contents.initrd; }
  uint64_t InitrdSize() const;
  bool Uses(KexecCall call) const { return route && route->call == call; }
  bool Refused() const;
};

// Opens the files and reads the system below `root`; `machine` is the machine as uname spells it.
// Fails when a file cannot be read or unpacked; what speaks against the load stands in `findings`.
Result<LoadPlan> MakeLoadPlan(const Options& options, const RootDir& root,
                              std::string_view machine);

// Makes `plan.segments`; afterwards the route is kexec_load. For plans that have none and may fall
// back.
Status FallBackToSegments(LoadPlan& plan, const RootDir& root, std::string reason);

// "the crash kernel" or "the kernel".
std::string_view SlotNoun(Slot slot);

}  // namespace kdumpkit
