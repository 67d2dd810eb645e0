// SPDX-License-Identifier: GPL-2.0-or-later
// What a load by kexec_load reads of the machine. The first byte of the input picks the file that
// the rest replaces; whatever it says, the segments are legal or there is an error.
#include <cstdint>

#include "tests/kexec/image_builder.h"
#include "tests/kexec/segment_machine.h"

namespace {

using kdumpkit::FakeMachine;
using kdumpkit::Slot;

struct Source {
  uint8_t letter;
  const char* path;
  Slot slot = Slot::kCrash;  // the load that reads it
};
constexpr Source kSources[] = {
    {'i', "proc/iomem"},
    {'k', "proc/kcore"},
    {'c', "proc/cmdline"},
    {'v', "sys/kernel/vmcoreinfo"},
    {'b', "sys/kernel/boot_params/data"},
    {'m', "sys/firmware/memmap/3/end", Slot::kReboot},
    {'n', "sys/devices/system/cpu/cpu1/crash_notes"},
    {'r', "sys/kernel/kexec/crash_cma_ranges"},
    {'e', "sys/firmware/efi/runtime-map/1/virt_addr"},
    {'s', "sys/firmware/efi/systab"},
};

// A new file: writing over an old one makes some file systems wait for the disk.
void Replace(FakeMachine& machine, const char* path, const std::string& text) {
  machine.Remove(path);
  machine.Set(path, text);
}

// A machine with everything; the same for every input.
FakeMachine& Machine() {
  static FakeMachine* machine = [] {
    auto* made = new FakeMachine;
    AddSegmentFiles(*made);
    AddEfi(*made);
    made->Set("sys/kernel/kexec/crash_cma_ranges", "10000000-1fffffff\n");
    return made;
  }();
  return *machine;
}

void CheckLegal(const kdumpkit::SegmentPlan& plan) {
  kdumpkit::PhysAddr end{0};
  for (const kdumpkit::PlannedSegment& segment : plan.segments) {
    CHECK(segment.memory.base >= end && segment.memory.size > 0);
    CHECK(segment.bytes.size() <= segment.memory.size);
    CHECK(segment.memory.base.value % 4096 == 0 && segment.memory.size % 4096 == 0);
    end = segment.memory.end();
  }
}

void Plan(const FakeMachine& machine, Slot slot) {
  static const kdumpkit::KernelFile kernel =
      kdumpkit::KernelFromBytes("kernel", kdumpkit::MakeBzImage());
  kdumpkit::SegmentRequest request{.slot = slot, .kernel = kernel};
  request.command_line = "console=ttyS0";
  kdumpkit::Result<kdumpkit::SegmentPlan> plan = BuildSegments(request, machine.Root());
  if (plan) CheckLegal(*plan);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  for (const Source& source : kSources) {
    if (source.letter != data[0]) continue;
    FakeMachine& machine = Machine();
    std::string good = machine.Get(source.path);
    Replace(machine, source.path, std::string(data + 1, data + size));
    Plan(machine, source.slot);
    Replace(machine, source.path, good);
  }
  return 0;
}
