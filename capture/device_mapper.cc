// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/device_mapper.h"

#include <fcntl.h>
#include <linux/dm-ioctl.h>
#include <linux/keyctl.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/file.h"

namespace kdumpkit {
namespace {

// Of libdevmapper, in the upper half of a cookie: without it udev takes the event of a new device
// for one that does not matter, and starts nothing on it (10-dm.rules:
// DM_UDEV_PRIMARY_SOURCE_FLAG). The lower half names a semaphore; nobody waits for this one.
constexpr uint32_t kCookie = 0x0040u << 16 | 1;
constexpr size_t kAlignment = 8;

// What the kernel is told: a fixed part, and one target with its text.
class Command {
 public:
  explicit Command(const MapRequest& request) {
    fixed_.version[0] = DM_VERSION_MAJOR;
    fixed_.data_start = sizeof(dm_ioctl);
    std::strncpy(fixed_.name, request.name.c_str(), sizeof(fixed_.name) - 1);
  }
  dm_ioctl& fixed() { return fixed_; }
  void AddTarget(const MapRequest& request);
  // 0, or an errno. What the kernel answers is in fixed().
  int Send(int fd, unsigned long command);

 private:
  dm_ioctl fixed_ = {};
  ByteBuffer target_;
};

void Command::AddTarget(const MapRequest& request) {
  dm_target_spec spec = {};
  spec.length = request.sectors;
  std::strncpy(spec.target_type, request.type.c_str(), sizeof(spec.target_type) - 1);
  ByteView head = std::as_bytes(std::span(&spec, 1)), text = AsBytes(request.table);
  target_.assign(head.begin(), head.end());
  target_.insert(target_.end(), text.begin(), text.end());
  target_.resize((target_.size() / kAlignment + 1) * kAlignment);  // at least one zero
  fixed_.target_count = 1;
}

int Command::Send(int fd, unsigned long command) {
  fixed_.data_size = static_cast<uint32_t>(sizeof(fixed_) + target_.size());
  ByteView head = std::as_bytes(std::span(&fixed_, 1));
  ByteBuffer message(head.begin(), head.end());
  message.insert(message.end(), target_.begin(), target_.end());
  if (ioctl(fd, command, message.data()) != 0) return errno;
  std::memcpy(&fixed_, message.data(), sizeof(fixed_));
  return 0;
}

std::string MapperUuid(const MapRequest& request) {
  std::string digits = request.uuid;
  std::erase(digits, '-');
  return fmt::format("CRYPT-LUKS2-{}-{}", digits, request.name);
}

// Process 1 has no keyring of a session, which is where root's own one is looked for otherwise.
void PossessUserKeyring() {
  (void)syscall(SYS_keyctl, KEYCTL_LINK, KEY_SPEC_USER_KEYRING, KEY_SPEC_PROCESS_KEYRING);
}

void AddLink(const MapRequest& request, uint64_t device) {
  std::string link = "/dev/mapper/" + request.name;
  (void)symlink(fmt::format("../dm-{}", minor(device)).c_str(), link.c_str());
}

Status Refused(int error, const MapRequest& request, std::string_view step) {
  return SystemError(error, fmt::format("cannot {} '{}' ({})", step, request.name, request.table));
}

Status Fill(int fd, const MapRequest& request) {
  Command load(request);
  load.AddTarget(request);
  if (int error = load.Send(fd, DM_TABLE_LOAD)) return Refused(error, request, "map");
  Command resume(request);
  resume.fixed().event_nr = kCookie;
  if (int error = resume.Send(fd, DM_DEV_SUSPEND)) return Refused(error, request, "start");
  AddLink(request, resume.fixed().dev);
  return {};
}

}  // namespace

Status MapDevice(const MapRequest& request) {
  UniqueFd control = TRY(OpenFile("/dev/mapper/control", O_RDWR));
  PossessUserKeyring();
  Command create(request);
  std::strncpy(create.fixed().uuid, MapperUuid(request).c_str(), sizeof(create.fixed().uuid) - 1);
  if (int error = create.Send(control.get(), DM_DEV_CREATE))
    return Refused(error, request, "create");
  Status filled = Fill(control.get(), request);
  if (!filled) (void)Command(request).Send(control.get(), DM_DEV_REMOVE);
  return filled;
}

}  // namespace kdumpkit
