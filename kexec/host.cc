// SPDX-License-Identifier: GPL-2.0-or-later
#include "kexec/host.h"

#include <linux/reboot.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <thread>
#include <vector>

#include "base/unique_fd.h"

namespace kdumpkit {
namespace {

// Returns 0 or an errno.
int TakeDown(int socket_fd, const char* name) {
  ifreq request{};
  strncpy(request.ifr_name, name, IFNAMSIZ - 1);
  if (ioctl(socket_fd, SIOCGIFFLAGS, &request) != 0) return errno;
  if ((request.ifr_flags & IFF_UP) == 0) return 0;
  request.ifr_flags = static_cast<short>(request.ifr_flags & ~IFF_UP);
  return ioctl(socket_fd, SIOCSIFFLAGS, &request) == 0 ? 0 : errno;
}

// struct kexec_segment of include/uapi/linux/kexec.h, on machines of 64 bits.
struct RawSegment {
  const std::byte* buffer;
  uint64_t buffer_size;
  uint64_t address;
  uint64_t memory_size;
};

class RealSyscalls : public KexecSyscalls {
 public:
  int FileLoad(int kernel_fd, int initrd_fd, const std::string& command_line,
               uint64_t flags) override {
    return Call(kernel_fd, initrd_fd, command_line.size() + 1, command_line.c_str(), flags);
  }
  int FileUnload(uint64_t flags) override { return Call(-1, -1, 0, nullptr, flags | kFileUnload); }

  int SegmentLoad(uint64_t entry, std::span<const KexecSegment> segments, uint64_t flags) override {
    std::vector<RawSegment> raw;
    for (const KexecSegment& segment : segments)
      raw.push_back({segment.bytes.data(), segment.bytes.size(), segment.memory.base.value,
                     segment.memory.size});
    long result = syscall(SYS_kexec_load, entry, raw.size(), raw.data(), flags);
    return result == 0 ? 0 : errno;
  }

  int TakeInterfacesDown() override {
    UniqueFd fd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (fd.get() < 0) return errno;
    struct if_nameindex* interfaces = if_nameindex();
    if (interfaces == nullptr) return errno;
    int error = 0;
    for (struct if_nameindex* i = interfaces; i->if_index != 0; ++i)
      if (int failed = TakeDown(fd.get(), i->if_name); failed != 0) error = failed;
    if_freenameindex(interfaces);
    return error;
  }

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
