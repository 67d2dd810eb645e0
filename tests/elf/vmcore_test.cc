// SPDX-License-Identifier: GPL-2.0-or-later
#include "elf/vmcore.h"

#include <gtest/gtest.h>

#include "tests/support/temp_dir.h"
#include "tests/support/vmcore_builder.h"

namespace kdumpkit {
namespace {

TEST(Vmcore, OpensWhatTheBuilderBuilds) {
  TempDir dir;
  ByteBuffer data = PatternBytes(3 * 4096, 1);
  VmcoreBuilder builder;
  builder.AddCpu().AddCpu().AddVmcoreinfo("OSRELEASE=6.1.0\n").AddSegment(PhysAddr(0x1000), data);
  auto core = Vmcore::Open(builder.WriteTo(dir.File("vmcore")));
  ASSERT_TRUE(core) << core.error().message();
  EXPECT_EQ((*core)->cpu_count(), 2u);
  ASSERT_NE((*core)->vmcoreinfo(), nullptr);
  EXPECT_EQ(AsText((*core)->vmcoreinfo()->desc), "OSRELEASE=6.1.0\n");
  auto reader = (*core)->NewReader();
  auto view = reader->View(PhysAddr(0x2000), 4096);
  ASSERT_TRUE(view) << view.error().message();
  EXPECT_TRUE(std::equal(view->begin(), view->end(), data.begin() + 4096));
}

}  // namespace
}  // namespace kdumpkit
