// SPDX-License-Identifier: GPL-2.0-or-later
// How much memory the capture kernel needs: from the kernel and the image that it really gets, and
// from what earlier captures used.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/config.h"
#include "kdumpctl/dump_record.h"
#include "kdumpctl/live_system.h"

namespace kdumpkit {

// All in bytes; 0: not known.
struct MemoryFacts {
  std::string release;            // of the capture kernel
  uint64_t kernel_init_size = 0;  // what the kernel takes while it unpacks and starts itself
  uint64_t kernel_sections = 0;   // code, read-only data, data and bss of it, once it runs
  uint64_t image_packed = 0;
  uint64_t image_unpacked = 0;
  bool full_image = false;       // dracut's or initramfs-tools'
  unsigned cpus = 1;             // that the capture kernel uses
  std::optional<uint64_t> used;  // the most that a capture used besides the kernel's own
  std::string used_from;         // the dump that tells it
  uint64_t reserved = 0;         // in this boot
};

struct MemoryPart {
  std::string name;
  uint64_t bytes = 0;
  std::string basis;  // where the number is from
};

struct MemoryEstimate {
  MemoryFacts facts;
  std::vector<MemoryPart> parts;  // their sum is `needed`
  uint64_t needed = 0;
  uint64_t recommended = 0;  // with a margin, in multiples of 16 MiB
};

// Pure.
MemoryEstimate EstimateMemory(const MemoryFacts& facts);

// Errors: there is no kernel, or no image yet.
Result<MemoryFacts> GatherMemoryFacts(const Config& config, const RootDir& root);

// From the first bytes of a kernel's file: the init_size of an x86 setup header
// (Documentation/arch/x86/boot.rst), the image_size of an arm64 Image; 0 for others.
uint64_t KernelInitSize(ByteView head);

// The sum of the "Kernel ..." lines of /proc/iomem; 0 when only root sees them.
uint64_t KernelSections(std::string_view iomem);

// The value for machines on which nothing is measured yet: "1G-4G:192M,..."; empty: there is none.
// `machine` as of uname(2), `page_size` in bytes.
std::string DefaultReservation(std::string_view machine, uint64_t page_size);
std::string DefaultReservation();  // of this machine

// A value for crashkernel=: what is estimated, and while there is no image, the default.
Result<std::string> RecommendReservation(const Config& config, const RootDir& root);

}  // namespace kdumpkit
