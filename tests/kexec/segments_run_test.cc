// SPDX-License-Identifier: GPL-2.0-or-later
// The program where kexec_load is concerned: when it is chosen, what it is given, how it is fallen
// back on; and files that are not handed over as they are.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <nlohmann/json.hpp>

#include "kexec/run.h"
#include "tests/kexec/fake_machine.h"
#include "tests/kexec/image_builder.h"
#include "tests/kexec/packer.h"

namespace kdumpkit {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

std::string VmlinuxFile() { return MakeElfKernel(VmlinuxFields()); }

// The command line that the boot parameters of a call lead to: wherever it stands, it is text.
bool HasCommandLine(const SegmentCall& call, std::string_view text) {
  return std::any_of(call.segments.begin(), call.segments.end(), [&](const auto& segment) {
    return AsText(segment.second).find(text) != std::string_view::npos;
  });
}

TEST(SegmentsRun, DemandedForACrashKernel) {
  FakeMachine machine;
  EXPECT_EQ(
      machine.RunWithKernel({"-p", "-c", "--append=quiet x=1", "--initrd=" + machine.InitrdPath()}),
      kExitDone)
      << machine.err;
  EXPECT_THAT(machine.kernel.loads, IsEmpty());
  ASSERT_EQ(machine.kernel.segment_loads.size(), 1u);
  const SegmentCall& call = machine.kernel.segment_loads[0];
  EXPECT_EQ(call.flags, kLoadOnCrash);
  PhysRange reservation{PhysAddr(0x5f000000), uint64_t{256} << 20};
  bool entry_inside = false;
  for (const auto& [memory, bytes] : call.segments) {
    EXPECT_GE(memory.base, reservation.base);
    EXPECT_LE(memory.end(), reservation.end());
    EXPECT_LE(bytes.size(), memory.size);
    entry_inside |= memory.Contains(PhysAddr(call.entry));
  }
  EXPECT_TRUE(entry_inside);
  EXPECT_TRUE(HasCommandLine(call, "quiet x=1"));
  EXPECT_EQ(machine.Get("sys/kernel/kexec_crash_loaded"), "1\n");
}

TEST(SegmentsRun, DemandedForAReboot) {
  FakeMachine machine;
  EXPECT_EQ(machine.RunWithKernel({"-l", "-c", "--append=again"}), kExitDone) << machine.err;
  ASSERT_EQ(machine.kernel.segment_loads.size(), 1u);
  EXPECT_EQ(machine.kernel.segment_loads[0].flags, 0u);
  EXPECT_FALSE(HasCommandLine(machine.kernel.segment_loads[0], "elfcorehdr="));
  EXPECT_EQ(machine.Get("sys/kernel/kexec_loaded"), "1\n");
}

TEST(SegmentsRun, FallsBackOnTheDocumentedErrnosOnly) {
  for (int error : {ENOSYS, EINVAL, ENOEXEC, EOPNOTSUPP}) {
    FakeMachine machine;
    machine.kernel.answers = {error};
    EXPECT_EQ(machine.RunWithKernel({"-p"}), kExitDone) << machine.err;
    EXPECT_EQ(machine.kernel.segment_loads.size(), 1u);
  }
  for (int error : {EPERM, EACCES, EBADMSG, ENOKEY, EKEYREJECTED, EADDRNOTAVAIL, ENOMEM, ETXTBSY}) {
    FakeMachine machine;
    machine.kernel.answers = {error};
    EXPECT_EQ(machine.RunWithKernel({"-p"}), kExitFailed);
    EXPECT_THAT(machine.kernel.segment_loads, IsEmpty());
  }
}

TEST(SegmentsRun, FallingBackIsSaidWithDebugOnly) {
  FakeMachine machine;
  machine.kernel.answers = {ENOSYS, 0, ENOSYS};
  EXPECT_EQ(machine.RunWithKernel({"-p"}), kExitDone);
  EXPECT_EQ(machine.out + machine.err, "");
  EXPECT_EQ(machine.RunWithKernel({"-p", "-d"}), kExitDone);
  EXPECT_THAT(machine.err, HasSubstr("falling back on kexec_load: the running kernel has no"));
}

TEST(SegmentsRun, NoFallBackWithS) {
  FakeMachine machine;
  machine.kernel.answers = {ENOSYS};
  EXPECT_EQ(machine.RunWithKernel({"-p", "-s"}), kExitFailed);
  EXPECT_THAT(machine.kernel.segment_loads, IsEmpty());
}

// Both answers, then what became of the crash kernel.
TEST(SegmentsRun, BothCallsFail) {
  FakeMachine machine;
  machine.Set("sys/kernel/kexec_crash_loaded", "1\n");
  machine.kernel.answers = {ENOEXEC, EADDRNOTAVAIL};
  EXPECT_EQ(machine.RunWithKernel({"-p"}), kExitFailed);
  EXPECT_THAT(machine.err, StartsWith("kexec: loading '" + machine.KernelPath() +
                                      "' as the crash kernel with kexec_load: Cannot assign "
                                      "requested address (EADDRNOTAVAIL): "));
  EXPECT_THAT(machine.err,
              HasSubstr("\nkexec: kexec_file_load was tried first: Exec format error (ENOEXEC)\n"));
  EXPECT_THAT(machine.err, HasSubstr("\nkexec: the crash kernel loaded before is GONE"));
}

TEST(SegmentsRun, FallBackThatCannotBePrepared) {
  FakeMachine machine;
  machine.Remove("sys/devices/system/cpu/cpu0/crash_notes");
  machine.kernel.answers = {ENOSYS};
  EXPECT_EQ(machine.RunWithKernel({"-p"}), kExitFailed);
  EXPECT_THAT(machine.err, HasSubstr("with kexec_file_load: Function not implemented (ENOSYS)"));
  EXPECT_THAT(machine.err, HasSubstr("\nkexec: kexec_load cannot be tried instead: "));
}

// kexec-tools' defect 7: -d passed a flag that older kernels refuse.
TEST(SegmentsRun, OptionalFlagsAreLeftOutWhenRefused) {
  FakeMachine machine;
  machine.Set("sys/kernel/crash_elfcorehdr_size", "4096\n");
  machine.kernel.known_load_flags = kLoadOnCrash;
  EXPECT_EQ(machine.RunWithKernel({"-p", "-c", "-d"}), kExitDone) << machine.err;
  ASSERT_EQ(machine.kernel.segment_loads.size(), 2u);
  EXPECT_EQ(machine.kernel.segment_loads[0].flags,
            kLoadOnCrash | kLoadUpdateElfcorehdr | kLoadDebug);
  EXPECT_EQ(machine.kernel.segment_loads[1].flags, kLoadOnCrash);
  EXPECT_THAT(machine.err, HasSubstr("this kernel does not know flags 0x4 (UPDATE_ELFCOREHDR)"));
}

// Defect 8: a size of seven digits was taken for a missing file.
TEST(SegmentsRun, HotplugIsAskedForWhereTheKernelCan) {
  FakeMachine machine;
  EXPECT_EQ(machine.RunWithKernel({"-p", "-c", "--hotplug"}), kExitDone) << machine.err;
  EXPECT_EQ(machine.kernel.segment_loads[0].flags, kLoadOnCrash);
  EXPECT_THAT(machine.err, HasSubstr("CONFIG_CRASH_HOTPLUG"));
  machine.Set("sys/kernel/crash_elfcorehdr_size", "1048576\n");
  EXPECT_EQ(machine.RunWithKernel({"-p", "-c"}), kExitDone) << machine.err;
  EXPECT_EQ(machine.kernel.segment_loads[1].flags, kLoadOnCrash | kLoadUpdateElfcorehdr);
  EXPECT_EQ(machine.err, "");
}

// Defect 6: by default an ELF kernel could not be loaded.
TEST(SegmentsRun, ElfKernelGoesByKexecLoadAtOnce) {
  FakeMachine machine;
  std::string vmlinux = machine.File("vmlinux", VmlinuxFile());
  EXPECT_EQ(machine.Run({"-p", "--args-linux", vmlinux}), kExitDone) << machine.err;
  EXPECT_THAT(machine.kernel.loads, IsEmpty());
  EXPECT_EQ(machine.kernel.segment_loads.size(), 1u);
  EXPECT_EQ(machine.Run({"-p", "-s", vmlinux}), kExitRefused);
  EXPECT_THAT(machine.err, HasSubstr("which kexec_file_load does not take: leave -s out"));
}

TEST(SegmentsRun, ElfKernelOfAnotherMachine) {
  FakeMachine machine;
  ElfFields fields = VmlinuxFields();
  fields.machine = 183;
  EXPECT_EQ(machine.Run({"-p", machine.File("vmlinux", MakeElfKernel(fields))}), kExitRefused);
  EXPECT_THAT(machine.kernel.segment_loads, IsEmpty());
}

TEST(SegmentsRun, BoundsNeedKexecLoad) {
  FakeMachine machine;
  EXPECT_EQ(machine.RunWithKernel({"-p", "-d", "--mem-min=0x68000000"}), kExitDone) << machine.err;
  ASSERT_EQ(machine.kernel.segment_loads.size(), 1u);
  for (const auto& [memory, bytes] : machine.kernel.segment_loads[0].segments)
    EXPECT_GE(memory.base, PhysAddr(0x68000000));
  EXPECT_THAT(machine.err, HasSubstr("kexec_load (kexec_file_load cannot be told --mem-min"));
}

TEST(SegmentsRun, LockdownForbidsItBeforehand) {
  FakeMachine machine;
  machine.Set("sys/kernel/security/lockdown", "none [integrity] confidentiality\n");
  machine.Set("sys/kernel/kexec_crash_loaded", "1\n");
  EXPECT_EQ(machine.RunWithKernel({"-p", "-c"}), kExitRefused);
  EXPECT_THAT(machine.err, HasSubstr("which forbids kexec_load: load a signed kernel"));
  EXPECT_THAT(machine.kernel.segment_loads, IsEmpty());
  EXPECT_EQ(machine.Get("sys/kernel/kexec_crash_loaded"), "1\n");
}

TEST(SegmentsRun, NoReservationIsOneRefusal) {
  FakeMachine machine;
  machine.Set("proc/iomem", "00100000-7ffdffff : System RAM\n");
  machine.Set("sys/kernel/kexec_crash_size", "0\n");
  EXPECT_EQ(machine.RunWithKernel({"-p", "-c"}), kExitRefused);
  EXPECT_EQ(std::count(machine.err.begin(), machine.err.end(), '\n'), 1) << machine.err;
}

TEST(SegmentsRun, ReservationTooSmallIsRefusedBeforehand) {
  FakeMachine machine;
  machine.Set("proc/iomem",
              "00100000-7ffdffff : System RAM\n"
              "  01000000-01dfffff : Kernel code\n"
              "  5f000000-61ffffff : Crash kernel\n");
  EXPECT_EQ(machine.RunWithKernel({"-p", "-c"}), kExitRefused);
  EXPECT_THAT(machine.err, HasSubstr("larger crashkernel="));
  EXPECT_THAT(machine.kernel.segment_loads, IsEmpty());
}

TEST(SegmentsRun, UnloadByEitherCall) {
  FakeMachine machine;
  machine.Set("sys/kernel/kexec_crash_loaded", "1\n");
  EXPECT_EQ(machine.Run({"-c", "-p", "-u"}), kExitDone);
  EXPECT_THAT(machine.kernel.unloads, IsEmpty());
  ASSERT_EQ(machine.kernel.segment_loads.size(), 1u);
  EXPECT_THAT(machine.kernel.segment_loads[0].segments, IsEmpty());
  EXPECT_EQ(machine.kernel.segment_loads[0].flags, kLoadOnCrash);
  machine.Set("sys/kernel/kexec_crash_loaded", "1\n");
  machine.kernel.answers = {ENOSYS};
  EXPECT_EQ(machine.Run({"-p", "-u"}), kExitDone);
  EXPECT_EQ(machine.kernel.unloads.size(), 1u);
  EXPECT_EQ(machine.kernel.segment_loads.size(), 2u);
}

TEST(SegmentsRun, PlanListsTheSegments) {
  FakeMachine machine;
  EXPECT_EQ(machine.RunWithKernel({"-p", "-c", "--plan"}), kExitDone);
  EXPECT_THAT(machine.out, HasSubstr("system call:  kexec_load (-c was given)\n"));
  EXPECT_THAT(machine.out, HasSubstr(" kernel, "));
  EXPECT_THAT(machine.out, HasSubstr("to dump:      0x1000-"));
  EXPECT_EQ(machine.RunWithKernel({"-p", "-c", "--plan", "--json"}), kExitDone);
  auto plan = nlohmann::json::parse(machine.out);
  EXPECT_EQ(plan["system_call"], "kexec_load");
  EXPECT_EQ(plan["segments"].size(), 5u);
  EXPECT_THAT(plan["command_line"].get<std::string>(), StartsWith("elfcorehdr=0x"));
  EXPECT_THAT(machine.kernel.segment_loads, IsEmpty());
}

// Signatures and IMA's attributes hang on the file.
TEST(SegmentsRun, TheFileItselfIsHandedOverUnlessWrapped) {
  FakeMachine machine;
  EXPECT_EQ(machine.RunWithKernel({"-p"}), kExitDone);
  EXPECT_EQ(machine.kernel.loads[0].kernel, machine.KernelPath());
  std::string packed = machine.File("vmlinuz.gz", Pack(Compression::kGzip, MakeBzImage()));
  EXPECT_EQ(machine.Run({"-p", packed}), kExitDone) << machine.err;
  EXPECT_THAT(machine.kernel.loads[1].kernel, HasSubstr("memfd:kernel"));
}

std::string UnifiedImage() {
  return MakeEfiProgram({{".linux", MakeBzImage()},
                         {".initrd", std::string(3000, 'I')},
                         {".cmdline", "from the image"}});
}

// Defect 3: the command line of a unified image was ignored.
TEST(SegmentsRun, UnifiedImageBringsInitrdAndCommandLine) {
  FakeMachine machine;
  std::string uki = machine.File("linux.efi", UnifiedImage());
  EXPECT_EQ(machine.Run({"-p", uki}), kExitDone) << machine.err;
  const LoadCall& call = machine.kernel.loads[0];
  EXPECT_THAT(call.kernel, HasSubstr("memfd:kernel"));
  EXPECT_THAT(call.initrd, HasSubstr("memfd:initrd"));
  EXPECT_EQ(call.command_line, "from the image");
  EXPECT_EQ(call.flags, kFileOnCrash);
}

TEST(SegmentsRun, UnifiedImageByKexecLoad) {
  FakeMachine machine;
  std::string uki = machine.File("linux.efi", UnifiedImage());
  EXPECT_EQ(machine.Run({"-p", "-c", uki}), kExitDone) << machine.err;
  const SegmentCall& call = machine.kernel.segment_loads[0];
  EXPECT_TRUE(HasCommandLine(call, "from the image"));
  EXPECT_TRUE(HasCommandLine(call, std::string(3000, 'I')));
}

TEST(SegmentsRun, WhatIsGivenReplacesWhatTheUnifiedImageHas) {
  FakeMachine machine;
  std::string uki = machine.File("linux.efi", UnifiedImage());
  EXPECT_EQ(machine.Run({"-p", "--append=mine", "--initrd=" + machine.InitrdPath(), uki}),
            kExitDone);
  EXPECT_EQ(machine.kernel.loads[0].command_line, "mine");
  EXPECT_EQ(machine.kernel.loads[0].initrd, machine.InitrdPath());
  EXPECT_EQ(machine.Run({"-p", "--reuse-cmdline", uki}), kExitDone);
  EXPECT_EQ(machine.kernel.loads[1].command_line, "root=/dev/vda1 ro quiet");
}

TEST(SegmentsRun, DamagedWrapperIsAnErrorThatChangesNothing) {
  FakeMachine machine;
  machine.Set("sys/kernel/kexec_crash_loaded", "1\n");
  std::string packed = Pack(Compression::kGzip, MakeBzImage());
  std::string path = machine.File("vmlinuz.gz", packed.substr(0, packed.size() / 2));
  EXPECT_EQ(machine.Run({"-p", path}), kExitRefused);
  EXPECT_THAT(machine.err, HasSubstr("kexec: '" + path + "': a gzip file"));
  EXPECT_THAT(machine.err, HasSubstr("nothing was changed, the crash kernel loaded before is"));
  EXPECT_THAT(machine.kernel.loads, IsEmpty());
}

TEST(SegmentsRun, WhatIsInsideAWrapperIsNamedWithIt) {
  FakeMachine machine;
  std::string path = machine.File("notes.gz", Pack(Compression::kGzip, "not a kernel\n"));
  EXPECT_EQ(machine.Run({"-p", path}), kExitRefused);
  EXPECT_EQ(machine.err, "kexec: '" + path +
                             "' is a text file inside a gzip file: a 64-bit x86 bzImage is wanted "
                             "(/boot/vmlinuz-...)\n");
}

TEST(SegmentsRun, TypeIsCheckedWhenGiven) {
  FakeMachine machine;
  std::string vmlinux = machine.File("vmlinux", VmlinuxFile());
  std::string uki = machine.File("linux.efi", UnifiedImage());
  EXPECT_EQ(machine.RunWithKernel({"-p", "--type=bzImage64"}), kExitDone);
  EXPECT_EQ(machine.Run({"-p", "--type=elf-x86_64", vmlinux}), kExitDone) << machine.err;
  EXPECT_EQ(machine.Run({"-p", "--type=uki", uki}), kExitDone) << machine.err;
  EXPECT_EQ(machine.RunWithKernel({"-p", "--type=elf-x86_64"}), kExitRefused);
  EXPECT_THAT(machine.err, HasSubstr("is a Linux bzImage, boot protocol 2.15, not of type "
                                     "'elf-x86_64'"));
}

}  // namespace
}  // namespace kdumpkit
