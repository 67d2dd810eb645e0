// SPDX-License-Identifier: GPL-2.0-or-later
// A shared module for LD_PRELOAD that makes part of a file unreadable, as a bad disk or an old
// page that the hypervisor refuses would: KDUMPKIT_TEST_EIO=path:offset:length (numbers as in C).
// pread(2) returns the bytes before that range, then fails with EIO; mmap(2) of any part of it
// fails with EIO. The variable is read at each call, so a test may set it itself.
#undef _FILE_OFFSET_BITS  // pread and pread64 are both defined here, and must stay two symbols
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

struct bad_range {
  uint64_t begin;
  uint64_t end;
};

// Splits "path:offset:length"; the path itself may contain colons. Returns its length, 0 when the
// text cannot be read.
static size_t parse(const char* text, struct bad_range* range) {
  const char* length = strrchr(text, ':');
  if (length == NULL || length == text) return 0;
  const char* offset = memrchr(text, ':', (size_t)(length - text));
  if (offset == NULL) return 0;
  range->begin = strtoull(offset + 1, NULL, 0);
  range->end = range->begin + strtoull(length + 1, NULL, 0);
  return (size_t)(offset - text);
}

// 1 when `fd` is the chosen file; its bad range is then in `range`.
static int is_bad_file(int fd, struct bad_range* range) {
  const char* text = getenv("KDUMPKIT_TEST_EIO");
  size_t path_size = text != NULL ? parse(text, range) : 0;
  if (path_size == 0 || fd < 0) return 0;
  char link[64];
  char target[PATH_MAX];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t size = readlink(link, target, sizeof target);
  return size == (ssize_t)path_size && memcmp(target, text, path_size) == 0;
}

ssize_t pread64(int fd, void* buffer, size_t size, off64_t offset) {
  struct bad_range bad;
  uint64_t begin = (uint64_t)offset;
  if (is_bad_file(fd, &bad) && begin < bad.end && begin + size > bad.begin) {
    if (begin >= bad.begin) {
      errno = EIO;
      return -1;
    }
    size = bad.begin - begin;
  }
  return syscall(SYS_pread64, fd, buffer, size, offset);
}

ssize_t pread(int fd, void* buffer, size_t size, off_t offset) {
  return pread64(fd, buffer, size, offset);
}

void* mmap64(void* address, size_t size, int protection, int flags, int fd, off64_t offset) {
  struct bad_range bad;
  uint64_t begin = (uint64_t)offset;
  if ((flags & MAP_ANONYMOUS) == 0 && is_bad_file(fd, &bad) && begin < bad.end &&
      begin + size > bad.begin) {
    errno = EIO;
    return MAP_FAILED;
  }
  return (void*)syscall(SYS_mmap, address, size, protection, flags, fd, offset);
}

void* mmap(void* address, size_t size, int protection, int flags, int fd, off_t offset) {
  return mmap64(address, size, protection, flags, fd, offset);
}
