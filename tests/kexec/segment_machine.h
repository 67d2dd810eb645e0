// SPDX-License-Identifier: GPL-2.0-or-later
// What the segments of kexec_load are made from: /proc and /sys of machines as they are, and
// readers for what comes out.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/ranges.h"
#include "kexec/segment_plan.h"
#include "tests/kexec/fake_machine.h"

namespace kdumpkit {

// [first, last], as /proc/iomem writes them.
PhysRange Inclusive(uint64_t first, uint64_t last);

// Debian's 6.1 in QEMU: 2 GiB, crashkernel=256M, started by a BIOS.
inline constexpr std::string_view kIomem2GiB =
    "00000000-00000fff : Reserved\n"
    "00001000-0009fbff : System RAM\n"
    "0009fc00-0009ffff : Reserved\n"
    "000a0000-000bffff : PCI Bus 0000:00\n"
    "000c0000-000c05ff : Video ROM\n"
    "000f0000-000fffff : Reserved\n"
    "  000f0000-000fffff : System ROM\n"
    "00100000-7ffdffff : System RAM\n"
    "  69c00000-6aa01d31 : Kernel code\n"
    "  6ac00000-6b4e6fff : Kernel rodata\n"
    "  6b600000-6b8489bf : Kernel data\n"
    "  6bf0d000-6cffffff : Kernel bss\n"
    "  6e000000-7dffffff : Crash kernel\n"
    "7ffe0000-7fffffff : Reserved\n"
    "80000000-afffffff : PCI Bus 0000:00\n"
    "b0000000-bfffffff : PCI MMCONFIG 0000 [bus 00-ff]\n"
    "  b0000000-bfffffff : Reserved\n"
    "    b0000000-bfffffff : pnp 00:04\n"
    "c0000000-febfffff : PCI Bus 0000:00\n"
    "  febff000-febfffff : 0000:00:1f.2\n"
    "fec00000-fec003ff : IOAPIC 0\n"
    "fed00000-fed003ff : HPET 0\n"
    "  fed00000-fed003ff : PNP0103:00\n"
    "fed1c000-fed1ffff : Reserved\n"
    "fee00000-fee00fff : Local APIC\n"
    "fffc0000-ffffffff : Reserved\n"
    "100000000-8ffffffff : PCI Bus 0000:00\n"
    "fd00000000-ffffffffff : Reserved\n";

// The same with 6 GiB, crashkernel=256M,high (and the low range that comes with it), nokaslr, and
// 512 MiB plugged in later.
inline constexpr std::string_view kIomem6GiB =
    "00000000-00000fff : Reserved\n"
    "00001000-0009fbff : System RAM\n"
    "0009fc00-0009ffff : Reserved\n"
    "000a0000-000bffff : PCI Bus 0000:00\n"
    "000f0000-000fffff : Reserved\n"
    "  000f0000-000fffff : System ROM\n"
    "00100000-7ffdffff : System RAM\n"
    "  01000000-01e01d31 : Kernel code\n"
    "  02000000-028e6fff : Kernel rodata\n"
    "  02a00000-02c489bf : Kernel data\n"
    "  0330d000-043fffff : Kernel bss\n"
    "  6e000000-7dffffff : Crash kernel\n"
    "7ffe0000-7fffffff : Reserved\n"
    "80000000-afffffff : PCI Bus 0000:00\n"
    "b0000000-bfffffff : PCI MMCONFIG 0000 [bus 00-ff]\n"
    "  b0000000-bfffffff : Reserved\n"
    "fed1c000-fed1ffff : Reserved\n"
    "fffc0000-ffffffff : Reserved\n"
    "100000000-1ffffffff : System RAM\n"
    "  1ef000000-1feffffff : Crash kernel\n"
    "200000000-21fffffff : System RAM\n"
    "580000000-d7fffffff : PCI Bus 0000:00\n"
    "fd00000000-ffffffffff : Reserved\n";

// EFI firmware (OVMF): several pieces of low memory and memory of ACPI between RAM; persistent
// memory, part of it in use as RAM, and what virtio-mem has plugged in.
inline constexpr std::string_view kIomemEfi =
    "00000000-00000fff : Reserved\n"
    "00001000-00057fff : System RAM\n"
    "00058000-00058fff : Reserved\n"
    "00059000-0009ffff : System RAM\n"
    "00100000-007fffff : System RAM\n"
    "00800000-00807fff : ACPI Non-volatile Storage\n"
    "00808000-7eea0fff : System RAM\n"
    "  01000000-01e01d31 : Kernel code\n"
    "  0330d000-043fffff : Kernel bss\n"
    "  60000000-6fffffff : Crash kernel\n"
    "  74000000-77ffffff : GART\n"
    "7eea1000-7ef61fff : Reserved\n"
    "7fb6d000-7fb7efff : ACPI Tables\n"
    "7fb7f000-7fbfefff : Unusable memory\n"
    "140000000-23fffffff : Persistent Memory\n"
    "  140000000-1407fffff : namespace0.0\n"
    "  148000000-23fffffff : dax0.0\n"
    "    148000000-23fffffff : System RAM (kmem)\n"
    "240000000-27fffffff : Persistent Memory (legacy)\n"
    "280000000-37fffffff : virtio0\n"
    "  280000000-28fffffff : System RAM (virtio_mem)\n"
    "  2a0000000-2afffffff : System RAM (virtio_mem)\n";

// Adds to the machine what a load by kexec_load reads: kIomem2GiB with /proc/kcore, two processors,
// VMCOREINFO, the firmware's memory map, boot_params and a serial line.
void AddSegmentFiles(FakeMachine& machine);

// /proc/kcore of a kernel whose _text lies at `text`, at physical address `base`, and whose direct
// map begins at `direct_map`.
std::string MakeKcore(uint64_t text, uint64_t base, uint64_t size, uint64_t direct_map);

void AddCpu(FakeMachine& machine, int number, uint64_t notes);
void AddEfi(FakeMachine& machine);
// One entry of /sys/firmware/memmap; the end is included.
void AddFirmwareRange(FakeMachine& machine, int number, uint64_t first, uint64_t last,
                      std::string_view type);

// A program header as it stands in an elfcorehdr.
struct CoreHeader {
  uint32_t type = 0;  // 1: PT_LOAD, 4: PT_NOTE
  uint32_t flags = 0;
  uint64_t offset = 0;
  uint64_t vaddr = 0;
  uint64_t paddr = 0;
  uint64_t file_size = 0;
  uint64_t memory_size = 0;
  uint64_t align = 0;
  bool operator==(const CoreHeader&) const = default;
};
CoreHeader NoteHeader(uint64_t address, uint64_t size);
CoreHeader LoadHeader(uint64_t stored_at, uint64_t vaddr, uint64_t paddr, uint64_t size);
// Checks the ELF header as the crash kernel does and reads the program headers.
std::vector<CoreHeader> ReadElfcorehdr(ByteView bytes);

// A field of boot_params or of what lies behind.
template <std::unsigned_integral T>
T Field(ByteView bytes, size_t offset) {
  return ByteReader(bytes, ByteOrder::kLittle, "boot_params").Load<T>(offset).value();
}
// An address whose halves stand at two places.
uint64_t Halves(ByteView bytes, size_t low, size_t high);
// The setup_data records of boot_params that lie at `address`, in the order of their list.
struct SetupRecord {
  uint32_t type = 0;
  ByteView data;
};
std::vector<SetupRecord> ReadSetupData(ByteView bytes, PhysAddr address);
// The E820 table with what SETUP_E820_EXT adds.
std::vector<E820Entry> ReadE820(ByteView bytes, PhysAddr address);
std::string ReadCommandLine(ByteView bytes, PhysAddr address);

// The kernel of the machine as ReadKernelFile makes it, and others.
KernelFile KernelFromBytes(std::string_view path, std::string_view bytes);

// The first segment of that name; fails the test when there is none.
const PlannedSegment& SegmentNamed(const SegmentPlan& plan, std::string_view name);

}  // namespace kdumpkit
