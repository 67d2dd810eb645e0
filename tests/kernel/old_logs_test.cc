// SPDX-License-Identifier: GPL-2.0-or-later
// The logs of kernels before 5.10: records in a buffer, and before that lines in a ring.
#include <gtest/gtest.h>

#include "kernel/printk.h"
#include "tests/support/identity_kernel.h"
#include "tests/support/old_log_builder.h"

namespace kdumpkit {
namespace {

struct Log {
  std::string text;
  std::vector<LogRecord> records;  // without their views
  LogStats stats;
};

Result<Log> TryRead(const OldLog& old, const LogOptions& options = {}) {
  IdentityKernel kernel(old.memory(), old.Vmcoreinfo(), {62, old.order(), 8});
  Log log;
  auto sink = [&](const LogRecord& record) -> Status {
    log.text += FormatLogRecord(record);
    log.records.push_back(record);
    return {};
  };
  log.stats = TRY(ReadKernelLog(kernel, options, sink));
  return log;
}

Log Read(const OldLog& old, const LogOptions& options = {}) {
  Result<Log> log = TryRead(old, options);
  EXPECT_TRUE(log) << log.error().message();
  return log ? *log : Log{};
}

constexpr LogOptions kSinceClear{true};

class EveryRecordLog : public testing::TestWithParam<RecordLog::Options> {};
INSTANTIATE_TEST_SUITE_P(Kernels, EveryRecordLog,
                         testing::Values(RecordLog::Options{},
                                         RecordLog::Options{.type = "log", .caller = false},
                                         RecordLog::Options{.order = ByteOrder::kBig}));

TEST_P(EveryRecordLog, RecordsComeInOrder) {
  RecordLog old(GetParam());
  old.Add("Linux version", {.level = 5});
  old.Add("usb 1-1: new device\nsecond line",
          {.ts_nsec = 1'234'567'899,
           .level = 6,
           .facility = 1,
           .caller = 0x80000003,
           .dictionary = std::string("SUBSYSTEM=usb\0DEVICE=c189:1", 27)});
  Log log = Read(old);
  EXPECT_EQ(log.text,
            "[    0.000000] Linux version\n[    1.234567] usb 1-1: new device\nsecond line\n");
  EXPECT_EQ(log.stats.problem, "");
  ASSERT_EQ(log.records.size(), 2u);
  EXPECT_EQ(log.records[0].level, 5);
  EXPECT_EQ(log.records[1].facility, 1);
  EXPECT_EQ(log.records[1].caller.has_value(), GetParam().caller);
  EXPECT_EQ(log.records[1].device.at(1),
            std::make_pair(std::string("DEVICE"), std::string("c189:1")));
}

TEST_P(EveryRecordLog, AWrappedLogHasItsNewestRecords) {
  RecordLog old(GetParam());
  for (int i = 0; i < 300; ++i) old.Add(fmt::format("record {}", i));
  Log log = Read(old);
  EXPECT_EQ(log.stats.problem, "");
  EXPECT_GT(log.records.size(), 50u);
  EXPECT_TRUE(log.text.ends_with("record 298\n[    0.000000] record 299\n"));
  EXPECT_EQ(std::count(log.text.begin(), log.text.end(), '\n'), log.records.size());
}

TEST(RecordLogPartial, BeginsWhereTheLogWasCleared) {
  RecordLog old({});
  old.Add("before");
  EXPECT_EQ(Read(old, kSinceClear).records.size(), 1u);  // never cleared
  old.Clear();
  EXPECT_EQ(Read(old, kSinceClear).records.size(), 0u);
  old.Add("after");
  EXPECT_EQ(Read(old, kSinceClear).text, "[    0.000000] after\n");
  EXPECT_EQ(Read(old).records.size(), 2u);
}

TEST(RecordLogPartial, AMarkThatWasWrittenOverHidesNothing) {
  RecordLog old({});
  old.Add("a record of another length than those that follow it");
  old.Clear();
  for (int i = 0; i < 300; ++i) old.Add(fmt::format("record {}", i));
  EXPECT_GT(Read(old, kSinceClear).records.size(), 50u);
}

// Whatever an index or a length says, the walk ends, says what is wrong, and gives each record at
// most once.
TEST(RecordLogDamage, EndsWithAProblem) {
  struct Damage {
    const char* what;
    void (*make)(RecordLog&);
  };
  const Damage damages[] = {
      {"next is no record", [](RecordLog& log) { log.SetNext(5); }},
      {"next is behind the end", [](RecordLog& log) { log.SetNext(0xfffffff0); }},
      {"first is behind the end", [](RecordLog& log) { log.SetFirst(0xfffffff0); }},
      {"first is the last byte", [](RecordLog& log) { log.SetFirst(RecordLog::kSize - 1); }},
      {"a record is too short", [](RecordLog& log) { log.SetLength(1, 4); }},
      {"a record is too long", [](RecordLog& log) { log.SetLength(1, 0xffff); }},
      {"a record has no end", [](RecordLog& log) { log.SetLength(0, 0); }},
      {"text is too long", [](RecordLog& log) { log.SetTextLength(1, 0xffff); }},
  };
  for (const Damage& damage : damages) {
    RecordLog old({});
    for (int i = 0; i < 3; ++i) old.Add("record");
    damage.make(old);
    Log log = Read(old);
    EXPECT_NE(log.stats.problem, "") << damage.what;
    EXPECT_LE(log.records.size(), 3u) << damage.what;
  }
}

TEST(RecordLogDamage, AnImpossibleBufferIsRefused) {
  RecordLog old({});
  old.SetBufferLength(0);
  EXPECT_EQ(TryRead(old).error().kind(), ErrorKind::kMalformed);
}

TEST(TextLog, LinesAreAsTheKernelWroteThem) {
  TextLog old;
  old.Add("<5>[    0.000000] Linux version 2.6.32\n<6>[   12.345678] usb: x\n<30>init: y\nrest");
  Log log = Read(old);
  EXPECT_EQ(log.text, old.text() + "\n");
  ASSERT_EQ(log.records.size(), 4u);
  EXPECT_EQ(log.records[0].level, 5);
  EXPECT_EQ(log.records[1].ts_nsec, 12'345'678'000u);
  EXPECT_EQ(log.records[2].facility, 3);
  EXPECT_EQ(log.records[2].ts_nsec, std::nullopt);
  EXPECT_EQ(log.records[3].level, std::nullopt);
}

TEST(TextLog, AWrappedRingHasItsNewestText) {
  TextLog old;
  std::string all;
  for (int i = 0; i < 1000; ++i) all += fmt::format("<6>line {}\n", i);
  old.Add(all);
  EXPECT_EQ(Read(old).text, all.substr(all.size() - TextLog::kSize));
}

TEST(TextLog, PartialIsWhatCameSinceTheLogWasCleared) {
  TextLog old;
  old.Add("<6>before\n");
  old.Clear();
  old.Add("<6>after\n");
  EXPECT_EQ(Read(old, kSinceClear).text, "<6>after\n");
}

TEST(TextLog, AnImpossibleRingIsRefused) {
  for (uint32_t size : {0u, 3000u, 0x80000001u}) {
    TextLog old;
    old.SetBufferLength(size);
    EXPECT_EQ(TryRead(old).error().kind(), ErrorKind::kMalformed) << size;
  }
}

TEST(TextLog, WhatOnlyLooksLikeAPrefixStays) {
  for (const char* line :
       {"<", "<>x", "<x>y", "<6", "[", "[ 1.2] x", "[x.123456] y", "<6>[1.12345] "}) {
    TextLog old;
    old.Add(line);
    Log log = Read(old);
    EXPECT_EQ(log.text, fmt::format("{}\n", line));
    EXPECT_EQ(log.records.at(0).ts_nsec, std::nullopt) << line;
  }
}

}  // namespace
}  // namespace kdumpkit
