// SPDX-License-Identifier: GPL-2.0-or-later
#include "filter/show_layout.h"

#include <gtest/gtest.h>

#include "tests/support/fake_kernel.h"
#include "tests/support/temp_dir.h"
#include "tests/support/vmcore_builder.h"

namespace kdumpkit {
namespace {

LayoutReport SomeReport() {
  LayoutReport report;
  report.vmcore = "core";
  report.kernel_release = "6.12.0";
  report.rows = {
      {"NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)",
       {.value = ~uint64_t{0x80}, .source = FactSource::kHistory}},
      {"NUMBER(PG_lru)", {.value = 5, .source = FactSource::kVmcoreinfo, .other = 4}},
      {"OFFSET(page.flags)", {.value = 0, .confirmed = true}},
      {"SYMBOL(node_data)", {.value = 0xffffffff84101000, .source = FactSource::kKallsyms}}};
  report.rules_off = {"page cache: NUMBER(PG_lru) is contradicted by BTF"};
  report.guards_off = {"running tasks: the kernel has no symbol current_task"};
  report.warnings = {"NUMBER(PG_lru) is 5 by VMCOREINFO, but 4 by BTF"};
  return report;
}

TEST(ShowLayout, Text) {
  EXPECT_EQ(LayoutText(SomeReport()),
            "kernel 6.12.0\n"
            "NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)                    -129  history\n"
            "NUMBER(PG_lru)                                          5  VMCOREINFO, but 4 by BTF\n"
            "OFFSET(page.flags)                                      0  VMCOREINFO and BTF\n"
            "SYMBOL(node_data)                        ffffffff84101000  kallsyms\n"
            "rule is off, its pages are kept: page cache: NUMBER(PG_lru) is contradicted by BTF\n"
            "needed pages are not known, nor guarded: running tasks: the kernel has no symbol "
            "current_task\n");
  EXPECT_FALSE(SomeReport().complete());
}

TEST(ShowLayout, TextWhenEveryRuleIsOn) {
  LayoutReport report;
  report.kernel_release = "6.12.0";
  EXPECT_EQ(LayoutText(report), "kernel 6.12.0\nevery rule is on\n");
  EXPECT_TRUE(report.complete());
}

constexpr std::string_view kJson = R"json({
  "vmcore": "core",
  "kernel": "6.12.0",
  "facts": [
    {
      "key": "NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)",
      "value": -129,
      "source": "history",
      "confirmed": false
    },
    {
      "key": "NUMBER(PG_lru)",
      "value": 5,
      "source": "VMCOREINFO",
      "confirmed": false,
      "contradicted_by": 4
    },
    {
      "key": "SYMBOL(node_data)",
      "value": "0xffffffff84101000",
      "source": "kallsyms",
      "confirmed": false
    }
  ],
  "rules_off": [
    "page cache: NUMBER(PG_lru) is contradicted by BTF"
  ],
  "guards_off": [
    "running tasks: the kernel has no symbol current_task"
  ],
  "warnings": [
    "NUMBER(PG_lru) is 5 by VMCOREINFO, but 4 by BTF"
  ]
}
)json";

TEST(ShowLayout, Json) {
  LayoutReport report = SomeReport();
  report.rows.erase(report.rows.begin() + 2);
  EXPECT_EQ(LayoutJson(report), kJson);
}

TEST(ShowLayout, VmcoreWithoutBtf) {
  TempDir folder;
  std::string path = folder.path() + "/core";
  VmcoreBuilder()
      .AddVmcoreinfo(FakeKernel().vmcoreinfo())
      .AddSegment(PhysAddr(0), ByteBuffer(4096))
      .WriteTo(path);
  FilterOptions options;
  options.vmcore = path;
  Result<LayoutReport> report = ShowLayout(options);
  ASSERT_TRUE(report) << report.error().message();
  EXPECT_TRUE(report->complete());
  EXPECT_EQ(report->kernel_release, "6.12.0-fake");
  ASSERT_EQ(report->warnings.size(), 1u);
  EXPECT_TRUE(report->warnings[0].starts_with("the kernel's own types were not read: "));
}

TEST(ShowLayout, VmcoreWithoutVmcoreinfo) {
  TempDir folder;
  std::string path = folder.path() + "/core";
  VmcoreBuilder().AddSegment(PhysAddr(0), VirtAddr(0), ByteBuffer(4096)).WriteTo(path);
  FilterOptions options;
  options.vmcore = path;
  EXPECT_TRUE(ShowLayout(options).error().message().starts_with(
      fmt::format("'{}': the vmcore has no VMCOREINFO note", path)));
}

}  // namespace
}  // namespace kdumpkit
