// SPDX-License-Identifier: GPL-2.0-or-later
// Stands for a vmlinux of Linux 6.1 with debug information (-x, -g): a program that is only read.
struct list_head {
  struct list_head *next, *prev;
};

struct page {
  unsigned long flags;
  struct list_head lru;
  void* mapping;
  unsigned long private;
  int _mapcount;
  int _refcount;
};

struct page mem_map[2];
char _stext[64];
char linux_banner[] = "Linux version 6.1.0-small (nobody@nowhere) #1 SMP";
