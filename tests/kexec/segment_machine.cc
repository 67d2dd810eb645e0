// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/kexec/segment_machine.h"

#include <gtest/gtest.h>

#include "tests/kexec/image_builder.h"

namespace kdumpkit {
namespace {

constexpr uint64_t kNone = UINT64_MAX;

std::string BinaryText(ByteView bytes) { return std::string(AsText(bytes)); }

// Some fields with values that can be told apart.
std::string RunningBootParams() {
  ByteBuffer bytes(4096);
  auto set = [&](size_t offset, auto value) {
    StoreUnchecked(bytes.data() + offset, value, ByteOrder::kLittle);
  };
  for (size_t i = 0; i < 0x40; ++i) set(i, static_cast<uint8_t>(0xa0 + i));  // screen_info
  set(0x70, uint64_t{0xf59e0});                                              // acpi_rsdp_addr
  set(0x1c0, uint32_t{0x34364c45});                                          // "EL64"
  set(0x1c4, uint32_t{0x7f9ee018});
  set(0x1d8, uint32_t{1});
  set(0x1e9, uint16_t{0x0201});   // BIOS disks
  set(0x1ec, uint8_t{2});         // secure_boot
  set(0x1ef, uint8_t{0xff});      // sentinel: not to be copied
  set(0x210, uint8_t{0xb0});      // of another boot loader
  set(0x228, uint32_t{0x20000});  // its command line
  set(0x23c, uint32_t{3});        // hardware_subarch
  set(0x290, uint32_t{0x12345678});
  set(0xd00, uint64_t{0x1122334455667788});
  return BinaryText(bytes);
}

}  // namespace

PhysRange Inclusive(uint64_t first, uint64_t last) { return {PhysAddr(first), last - first + 1}; }

std::string MakeKcore(uint64_t text, uint64_t base, uint64_t size, uint64_t direct_map) {
  ElfFields fields;
  fields.type = 4;
  fields.entry = 0;
  auto add = [&](uint64_t vaddr, uint64_t paddr, uint64_t memory_size) {
    fields.pieces.push_back({paddr, "", vaddr, memory_size, {}, {}});
  };
  fields.pieces.push_back({0, "notes", 0, 0, {}, {}, 4});
  add(text, base, size);
  add(0xffffc90000000000, kNone, 0x1fffffffffff);  // vmalloc
  add(0xffffffffc0000000, kNone, 0x3f000000);      // modules
  add(direct_map + 0x1000, 0x1000, 0x9e000);
  add(0xffffea0000000000, kNone, 0x3000);  // vmemmap
  add(direct_map + 0x100000, 0x100000, 0x7fee0000);
  return MakeElfKernel(fields);
}

void AddCpu(FakeMachine& machine, int number, uint64_t notes) {
  std::string folder = fmt::format("sys/devices/system/cpu/cpu{}", number);
  machine.Set(folder + "/crash_notes", fmt::format("{:x}\n", notes));
  machine.Set(folder + "/crash_notes_size", "368\n");
}

void AddFirmwareRange(FakeMachine& machine, int number, uint64_t first, uint64_t last,
                      std::string_view type) {
  std::string folder = fmt::format("sys/firmware/memmap/{}", number);
  machine.Set(folder + "/start", fmt::format("{:#x}\n", first));
  machine.Set(folder + "/end", fmt::format("{:#x}\n", last));
  machine.Set(folder + "/type", fmt::format("{}\n", type));
}

void AddSegmentFiles(FakeMachine& machine) {
  machine.Remove("proc/kallsyms");  // kcore serves
  machine.Set("proc/iomem", kIomem2GiB);
  machine.Set("proc/kcore",
              MakeKcore(0xffffffffb8200000, 0x69c00000, 0x3430000, 0xffff8ac000000000));
  machine.Set("sys/kernel/vmcoreinfo", "0x0000000004200000 1024\n");
  machine.Set("sys/devices/system/cpu/online", "0-1\n");
  AddCpu(machine, 0, 0x7f81d200);
  AddCpu(machine, 1, 0x7f85d200);
  AddFirmwareRange(machine, 0, 0, 0x9fbff, "System RAM");
  AddFirmwareRange(machine, 1, 0x9fc00, 0x9ffff, "Reserved");
  AddFirmwareRange(machine, 2, 0xf0000, 0xfffff, "Reserved");
  AddFirmwareRange(machine, 3, 0x100000, 0x7ffdffff, "System RAM");
  AddFirmwareRange(machine, 4, 0x7ffe0000, 0x7fffffff, "Reserved");
  machine.Set("sys/kernel/boot_params/data", RunningBootParams());
  machine.Set("sys/class/tty/ttyS0/port", "0x3F8\n");
  machine.Set("sys/class/tty/ttyS0/io_type", "0\n");
}

void AddEfi(FakeMachine& machine) {
  const std::string efi = "sys/firmware/efi/";
  machine.Set(efi + "systab",
              "ACPI20=0x7fb7e014\nACPI=0x7fb7e000\nSMBIOS3=0x7f916000\nSMBIOS=0x7f918000\n");
  machine.Set(efi + "fw_vendor", "0x7f9ee118\n");
  machine.Set(efi + "runtime", "0xfffffffeffb6bb98\n");
  machine.Set(efi + "config_table", "0xfffffffeff9ee018\n");
  for (unsigned i = 0; i < 2; ++i) {
    std::string folder = fmt::format("{}runtime-map/{}/", efi, i);
    machine.Set(folder + "type", fmt::format("{:#x}\n", 5 + i));
    machine.Set(folder + "phys_addr", fmt::format("{:#x}\n", 0x7f8ed000 + i * 0x100000));
    machine.Set(folder + "virt_addr", fmt::format("{:#x}\n", 0xfffffffeffeed000 - i * 0x100000));
    machine.Set(folder + "num_pages", fmt::format("{:#x}\n", 0x100 - i));
    machine.Set(folder + "attribute", "0x800000000000000f\n");
  }
}

CoreHeader NoteHeader(uint64_t address, uint64_t size) {
  return {4, 0, address, 0, address, size, size, 0};
}

CoreHeader LoadHeader(uint64_t stored_at, uint64_t vaddr, uint64_t paddr, uint64_t size) {
  return {1, 7, stored_at, vaddr, paddr, size, size, 0};
}

// The conditions are those of parse_crash_elf64_headers() in fs/proc/vmcore.c.
std::vector<CoreHeader> ReadElfcorehdr(ByteView bytes) {
  EXPECT_EQ(AsText(bytes.first(7)),
            "\x7f"
            "ELF\x02\x01\x01");
  EXPECT_EQ(Field<uint16_t>(bytes, 16), 4u);   // e_type: ET_CORE
  EXPECT_EQ(Field<uint16_t>(bytes, 18), 62u);  // e_machine
  EXPECT_EQ(Field<uint32_t>(bytes, 20), 1u);   // e_version
  EXPECT_EQ(Field<uint64_t>(bytes, 32), 64u);  // e_phoff
  EXPECT_EQ(Field<uint16_t>(bytes, 52), 64u);  // e_ehsize
  EXPECT_EQ(Field<uint16_t>(bytes, 54), 56u);  // e_phentsize
  size_t count = Field<uint16_t>(bytes, 56);
  EXPECT_EQ(bytes.size(), 64 + count * 56);
  std::vector<CoreHeader> headers;
  for (size_t at = 64; at < bytes.size(); at += 56)
    headers.push_back({Field<uint32_t>(bytes, at), Field<uint32_t>(bytes, at + 4),
                       Field<uint64_t>(bytes, at + 8), Field<uint64_t>(bytes, at + 16),
                       Field<uint64_t>(bytes, at + 24), Field<uint64_t>(bytes, at + 32),
                       Field<uint64_t>(bytes, at + 40), Field<uint64_t>(bytes, at + 48)});
  return headers;
}

uint64_t Halves(ByteView bytes, size_t low, size_t high) {
  return uint64_t{Field<uint32_t>(bytes, high)} << 32 | Field<uint32_t>(bytes, low);
}

std::vector<SetupRecord> ReadSetupData(ByteView bytes, PhysAddr address) {
  std::vector<SetupRecord> records;
  uint64_t next = Field<uint64_t>(bytes, 0x250);
  while (next != 0) {
    size_t at = next - address.value;
    records.push_back(
        {Field<uint32_t>(bytes, at + 8), bytes.subspan(at + 16, Field<uint32_t>(bytes, at + 12))});
    next = Field<uint64_t>(bytes, at);
  }
  return records;
}

std::vector<E820Entry> ReadE820(ByteView bytes, PhysAddr address) {
  std::vector<E820Entry> map;
  auto add = [&](ByteView table) {
    for (size_t at = 0; at < table.size(); at += 20)
      map.push_back({{PhysAddr(Field<uint64_t>(table, at)), Field<uint64_t>(table, at + 8)},
                     static_cast<E820Type>(Field<uint32_t>(table, at + 16))});
  };
  add(bytes.subspan(0x2d0, Field<uint8_t>(bytes, 0x1e8) * size_t{20}));
  for (const SetupRecord& record : ReadSetupData(bytes, address))
    if (record.type == 1) add(record.data);
  return map;
}

std::string ReadCommandLine(ByteView bytes, PhysAddr address) {
  std::string_view text = AsText(bytes.subspan(Halves(bytes, 0x228, 0xc8) - address.value));
  return std::string(text.substr(0, text.find('\0')));
}

KernelFile KernelFromBytes(std::string_view path, std::string_view bytes) {
  ByteView view = AsBytes(bytes);
  return ReadKernelFile(std::string(path), ByteBuffer(view.begin(), view.end())).value();
}

const PlannedSegment& SegmentNamed(const SegmentPlan& plan, std::string_view name) {
  for (const PlannedSegment& segment : plan.segments)
    if (segment.name == name) return segment;
  static const PlannedSegment kNothing;
  ADD_FAILURE() << "no segment '" << name << "'";
  return kNothing;
}

}  // namespace kdumpkit
