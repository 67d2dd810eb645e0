// SPDX-License-Identifier: GPL-2.0-or-later
// The first process of a kernel that only shows that it came so far.
#include <sys/reboot.h>
#include <unistd.h>

int main(void) {
  static const char kText[] = "null_init: here\n";
  if (write(1, kText, sizeof(kText) - 1) < 0) return 1;
  reboot(RB_AUTOBOOT);
  return 1;
}
