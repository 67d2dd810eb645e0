// SPDX-License-Identifier: GPL-2.0-or-later
#include "kexec/memfd.h"

#include <fcntl.h>
#include <sys/mman.h>

#include <cerrno>

#include "base/file.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U  // Linux 6.3
#endif

namespace kdumpkit {
namespace {

constexpr size_t kMaxName = 249;  // memfd_create(2)
constexpr int kSeals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;

// With sysctl vm.memfd_noexec=2 Linux refuses a memfd that could be executed; before 6.3 it does
// not know the flag.
int CreateMemfd(const std::string& name) {
  constexpr unsigned kFlags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
  int fd = memfd_create(name.c_str(), kFlags | MFD_NOEXEC_SEAL);
  return fd < 0 && errno == EINVAL ? memfd_create(name.c_str(), kFlags) : fd;
}

}  // namespace

Result<UniqueFd> SealedMemfd(const std::string& name, ByteView contents) {
  UniqueFd fd(CreateMemfd(name.substr(0, kMaxName)));
  if (!fd.valid()) return SystemError(errno, fmt::format("cannot make a memfd for '{}'", name));
  TRY(WriteFullyAt(fd.get(), FileOffset(0), contents).In(fmt::format("memfd for '{}'", name)));
  if (fcntl(fd.get(), F_ADD_SEALS, kSeals) != 0)
    return SystemError(errno, fmt::format("cannot seal the memfd for '{}'", name));
  return fd;
}

}  // namespace kdumpkit
