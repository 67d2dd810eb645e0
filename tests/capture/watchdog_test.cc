// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/watchdog.h"

#include <gtest/gtest.h>

#include <future>

namespace kdumpkit {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class WatchdogTest : public testing::Test {
 protected:
  bool ExpiresWithin(milliseconds time) {
    return expired_future_.wait_for(time) == std::future_status::ready;
  }
  std::promise<std::string> expired_;
  std::future<std::string> expired_future_ = expired_.get_future();
  Watchdog watchdog_{[this](const std::string& what) { expired_.set_value(what); }};
};

TEST_F(WatchdogTest, ExpiresWithWhatWasGoingOn) {
  watchdog_.Expect("mounting", milliseconds(20));
  ASSERT_TRUE(ExpiresWithin(seconds(30)));
  EXPECT_EQ(expired_future_.get(), "mounting");
}
TEST_F(WatchdogTest, SleepsUntilItIsTold) { EXPECT_FALSE(ExpiresWithin(milliseconds(50))); }
TEST_F(WatchdogTest, DisarmedDoesNotExpire) {
  watchdog_.Expect("mounting", milliseconds(100));
  watchdog_.Disarm();
  EXPECT_FALSE(ExpiresWithin(milliseconds(200)));
}
TEST_F(WatchdogTest, ProgressMovesTheDeadline) {
  watchdog_.Expect("mounting", milliseconds(100));
  watchdog_.Expect("writing", seconds(3600));
  EXPECT_FALSE(ExpiresWithin(milliseconds(200)));
}
TEST_F(WatchdogTest, DeadlineMayComeNearer) {
  watchdog_.Expect("mounting", seconds(3600));
  watchdog_.Expect("writing", milliseconds(10));
  ASSERT_TRUE(ExpiresWithin(seconds(30)));
  EXPECT_EQ(expired_future_.get(), "writing");
}
TEST_F(WatchdogTest, ProgressDoesNotMoveTheTotal) {
  watchdog_.SetTotal(milliseconds(100));
  watchdog_.Expect("writing", seconds(3600));
  watchdog_.Disarm();
  watchdog_.Expect("writing more", seconds(3600));
  ASSERT_TRUE(ExpiresWithin(seconds(30)));
  EXPECT_EQ(expired_future_.get(), "writing more (total_timeout)");
}
TEST_F(WatchdogTest, TotalOfZeroIsNone) {
  watchdog_.SetTotal(milliseconds(50));
  watchdog_.SetTotal(milliseconds(0));
  EXPECT_FALSE(ExpiresWithin(milliseconds(200)));
}
TEST(Watchdog, EndsWhileArmed) {
  Watchdog watchdog([](const std::string&) {});
  watchdog.Expect("mounting", seconds(3600));
}

}  // namespace
}  // namespace kdumpkit
