// SPDX-License-Identifier: GPL-2.0-or-later
//
// The first process of a crash kernel that tells, on the console, what /proc/vmcore has, and
// reboots.  Each line begins with "REPORT":
//   REPORT cmdline TEXT            the crash kernel's command line
//   REPORT iomem LINE              the memory it was given, with its addresses
//   REPORT data OFFSET HEX         bytes of /proc/vmcore: its ELF header, program headers and notes
//   REPORT memory ADDRESS HEX      16 bytes of the dead kernel's memory, at addresses that the test
//                                  types when it is asked to; "unreadable" when they are not there
//   REPORT done

#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/klog.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <unistd.h>

enum { kLine = 64, kWord = 16, kConsoleOff = 6, kAnswerMax = 8192 };

static void End(const char* what) {
  if (what != NULL) printf("REPORT failed %s: %s\n", what, strerror(errno));
  fflush(stdout);
  sleep(what != NULL);
  reboot(RB_AUTOBOOT);
  for (;;) pause();
}

static void Mount(const char* type, const char* at) {
  mkdir(at, 0755);
  if (mount(type, at, type, 0, NULL) != 0 && errno != EBUSY) End(at);
}

static void PrintLines(const char* what, const char* path) {
  char line[4096];
  FILE* file = fopen(path, "re");
  if (file == NULL) End(path);
  while (fgets(line, sizeof(line), file) != NULL) printf("REPORT %s %s", what, line);
  fclose(file);
}

static void PrintHex(const unsigned char* data, size_t size) {
  for (size_t i = 0; i < size; ++i) printf("%02x", data[i]);
  printf("\n");
}

static void PrintData(int vmcore, off_t offset, size_t size) {
  unsigned char data[kLine];
  for (size_t done = 0; done < size; done += kLine) {
    const size_t want = size - done < kLine ? size - done : kLine;
    if (pread(vmcore, data, want, offset + (off_t)done) != (ssize_t)want) End("reading notes");
    printf("REPORT data %llx ", (unsigned long long)offset + done);
    PrintHex(data, want);
  }
}

// Reads the program headers, which the caller owns.
static Elf64_Phdr* ReadHeaders(int vmcore, const Elf64_Ehdr* header) {
  const size_t size = header->e_phnum * sizeof(Elf64_Phdr);
  Elf64_Phdr* segments = malloc(size);
  if (segments == NULL) End("memory");
  if (pread(vmcore, segments, size, (off_t)header->e_phoff) != (ssize_t)size) End("headers");
  return segments;
}

static void PrintMemory(int vmcore, const Elf64_Phdr* segments, int count, Elf64_Addr address) {
  unsigned char data[kWord];
  printf("REPORT memory %llx ", (unsigned long long)address);
  // The last segment is taken: the first one with memory is the kernel's text.
  for (int i = count - 1; i >= 0; --i) {
    const Elf64_Addr inside = address - segments[i].p_paddr;
    if (segments[i].p_type != PT_LOAD || address < segments[i].p_paddr ||
        inside + kWord > segments[i].p_filesz)
      continue;
    if (pread(vmcore, data, kWord, (off_t)(segments[i].p_offset + inside)) != kWord) break;
    PrintHex(data, kWord);
    return;
  }
  printf("unreadable\n");
}

// The test's answer is one line of hexadecimal addresses.
static void PrintWantedMemory(int vmcore, const Elf64_Phdr* segments, int count) {
  static char answer[kAnswerMax];
  printf("GUEST: ask read\n");
  fflush(stdout);
  if (fgets(answer, sizeof(answer), stdin) == NULL) End("asking for addresses");
  for (char* word = strtok(answer, " \n"); word != NULL; word = strtok(NULL, " \n"))
    PrintMemory(vmcore, segments, count, strtoull(word, NULL, 16));
}

int main(void) {
  Elf64_Ehdr header;
  klogctl(kConsoleOff, NULL, 0);  // a kernel message in the middle of a line would spoil it
  Mount("proc", "/proc");
  PrintLines("cmdline", "/proc/cmdline");
  PrintLines("iomem", "/proc/iomem");
  const int vmcore = open("/proc/vmcore", O_RDONLY | O_CLOEXEC);
  if (vmcore < 0) End("/proc/vmcore");
  if (pread(vmcore, &header, sizeof(header), 0) != sizeof(header)) End("the ELF header");
  Elf64_Phdr* segments = ReadHeaders(vmcore, &header);
  PrintData(vmcore, 0, sizeof(header));
  PrintData(vmcore, (off_t)header.e_phoff, header.e_phnum * sizeof(Elf64_Phdr));
  for (int i = 0; i < header.e_phnum; ++i)
    if (segments[i].p_type == PT_NOTE)
      PrintData(vmcore, (off_t)segments[i].p_offset, segments[i].p_filesz);
  PrintWantedMemory(vmcore, segments, header.e_phnum);
  printf("REPORT done\n");
  End(NULL);
}
