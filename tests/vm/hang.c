// SPDX-License-Identifier: GPL-2.0-or-later
// A program that does nothing, for ever.
#include <unistd.h>

int main(void) {
  for (;;) pause();
}
