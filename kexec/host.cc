// SPDX-License-Identifier: GPL-2.0-or-later
#include "kexec/host.h"

#include <linux/reboot.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cerrno>
#include <thread>

namespace kdumpkit {
namespace {

class RealSyscalls : public KexecSyscalls {
 public:
  int FileLoad(int kernel_fd, int initrd_fd, const std::string& command_line,
               uint64_t flags) override {
    return Call(kernel_fd, initrd_fd, command_line.size() + 1, command_line.c_str(), flags);
  }
  int FileUnload(uint64_t flags) override { return Call(-1, -1, 0, nullptr, flags | kFileUnload); }

  int RebootIntoLoaded() override {
    long result = syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2,
                          LINUX_REBOOT_CMD_KEXEC, nullptr);
    return result == 0 ? 0 : errno;
  }

  int RunShutdown() override {
    for (const char* path : {"/sbin/shutdown", "/usr/sbin/shutdown", "/bin/shutdown"})
      execl(path, "shutdown", "-r", "now", nullptr);
    return errno;
  }

  void Sync() override { sync(); }
  void Sleep(std::chrono::milliseconds duration) override { std::this_thread::sleep_for(duration); }

 private:
  static int Call(int kernel_fd, int initrd_fd, size_t length, const char* command_line,
                  uint64_t flags) {
#ifdef SYS_kexec_file_load
    long result = syscall(SYS_kexec_file_load, kernel_fd, initrd_fd, length, command_line, flags);
    return result == 0 ? 0 : errno;
#else
    return ENOSYS;
#endif
  }
};

}  // namespace

std::string HostMachine() {
  utsname name{};
  return uname(&name) == 0 ? name.machine : "unknown";
}

std::unique_ptr<KexecSyscalls> HostSyscalls() { return std::make_unique<RealSyscalls>(); }

}  // namespace kdumpkit
