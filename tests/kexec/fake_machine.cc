// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/kexec/fake_machine.h"

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/kexec/image_builder.h"

namespace kdumpkit {
namespace {

class Recorder : public Console {
 public:
  explicit Recorder(FakeMachine& machine) : machine_(machine) {}
  void Out(std::string_view text) override { machine_.out += text; }
  void Err(std::string_view text) override { machine_.err += text; }

 private:
  FakeMachine& machine_;
};

std::string PathOf(int fd) {
  if (fd < 0) return "";
  std::error_code error;
  return std::filesystem::read_symlink(fmt::format("/proc/self/fd/{}", fd), error);
}

}  // namespace

int FakeKernel::NextAnswer() {
  if (answers.empty()) return 0;
  int answer = answers.front();
  answers.pop_front();
  return answer;
}

void FakeKernel::SetLoaded(bool crash, bool loaded) {
  tree_.Write(crash ? "sys/kernel/kexec_crash_loaded" : "sys/kernel/kexec_loaded",
              loaded ? "1\n" : "0\n");
}

int FakeKernel::AnswerLoad(bool crash) {
  int answer = NextAnswer();
  if (answer == 0 && !forgets_to_load) SetLoaded(crash, true);
  if (answer != 0 && answer != EBUSY && crash && !keeps_old_image) SetLoaded(crash, false);
  return answer;
}

int FakeKernel::FileLoad(int kernel_fd, int initrd_fd, const std::string& command_line,
                         uint64_t flags) {
  loads.push_back({PathOf(kernel_fd), PathOf(initrd_fd), command_line, flags});
  if ((flags & ~known_flags) != 0) return EINVAL;
  return AnswerLoad((flags & kFileOnCrash) != 0);
}

int FakeKernel::FileUnload(uint64_t flags) {
  unloads.push_back(flags);
  int answer = NextAnswer();
  if (answer == 0 && !forgets_to_load) SetLoaded((flags & kFileOnCrash) != 0, false);
  return answer;
}

int FakeKernel::SegmentLoad(uint64_t entry, std::span<const KexecSegment> segments,
                            uint64_t flags) {
  SegmentCall call{entry, {}, flags};
  for (const KexecSegment& segment : segments)
    call.segments.emplace_back(segment.memory,
                               ByteBuffer(segment.bytes.begin(), segment.bytes.end()));
  segment_loads.push_back(std::move(call));
  if ((flags & ~known_load_flags) != 0) return EINVAL;
  bool crash = (flags & kLoadOnCrash) != 0;
  if (!segments.empty()) return AnswerLoad(crash);
  int answer = NextAnswer();
  if (answer == 0) SetLoaded(crash, false);
  return answer;
}

int FakeKernel::TakeInterfacesDown() {
  did.push_back("interfaces down");
  return 0;
}

int FakeKernel::RebootIntoLoaded() {
  did.push_back("reboot");
  return NextAnswer();
}

int FakeKernel::RunShutdown() {
  did.push_back("shutdown");
  return NextAnswer();
}

FakeMachine::FakeMachine() {
  Set("proc/cmdline", "BOOT_IMAGE=/vmlinuz root=/dev/vda1 ro quiet crashkernel=256M\n");
  Set("proc/iomem",
      "00001000-0009fbff : System RAM\n"
      "00100000-7ffdffff : System RAM\n"
      "  01000000-01dfffff : Kernel code\n"
      "  5f000000-6effffff : Crash kernel\n"
      "fd000000-fdffffff : 0000:00:01.0\n");
  Set("proc/meminfo", "MemTotal:        2000000 kB\nMemFree:         1500000 kB\n");
  Set("proc/self/status", "Name:\tkexec\nCapEff:\t000001ffffffffff\n");
  Set("proc/sys/kernel/kexec_load_disabled", "0\n");
  Set("proc/sys/kernel/kexec_load_limit_panic", "-1\n");
  Set("proc/sys/kernel/kexec_load_limit_reboot", "-1\n");
  Set("proc/sys/kernel/panic", "0\n");
  Set("proc/kallsyms", "ffffffff81000000 T _text\nffffffff82e00000 B _end\n");
  Set("sys/devices/system/cpu/cpu0/crash_notes", "7e000000\n");
  Set("sys/devices/system/cpu/cpu0/crash_notes_size", "368\n");
  Set("sys/kernel/vmcoreinfo", "0x000000007e001000 1024\n");
  Set("sys/kernel/kexec_loaded", "0\n");
  Set("sys/kernel/kexec_crash_loaded", "0\n");
  Set("sys/kernel/kexec_crash_size", "268435456\n");
  Set("sys/kernel/security/lockdown", "[none] integrity confidentiality\n");
  Set("boot/vmlinuz", MakeBzImage());
  Set("boot/initrd", std::string(100000, 'i'));
}

void FakeMachine::Remove(std::string_view path) {
  std::error_code error;
  std::filesystem::remove(Path(path), error);
}

std::string FakeMachine::Get(std::string_view path) const {
  std::ostringstream text;
  text << std::ifstream(Path(path)).rdbuf();
  return text.str();
}

int FakeMachine::Run(const std::vector<std::string>& args) {
  out.clear();
  err.clear();
  Recorder recorder(*this);
  RootDir root = Root();
  return kdumpkit::Run(args, root, machine, kernel, recorder);
}

int FakeMachine::RunWithKernel(std::vector<std::string> args) {
  args.push_back(KernelPath());
  return Run(args);
}

}  // namespace kdumpkit
