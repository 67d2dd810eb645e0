// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/error.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <memory>

namespace kdumpkit {
namespace {

Result<int> Half(int value) {
  if (value % 2 != 0) return Malformed("{} is odd", value);
  return value / 2;
}
Result<int> Quarter(int value) {
  int half = TRY(Half(value));
  return TRY(Half(half).In("second half"));
}
Status OnlyEven(int value) {
  TRY(Half(value));
  return {};
}

TEST(Error, TryHandsOnValuesAndErrors) {
  EXPECT_EQ(Quarter(8).value(), 2);
  EXPECT_EQ(Quarter(3).error().message(), "3 is odd");
  EXPECT_EQ(Quarter(6).error().message(), "second half: 3 is odd");
  EXPECT_EQ(Quarter(6).error().kind(), ErrorKind::kMalformed);
}

TEST(Error, VoidResults) {
  EXPECT_TRUE(OnlyEven(2));
  EXPECT_FALSE(OnlyEven(3));
}

TEST(Error, MoveOnlyValues) {
  auto make = []() -> Result<std::unique_ptr<int>> { return std::make_unique<int>(5); };
  auto use = [&]() -> Result<int> { return *TRY(make()); };
  EXPECT_EQ(use().value(), 5);
}

TEST(Error, SystemErrorCarriesErrno) {
  Error error = SystemError(ENOSPC, "writing '/x'");
  EXPECT_EQ(error.error_number(), ENOSPC);
  EXPECT_EQ(error.message(), "writing '/x': No space left on device");
}

}  // namespace
}  // namespace kdumpkit
