// SPDX-License-Identifier: GPL-2.0-or-later
#include "kdumpctl/estimate.h"

#include <fcntl.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>

#include "kdumpctl/dump_places.h"
#include "kdumpctl/image_builder.h"
#include "kdumpctl/json_read.h"
#include "kdumpctl/kernel_choice.h"
#include "kdumpctl/service.h"
#include "kdumpctl/text.h"

namespace kdumpkit {
namespace {

constexpr uint64_t kMiB = uint64_t{1} << 20;

// Debian's 6.1 (init_size 64 MiB) in a guest, with our command line and a program that does
// nothing, starts in 80 MiB and fails in 76 (docs/performance.md).
constexpr uint64_t kKernelOwn = 16 * kMiB;
constexpr uint64_t kPerCpu = kMiB / 2;
// kdump-capture and kdump-filter: buffers of each thread, and all the rest.
constexpr uint64_t kPrograms = 8 * kMiB;
constexpr uint64_t kPerThread = 4 * kMiB;
// udev and systemd of a full image.
constexpr uint64_t kFullSystem = 48 * kMiB;
constexpr uint64_t kGranule = 16 * kMiB;

uint64_t Programs(const MemoryFacts& facts) {
  return kPrograms + kPerThread * facts.cpus + (facts.full_image ? kFullSystem : 0);
}

// Packed and unpacked are there together for a while, then programs take the place of the packed
// one. The root file system may fill half of the memory at most.
MemoryPart ImagePart(const MemoryFacts& facts) {
  uint64_t unpacked = facts.image_unpacked != 0 ? facts.image_unpacked : 3 * facts.image_packed;
  uint64_t peak = unpacked + std::max(facts.image_packed, Programs(facts));
  std::string basis = fmt::format(
      "packed {}, unpacked {}{}, programs {}", SizeText(facts.image_packed), SizeText(unpacked),
      facts.image_unpacked != 0 ? "" : " (guessed)", SizeText(Programs(facts)));
  return {"image and programs", std::max(peak, 2 * unpacked), basis};
}

void AddStart(const MemoryFacts& facts, MemoryEstimate& estimate) {
  if (facts.kernel_init_size != 0)
    estimate.parts.push_back(
        {"kernel, while it starts", facts.kernel_init_size, "init_size of the kernel's file"});
  else
    estimate.parts.push_back({"kernel, while it starts", facts.kernel_sections * 3 / 2,
                              "1.5 times its sections in /proc/iomem"});
  estimate.parts.push_back({"kernel's own data", kKernelOwn, "measured for Linux 6.1"});
  estimate.parts.push_back({"CPUs", kPerCpu * facts.cpus, fmt::format("{} of them", facts.cpus)});
  estimate.parts.push_back(ImagePart(facts));
}

// What a capture really used holds for the time after the start.
void AddMeasured(const MemoryFacts& facts, MemoryEstimate& estimate) {
  uint64_t kernel = facts.kernel_sections != 0 ? facts.kernel_sections : facts.kernel_init_size;
  estimate.parts.push_back(
      {"kernel", kernel, facts.kernel_sections != 0 ? "/proc/iomem" : "init_size"});
  estimate.parts.push_back({"all the rest, measured", *facts.used,
                            fmt::format("manifest.json of '{}'", facts.used_from)});
}

// 64 bytes for each 4 KiB of the reservation itself.
void AddPageArray(MemoryEstimate& estimate) {
  uint64_t sum = 0;
  for (const MemoryPart& part : estimate.parts) sum += part.bytes;
  estimate.parts.push_back({"page array", sum / 63, "1/64 of all"});
  estimate.needed = sum + sum / 63;
}

uint64_t RoundUp(uint64_t value, uint64_t to) { return (value + to - 1) / to * to; }

struct Line {
  uint64_t begin = 0;
  uint64_t end = 0;
};

std::optional<Line> ParseRange(std::string_view text) {
  Line line;
  const char* end = text.data() + text.size();
  auto [dash, first] = std::from_chars(text.data(), end, line.begin, 16);
  if (first != std::errc() || dash == end || *dash != '-') return std::nullopt;
  auto [rest, second] = std::from_chars(dash + 1, end, line.end, 16);
  if (second != std::errc() || line.end < line.begin) return std::nullopt;
  return line;
}

ByteBuffer HeadOf(const RootDir& root, const std::string& path) {
  ByteBuffer head(1024);
  Result<UniqueFd> fd = root.OpenAt(path, O_RDONLY);
  Result<size_t> size = fd ? ReadAt(fd->get(), FileOffset{0}, head) : Result<size_t>(size_t{0});
  head.resize(size.value_or(0));
  return head;
}

// Captures of this machine by a kernel of this release.
void AddMeasurements(const Config& config, const RootDir& root, MemoryFacts& facts) {
  for (const DumpRecord& dump : ListDumps(DumpPlaces(config, root), root)) {
    if (!dump.own || dump.manifest.is_null() || dump.kernel != facts.release) continue;
    const nlohmann::ordered_json& memory = JsonMember(dump.manifest, "memory");
    uint64_t total = JsonNumber(memory, "total");
    uint64_t lowest = JsonNumber(memory, "lowest_available");
    if (total == 0 || lowest == 0 || lowest > total) continue;
    if (facts.used && *facts.used >= total - lowest) continue;
    facts.used = total - lowest;
    facts.used_from = dump.folder;
  }
}

unsigned PossibleCpus() {
  long count = sysconf(_SC_NPROCESSORS_CONF);
  return count > 0 ? static_cast<unsigned>(count) : 1;
}

}  // namespace

MemoryEstimate EstimateMemory(const MemoryFacts& facts) {
  MemoryEstimate estimate;
  estimate.facts = facts;
  AddStart(facts, estimate);
  AddPageArray(estimate);
  // A guess gets a larger margin than a measurement.
  uint64_t margin = 25;
  if (facts.used) {
    MemoryEstimate measured;
    AddMeasured(facts, measured);
    AddPageArray(measured);
    margin = 15;
    if (measured.needed > estimate.needed) {
      estimate.parts = measured.parts;
      estimate.needed = measured.needed;
    }
  }
  estimate.recommended = RoundUp(estimate.needed + estimate.needed * margin / 100, kGranule);
  return estimate;
}

uint64_t KernelInitSize(ByteView head) {
  auto has = [&head](size_t at, std::string_view magic) {
    return head.size() >= at + magic.size() && AsText(head.subspan(at, magic.size())) == magic;
  };
  if (has(0x202, "HdrS") && head.size() >= 0x264)
    return LoadUnchecked<uint32_t>(head.data() + 0x260, ByteOrder::kLittle);
  if (has(56, "ARM\x64")) return LoadUnchecked<uint64_t>(head.data() + 16, ByteOrder::kLittle);
  return 0;
}

uint64_t KernelSections(std::string_view iomem) {
  uint64_t sum = 0;
  for (std::string_view line : Lines(iomem)) {
    size_t colon = line.find(" : ");
    if (colon == std::string_view::npos) continue;
    if (!line.substr(colon + 3).starts_with("Kernel ")) continue;
    line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
    std::optional<Line> range = ParseRange(line);
    if (range && range->end != 0) sum += range->end - range->begin + 1;
  }
  return sum;
}

Result<MemoryFacts> GatherMemoryFacts(const Config& config, const RootDir& root) {
  KernelChoice kernel = TRY(ChooseKernel(config, root));
  std::optional<ImageRecord> record = ReadRecord(root, kernel.release);
  if (!record)
    return UsageError("there is no image for {} yet; 'kdumpctl rebuild' makes it", kernel.release);
  MemoryFacts facts;
  facts.release = kernel.release;
  facts.kernel_init_size = KernelInitSize(HeadOf(root, kernel.file));
  if (root.ReadLine("/proc/sys/kernel/osrelease") == kernel.release)
    facts.kernel_sections = KernelSections(root.ReadText("/proc/iomem").value_or(""));
  facts.image_packed = record->image.state.size;
  facts.image_unpacked = record->unpacked_size;
  facts.full_image = record->builder != BuilderName(ImageBuilder::kKdumpkit);
  facts.cpus = config.cpus != 0 ? config.cpus : PossibleCpus();
  facts.reserved = ReadCrashState(root).reserved;
  AddMeasurements(config, root, facts);
  if (facts.kernel_init_size == 0 && facts.kernel_sections == 0)
    return Unsupported(
        "the size of the kernel '{}' cannot be told; see kdumpctl "
        "get-default-crashkernel",
        kernel.file);
  return facts;
}

std::string DefaultReservation(std::string_view machine, uint64_t page_size) {
  if (machine == "x86_64" || machine == "s390x") return "1G-4G:192M,4G-64G:256M,64G-:512M";
  if (machine == "aarch64" && page_size == 4096) return "1G-4G:256M,4G-64G:320M,64G-:576M";
  if (machine == "aarch64") return "2G-4G:384M,4G-64G:448M,64G-:704M";
  return "";
}

std::string DefaultReservation() {
  utsname name = {};
  CHECK(uname(&name) == 0);
  return DefaultReservation(name.machine, static_cast<uint64_t>(sysconf(_SC_PAGESIZE)));
}

Result<std::string> RecommendReservation(const Config& config, const RootDir& root) {
  if (Result<MemoryFacts> facts = GatherMemoryFacts(config, root))
    return fmt::format("{}M", EstimateMemory(*facts).recommended / kMiB);
  std::string value = DefaultReservation();
  if (!value.empty()) return value;
  return Unsupported("there is no default of crashkernel= for this machine; name a value");
}

}  // namespace kdumpkit
