// SPDX-License-Identifier: GPL-2.0-or-later
//
// Keeps so many MiB of memory whose contents and physical addresses are known, and tells some:
//   marker MIB
//   MARKER: ADDRESS HEX            the first 16 bytes of a page; both hexadecimal
// It goes on in the background.

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { kPage = 4096, kMib = 1 << 20, kTold = 8 };
static const uint64_t kPresent = 1ULL << 63, kPfn = (1ULL << 55) - 1;

static void Die(const char* what) {
  printf("MARKER: %s: %s\n", what, strerror(errno));
  exit(1);
}

// The physical addresses of the pages, which the caller owns.
static uint64_t* Addresses(const char* memory, size_t pages) {
  uint64_t* found = malloc(pages * sizeof(*found));
  const off_t offset = (off_t)((uintptr_t)memory / kPage * sizeof(*found));
  const ssize_t size = (ssize_t)(pages * sizeof(*found));
  const int pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
  if (found == NULL || pread(pagemap, found, (size_t)size, offset) != size) Die("pagemap");
  for (size_t i = 0; i < pages; ++i) {
    if ((found[i] & kPresent) == 0 || (found[i] & kPfn) == 0) Die("a page has no address");
    found[i] = (found[i] & kPfn) * kPage;
  }
  close(pagemap);
  return found;
}

static void Fill(char* page, uint64_t number) {
  const uint64_t words[2] = {0x6b64756d706b6974ULL ^ number, ~(number * 0x9e3779b97f4a7c15ULL)};
  for (int i = 0; i < kPage; i += sizeof(words)) memcpy(page + i, words, sizeof(words));
}

static void Tell(uint64_t address, const unsigned char* page) {
  printf("MARKER: %llx ", (unsigned long long)address);
  for (int i = 0; i < 16; ++i) printf("%02x", page[i]);
  printf("\n");
}

// The lowest and the highest page, and some between.
static void TellSome(const char* memory, size_t pages) {
  uint64_t* addresses = Addresses(memory, pages);
  size_t lowest = 0, highest = 0;
  for (size_t i = 1; i < pages; ++i) {
    if (addresses[i] < addresses[lowest]) lowest = i;
    if (addresses[i] > addresses[highest]) highest = i;
  }
  for (size_t i = 0; i < kTold; ++i) {
    const size_t chosen = i == 0 ? lowest : i == 1 ? highest : pages / kTold * i;
    Tell(addresses[chosen], (const unsigned char*)memory + chosen * kPage);
  }
  free(addresses);
}

int main(int argc, char** argv) {
  const size_t size = argc == 2 ? strtoul(argv[1], NULL, 10) * kMib : 0;
  if (size == 0) Die("usage: marker MIB");
  char* memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED || mlock(memory, size) != 0) Die("memory");
  for (size_t i = 0; i < size / kPage; ++i) Fill(memory + i * kPage, i);
  TellSome(memory, size / kPage);
  fflush(stdout);
  // Locked memory is not inherited, shared memory is: the child keeps it.
  if (fork() == 0)
    for (;;) pause();
  return 0;
}
