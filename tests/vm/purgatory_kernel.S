// SPDX-License-Identifier: GPL-2.0-or-later
// What test_purgatory.py has started in place of a kernel. It sends its registers (FRAME of
// test_purgatory.py), the four descriptors, and the memory that `extra` names to port 0xe9, then
// ends QEMU through isa-debug-exit at port 0xf4.

#define DEBUG_CONSOLE 0xe9
#define DEBUG_EXIT 0xf4
#define BOOT_CS 0x10
#define BOOT_DS 0x18

  .text
  .globl _start
_start:
  jmp entry
  .org 8
extra: // filled in by the test: address, size
  .quad 0
  .quad 0

entry:
  movq %rax, frame(%rip)
  movq %rbx, frame+8(%rip)
  movq %rcx, frame+16(%rip)
  movq %rdx, frame+24(%rip)
  movq %rsi, frame+32(%rip)
  movq %rdi, frame+40(%rip)
  movq %rbp, frame+48(%rip)
  movq %rsp, frame+56(%rip)
  movq %r8, frame+64(%rip)
  movq %r9, frame+72(%rip)
  movq %r10, frame+80(%rip)
  movq %r11, frame+88(%rip)
  movq %r12, frame+96(%rip)
  movq %r13, frame+104(%rip)
  movq %r14, frame+112(%rip)
  movq %r15, frame+120(%rip)
  pushfq
  popq frame+128(%rip)
  movw %cs, frame+136(%rip)
  movw %ds, frame+138(%rip)
  movw %es, frame+140(%rip)
  movw %ss, frame+142(%rip)
  sgdt frame+144(%rip)

  // The selectors can be loaded once more.
  pushq $BOOT_CS
  leaq again(%rip), %rax
  pushq %rax
  lretq
again:
  movl $BOOT_DS, %eax
  movl %eax, %ds
  movl %eax, %es
  movl %eax, %ss

  movl $DEBUG_CONSOLE, %edx
  leaq frame(%rip), %rsi
  movl $(frame_end - frame), %ecx
  rep outsb
  movq frame+146(%rip), %rsi
  movl $32, %ecx
  rep outsb
  movq extra(%rip), %rsi
  movq extra+8(%rip), %rcx
  rep outsb

  movl $DEBUG_EXIT, %edx
  movl $0x21, %eax
  outl %eax, %dx
stop:
  hlt
  jmp stop

frame:
  .fill 154
frame_end:
