// SPDX-License-Identifier: GPL-2.0-or-later
// What an ordinary program cannot do. machine.cc does it; tests link a fake machine in its place.
#pragma once

#include <cstdint>

namespace kdumpkit::purgatory {

uint8_t ReadPort(uint16_t port);
void WritePort(uint16_t port, uint8_t value);

// Between physical addresses, also from and to 0, where C++ has nothing. The ranges do not overlap.
void CopyMemory(uint64_t destination, uint64_t source, uint64_t size);

// An exception that nothing handles: the processor shuts down, which resets a PC. Returns in
// tests only.
void TripleFault();

}  // namespace kdumpkit::purgatory
