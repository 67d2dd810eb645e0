// SPDX-License-Identifier: GPL-2.0-or-later
// A machine for tests: a tree with /proc and /sys, kernel files, and the kernel's side of the
// calls.
#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "kexec/run.h"
#include "kexec/syscalls.h"
#include "tests/support/temp_dir.h"

namespace kdumpkit {

// Everything a call was given.
struct LoadCall {
  std::string kernel;  // paths that the descriptors lead to
  std::string initrd;  // empty: none
  std::string command_line;
  uint64_t flags = 0;
};

// The same for kexec_load; the segments' bytes are copied.
struct SegmentCall {
  uint64_t entry = 0;
  std::vector<std::pair<PhysRange, ByteBuffer>> segments;
  uint64_t flags = 0;
};

// Answers calls as the kernel does: success fills the slot; a failed load of a crash kernel empties
// it, except for errors that come before the kernel touches it.
class FakeKernel : public KexecSyscalls {
 public:
  explicit FakeKernel(const TempDir& tree) : tree_(tree) {}

  int FileLoad(int kernel_fd, int initrd_fd, const std::string& command_line,
               uint64_t flags) override;
  int FileUnload(uint64_t flags) override;
  int SegmentLoad(uint64_t entry, std::span<const KexecSegment> segments, uint64_t flags) override;
  int TakeInterfacesDown() override;
  int RebootIntoLoaded() override;
  int RunShutdown() override;
  void Sync() override { did.push_back("sync"); }
  void Sleep(std::chrono::milliseconds duration) override { slept += duration; }

  std::deque<int> answers;      // for the calls to come, in order; success when empty
  uint64_t known_flags = 0x3f;  // others are answered with EINVAL before anything is touched
  uint64_t known_load_flags = 0x1d;
  bool keeps_old_image = false;  // the error is found before the old image is freed
  bool forgets_to_load = false;  // says yes, loads nothing
  std::vector<LoadCall> loads;
  std::vector<uint64_t> unloads;
  std::vector<SegmentCall> segment_loads;  // unloads, which have no segments, too
  std::vector<std::string> did;            // "sync", "interfaces down", "reboot", "shutdown"
  std::chrono::milliseconds slept{0};

 private:
  int NextAnswer();
  void SetLoaded(bool crash, bool loaded);
  int AnswerLoad(bool crash);

  const TempDir& tree_;
};

// A 2 GiB machine of 6.1's time with crashkernel=256M, root, nothing loaded, no Secure Boot.
class FakeMachine {
 public:
  FakeMachine();

  // Writes a file of the tree ("proc/iomem").
  void Set(std::string_view path, std::string_view text) { tree_.Write(path, text); }
  void Remove(std::string_view path);
  std::string Get(std::string_view path) const;
  RootDir Root() const { return RootDir::Open(tree_.path()).value(); }
  std::string KernelPath() const { return tree_.File("boot/vmlinuz"); }
  std::string InitrdPath() const { return tree_.File("boot/initrd"); }
  // Makes a file with that content (outside /proc and /sys) and returns its path.
  std::string File(std::string_view name, std::string_view content) {
    return tree_.Write(name, content);
  }
  std::string Path(std::string_view name) const { return tree_.File(name); }

  // Runs the program; returns its exit status. What it printed is in `out` and `err`.
  int Run(const std::vector<std::string>& args);
  // With the machine's kernel as the last argument.
  int RunWithKernel(std::vector<std::string> args);

 private:
  TempDir tree_;

 public:
  FakeKernel kernel{tree_};
  std::string machine = "x86_64";
  std::string out;
  std::string err;
};

}  // namespace kdumpkit
