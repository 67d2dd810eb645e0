// SPDX-License-Identifier: GPL-2.0-or-later
#include "kexec/purgatory/machine.h"

#include <cstddef>

namespace kdumpkit::purgatory {

uint8_t ReadPort(uint16_t port) {
  uint8_t value;
  asm volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
  return value;
}

void WritePort(uint16_t port, uint8_t value) {
  asm volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

void CopyMemory(uint64_t destination, uint64_t source, uint64_t size) {
  asm volatile("rep movsb" : "+D"(destination), "+S"(source), "+c"(size) : : "memory");
}

void TripleFault() {
  struct __attribute__((packed)) {
    uint16_t limit;
    uint64_t base;
  } no_interrupt_table = {0, 0};
  asm volatile("lidt %0; ud2" : : "m"(no_interrupt_table));
}

// What compilers call without being asked, also in code for no operating system.
extern "C" void* memcpy(void* destination, const void* source, size_t size);
extern "C" void* memset(void* destination, int byte, size_t size);

void* memcpy(void* destination, const void* source, size_t size) {
  void* to = destination;
  asm volatile("rep movsb" : "+D"(to), "+S"(source), "+c"(size) : : "memory");
  return destination;
}

void* memset(void* destination, int byte, size_t size) {
  void* to = destination;
  asm volatile("rep stosb" : "+D"(to), "+c"(size) : "a"(byte) : "memory");
  return destination;
}

}  // namespace kdumpkit::purgatory
