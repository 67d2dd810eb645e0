// SPDX-License-Identifier: GPL-2.0-or-later
#include "kexec/purgatory_image.h"

#include <algorithm>

#include "kexec/page.h"
#include "kexec/purgatory/arguments.h"
#include "kexec/purgatory/built_image.h"

namespace kdumpkit {
namespace {

Sha256Digest DigestOf(ByteView bytes) { return Sha256Of(AsUnsigned(bytes.data()), bytes.size()); }

Result<purgatory::Region> RegionArgument(const PurgatoryRegion& region) {
  PhysRange range =
      TRY(PhysRange::Make(region.address, region.bytes.size()).In("segment '" + region.name + "'"));
  purgatory::Region argument = {range.base.value, range.size, DigestOf(region.bytes), {}};
  region.name.copy(argument.name, purgatory::kNameSize - 1);
  return argument;
}

Status SetRegions(const PurgatoryOptions& options, purgatory::Arguments& arguments) {
  if (options.regions.size() > purgatory::kRegionsMost)
    return Unsupported("purgatory checks at most {} segments, not {}", purgatory::kRegionsMost,
                       options.regions.size());
  for (const PurgatoryRegion& region : options.regions)
    arguments.regions[arguments.region_count++] = TRY(RegionArgument(region));
  return {};
}

Status SetBackup(const PurgatoryOptions& options, purgatory::Arguments& arguments) {
  if (!options.backup_source) return {};
  const PhysRange& source = *options.backup_source;
  PhysRange destination =
      TRY(PhysRange::Make(options.backup_destination, source.size).In("backup region"));
  if (source.base < destination.end() && destination.base < source.end())
    return Malformed("backup region at {:#x} (0x{:x} bytes) overlaps its source at {:#x}",
                     destination.base.value, source.size, source.base.value);
  arguments.backup_source = source.base.value;
  arguments.backup_destination = destination.base.value;
  arguments.backup_size = source.size;
  return {};
}

Result<purgatory::Arguments> MakeArguments(const PurgatoryOptions& options) {
  purgatory::Arguments arguments = {};
  arguments.magic = purgatory::kMagic;
  arguments.entry = options.entry;
  arguments.boot_params = options.boot_params;
  arguments.reset_seconds = options.reset_seconds;
  arguments.serial_port = options.serial_port;
  TRY(SetRegions(options, arguments));
  TRY(SetBackup(options, arguments));
  arguments.digest = purgatory::DigestOf(arguments);
  return arguments;
}

}  // namespace

Result<PurgatoryImage> MakePurgatory(const PurgatoryOptions& options) {
  std::optional<purgatory::BuiltImage> built = purgatory::X86Image();
  if (!built)
    return Unsupported("this program was built without the purgatory that kexec_load needs");
  CHECK(built->entry_offset >= sizeof(purgatory::Arguments));
  CHECK(LoadUnchecked<uint64_t>(built->bytes.data(), ByteOrder::kLittle) == purgatory::kMagic);

  purgatory::Arguments arguments = TRY(MakeArguments(options));
  PurgatoryImage image;
  image.bytes.assign(built->bytes.begin(), built->bytes.end());
  std::ranges::copy(std::as_bytes(std::span(&arguments, 1)), image.bytes.begin());
  image.memory_size = RoundUp(image.bytes.size(), kPageBytes);
  image.entry_offset = built->entry_offset;
  return image;
}

}  // namespace kdumpkit
