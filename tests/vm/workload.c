// SPDX-License-Identifier: GPL-2.0-or-later
//
// Fills a guest's memory with pages of every class, keeps them alive, writes the kernel's own
// account of its pages to a raw disk, and makes the kernel panic.
//
//   workload KIND=MIB ... disk=/dev/vdX
//
// The kinds are in the table at the end.  Each runs in processes of its own that sleep until the
// panic.  The account is taken last, when nothing else runs: see WriteAccount.

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { kPage = 4096, kHuge = 2 << 20, kMib = 1 << 20 };

static const char* const kFileFolder = "/disk";    // an ext4 file system
static const char* const kShmFolder = "/dev/shm";  // a tmpfs

static void Die(const char* what) {
  printf("WORKLOAD: %s: %s\n", what, strerror(errno));
  fflush(stdout);
  _exit(1);
}

// ---- contents -------------------------------------------------------------------------------

static uint64_t random_state = 88172645463325252ULL;

static uint64_t Random(void) {
  random_state ^= random_state << 13;
  random_state ^= random_state >> 7;
  random_state ^= random_state << 17;
  return random_state;
}

// Bytes that no codec can shrink.
static void FillRandom(char* page) {
  uint64_t* words = (uint64_t*)page;
  for (int i = 0; i < kPage / 8; ++i) words[i] = Random();
}

// Lines of log-like text, made once; pages are windows into it, so that filling is fast.
enum { kTextPool = 512 << 10 };
static char text_pool[kTextPool + kPage];

static void MakeTextPool(void) {
  static const char* const kWords[] = {"request", "from",  "the",   "server", "completed", "error",
                                       "status",  "cache", "block", "page",   "queue",     "kernel",
                                       "thread",  "user",  "index", "node",   "timeout",   "value"};
  for (size_t used = 0; used < sizeof(text_pool) - 40;) {
    const uint64_t r = Random();
    used +=
        (size_t)snprintf(text_pool + used, 40, "%s %s=%u%c", kWords[r % 18], kWords[(r >> 8) % 18],
                         (unsigned)(r >> 50), (r >> 20) % 6 ? ' ' : '\n');
  }
}

// Text, which every codec shrinks to about a third.
static void FillText(char* page) { memcpy(page, text_pool + Random() % kTextPool, kPage); }

// Pointers and small integers, as in a heap: about a half remains.
static void FillHeap(char* page) {
  uint64_t* words = (uint64_t*)page;
  for (int i = 0; i < kPage / 8; ++i) {
    const uint64_t r = Random();
    words[i] = i % 4 == 0 ? 0x00007f0000000000ULL + (r & 0xffffff0) : i % 4 == 1 ? r & 0xff : 0;
    if (i % 4 == 3) words[i] = r;
  }
}

// The mix of contents of one kind of memory: page `n` of it.
static void FillPage(char* page, size_t n) {
  switch (n % 8) {
    case 0:
      memset(page, 0, kPage);
      break;
    case 1:
    case 2:
      FillRandom(page);
      break;
    case 3:
    case 4:
    case 5:
      FillText(page);
      break;
    default:
      FillHeap(page);
      break;
  }
}

static void FillPages(char* at, size_t bytes) {
  for (size_t n = 0; n < bytes / kPage; ++n) FillPage(at + n * kPage, n);
}

// ---- kinds ----------------------------------------------------------------------------------

static char* Map(size_t bytes, int flags, int fd) {
  char* at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, flags, fd, 0);
  return at == MAP_FAILED ? NULL : at;
}

// Memory whose start is a multiple of two MiB.
static char* MapAligned(size_t bytes) {
  char* at = Map(bytes + kHuge, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1);
  if (at == NULL) Die("mmap");
  return (char*)(((uintptr_t)at + kHuge - 1) & ~(uintptr_t)(kHuge - 1));
}

static void MakeAnon(size_t bytes) {
  char* at = MapAligned(bytes);
  madvise(at, bytes, MADV_NOHUGEPAGE);
  FillPages(at, bytes);
}

static void MakeThp(size_t bytes) {
  char* at = MapAligned(bytes);
  if (madvise(at, bytes, MADV_HUGEPAGE) != 0) printf("WORKLOAD: no THP\n");
  FillPages(at, bytes);
}

static void MakeLocked(size_t bytes) {
  char* at = MapAligned(bytes);
  madvise(at, bytes, MADV_NOHUGEPAGE);
  FillPages(at, bytes);
  if (mlock(at, bytes) != 0) printf("WORKLOAD: mlock: %s\n", strerror(errno));
}

// Touched and all zero.
static void MakeZero(size_t bytes) {
  char* at = MapAligned(bytes);
  madvise(at, bytes, MADV_NOHUGEPAGE);
  for (size_t i = 0; i < bytes; i += kPage) ((volatile char*)at)[i] = 0;
}

static int KsmSharing(void) {
  char text[32] = "";
  const int fd = open("/sys/kernel/mm/ksm/pages_sharing", O_RDONLY | O_CLOEXEC);
  if (fd >= 0 && read(fd, text, sizeof(text) - 1) < 0) text[0] = 0;
  if (fd >= 0) close(fd);
  return atoi(text);
}

// Pages that are each there twice, offered for merging, and waits until they are merged.
static void MakeKsm(size_t bytes) {
  char* at = MapAligned(bytes);
  madvise(at, bytes, MADV_NOHUGEPAGE);
  for (size_t i = 0; i < bytes / 2; i += kPage) {
    FillText(at + i);
    memcpy(at + bytes / 2 + i, at + i, kPage);
  }
  if (madvise(at, bytes, MADV_MERGEABLE) != 0) printf("WORKLOAD: no KSM\n");
  for (int tries = 0; tries < 100 && KsmSharing() < (int)(bytes / kPage / 4); ++tries)
    usleep(100 * 1000);
}

static void MakeHugetlb(size_t bytes) {
  char* at = Map(bytes, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1);
  if (at == NULL) {
    printf("WORKLOAD: no hugetlb pages\n");
    return;
  }
  FillPages(at, bytes);
}

static int CreateFile(const char* folder, const char* name, size_t bytes) {
  char path[256];
  char page[kPage];
  snprintf(path, sizeof(path), "%s/%s", folder, name);
  const int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0644);
  if (fd < 0) Die(path);
  for (size_t n = 0; n < bytes / kPage; ++n) {
    FillPage(page, n);
    if (write(fd, page, kPage) != kPage) Die(path);
  }
  return fd;
}

// Page cache with nothing left to write.
static void MakeClean(size_t bytes) {
  const int fd = CreateFile(kFileFolder, "clean", bytes);
  fsync(fd);
}

// Page cache that was read rather than written.
static void MakeRead(size_t bytes) {
  char page[kPage];
  const int fd = CreateFile(kFileFolder, "read", bytes);
  fsync(fd);
  posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
  lseek(fd, 0, SEEK_SET);
  while (read(fd, page, kPage) == kPage) {
  }
}

static void MakeDirty(size_t bytes) { CreateFile(kFileFolder, "dirty", bytes); }

static void MakeShm(size_t bytes) {
  const int fd = CreateFile(kShmFolder, "shm", bytes);
  char* at = Map(bytes, MAP_SHARED, fd);
  if (at == NULL) Die("mmap of shared memory");
  for (size_t i = 0; i < bytes; i += kPage) at[i] ^= 1;
}

// A private file mapping: half of its pages stay the file's, half are copied on write.
static void MakePrivate(size_t bytes) {
  const int fd = CreateFile(kFileFolder, "private", bytes);
  char* at = Map(bytes, MAP_PRIVATE, fd);
  volatile char sum = 0;
  if (at == NULL) Die("mmap of a private file");
  for (size_t i = 0; i < bytes; i += 2 * kPage) at[i] = 'w';
  for (size_t i = kPage; i < bytes; i += 2 * kPage) sum = (char)(sum + at[i]);
}

// Slab memory: empty files and folders, about 1.5 KiB of kernel objects each.
static void MakeSlab(size_t bytes) {
  char path[256];
  for (size_t n = 0; n < bytes / 1536; ++n) {
    snprintf(path, sizeof(path), "%s/slab%zu-with-a-name-longer-than-the-inline-name", kShmFolder,
             n);
    if (mkdir(path, 0755) != 0) Die(path);
  }
}

// Pipe buffers, 64 KiB each: kernel pages that hold user data.
static void MakePipes(size_t bytes) {
  char page[kPage];
  for (size_t n = 0; n < bytes / (64 * 1024); ++n) {
    int ends[2];
    if (pipe2(ends, O_NONBLOCK) != 0) break;
    for (size_t i = 0; i < 16; ++i) {
      FillPage(page, n + i);
      if (write(ends[1], page, kPage) != kPage) break;
    }
  }
}

// Data queued in sockets.
static void MakeSockets(size_t bytes) {
  char page[kPage];
  for (size_t queued = 0; queued < bytes;) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) != 0) break;
    FillPage(page, queued / kPage);
    while (queued < bytes && write(ends[0], page, kPage) == kPage) queued += kPage;
  }
}

// Memory that was used and freed: free pages whose contents are not zero.
static void MakeFreed(size_t bytes) {
  char* at = MapAligned(bytes);
  FillPages(at, bytes);
  munmap(at, bytes);
}

// ---- the account and the panic --------------------------------------------------------------

enum { kAccountHeader = 4096, kAccountMax = 160 * kMib };

static size_t ReadWhole(const char* path, char* buffer, size_t room) {
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  size_t used = 0;
  if (fd < 0) return 0;
  while (used < room) {
    const ssize_t got = read(fd, buffer + used, room - used < kMib ? room - used : kMib);
    if (got <= 0) break;
    used += (size_t)got;
  }
  close(fd);
  return used;
}

enum { kSampledSymbol = 101, kSymbolRoom = 1 << 18 };

static char symbols[kSymbolRoom];

// Of /proc/kallsyms: every so-manieth line, and at last the number of all lines and their FNV-1a
// digest. What is not the kernel's own has a '[' behind it and does not count.
static size_t SampleSymbols(void) {
  FILE* const file = fopen("/proc/kallsyms", "re");
  char line[1024];
  uint64_t digest = 0xcbf29ce484222325ULL;
  size_t count = 0, used = 0;
  if (file == NULL) Die("/proc/kallsyms");
  while (fgets(line, sizeof(line), file) != NULL) {
    if (strchr(line, '[') != NULL) continue;
    for (const char* at = line; *at != 0; ++at)
      digest = (digest ^ (unsigned char)*at) * 0x100000001b3ULL;
    if (count++ % kSampledSymbol == 0 && used < kSymbolRoom - sizeof(line))
      used += (size_t)sprintf(symbols + used, "%s", line);
  }
  fclose(file);
  return used + (size_t)sprintf(symbols + used, "%zu %016llx\n", count, (unsigned long long)digest);
}

// Writes /proc/kpageflags, kpagecount and iomem, and the sample of symbols, to the raw disk:
//   "KDUMPKIT PAGES\n", then "NAME OFFSET SIZE\n" lines in the first 4096 bytes, then the data.
// All buffers exist and are resident before the first file is read, so that the account hardly
// changes what it describes.
static void WriteAccount(const char* disk, size_t symbol_bytes) {
  static const char* const kNames[] = {"iomem", "kpagecount", "kpageflags"};
  char* buffer = Map(kAccountMax, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1);
  const int fd = open(disk, O_WRONLY | O_CLOEXEC | O_DIRECT);
  size_t used = kAccountHeader;
  int text = 0;
  if (buffer == NULL || fd < 0) Die(disk);
  const long pages = sysconf(_SC_PHYS_PAGES);
  // Two words a page, a quarter more for the holes between ranges, and the rest.
  memset(buffer, 0, (size_t)pages * 20 + (2 << 20));
  text += sprintf(buffer, "KDUMPKIT PAGES\n");
  memcpy(buffer + used, symbols, symbol_bytes);
  text += sprintf(buffer + text, "kallsyms %zu %zu\n", used, symbol_bytes);
  used = (used + symbol_bytes + kPage - 1) & ~(size_t)(kPage - 1);
  for (int i = 0; i < 3; ++i) {
    char path[64];
    snprintf(path, sizeof(path), "/proc/%s", kNames[i]);
    const size_t size = ReadWhole(path, buffer + used, kAccountMax - used);
    text += sprintf(buffer + text, "%s %zu %zu\n", kNames[i], used, size);
    used = (used + size + kPage - 1) & ~(size_t)(kPage - 1);
  }
  for (size_t done = 0; done < used;) {
    const ssize_t written = write(fd, buffer + done, used - done < kMib ? used - done : kMib);
    if (written <= 0) Die("writing the account");
    done += (size_t)written;
  }
  fsync(fd);
}

static void WriteText(const char* path, const char* text) {
  const int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0 || write(fd, text, strlen(text)) < 0)
    printf("WORKLOAD: %s: %s\n", path, strerror(errno));
  if (fd >= 0) close(fd);
}

// Stops the kernel threads that move pages about: what the account says must hold at the panic.
static void HoldStill(void) {
  static const char* const kSettings[][2] = {
      {"/sys/kernel/mm/ksm/run", "0"},
      {"/sys/kernel/mm/transparent_hugepage/enabled", "never"},
      {"/sys/kernel/mm/transparent_hugepage/shmem_enabled", "never"},
      {"/proc/sys/vm/compaction_proactiveness", "0"},
  };
  for (size_t i = 0; i < sizeof(kSettings) / sizeof(kSettings[0]); ++i)
    WriteText(kSettings[i][0], kSettings[i][1]);
  sleep(1);  // for a scan that has begun
}

// ---- running --------------------------------------------------------------------------------

static const struct Kind {
  const char* name;
  void (*make)(size_t bytes);
  int processes;  // the amount is divided among so many
} kKinds[] = {
    {"clean", MakeClean, 1},     {"read", MakeRead, 1},       {"shm", MakeShm, 1},
    {"slab", MakeSlab, 1},       {"private", MakePrivate, 1}, {"hugetlb", MakeHugetlb, 1},
    {"thp", MakeThp, 2},         {"anon", MakeAnon, 4},       {"mlock", MakeLocked, 1},
    {"zero", MakeZero, 1},       {"ksm", MakeKsm, 1},         {"pipes", MakePipes, 1},
    {"sockets", MakeSockets, 1}, {"freed", MakeFreed, 1},     {"dirty", MakeDirty, 1},
};

// Pipes and sockets are many open files.
static void RaiseFileLimit(void) {
  const struct rlimit limit = {1 << 18, 1 << 18};
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
    printf("WORKLOAD: RLIMIT_NOFILE: %s\n", strerror(errno));
}

// Runs one kind in a child that says when it is ready and then sleeps for ever.
static void Start(const struct Kind* kind, size_t bytes, int number) {
  int ready[2];
  char done = 0;
  if (pipe(ready) != 0) Die("pipe");
  const pid_t child = fork();
  if (child < 0) Die("fork");
  if (child == 0) {
    close(ready[0]);
    random_state += (uint64_t)number * 0x9e3779b97f4a7c15ULL;
    kind->make(bytes);
    fflush(stdout);
    if (write(ready[1], "!", 1) != 1) _exit(1);
    for (;;) pause();
  }
  close(ready[1]);
  if (read(ready[0], &done, 1) != 1) printf("WORKLOAD: '%s' died\n", kind->name);
  close(ready[0]);
}

static size_t Amount(int argc, char** argv, const char* name) {
  const size_t length = strlen(name);
  for (int i = 1; i < argc; ++i) {
    if (strncmp(argv[i], name, length) == 0 && argv[i][length] == '=')
      return strtoul(argv[i] + length + 1, NULL, 10) * kMib;
  }
  return 0;
}

int main(int argc, char** argv) {
  const char* disk = NULL;
  int number = 0;
  RaiseFileLimit();
  MakeTextPool();
  for (int i = 1; i < argc; ++i)
    if (strncmp(argv[i], "disk=", 5) == 0) disk = argv[i] + 5;
  for (size_t i = 0; i < sizeof(kKinds) / sizeof(kKinds[0]); ++i) {
    const struct Kind* kind = &kKinds[i];
    const size_t bytes = Amount(argc, argv, kind->name) / (size_t)kind->processes;
    for (int n = 0; bytes != 0 && n < kind->processes; ++n) Start(kind, bytes, ++number);
    if (bytes != 0) printf("WORKLOAD: %s %zu MiB\n", kind->name, bytes / kMib * kind->processes);
    fflush(stdout);
  }
  const size_t symbol_bytes = disk != NULL ? SampleSymbols() : 0;
  HoldStill();
  if (disk != NULL) WriteAccount(disk, symbol_bytes);
  printf("WORKLOAD: ready, panicking\n");
  fflush(stdout);
  WriteText("/proc/sys/kernel/sysrq", "1");
  WriteText("/proc/sysrq-trigger", "c");
  Die("the kernel survived sysrq-c");
}
