// SPDX-License-Identifier: GPL-2.0-or-later
// x86_64: four or five levels of 512 entries (Intel SDM volume 3, chapter "Paging"), the kernel
// image at a fixed virtual address plus the KASLR offset (Linux
// Documentation/arch/x86/x86_64/mm.rst).
#include "kernel/arch.h"

namespace kdumpkit {
namespace {

constexpr uint16_t kElfMachine = 62;  // EM_X86_64
// __START_KERNEL_map: virtual addresses of the kernel image count from here. Physical =
// virtual - kStartKernelMap + phys_base.
constexpr uint64_t kStartKernelMap = 0xffffffff80000000;
constexpr uint64_t kDefaultImageSize = uint64_t{1} << 30;  // KERNEL_IMAGE_SIZE with KASLR
// … and without; modules follow behind it.
constexpr uint64_t kSmallestImageSize = uint64_t{512} << 20;

// _PAGE_PRESENT alone: what the kernel also takes for present, _PAGE_PROTNONE, is found in the
// user's part of the tables only.
constexpr uint64_t kPresent = 1 << 0;
constexpr uint64_t kLarge = 1 << 7;                    // _PAGE_PSE
constexpr uint64_t kAddressMask = 0x000ffffffffff000;  // bits 12 to 51

bool HasFiveLevels(const Vmcoreinfo& info) {
  // Without the key the kernel is older than five-level paging.
  return info.Number("pgtable_l5_enabled").value_or(0) != 0;
}

std::vector<TableLevel> Levels(bool five) {
  std::vector<TableLevel> levels = {
      {"PUD", 30, 9, true}, {"PMD", 21, 9, true}, {"PTE", 12, 9, false}};
  if (five) levels.insert(levels.begin(), TableLevel{"P4D", 39, 9, false});
  levels.insert(levels.begin(), TableLevel{"PGD", five ? 48 : 39, 9, false});
  return levels;
}

// The top table of the kernel: init_top_pgt since Linux 4.13 (commit 65ade2f872b4), before that
// init_level4_pgt; swapper_pg_dir is another name of either.
Result<VirtAddr> TopTable(const Vmcoreinfo& info) {
  if (auto symbol = info.Symbol("init_top_pgt")) return *symbol;
  if (auto symbol = info.Symbol("init_level4_pgt")) return *symbol;
  return info.RequireSymbol("swapper_pg_dir");
}

class X86_64 final : public Arch {
 public:
  uint16_t elf_machine() const override { return kElfMachine; }
  std::string_view name() const override { return "x86_64"; }

  Result<Paging> FindPaging(const Vmcoreinfo& info, const MachineId& machine) const override {
    if (machine.word_size != 8 || machine.order != ByteOrder::kLittle) {
      return Malformed("an x86_64 kernel must be 64-bit and little-endian");
    }
    Paging paging;
    paging.root = TRY(TopTablePhysical(info, machine));
    bool five = HasFiveLevels(info);
    paging.levels = Levels(five);
    paging.address_bits = five ? 57 : 48;
    paging.present_mask = kPresent;
    paging.large_mask = kLarge;
    // Memory encryption (SME) marks encrypted pages by an address bit that is no address.
    uint64_t sme_mask = static_cast<uint64_t>(info.Number("sme_mask").value_or(0));
    paging.address_mask = kAddressMask & ~sme_mask;
    return paging;
  }

  // Linux exports the number since v4.10 (commit 401721ecd1dc, "kexec: export the value of
  // phys_base instead of symbol address").
  Result<uint64_t> FindPhysBase(const Vmcoreinfo& info, const MachineId& machine) const override {
    if (!info.Number("phys_base") && machine.phys_base) return *machine.phys_base;
    return static_cast<uint64_t>(TRY(info.RequireNumber("phys_base")));
  }

  std::optional<uint64_t> PhysBaseOf(VirtAddr address, PhysAddr physical) const override {
    if (address.value - kStartKernelMap >= kSmallestImageSize) return std::nullopt;
    return physical.value - (address.value - kStartKernelMap);
  }

  SectionBits DefaultSectionBits(const Vmcoreinfo& info) const override {
    return {.section_size = 27, .max_physical = HasFiveLevels(info) ? 52 : 46};
  }

 private:
  // The tables cannot be found through the tables: the image's own mapping gives their address.
  Result<PhysAddr> TopTablePhysical(const Vmcoreinfo& info, const MachineId& machine) const {
    VirtAddr table = TRY(TopTable(info));
    uint64_t phys_base = TRY(FindPhysBase(info, machine));
    uint64_t image_size = static_cast<uint64_t>(
        info.Number("KERNEL_IMAGE_SIZE").value_or(int64_t{kDefaultImageSize}));
    uint64_t offset = table.value - kStartKernelMap;
    if (offset >= image_size) {
      return Malformed("the page tables at 0x{:x} are outside the kernel image", table.value);
    }
    return PhysAddr((offset + phys_base) & kAddressMask);
  }
};

}  // namespace

const Arch& X86_64Arch() {
  static const X86_64 arch;
  return arch;
}

}  // namespace kdumpkit
