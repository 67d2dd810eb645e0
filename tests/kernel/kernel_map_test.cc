// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/kernel_map.h"

#include <gtest/gtest.h>

#include "tests/support/fake_kernel.h"

namespace kdumpkit {
namespace {

std::unique_ptr<CrashedKernel> Open(FakeKernel& fake) {
  fake.SetKey("SYMBOL(_stext)", fmt::format("{:x}", fake.InImage(0x1000).value));
  return CrashedKernel::Open(fake.memory(), {FakeKernel::kElfMachine}, fake.vmcoreinfo()).value();
}

TEST(KernelMap, RootsInTheDirectMapTellWhereItIs) {
  for (bool five : {false, true}) {
    FakeKernel fake({.five_levels = five});
    fake.SetKey("SYMBOL(mem_section)", fmt::format("{:x}", fake.direct_map().value + 0x201000));
    EXPECT_EQ(FindDirectMap(*Open(fake))->value, fake.direct_map().value);
  }
}

TEST(KernelMap, SoDoesAnElementOfAnArrayInTheImage) {
  FakeKernel fake;
  VirtAddr array = fake.InImage(FakeKernel::kScratch);
  fake.SetKey("SYMBOL(mem_section)", fmt::format("{:x}", array.value));
  fake.memory().Put(fake.Physical(array), fake.direct_map().value + 0x3000);
  EXPECT_EQ(FindDirectMap(*Open(fake))->value, fake.direct_map().value);
  // An address of the image says nothing, nor does one that is not mapped.
  for (uint64_t element : {fake.InImage(0x5000).value, uint64_t{0}}) {
    fake.memory().Put(fake.Physical(array), element);
    EXPECT_FALSE(FindDirectMap(*Open(fake))) << element;
  }
}

TEST(KernelMap, TheImageIsWhatIsMappedAsOnePiece) {
  FakeKernel fake;
  ImageMapping image = FindImage(*Open(fake)).value();
  EXPECT_EQ(image.address.value, fake.InImage(0).value);
  EXPECT_EQ(image.memory.base.value, fake.Physical(fake.InImage(0)).value);
  EXPECT_EQ(image.memory.size, uint64_t{2} << 20);
}

}  // namespace
}  // namespace kdumpkit
