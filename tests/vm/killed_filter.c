// SPDX-License-Identifier: GPL-2.0-or-later
//
// Stands in for the filter in the capture image and dies as if killed for lack of memory, on its
// first run for a dump, or with a file /kill-always on every one.  The log is left to the real
// filter, and so is a later dump.

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char** argv) {
  int for_dump = 1;
  for (int i = 1; i < argc; ++i)
    if (strcmp(argv[i], "--dump-dmesg") == 0) for_dump = 0;
  const int first = open("/killed-once", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600) >= 0;
  if (!for_dump && first) unlink("/killed-once");
  if (for_dump && (first || access("/kill-always", F_OK) == 0)) kill(getpid(), SIGKILL);
  argv[0] = "/real-filter";
  execv(argv[0], argv);
  return 127;
}
