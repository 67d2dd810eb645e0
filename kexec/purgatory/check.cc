// SPDX-License-Identifier: GPL-2.0-or-later
#include "kexec/purgatory/check.h"

namespace kdumpkit::purgatory {
namespace {

// A physical address is a pointer here: the page tables map memory to itself.
const unsigned char* At(uint64_t address) {
  return reinterpret_cast<const unsigned char*>(static_cast<uintptr_t>(address));
}

void ReportOverwritten(const Region& region, Serial& serial) {
  serial.Text("kdumpkit purgatory: segment '");
  serial.Text(region.name);
  serial.Text("' at ");
  serial.Hex(region.address);
  serial.Text(" (");
  serial.Decimal(region.size);
  serial.Text(" bytes) was overwritten after it was loaded; the new kernel is not started");
  serial.EndLine();
}

}  // namespace

bool ArgumentsIntact(const Arguments& arguments) {
  return arguments.magic == kMagic && arguments.region_count <= kRegionsMost &&
         DigestOf(arguments) == arguments.digest;
}

bool RegionsIntact(const Arguments& arguments, Serial& serial) {
  bool intact = true;
  for (uint32_t i = 0; i < arguments.region_count; ++i) {
    const Region& region = arguments.regions[i];
    if (Sha256Of(At(region.address), region.size) == region.digest) continue;
    ReportOverwritten(region, serial);
    intact = false;
  }
  return intact;
}

}  // namespace kdumpkit::purgatory
