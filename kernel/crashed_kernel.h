// SPDX-License-Identifier: GPL-2.0-or-later
// The kernel that crashed: its VMCOREINFO, its page tables, its memory by virtual address.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>

#include "base/memory_source.h"
#include "kernel/vmcoreinfo.h"

namespace kdumpkit {

class Arch;
class GivenVmlinux;

struct MachineId {
  uint16_t elf_machine = 0;  // e_machine, for instance EM_X86_64
  ByteOrder order = ByteOrder::kLittle;
  int word_size = 8;
  // phys_base as the file has it (a kdump sub header, the segment of the kernel image), for kernels
  // whose VMCOREINFO has none.
  std::optional<uint64_t> phys_base = std::nullopt;
};

// struct new_utsname: sysname, nodename, release, version, machine, domainname.
struct Utsname {
  std::array<std::string, 6> fields;
  const std::string& release() const { return fields[2]; }
};

// Reads the dead kernel's memory by virtual address, for one thread.
class KernelMemory {
 public:
  virtual ~KernelMemory() = default;
  virtual Result<PhysAddr> Translate(VirtAddr address) = 0;
  // Copies any number of bytes; crosses pages.
  virtual Status Read(VirtAddr address, ByteSpan buffer) = 0;
  // As many bytes as are physically contiguous from `address` on, at least 1 and at most `size`
  // (capped at MemoryReader::kMaxView); valid until the next call on this object. Lets a scan walk
  // a 2 MiB mapping of struct pages without a copy.
  virtual Result<ByteView> View(VirtAddr address, size_t size) = 0;

  virtual Result<uint32_t> ReadU32(VirtAddr address) = 0;
  // An unsigned long or pointer of the dead machine.
  virtual Result<uint64_t> ReadWord(VirtAddr address) = 0;
};

class CrashedKernel {
 public:
  // `source` must outlive the result. Fails when VMCOREINFO lacks what translation needs; says
  // which key. `vmlinux` may be null; it has been matched with the kernel.
  static Result<std::unique_ptr<CrashedKernel>> Open(
      const MemorySource& source, MachineId machine, std::string_view vmcoreinfo_text,
      std::shared_ptr<const GivenVmlinux> vmlinux = nullptr);
  virtual ~CrashedKernel() = default;

  virtual const Vmcoreinfo& info() const = 0;
  virtual const Arch& arch() const = 0;
  virtual const MachineId& machine() const = 0;
  virtual const MemorySource& source() const = 0;
  // Names besides those that the kernel carries itself; null when the user gave none.
  virtual const GivenVmlinux* vmlinux() const { return nullptr; }
  virtual uint64_t page_size() const = 0;  // bytes, a power of two
  virtual int page_shift() const = 0;
  // For the kdump sub header: the variable phys_base of the kernel, modulo 2^64. On x86_64 an
  // address in the image is at physical address - __START_KERNEL_map + phys_base.
  virtual uint64_t phys_base() const = 0;
  // The result must not outlive this object.
  virtual std::unique_ptr<KernelMemory> NewMemory() const = 0;
};

// From init_uts_ns. kMalformed when a field is not printable text.
Result<Utsname> ReadUtsname(const CrashedKernel& kernel);

}  // namespace kdumpkit
