// SPDX-License-Identifier: GPL-2.0-or-later
#include "kexec/command_line.h"

#include <gtest/gtest.h>

namespace kdumpkit {
namespace {

using Words = std::vector<std::string>;

std::string Reuse(const std::string& text, Slot slot = Slot::kCrash) {
  return ComposeCommandLine(text, std::nullopt, slot);
}

TEST(CommandLine, WordsAreSeparatedByAnyWhiteSpace) {
  EXPECT_EQ(SplitWords(" a\tb=1 \n c  "), (Words{"a", "b=1", "c"}));
  EXPECT_EQ(SplitWords(""), Words{});
}

TEST(CommandLine, QuotesProtectWhiteSpaceAndStay) {
  EXPECT_EQ(SplitWords("a=\"b c\" \"d e=f\" g"), (Words{"a=\"b c\"", "\"d e=f\"", "g"}));
  EXPECT_EQ(SplitWords("a=\"b c"), (Words{"a=\"b c"}));
}

TEST(CommandLine, ParameterNameEndsAtTheEqualsSign) {
  EXPECT_EQ(ParameterName("crashkernel=256M,high"), "crashkernel");
  EXPECT_EQ(ParameterName("\"crashkernel=1 2\""), "crashkernel");
  EXPECT_EQ(ParameterName("quiet"), "quiet");
}

TEST(CommandLine, WithoutReuseTheTextIsUntouched) {
  EXPECT_EQ(ComposeCommandLine(std::nullopt, "a  b ", Slot::kCrash), "a  b ");
  EXPECT_EQ(ComposeCommandLine(std::nullopt, std::nullopt, Slot::kCrash), "");
}

TEST(CommandLine, BootImageAndReservationAreDropped) {
  EXPECT_EQ(Reuse("BOOT_IMAGE=/boot/vmlinuz root=/dev/sda1 crashkernel=256M quiet\n"),
            "root=/dev/sda1 quiet");
}

TEST(CommandLine, SecondReservationWordIsDroppedToo) {
  EXPECT_EQ(Reuse("crashkernel=1G,high a crashkernel=256M,low b crashkernel=1G,cma"), "a b");
}

TEST(CommandLine, ReservationStaysForANormalKernel) {
  EXPECT_EQ(Reuse("BOOT_IMAGE=x crashkernel=256M a", Slot::kReboot), "crashkernel=256M a");
}

// Confirmed defects of kexec-tools: a first match inside a word stopped the search, a longer name
// was taken for a match, text with tabs was cut, quotes were not understood.
TEST(CommandLine, MatchesWholeNamesOnly) {
  EXPECT_EQ(Reuse("root=y mycrashkernel=1 crashkernel=256M"), "root=y mycrashkernel=1");
  EXPECT_EQ(Reuse("crashkernelfoo=1 a"), "crashkernelfoo=1 a");
  EXPECT_EQ(Reuse("a\tb\tcrashkernel=1M\tc"), "a b c");
  EXPECT_EQ(Reuse("x=\"a crashkernel=1 b\" c"), "x=\"a crashkernel=1 b\" c");
  EXPECT_EQ(Reuse("foo=crashkernel=1M"), "foo=crashkernel=1M");
}

TEST(CommandLine, WordsOfAnEarlierCrashLoadAreDropped) {
  EXPECT_EQ(Reuse("elfcorehdr=0x7000 dmcryptkeys=0x8000 a", Slot::kReboot), "a");
}

TEST(CommandLine, AppendedTextComesLast) {
  EXPECT_EQ(ComposeCommandLine("a crashkernel=1M", "irqpoll  b", Slot::kCrash), "a irqpoll  b");
  EXPECT_EQ(ComposeCommandLine("a", "", Slot::kCrash), "a");
  EXPECT_EQ(ComposeCommandLine("", "b", Slot::kCrash), "b");
}

TEST(CommandLine, ArgumentsOfInitStayBehindWhatIsAppended) {
  EXPECT_EQ(ComposeCommandLine("a -- single crashkernel=x", "b", Slot::kCrash),
            "a b -- single crashkernel=x");
}

TEST(CommandLine, NewlineAfterAnUnfinishedQuotation) { EXPECT_EQ(Reuse("a=\"b c\n"), "a=\"b c"); }

}  // namespace
}  // namespace kdumpkit
