// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/printk.h"

#include <gtest/gtest.h>

#include "tests/support/identity_kernel.h"
#include "tests/support/printk_ring_builder.h"

namespace kdumpkit {
namespace {

using Ring = PrintkRingBuilder;

struct Log {
  std::string text;
  LogStats stats;
};

Result<Log> Read(const MemorySource& memory, const Ring& ring, std::string_view without = "") {
  IdentityKernel kernel(memory, ring.Vmcoreinfo(without), ring.machine());
  Log log;
  auto write = [&](const LogRecord& record) -> Status {
    log.text += FormatLogRecord(record);
    return {};
  };
  log.stats = TRY(ReadKernelLog(kernel, {}, write));
  return log;
}

Log MustRead(const MemorySource& memory, const Ring& ring) {
  Result<Log> log = Read(memory, ring);
  EXPECT_TRUE(log) << log.error().message();
  return log ? *log : Log{};
}

Log MustRead(Ring& ring) { return MustRead(ring.memory(), ring); }

void ExpectError(Ring& ring, ErrorKind kind, std::string_view text, std::string_view without = "") {
  Result<Log> log = Read(ring.memory(), ring, without);
  ASSERT_FALSE(log) << text;
  EXPECT_EQ(log.error().kind(), kind);
  EXPECT_NE(log.error().message().find(text), std::string::npos) << log.error().message();
}

// --- what else is known of a record ---

std::vector<LogRecord> Records(const Ring& ring, std::string_view without = "",
                               const LogOptions& options = {}) {
  IdentityKernel kernel(ring.memory(), ring.Vmcoreinfo(without), ring.machine());
  std::vector<LogRecord> records;
  auto sink = [&](const LogRecord& record) -> Status {
    records.push_back(record);
    records.back().text = {};
    return {};
  };
  EXPECT_TRUE(ReadKernelLog(kernel, options, sink));
  return records;
}

TEST(PrintkRecord, LevelFacilityCallerAndDevice) {
  for (ByteOrder order : {ByteOrder::kLittle, ByteOrder::kBig}) {
    Ring ring({.machine = {62, order, 8}});
    uint64_t id = ring.Add("text", 5);
    ring.SetOrigin(id, 3, 1, 0x80000002, "pci", "+pci:0000:00:1f.2");
    ring.SetOrigin(ring.Add("plain"), 7, 0, 4242);
    std::vector<LogRecord> records = Records(ring);
    ASSERT_EQ(records.size(), 2u);
    EXPECT_EQ(records[0].seq, 0u);
    EXPECT_EQ(records[0].level, 3);
    EXPECT_EQ(records[0].facility, 1);
    EXPECT_EQ(LogCallerName(*records[0].caller), "C2");
    ASSERT_EQ(records[0].device.size(), 2u);
    EXPECT_EQ(records[0].device[1].second, "+pci:0000:00:1f.2");
    EXPECT_EQ(records[1].level, 7);
    EXPECT_EQ(LogCallerName(*records[1].caller), "T4242");
    EXPECT_TRUE(records[1].device.empty());
  }
}

TEST(PrintkRecord, ANameMayFillItsPlace) {
  Ring ring;
  ring.SetOrigin(ring.Add("text"), 6, 0, 1, "sixteen-letters!", std::string(48, 'd'));
  std::vector<LogRecord> records = Records(ring);
  EXPECT_EQ(records.at(0).device.at(0).second, "sixteen-letters!");
  EXPECT_EQ(records.at(0).device.at(1).second, std::string(48, 'd'));
}

TEST(PrintkRecord, WithoutKeysTheRestIsStillThere) {
  Ring ring;
  ring.SetOrigin(ring.Add("text"), 3, 1, 7, "pci", "x");
  std::vector<LogRecord> no_caller = Records(ring, "OFFSET(printk_info.caller_id)");
  EXPECT_FALSE(no_caller.at(0).level || no_caller.at(0).caller);
  std::vector<LogRecord> no_device = Records(ring, "OFFSET(dev_printk_info.device)");
  EXPECT_EQ(no_device.at(0).level, 3);
  EXPECT_TRUE(no_device.at(0).device.empty());
}

TEST(PrintkPartial, BeginsWhereTheLogWasCleared) {
  for (int kind = 0; kind < 3; ++kind) {
    Ring ring;
    for (int i = 0; i < 5; ++i) ring.Add("text");
    if (kind == 0) ring.SetClearSeq(3);
    if (kind > 0) ring.SetLatchedClearSeq(3, static_cast<uint32_t>(4 + kind));
    std::vector<LogRecord> records = Records(ring, "", {true});
    ASSERT_EQ(records.size(), 2u) << kind;
    EXPECT_EQ(records[0].seq, 3u);
  }
}

// makedumpfile loops for ever when the number is ahead of the ring, and loses lines when the log
// was never cleared.
TEST(PrintkPartial, AnyNumberEnds) {
  Ring ring;
  for (int i = 0; i < 100; ++i) ring.Add("text");
  ring.SetClearSeq(0);
  EXPECT_EQ(Records(ring, "", {true}).size(), Records(ring).size());
  for (uint64_t seq : {uint64_t{100}, uint64_t{1} << 40, UINT64_MAX}) {
    ring.SetClearSeq(seq);
    EXPECT_TRUE(Records(ring, "", {true}).empty());
  }
}

TEST(PrintkPartial, NeedsToKnowWhere) {
  Ring ring;
  IdentityKernel kernel(ring.memory(), ring.Vmcoreinfo(), ring.machine());
  auto stats = ReadKernelLog(kernel, {true}, [](const LogRecord&) -> Status { return {}; });
  ASSERT_FALSE(stats);
  EXPECT_NE(stats.error().message().find("SYMBOL(clear_seq)"), std::string::npos);
}

// --- how a record looks ---

TEST(PrintkFormat, TimeIsSecondsAndMicroseconds) {
  Ring ring;
  ring.Add("boot");
  ring.Add("later", 1'234'567'899);
  ring.Add("a day", 86'400'000'001'000);
  ring.Add("months", 12'345'678'000'000'000);
  EXPECT_EQ(MustRead(ring).text,
            "[    0.000000] boot\n"
            "[    1.234567] later\n"
            "[86400.000001] a day\n"
            "[12345678.000000] months\n");
}

TEST(PrintkFormat, FurtherLinesOfARecordHaveNoPrefix) {
  Ring ring;
  ring.Add("one\n two\n\nthree");
  EXPECT_EQ(MustRead(ring).text, "[    0.000000] one\n two\n\nthree\n");
}

TEST(PrintkFormat, WhiteSpaceStays) {
  Ring ring;
  ring.Add("a\tb\vc\fd\re");
  EXPECT_EQ(MustRead(ring).text, "[    0.000000] a\tb\vc\fd\re\n");
}

TEST(PrintkFormat, OtherBytesAreEscaped) {
  Ring ring;
  ring.Add(std::string_view("\0\x1b[0m\x7f\xc3\xa9~ ", 10));
  EXPECT_EQ(MustRead(ring).text, "[    0.000000] \\x00\\x1b[0m\\x7f\\xc3\\xa9~ \n");
}

TEST(PrintkFormat, EmptyRecordsAreEmptyLines) {
  Ring ring;
  ring.Add("");
  EXPECT_EQ(MustRead(ring).text, "[    0.000000] \n");
}

// --- which records there are ---

class PrintkMachines : public testing::TestWithParam<MachineId> {};
INSTANTIATE_TEST_SUITE_P(All, PrintkMachines,
                         testing::Values(MachineId{62, ByteOrder::kLittle, 8},
                                         MachineId{22, ByteOrder::kBig, 8},
                                         MachineId{3, ByteOrder::kLittle, 4},
                                         MachineId{20, ByteOrder::kBig, 4}));

TEST_P(PrintkMachines, AllRecordsOldestFirst) {
  Ring ring({.machine = GetParam()});
  ring.Add("one", 1'000);
  ring.Add("two", 5'000'000'000);
  ring.AddDataless(3, 6'000'000'000);
  Log log = MustRead(ring);
  EXPECT_EQ(log.text, "[    0.000001] one\n[    5.000000] two\n[    6.000000] \n");
  EXPECT_EQ(log.stats.records, 3u);
  EXPECT_EQ(log.stats.problem, "");
}

// Enough records to overwrite both rings several times, of lengths that make blocks wrap.
std::string FillRing(Ring& ring, size_t* newest_first) {
  std::string all;
  for (size_t i = 0; i < 300; ++i) {
    std::string text = fmt::format("record {} {}", i, std::string(i * 7 % 40, 'x'));
    all += fmt::format("[{:5}.000000] {}\n", i, text);
    ring.Add(text, i * 1'000'000'000);
  }
  *newest_first = all.size();
  return all;
}

TEST_P(PrintkMachines, OverwrittenRingEndsWithTheNewest) {
  for (bool exact_fit : {false, true}) {
    Ring ring({.machine = GetParam(), .exact_fit = exact_fit});
    size_t size = 0;
    std::string all = FillRing(ring, &size);
    Log log = MustRead(ring);
    EXPECT_TRUE(all.ends_with(log.text)) << log.text;
    EXPECT_GT(log.stats.records, 10u);
    EXPECT_EQ(log.stats.problem, "");
  }
}

TEST(Printk, UntouchedRingIsEmpty) {
  Ring ring;
  Log log = MustRead(ring);
  EXPECT_EQ(log.text, "");
  EXPECT_EQ(log.stats.records, 0u);
  EXPECT_EQ(log.stats.skipped, 1u);  // the descriptor that a ring begins with
  EXPECT_EQ(log.stats.problem, "");
}

TEST(Printk, CommittedRecordsAreRecords) {
  Ring ring;
  ring.Add("growing", 0, Ring::kCommitted);
  EXPECT_EQ(MustRead(ring).text, "[    0.000000] growing\n");
}

TEST(Printk, ReservedRecordsAreSkippedAndCounted) {
  Ring ring;
  ring.Add("one");
  ring.Add("being written", 0, Ring::kReserved);
  ring.Add("two");
  Log log = MustRead(ring);
  EXPECT_EQ(log.text, "[    0.000000] one\n[    0.000000] two\n");
  EXPECT_EQ(log.stats.skipped, 2u);
  EXPECT_EQ(log.stats.problem, "");
}

TEST(Printk, ReusableRecordsAreSkippedAndCounted) {
  Ring ring;
  uint64_t id = ring.Add("gone");
  ring.Add("one");
  ring.SetState(id, Ring::kReusable);
  Log log = MustRead(ring);
  EXPECT_EQ(log.text, "[    0.000000] one\n");
  EXPECT_EQ(log.stats.skipped, 2u);
}

TEST(Printk, DescriptorOfAnotherIdIsSkippedAndCounted) {
  Ring ring;
  ring.Add("one");
  uint64_t id = ring.Add("two");
  ring.SetId(id, id + 32);
  Log log = MustRead(ring);
  EXPECT_EQ(log.text, "[    0.000000] one\n");
  EXPECT_EQ(log.stats.skipped, 2u);
}

TEST(Printk, RecordWithoutTextIsAnEmptyLine) {
  Ring ring;
  ring.AddDataless(3, 1'000'000'000);
  EXPECT_EQ(MustRead(ring).text, "[    1.000000] \n");
}

// Its text found no room in the ring. vmcore-dmesg and drgn show an empty line too.
TEST(Printk, RecordWhoseTextWasLostIsAnEmptyLine) {
  Ring ring;
  uint64_t id = ring.AddDataless(1, 1'000'000'000);
  ring.SetTextLength(id, 40);
  Log log = MustRead(ring);
  EXPECT_EQ(log.text, "[    1.000000] \n");
  EXPECT_EQ(log.stats.problem, "");
}

// --- where the text is ---

TEST(PrintkText, BlockThatWouldCrossTheEndBeginsAtZero) {
  Ring ring;
  ring.Add(std::string(900, 'a'));
  uint64_t id = ring.Add(std::string(200, 'b'));
  EXPECT_EQ(ring.TextAddress(id), Ring::kData + 8);
  EXPECT_EQ(MustRead(ring).text, "[    0.000000] " + std::string(200, 'b') + "\n");
}

TEST(PrintkText, ExactFitWrapsBeforeLinux618) {
  Ring ring;
  ring.Add(std::string(504, 'a'));
  uint64_t id = ring.Add(std::string(504, 'b'));
  EXPECT_EQ(ring.TextAddress(id), Ring::kData + 8);
  EXPECT_EQ(MustRead(ring).text, "[    0.000000] " + std::string(504, 'b') + "\n");
}

TEST(PrintkText, ExactFitStaysSinceLinux618) {
  Ring ring({.exact_fit = true});
  ring.Add(std::string(504, 'a'));
  uint64_t id = ring.Add(std::string(504, 'b'));
  EXPECT_EQ(ring.TextAddress(id), Ring::kData + 512 + 8);
  EXPECT_EQ(MustRead(ring).text, "[    0.000000] " + std::string(504, 'a') + "\n[    0.000000] " +
                                     std::string(504, 'b') + "\n");
}

TEST(PrintkText, BlockMayFillTheRing) {
  Ring ring({.exact_fit = true});
  ring.Add(std::string(1016, 'a'));
  EXPECT_EQ(MustRead(ring).text, "[    0.000000] " + std::string(1016, 'a') + "\n");
}

TEST(PrintkText, HugeLengthIsClippedToTheBlock) {
  Ring ring;
  uint64_t id = ring.Add("12345678");
  ring.Add("next");
  ring.SetTextLength(id, UINT16_MAX);
  Log log = MustRead(ring);
  EXPECT_EQ(log.text, "[    0.000000] 12345678\n[    0.000000] next\n");
}

// Begin and next of a block that cannot be, counted from where the block really begins. It has 16
// bytes, in a ring of 1024.
class PrintkBadBlock : public testing::TestWithParam<std::pair<int64_t, int64_t>> {};
INSTANTIATE_TEST_SUITE_P(All, PrintkBadBlock,
                         testing::Values(std::pair(0, -8),      // ends before it begins
                                         std::pair(0, 0),       // no room for the id
                                         std::pair(0, 1),       // only one without data
                                         std::pair(1, 16),      // only the other
                                         std::pair(4, 16),      // not aligned
                                         std::pair(0, 12),      // not aligned
                                         std::pair(-2048, 16),  // two rings before
                                         std::pair(0, 4096),    // four rings later
                                         std::pair(INT64_MAX - 7, 16),
                                         std::pair(0, INT64_MAX - 7)));

TEST_P(PrintkBadBlock, IsSkippedAndNamed) {
  Ring ring;
  ring.Add("one");
  uint64_t id = ring.Add("bad");
  ring.Add("two");
  auto [begin, next] = GetParam();
  ring.SetBlock(id, ring.Begin(id) + static_cast<uint64_t>(begin),
                ring.Begin(id) + static_cast<uint64_t>(next));
  Log log = MustRead(ring);
  EXPECT_EQ(log.text, "[    0.000000] one\n[    0.000000] two\n");
  EXPECT_EQ(log.stats.records, 2u);
  EXPECT_EQ(log.stats.skipped, 2u);
  EXPECT_EQ(log.stats.problem.find(fmt::format("record {:#x}: no block of text", id)), 0u)
      << log.stats.problem;
}

TEST(PrintkText, RecordsThatShareTheWholeRingAreLimitedToItsSize) {
  Ring ring({.exact_fit = true});
  uint64_t first = ring.Add(std::string(1016, 'a'));
  uint64_t begin = ring.Begin(first);
  for (int i = 0; i < 20; ++i) {
    uint64_t id = ring.AddDataless(3);
    ring.SetBlock(id, begin, begin + 1024);
    ring.SetTextLength(id, 1016);
  }
  Log log = MustRead(ring);
  EXPECT_EQ(log.stats.records, 1u);
  EXPECT_NE(log.stats.problem.find("its text overlaps that of others"), std::string::npos);
}

// --- head and tail ---

std::string FilledAndItsLog(Ring& ring) {
  for (int i = 0; i < 100; ++i) ring.Add(fmt::format("record {}", i));
  return MustRead(ring).text;
}

TEST(PrintkRepair, CorruptHead) {
  for (uint64_t head : {uint64_t{0}, uint64_t{1} << 40, UINT64_MAX, uint64_t{0xdeadbeef}}) {
    Ring ring;
    std::string expected = FilledAndItsLog(ring);
    ring.SetHead(ring.head() ^ head ^ (head == 0 ? uint64_t{1} << 20 : 0));
    Log log = MustRead(ring);
    EXPECT_EQ(log.text, expected);
    EXPECT_NE(log.stats.problem.find("are not within its 32 descriptors"), std::string::npos);
  }
}

TEST(PrintkRepair, CorruptTail) {
  Ring ring;
  std::string expected = FilledAndItsLog(ring);
  ring.SetTail(ring.tail() - 32);
  Log log = MustRead(ring);
  EXPECT_EQ(log.text, expected);
  EXPECT_NE(log.stats.problem, "");
}

TEST(PrintkRepair, TailAfterHead) {
  Ring ring;
  std::string expected = FilledAndItsLog(ring);
  ring.SetTail(ring.head() + 1);
  EXPECT_EQ(MustRead(ring).text, expected);
}

TEST(PrintkRepair, BothCorruptAndFewRecords) {
  Ring ring;
  ring.Add("one");
  ring.Add("two");
  ring.SetHead(7);
  ring.SetTail(1 << 20);
  EXPECT_EQ(MustRead(ring).text, "[    0.000000] one\n[    0.000000] two\n");
}

TEST(PrintkRepair, NothingToRepairFrom) {
  Ring ring;
  ring.SetHead(1 << 20);
  Log log = MustRead(ring);
  EXPECT_EQ(log.text, "");
  EXPECT_EQ(log.stats.skipped, 32u);
  EXPECT_NE(log.stats.problem, "");
}

// The flag bits above an id are not part of it.
TEST(PrintkRepair, FlagBitsOfHeadAreIgnored) {
  Ring ring;
  ring.Add("one");
  ring.SetHead(ring.head() | uint64_t{3} << 62);
  Log log = MustRead(ring);
  EXPECT_EQ(log.text, "[    0.000000] one\n");
  EXPECT_EQ(log.stats.problem, "");
}

// --- sizes and keys ---

TEST(PrintkRefuse, AbsurdSizes) {
  for (uint32_t bits : {0u, 25u, 64u, UINT32_MAX}) {
    Ring ring;
    ring.SetCountBits(bits);
    ExpectError(ring, ErrorKind::kMalformed, fmt::format("count_bits is {}", bits));
  }
  for (uint32_t bits : {0u, 31u, 64u, UINT32_MAX}) {
    Ring ring;
    ring.SetSizeBits(bits);
    ExpectError(ring, ErrorKind::kMalformed, fmt::format("size_bits is {}", bits));
  }
}

TEST(PrintkRefuse, KernelWithoutARing) {
  Ring ring;
  ExpectError(ring, ErrorKind::kUnsupported, "the kernel has no log", "SYMBOL(prb)");
}

class PrintkKeys : public testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(
    All, PrintkKeys,
    testing::Values("SIZE(printk_ringbuffer)", "OFFSET(printk_ringbuffer.desc_ring)",
                    "OFFSET(printk_ringbuffer.text_data_ring)", "OFFSET(prb_desc_ring.count_bits)",
                    "OFFSET(prb_desc_ring.descs)", "OFFSET(prb_desc_ring.infos)",
                    "OFFSET(prb_desc_ring.head_id)", "OFFSET(prb_desc_ring.tail_id)",
                    "SIZE(prb_desc)", "OFFSET(prb_desc.state_var)",
                    "OFFSET(prb_desc.text_blk_lpos)", "OFFSET(prb_data_blk_lpos.begin)",
                    "OFFSET(prb_data_blk_lpos.next)", "OFFSET(prb_data_ring.size_bits)",
                    "OFFSET(prb_data_ring.data)", "SIZE(printk_info)", "OFFSET(printk_info.seq)",
                    "OFFSET(printk_info.ts_nsec)", "OFFSET(printk_info.text_len)",
                    "OFFSET(atomic_long_t.counter)"));

TEST_P(PrintkKeys, MissingKeyIsNamed) {
  Ring ring;
  ExpectError(ring, ErrorKind::kUnsupported, GetParam(), GetParam());
}

TEST_P(PrintkKeys, AbsurdValueIsMalformed) {
  for (const char* value : {"4097", "18446744073709551615"}) {
    Ring ring;
    ring.SetKey(GetParam(), value);
    ExpectError(ring, ErrorKind::kMalformed, "VMCOREINFO:");
  }
}

TEST(PrintkRefuse, MemberOutsideItsStructure) {
  Ring ring;
  ring.SetKey("OFFSET(printk_info.text_len)", "87");
  ExpectError(ring, ErrorKind::kMalformed, "printk_info.text_len at offset 87 does not fit in 88");
}

// --- memory that cannot be read ---

TEST(PrintkUnreadable, RingItself) {
  Ring ring;
  FaultyMemory faulty(ring.memory());
  faulty.Fail(PhysAddr(Ring::kRing), 8);
  Result<Log> log = Read(faulty, ring);
  ASSERT_FALSE(log);
  EXPECT_EQ(log.error().error_number(), EIO);
  EXPECT_EQ(log.error().message().find("reading the printk ring: "), 0u);
}

TEST(PrintkUnreadable, TextOfOneRecord) {
  Ring ring;
  ring.Add("one");
  uint64_t id = ring.Add("two");
  ring.Add("three");
  FaultyMemory faulty(ring.memory());
  faulty.Fail(PhysAddr(ring.TextAddress(id)), 1);
  Log log = MustRead(faulty, ring);
  EXPECT_EQ(log.text, "[    0.000000] one\n[    0.000000] three\n");
  EXPECT_EQ(log.stats.skipped, 2u);
  EXPECT_EQ(log.stats.problem.find(fmt::format("record {:#x}: ", id)), 0u);
}

TEST(PrintkUnreadable, InfoOfOneRecord) {
  Ring ring;
  uint64_t id = ring.Add("one");
  ring.Add("two");
  FaultyMemory faulty(ring.memory());
  faulty.Fail(PhysAddr(ring.InfoAddress(id)), 1);
  EXPECT_EQ(MustRead(faulty, ring).text, "[    0.000000] two\n");
}

// 300 descriptors take two pages; the first of them is bad.
TEST(PrintkUnreadable, PageOfDescriptors) {
  Ring ring({.count_bits = 9, .size_bits = 16});
  for (int i = 0; i < 300; ++i) ring.Add(fmt::format("record {}", i));
  FaultyMemory faulty(ring.memory());
  faulty.Fail(PhysAddr(Ring::kDescs), 4096);
  Log log = MustRead(faulty, ring);
  EXPECT_TRUE(log.text.starts_with("[    0.000000] record 171\n")) << log.text;
  EXPECT_EQ(log.stats.records, 129u);
  EXPECT_EQ(log.stats.skipped, 172u);
  EXPECT_EQ(log.stats.problem.find("descriptor 0x3ffffffffffffe00: "), 0u) << log.stats.problem;
}

TEST(PrintkUnreadable, RepairGoesAroundIt) {
  Ring ring({.count_bits = 9, .size_bits = 16});
  for (int i = 0; i < 300; ++i) ring.Add(fmt::format("record {}", i));
  ring.SetHead(12345);
  FaultyMemory faulty(ring.memory());
  faulty.Fail(PhysAddr(Ring::kDescs), 4096);
  EXPECT_EQ(MustRead(faulty, ring).stats.records, 129u);
}

TEST(Printk, ErrorOfTheWriterEndsTheWalk) {
  Ring ring;
  ring.Add("one");
  ring.Add("two");
  IdentityKernel kernel(ring.memory(), ring.Vmcoreinfo(), ring.machine());
  int calls = 0;
  Result<LogStats> stats = ReadKernelLog(kernel, {}, [&](const LogRecord&) -> Status {
    ++calls;
    return SystemError(ENOSPC, "writing the log");
  });
  ASSERT_FALSE(stats);
  EXPECT_EQ(stats.error().error_number(), ENOSPC);
  EXPECT_EQ(calls, 1);
}

}  // namespace
}  // namespace kdumpkit
