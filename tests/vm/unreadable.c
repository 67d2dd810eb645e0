// SPDX-License-Identifier: GPL-2.0-or-later
//
// LD_PRELOAD library: part of one file cannot be read.
//   UNREADABLE_FILE=/path UNREADABLE_RANGE=OFFSET:SIZE
// Reading it gives EIO, as a failing memory module behind /proc/vmcore does; mapping it fails.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <unistd.h>

// With 64-bit off_t both names of each function are the same.
#undef mmap64
#undef pread64

static long bad_begin, bad_end;

static int IsTheFile(int fd) {
  const char* wanted = getenv("UNREADABLE_FILE");
  const char* range = getenv("UNREADABLE_RANGE");
  char link[64];
  char path[4096];
  long size = 0;
  if (wanted == NULL || range == NULL || fd < 0) return 0;
  snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
  const ssize_t length = readlink(link, path, sizeof(path) - 1);
  if (length < 0) return 0;
  path[length] = 0;
  if (sscanf(range, "%ld:%ld", &bad_begin, &size) != 2) abort();
  bad_end = bad_begin + size;
  return strcmp(path, wanted) == 0;
}

// How many of `size` bytes at `at` come before the bad range.
static size_t Readable(long at, size_t size) {
  if (at >= bad_end || at + (long)size <= bad_begin) return size;
  return at < bad_begin ? (size_t)(bad_begin - at) : 0;
}

void* mmap(void* address, size_t size, int protection, int flags, int fd, off_t offset) {
  void* (*real)(void*, size_t, int, int, int, off_t) = dlsym(RTLD_NEXT, "mmap");
  if (IsTheFile(fd) && Readable(offset, size) != size) {
    errno = ENODEV;
    return MAP_FAILED;
  }
  return real(address, size, protection, flags, fd, offset);
}

ssize_t pread(int fd, void* buffer, size_t size, off_t offset) {
  ssize_t (*real)(int, void*, size_t, off_t) = dlsym(RTLD_NEXT, "pread");
  if (IsTheFile(fd) && size != 0) size = Readable(offset, size);
  else return real(fd, buffer, size, offset);
  if (size != 0) return real(fd, buffer, size, offset);
  errno = EIO;
  return -1;
}

ssize_t read(int fd, void* buffer, size_t size) {
  ssize_t (*real)(int, void*, size_t) = dlsym(RTLD_NEXT, "read");
  if (IsTheFile(fd)) return pread(fd, buffer, size, lseek(fd, 0, SEEK_CUR));
  return real(fd, buffer, size);
}

void* mmap64(void* address, size_t size, int protection, int flags, int fd, off_t offset) {
  return mmap(address, size, protection, flags, fd, offset);
}

ssize_t pread64(int fd, void* buffer, size_t size, off_t offset) {
  return pread(fd, buffer, size, offset);
}
