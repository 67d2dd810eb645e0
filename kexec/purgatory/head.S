// SPDX-License-Identifier: GPL-2.0-or-later
// Beginning and end of purgatory. The dying kernel enters it in 64-bit mode with interrupts off
// and memory mapped to itself (Linux arch/x86/kernel/relocate_kernel_64.S); descriptor tables and
// stack are not to be used. Everything is addressed relative to %rip: the image is never relocated.

#define BOOT_CS 0x10
#define BOOT_DS 0x18

// kexec/purgatory/arguments.h: offsets in the block, and more room than it takes.
#define ARGUMENTS_ROOM 2048
#define ARGUMENT_ENTRY 8
#define ARGUMENT_BOOT_PARAMS 16

#define STACK_SIZE 4096

  .section .head, "ax"
arguments:
  .ascii "kdkpurg1"
  .org ARGUMENTS_ROOM

  .globl entry
entry:
  cli
  cld
  leaq stack_top(%rip), %rsp

  // The boot protocol wants these very selectors, each a flat segment (Linux
  // Documentation/arch/x86/boot.rst, "64-bit Boot Protocol").
  leaq descriptors(%rip), %rax
  pushq %rax
  subq $2, %rsp
  movw $(descriptors_end - descriptors - 1), (%rsp)
  lgdt (%rsp)
  leaq stack_top(%rip), %rsp
  movl $BOOT_DS, %eax
  movl %eax, %ds
  movl %eax, %es
  movl %eax, %ss
  movl %eax, %fs
  movl %eax, %gs
  pushq $BOOT_CS
  leaq in_boot_cs(%rip), %rax
  pushq %rax
  lretq
in_boot_cs:

  leaq arguments(%rip), %rdi
  call PurgatoryMain
  testb %al, %al
  jz stop

  // Whatever is left of our work stays here.
  movq arguments + ARGUMENT_BOOT_PARAMS(%rip), %rsi
  xorl %eax, %eax
  xorl %ebx, %ebx
  xorl %ecx, %ecx
  xorl %edx, %edx
  xorl %edi, %edi
  xorl %ebp, %ebp
  xorl %r8d, %r8d
  xorl %r9d, %r9d
  xorl %r10d, %r10d
  xorl %r11d, %r11d
  xorl %r12d, %r12d
  xorl %r13d, %r13d
  xorl %r14d, %r14d
  xorl %r15d, %r15d
  jmpq *arguments + ARGUMENT_ENTRY(%rip)

stop:
  hlt
  jmp stop

  .section .rodata.head, "a"
  .balign 8
descriptors:
  .quad 0
  .quad 0
  .quad 0x00af9b000000ffff // BOOT_CS: execute and read, 64 bit
  .quad 0x00cf93000000ffff // BOOT_DS: read and write, 4 GiB
descriptors_end:

// Part of the image, so that it needs no memory beyond its bytes.
  .section .stack, "aw"
  .balign 16
  .fill STACK_SIZE
stack_top:

  .section .note.GNU-stack, "", @progbits
