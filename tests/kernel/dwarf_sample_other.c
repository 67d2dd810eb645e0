// SPDX-License-Identifier: GPL-2.0-or-later
// The second file of dwarf_sample.c.

struct list {
  struct list *next, *prev;
};
static struct list twice;
extern int number;
int number __attribute__((weak)) = 1;

int other(void);
int other(void) { return number + (twice.next != 0); }
