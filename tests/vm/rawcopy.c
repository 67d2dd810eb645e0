// SPDX-License-Identifier: GPL-2.0-or-later
//
// The first process of a crash kernel that copies /proc/vmcore, as it is, to the disk whose serial
// is "vmcore", and reboots.  The last 4096 bytes of the disk say how it went:
//   "KDUMPKIT VMCORE\nsize N\nunreadable N\n"

#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { kPage = 4096, kBlock = 64 << 10, kWindow = 4 << 20 };

static const char kSerial[] = "vmcore";

static void End(const char* what) {
  if (what != NULL) printf("RAWCOPY: failed: %s: %s\n", what, strerror(errno));
  fflush(stdout);
  sync();
  reboot(RB_AUTOBOOT);
  for (;;) pause();
}

static void Mount(const char* type, const char* at) {
  mkdir(at, 0755);
  if (mount(type, at, type, 0, NULL) != 0 && errno != EBUSY) End(at);
}

// Loads /modules/*.ko in the order of their names.
static void LoadModules(void) {
  struct dirent** names;
  const int count = scandir("/modules", &names, NULL, alphasort);
  for (int i = 0; i < count; ++i) {
    char path[512];
    if (names[i]->d_name[0] == '.') continue;
    snprintf(path, sizeof(path), "/modules/%s", names[i]->d_name);
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (syscall(SYS_finit_module, fd, "", 0) != 0 && errno != EEXIST) End(path);
    close(fd);
  }
}

static int HasSerial(const char* disk) {
  char path[512];
  char serial[32] = "";
  snprintf(path, sizeof(path), "/sys/block/%s/serial", disk);
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  const ssize_t got = read(fd, serial, sizeof(serial) - 1);
  close(fd);
  return got >= (ssize_t)strlen(kSerial) && strncmp(serial, kSerial, strlen(kSerial)) == 0;
}

static int OpenDisk(void) {
  for (int tries = 0; tries < 100; ++tries) {
    char path[] = "/dev/vda";
    for (; path[7] <= 'h'; ++path[7])
      if (HasSerial(path + 5)) return open(path, O_RDWR | O_DIRECT | O_CLOEXEC);
    usleep(100 * 1000);
  }
  return -1;
}

// Copies one window of the vmcore into `buffer`; returns how many bytes could not be read.
// Mapping is several times faster than reading; not every range can be mapped.
static long CopyWindow(int vmcore, off_t offset, size_t size, char* buffer) {
  long unreadable = 0;
  void* at = mmap(NULL, size, PROT_READ, MAP_PRIVATE, vmcore, offset);
  if (at != MAP_FAILED) {
    memcpy(buffer, at, size);
    munmap(at, size);
    return 0;
  }
  for (size_t done = 0; done < size;) {
    const size_t want = size - done < kPage ? size - done : kPage;
    const ssize_t got = pread(vmcore, buffer + done, want, offset + (off_t)done);
    if (got <= 0) {
      printf("RAWCOPY: offset %#llx: %s\n", (unsigned long long)offset + done, strerror(errno));
      unreadable += (long)want;
    }
    done += got > 0 ? (size_t)got : want;
  }
  return unreadable;
}

static int IsZero(const char* block, size_t size) {
  return block[0] == 0 && memcmp(block, block + 1, size - 1) == 0;
}

// Zero blocks are left out: the disk starts as a sparse file.
static void WriteWindow(int disk, off_t offset, size_t size, const char* buffer) {
  for (size_t done = 0; done < size; done += kBlock) {
    if (IsZero(buffer + done, kBlock)) continue;
    if (pwrite(disk, buffer + done, kBlock, offset + (off_t)done) != kBlock) End("disk");
  }
}

static void WriteReport(int disk, char* buffer, off_t size, long unreadable) {
  const off_t end = lseek(disk, 0, SEEK_END);
  memset(buffer, 0, kPage);
  snprintf(buffer, kPage, "KDUMPKIT VMCORE\nsize %lld\nunreadable %ld\n", (long long)size,
           unreadable);
  if (end < size + kPage) End("the disk is too small");
  if (pwrite(disk, buffer, kPage, end - kPage) != kPage) End("disk");
  fsync(disk);
}

int main(void) {
  long unreadable = 0;
  setvbuf(stdout, NULL, _IOLBF, 0);
  Mount("proc", "/proc");
  Mount("sysfs", "/sys");
  Mount("devtmpfs", "/dev");
  LoadModules();
  const int vmcore = open("/proc/vmcore", O_RDONLY | O_CLOEXEC);
  if (vmcore < 0) End("/proc/vmcore");
  const off_t size = lseek(vmcore, 0, SEEK_END);
  const int disk = OpenDisk();
  if (disk < 0) End("no disk with the serial 'vmcore'");
  printf("RAWCOPY: copying %lld bytes\n", (long long)size);
  char* buffer = mmap(NULL, kWindow, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  for (off_t offset = 0; offset < size; offset += kWindow) {
    const size_t window = size - offset < kWindow ? (size_t)(size - offset) : kWindow;
    memset(buffer + window, 0, kWindow - window);
    unreadable += CopyWindow(vmcore, offset, window, buffer);
    WriteWindow(disk, offset, (window + kBlock - 1) & ~(size_t)(kBlock - 1), buffer);
  }
  WriteReport(disk, buffer, size, unreadable);
  printf("RAWCOPY: done, %ld bytes unreadable\n", unreadable);
  End(NULL);
}
