// SPDX-License-Identifier: GPL-2.0-or-later
// Firmware for test_purgatory.py, 64 KiB at the end of the first 4 GiB: from reset straight to
// where a dying kernel leaves the processor, and to the purgatory whose entry stands at PARAMETER.
// As with the kernel: 8 GiB mapped to themselves, interrupts off, no descriptor tables, no SSE, a
// code segment that is not the boot protocol's. Worse than there: rsp and all registers are junk.

#define PARAMETER 0x100000
#define PAGE_TABLES 0x101000
#define GIBIBYTES 8

#define PRESENT_WRITABLE 3
#define LARGE_PAGE 0x80
#define CR0_PROTECTED 1
#define CR0_PAGING 0x80000000
#define CR4_PAE 0x20
#define EFER 0xc0000080
#define EFER_LONG_MODE 0x100
#define JUNK 0x5a5a5a5a5a5a5a5a

  .text
  .globl _start
_start:
descriptors:
  .quad 0
  .quad 0x00cf9b000000ffff // 0x08: code, 32 bit
  .quad 0x00cf93000000ffff // 0x10: data
  .quad 0x00af9b000000ffff // 0x18: code, 64 bit
descriptor_pointer:
  .word . - descriptors - 1
  .long descriptors
no_descriptors:
  .word 0
  .quad 0

  .code16
real_mode:
  cli
  lgdtl %cs:(descriptor_pointer - _start)
  movl %cr0, %eax
  orl $CR0_PROTECTED, %eax
  movl %eax, %cr0
  ljmpl $0x08, $protected_mode

  .code32
protected_mode:
  movl $0x10, %eax
  movl %eax, %ds
  movl %eax, %es
  movl %eax, %ss
  cld

  // One table of level 4, one of level 3, then one of level 2 a gibibyte.
  movl $PAGE_TABLES, %edi
  movl $((2 + GIBIBYTES) * 1024), %ecx
  xorl %eax, %eax
  rep stosl
  movl $(PAGE_TABLES + 0x1000 + PRESENT_WRITABLE), PAGE_TABLES
  movl $(PAGE_TABLES + 0x1000), %edi
  movl $(PAGE_TABLES + 0x2000 + PRESENT_WRITABLE), %eax
  movl $GIBIBYTES, %ecx
1:
  movl %eax, (%edi)
  addl $8, %edi
  addl $0x1000, %eax
  loop 1b
  movl $(PAGE_TABLES + 0x2000), %edi
  movl $(LARGE_PAGE | PRESENT_WRITABLE), %eax
  xorl %edx, %edx
  movl $(GIBIBYTES * 512), %ecx
2:
  movl %eax, (%edi)
  movl %edx, 4(%edi)
  addl $8, %edi
  addl $0x200000, %eax
  adcl $0, %edx
  loop 2b

  movl $PAGE_TABLES, %eax
  movl %eax, %cr3
  movl $CR4_PAE, %eax
  movl %eax, %cr4
  movl $EFER, %ecx
  rdmsr
  orl $EFER_LONG_MODE, %eax
  wrmsr
  movl %cr0, %eax
  orl $CR0_PAGING, %eax
  movl %eax, %cr0
  ljmpl $0x18, $long_mode

  .code64
long_mode:
  lgdt no_descriptors(%rip)
  lidt no_descriptors(%rip)
  movabsq $JUNK, %rbx
  movq %rbx, %rcx
  movq %rbx, %rdx
  movq %rbx, %rsi
  movq %rbx, %rdi
  movq %rbx, %rbp
  movq %rbx, %rsp
  movq %rbx, %r8
  movq %rbx, %r9
  movq %rbx, %r10
  movq %rbx, %r11
  movq %rbx, %r12
  movq %rbx, %r13
  movq %rbx, %r14
  movq %rbx, %r15
  std
  movl $PARAMETER, %eax
  jmpq *(%rax)

  .org 0xfff0
  .code16
reset:
  jmp real_mode
  .org 0x10000
