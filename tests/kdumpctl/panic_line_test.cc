// SPDX-License-Identifier: GPL-2.0-or-later
#include "kdumpctl/panic_line.h"

#include <gtest/gtest.h>

namespace kdumpkit {
namespace {

TEST(PanicLine, Reasons) {
  const std::pair<std::string_view, std::string_view> kCases[] = {
      {"[    9.1] sysrq: Trigger a crash\n"
       "[    9.2] Kernel panic - not syncing: sysrq triggered crash\n",
       "sysrq triggered crash"},
      {"[    9.1] sysrq: Trigger a crash\n", "sysrq: Trigger a crash"},
      {"<0>[    9.2][  T101] BUG: kernel NULL pointer dereference, address: 0\r\n"
       "[    9.3] Oops: 0002 [#1]\n",
       "BUG: kernel NULL pointer dereference, address: 0"},
      {"[    9.2] kernel BUG at mm/slab.c:1!\n[9.3] Kernel panic - not syncing: Fatal exception",
       "Fatal exception"},
      {"[    9.2] all is well\n", ""},
      {"Kernel panic - not syncing: a\x1b[31mb", "a?[31mb"},
      {"", ""},
      {"[[[<<<", ""},
  };
  for (const auto& [log, reason] : kCases) EXPECT_EQ(FindPanic(log).reason, reason) << log;
}

TEST(PanicLine, Kernel) {
  EXPECT_EQ(FindPanic("[    0.000000] Linux version 6.1.0-50-amd64 (gcc) #1\n").kernel,
            "6.1.0-50-amd64");
  EXPECT_EQ(FindPanic("x\n").kernel, "");
}

}  // namespace
}  // namespace kdumpkit
