// SPDX-License-Identifier: GPL-2.0-or-later
// Stands for a vmlinux with debug information in tests: a program that is only read. With
// SAMPLE_BTF it has a section .BTF, too, which knows one type.

enum color { kRed = 1, kDark = 200, kNegative = -3 };

struct list {
  struct list *next, *prev;
};

typedef struct {
  unsigned int low : 5;
  unsigned int high : 7;
  char letter;
} packed_t;

struct item {
  char name[16];
  struct list list;
  union {
    unsigned long first;
    void (*call)(int);
  };
  packed_t packed;
  enum color color;
  struct unknown* opaque;
  struct item* next;
};

extern struct item first_item;
struct item first_item = {"first", {0, 0}, {1}, {1, 2, 'x'}, kDark, 0, 0};
const char* table[3][5] = {{"a"}};
static volatile struct item* current_item;
int number = kNegative;
extern int elsewhere;
static int twice = 1;  // the other file has one, too

#ifdef SAMPLE_BTF
// struct btf_header, a struct item of one member of the same size and an int, strings.
struct {
  unsigned short magic;
  unsigned char version, flags;
  unsigned int header[5];
  unsigned int types[10];
  char strings[16];
} btf __attribute__((section(".BTF"), used)) = {
    0xeb9f,
    1,
    0,
    {24, 0, 40, 40, 16},
    {1, 4u << 24 | 1, sizeof(struct item), 10, 2, 0, 6, 1u << 24, 4, 32},
    "\0item\0int\0mark"};
#endif

int other(void);
int main(void) {
  current_item = &first_item;
  return number + twice + other() + (int)current_item->first + (table[0][0] != 0);
}
