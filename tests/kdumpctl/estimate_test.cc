// SPDX-License-Identifier: GPL-2.0-or-later
#include "kdumpctl/estimate.h"

#include <gmock/gmock.h>

#include "kdumpctl/image_record.h"
#include "kdumpctl/state_files.h"
#include "tests/kdumpctl/kdumpctl_fixture.h"
#include "tests/kdumpctl/live_fixture.h"

namespace kdumpkit {
namespace {

using testing::HasSubstr;

constexpr uint64_t kMiB = uint64_t{1} << 20;

// Linux 6.1 of Debian with a small image.
MemoryFacts Small() {
  MemoryFacts facts;
  facts.release = "6.1.0-test";
  facts.kernel_init_size = 64 * kMiB;
  facts.kernel_sections = 44 * kMiB;
  facts.image_packed = 2 * kMiB;
  facts.image_unpacked = 5 * kMiB;
  return facts;
}

uint64_t Sum(const MemoryEstimate& estimate) {
  uint64_t sum = 0;
  for (const MemoryPart& part : estimate.parts) sum += part.bytes;
  return sum;
}

TEST(Estimate, SmallImage) {
  MemoryEstimate estimate = EstimateMemory(Small());
  EXPECT_EQ(estimate.needed, Sum(estimate));
  // 88 MiB are the floor of this kernel.
  EXPECT_GT(estimate.needed, 88 * kMiB);
  EXPECT_LT(estimate.needed, 120 * kMiB);
  EXPECT_GE(estimate.recommended, estimate.needed * 5 / 4);
  EXPECT_EQ(estimate.recommended % (16 * kMiB), 0u);
}

TEST(Estimate, MoreOfAnythingNeedsMore) {
  uint64_t least = EstimateMemory(Small()).needed;
  MemoryFacts facts = Small();
  facts.cpus = 8;
  EXPECT_GT(EstimateMemory(facts).needed, least + 8 * kMiB);
  facts = Small();
  facts.full_image = true;
  EXPECT_GT(EstimateMemory(facts).needed, least + 40 * kMiB);
  facts = Small();
  facts.image_packed = 40 * kMiB;
  facts.image_unpacked = 0;  // not known: three times as much
  EXPECT_GT(EstimateMemory(facts).needed, least + 140 * kMiB);
}

TEST(Estimate, WhatCapturesUsedCounts) {
  MemoryFacts facts = Small();
  facts.used = 30 * kMiB;
  facts.used_from = "/var/crash/x";
  MemoryEstimate estimate = EstimateMemory(facts);
  // It does not replace what the start needs, but what was guessed about the margin.
  EXPECT_EQ(estimate.needed, EstimateMemory(Small()).needed);
  EXPECT_LE(estimate.recommended, EstimateMemory(Small()).recommended);
  facts.used = 200 * kMiB;
  estimate = EstimateMemory(facts);
  EXPECT_GT(estimate.needed, 244 * kMiB);
  EXPECT_EQ(estimate.needed, Sum(estimate));
  EXPECT_THAT(estimate.parts[1].basis, HasSubstr("/var/crash/x"));
}

TEST(Estimate, KernelFiles) {
  ByteBuffer head(1024);
  EXPECT_EQ(KernelInitSize(head), 0u);
  EXPECT_EQ(KernelInitSize({}), 0u);
  for (size_t i = 0; i < 4; ++i) head[0x202 + i] = static_cast<std::byte>("HdrS"[i]);
  StoreUnchecked<uint32_t>(head.data() + 0x260, 0x4000000, ByteOrder::kLittle);
  EXPECT_EQ(KernelInitSize(head), 64 * kMiB);
  EXPECT_EQ(KernelInitSize(ByteView(head).first(0x262)), 0u);
  ByteBuffer arm(64);
  for (size_t i = 0; i < 4; ++i) arm[56 + i] = static_cast<std::byte>("ARM\x64"[i]);
  StoreUnchecked<uint64_t>(arm.data() + 16, 32 * kMiB, ByteOrder::kLittle);
  EXPECT_EQ(KernelInitSize(arm), 32 * kMiB);
}

TEST(Estimate, Iomem) {
  EXPECT_EQ(KernelSections("00100000-3fffffff : System RAM\n"
                           "  01000000-01ffffff : Kernel code\n"
                           "  02000000-020fffff : Kernel rodata\n"
                           "  05000000-06ffffff : Crash kernel\n"
                           "  xyz : Kernel data\n"),
            17 * kMiB);
  EXPECT_EQ(KernelSections("00000000-00000000 : Kernel code\n"), 0u);  // seen without being root
  EXPECT_EQ(KernelSections(""), 0u);
}

TEST(Estimate, Defaults) {
  EXPECT_THAT(DefaultReservation("x86_64", 4096), HasSubstr("4G-64G:256M"));
  EXPECT_NE(DefaultReservation("aarch64", 4096), DefaultReservation("aarch64", 65536));
  EXPECT_EQ(DefaultReservation("pdp11", 4096), "");
}

class EstimateProgram : public KdumpctlFixture {
 protected:
  EstimateProgram() {
    std::string kernel(1024, '\0');
    kernel.replace(0x202, 4, "HdrS");
    kernel[0x263] = 4;  // 64 MiB
    dir_.Write("boot/vmlinuz-6.1.0-test", kernel);
    dir_.Write("proc/sys/kernel/osrelease", "6.1.0-test\n");
    dir_.Write("sys/kernel/kexec_crash_size", "201326592\n");
  }
  void Image() {
    ImageRecord record;
    record.release = "6.1.0-test";
    record.builder = "kdumpkit";
    record.image.state.size = 2 * kMiB;
    record.unpacked_size = 5 * kMiB;
    dir_.Write(RecordPath("6.1.0-test").substr(1), RecordToJson(record));
  }
  void Capture(uint64_t total, uint64_t lowest) {
    dir_.Write("var/crash/h-2026-11-24-17:44:12/manifest.json",
               fmt::format(R"({{"format":1,"kernel":"6.1.0-test","outcome":"complete",)"
                           R"("memory":{{"total":{},"lowest_available":{}}}}})",
                           total, lowest));
  }
};

TEST_F(EstimateProgram, WithoutAnImage) {
  EXPECT_EQ(Run({"estimate"}), kExitFailed);
  EXPECT_THAT(err_, HasSubstr("no image for 6.1.0-test yet; 'kdumpctl rebuild' makes it"));
}

TEST_F(EstimateProgram, ShowsTheParts) {
  Image();
  EXPECT_EQ(Run({"estimate"}), kExitOk) << err_;
  EXPECT_THAT(out_, HasSubstr("kernel, while it starts"));
  EXPECT_THAT(out_, HasSubstr("packed 2.0 MiB, unpacked 5.0 MiB"));
  EXPECT_THAT(out_, HasSubstr("reserved in this boot 192.0 MiB: enough\n"));
}

TEST_F(EstimateProgram, EarlierCaptures) {
  Image();
  Capture(300 * kMiB, 60 * kMiB);
  nlohmann::json json = RunJson({"estimate", "--json"}, kExitOk);
  EXPECT_EQ(json["measured"], 240 * kMiB);
  EXPECT_EQ(json["measured_from"], "/var/crash/h-2026-11-24-17:44:12");
  EXPECT_EQ(json["enough"], false);
  EXPECT_GT(json["recommended"], 300 * kMiB);
}

TEST_F(EstimateProgram, DamagedMeasurementsCountForNothing) {
  Image();
  Capture(1, 2);
  EXPECT_TRUE(RunJson({"estimate", "--json"}, kExitOk)["measured"].is_null());
}

TEST_F(EstimateProgram, GetDefault) {
  EXPECT_EQ(Run({"get-default-crashkernel", "fadump"}), kExitUsage);
  EXPECT_EQ(Run({"get-default-crashkernel", "kdump"}),
            DefaultReservation().empty() ? kExitFailed : kExitOk);
}

}  // namespace
}  // namespace kdumpkit
