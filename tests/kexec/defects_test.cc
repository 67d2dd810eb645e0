// SPDX-License-Identifier: GPL-2.0-or-later
// What kexec-tools 2.0.32 was seen to do wrong, each with what is right. Segments and images have
// tests of their own; here it is the program as a whole.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "tests/kexec/fake_machine.h"
#include "tests/kexec/image_builder.h"

namespace kdumpkit {
namespace {

using testing::Each;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

bool Holds(const SegmentCall& call, std::string_view text) {
  return std::any_of(call.segments.begin(), call.segments.end(), [&](const auto& segment) {
    return AsText(segment.second).find(text) != std::string_view::npos;
  });
}

// It crashed on short files and on text, and wrote to standard output.
TEST(Defects, FilesOfNoKnownTypeAreRefusedInOneSentence) {
  std::string line(64, 'x');
  line.back() = '\n';
  std::string text;
  while (text.size() < 4096) text += line;
  const std::pair<const char*, std::string> kRows[] = {
      {"4 KiB of text", text},
      {"20 bytes", std::string(20, 'y')},
      {"one byte", "z"},
      {"zeros", std::string(4096, '\0')},
      {"13 zeros", std::string(13, '\0')},
      {"nothing", ""},
      {"a DOS program", "MZ" + std::string(100, '\xff')},
      {"an EFI program", MakeEfiHeader({".text", ".data"})},
  };
  for (const auto& [name, content] : kRows) {
    for (const char* slot : {"-p", "-l"}) {
      FakeMachine machine;
      machine.Set("boot/vmlinuz", content);
      EXPECT_EQ(machine.RunWithKernel({slot}), 1) << name;
      EXPECT_EQ(machine.out, "") << name;
      EXPECT_THAT(machine.err, HasSubstr("'" + machine.KernelPath() + "' is ")) << name;
      EXPECT_THAT(machine.kernel.loads, IsEmpty()) << name;
    }
  }
}

// Options without an argument that stood behind --append erased it.
TEST(Defects, OptionsBehindAppendLeaveTheCommandLineAlone) {
  for (const char* option : {"--noefi", "--pass-memmap-cmdline", "--reuse-video-type"}) {
    FakeMachine machine;
    EXPECT_EQ(machine.RunWithKernel({"-p", "--append=root=/dev/vda1", option}), 0);
    ASSERT_THAT(machine.kernel.loads, SizeIs(1)) << option;
    EXPECT_EQ(machine.kernel.loads[0].command_line, "root=/dev/vda1") << option;
  }
}

// Every look at a file left copies of a unified image's parts in /tmp, and its command line was
// ignored.
TEST(Defects, UnifiedImageLeavesNoFilesBehind) {
  auto left = [] {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator("/tmp")) {
      std::string name = entry.path().filename();
      if (name.starts_with("Kernel") || name.starts_with("Initrd")) names.push_back(name);
    }
    std::sort(names.begin(), names.end());
    return names;
  };
  std::vector<std::string> before = left();
  FakeMachine machine;
  std::string image = machine.File("linux.efi", MakeEfiProgram({{".linux", MakeBzImage()},
                                                                {".initrd", "initrd"},
                                                                {".cmdline", "root=/dev/vda1"}}));
  for (const char* call : {"-s", "-c", "-a"}) EXPECT_EQ(machine.Run({"-p", call, image}), 0);
  EXPECT_EQ(left(), before);
  EXPECT_THAT(machine.kernel.loads, Each(Field(&LoadCall::command_line, "root=/dev/vda1")));
}

// "-S -d" told of the other slot.
TEST(Defects, DebugDoesNotChangeWhatStatusIsAbout) {
  FakeMachine machine;
  machine.Set("sys/kernel/kexec_crash_loaded", "1\n");
  for (const std::vector<std::string>& args :
       {std::vector<std::string>{"-S", "-d"}, {"-d", "-S"}, {"-p", "-S", "-d"}, {"-S"}})
    EXPECT_EQ(machine.Run(args), 1);
  EXPECT_EQ(machine.Run({"-l", "-S", "-d"}), 0);
}

// "-u -p" unloaded, then went on to load.
TEST(Defects, UnloadAndSlotMayStandInAnyOrder) {
  for (const std::vector<std::string>& args :
       {std::vector<std::string>{"-u", "-p"}, {"-p", "-u"}, {"-up"}, {"-pu"}}) {
    FakeMachine machine;
    machine.Set("sys/kernel/kexec_crash_loaded", "1\n");
    EXPECT_EQ(machine.Run(args), 0);
    EXPECT_EQ(machine.Get("sys/kernel/kexec_crash_loaded"), "0\n");
    EXPECT_THAT(machine.kernel.loads, IsEmpty());
  }
}

// By default an ELF kernel ended in "Invalid memory segment"; for a crash kernel nothing said where
// memory is unless --args-linux was given.
TEST(Defects, ElfKernelLoadsByDefault) {
  for (const std::vector<std::string>& args :
       {std::vector<std::string>{"-p"}, {"-p", "-a"}, {"-p", "--args-linux"}, {"-l"}}) {
    FakeMachine machine;
    machine.Set("boot/vmlinuz", MakeElfKernel(VmlinuxFields()));
    EXPECT_EQ(machine.RunWithKernel(args), 0) << machine.err;
    ASSERT_THAT(machine.kernel.segment_loads, SizeIs(1));
    bool crash = args[0] == "-p";
    EXPECT_EQ(Holds(machine.kernel.segment_loads[0], "elfcorehdr="), crash);
  }
}

// "-p -d" passed a flag that older kernels refuse, "-d -p" did not.
TEST(Defects, DebugWorksInAnyOrderAndOnAnyKernel) {
  for (uint64_t known_flags : {uint64_t{0x3f}, uint64_t{0x7}}) {
    for (const std::vector<std::string>& args :
         {std::vector<std::string>{"-p", "-d"}, {"-d", "-p"}, {"-l", "-d"}, {"-d", "-l"}}) {
      FakeMachine machine;
      machine.kernel.known_flags = known_flags;
      EXPECT_EQ(machine.RunWithKernel(args), 0) << machine.err;
      EXPECT_EQ(machine.kernel.loads[0].flags & kFileDebug, kFileDebug);
      EXPECT_EQ(machine.kernel.loads.size(), known_flags == 0x7 ? 2u : 1u);
    }
  }
}

TEST(Defects, DebugWorksInAnyOrderWithKexecLoad) {
  for (const std::vector<std::string>& args :
       {std::vector<std::string>{"-c", "-p", "-d"}, {"-d", "-p", "-c"}}) {
    FakeMachine machine;
    machine.kernel.known_load_flags = kLoadOnCrash;
    EXPECT_EQ(machine.RunWithKernel(args), 0) << machine.err;
    EXPECT_EQ(machine.kernel.segment_loads.front().flags, kLoadOnCrash | kLoadDebug);
    EXPECT_EQ(machine.kernel.segment_loads.back().flags, kLoadOnCrash);
  }
}

// A size of seven digits was taken for a missing file.
TEST(Defects, HotplugReadsTheWholeSize) {
  for (const char* size : {"4096\n", "1000000\n", "1048576\n", "12345678\n"}) {
    FakeMachine machine;
    machine.Set("sys/kernel/crash_elfcorehdr_size", size);
    EXPECT_EQ(machine.RunWithKernel({"-p", "--hotplug", "--append=a"}), 0) << size << machine.err;
  }
}

// Sizes that wrapped around passed, and memory that was not the file's was handed to the kernel; a
// damaged note crashed it; the place of the program headers was cut to 32 bits.
TEST(Defects, DamagedElfKernelsAreRefused) {
  ElfFields wraps = VmlinuxFields();
  wraps.pieces[0].file_offset = UINT64_MAX - 0xfff;
  wraps.pieces[0].file_size = 0x2000;
  wraps.pieces[0].memory_size = 0x2000;
  ElfFields beyond = VmlinuxFields();
  beyond.pieces[1].file_offset = uint64_t{1} << 32;
  std::string headers = MakeElfKernel(VmlinuxFields());
  headers[36] = 1;  // e_phoff + 2^32
  for (const std::string& file : {MakeElfKernel(wraps), MakeElfKernel(beyond), headers}) {
    for (const char* call : {"-c", "-a"}) {
      FakeMachine machine;
      machine.Set("boot/vmlinuz", file);
      EXPECT_EQ(machine.RunWithKernel({"-p", call}), 1);
      EXPECT_THAT(machine.err, HasSubstr("ELF file: "));
      EXPECT_THAT(machine.err, HasSubstr("0x"));
      EXPECT_THAT(machine.kernel.segment_loads, IsEmpty());
      EXPECT_THAT(machine.kernel.loads, IsEmpty());
    }
  }
}

TEST(Defects, DamagedNotesOfAnElfKernelDoNotMatter) {
  ElfFields fields = VmlinuxFields();
  fields.pieces.back().contents = std::string(12, '\xff');
  fields.pieces.back().file_offset = UINT64_MAX - 3;
  FakeMachine machine;
  machine.Set("boot/vmlinuz", MakeElfKernel(fields));
  EXPECT_EQ(machine.RunWithKernel({"-p"}), 0) << machine.err;
}

// Looking for crashkernel= stopped at the first word that only contained it, took words that only
// began with it, lost what followed a tab, and knew no quotes.
TEST(Defects, ReusedCommandLineLosesWhatItMustAndNothingElse) {
  const std::pair<const char*, const char*> kRows[] = {
      {"root=y mycrashkernel=1 crashkernel=256M quiet\n", "root=y mycrashkernel=1 quiet"},
      {"crashkernelfoo=1 crashkernel=256M,high crashkernel=64M,low ro\n", "crashkernelfoo=1 ro"},
      {"a\tb\tcrashkernel=256M\tc d\n", "a b c d"},
      {"a=\"x crashkernel=1 y\" crashkernel=256M b\n", "a=\"x crashkernel=1 y\" b"},
      {"BOOT_IMAGE=/vmlinuz MY_BOOT_IMAGE=1 root=z crashkernel=256M\n", "MY_BOOT_IMAGE=1 root=z"},
      {"crashkernel=256M\n", ""},
  };
  for (const auto& [running, reused] : kRows) {
    FakeMachine machine;
    machine.Set("proc/cmdline", running);
    EXPECT_EQ(machine.RunWithKernel({"-p", "--reuse-cmdline"}), 0) << machine.err;
    ASSERT_THAT(machine.kernel.loads, SizeIs(1));
    EXPECT_EQ(machine.kernel.loads[0].command_line, reused);
  }
}

// Without /proc/kcore (CONFIG_PROC_KCORE) three messages said nothing.
TEST(Defects, KexecLoadNeedsNoKcore) {
  FakeMachine machine;
  machine.Remove("proc/kcore");
  EXPECT_EQ(machine.RunWithKernel({"-p", "-c"}), 0) << machine.err;
  EXPECT_EQ(machine.err, "");
}

// "Cannot load" was all it said of a command line that is too long.
TEST(Defects, ATooLongCommandLineIsNamedWithItsLimit) {
  FakeMachine machine;
  EXPECT_EQ(machine.RunWithKernel({"-p", "--append=" + std::string(2100, 'a')}), 1);
  EXPECT_THAT(machine.err, HasSubstr("command line"));
  EXPECT_THAT(machine.err, HasSubstr("2100"));
  EXPECT_THAT(machine.err, HasSubstr("2016"));
  EXPECT_THAT(machine.kernel.loads, IsEmpty());
}

}  // namespace
}  // namespace kdumpkit
