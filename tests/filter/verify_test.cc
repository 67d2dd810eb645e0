// SPDX-License-Identifier: GPL-2.0-or-later
#include "filter/verify.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/sha256.h"
#include "dumpfile/flattened_stream.h"
#include "tests/dumpfile/kdump_image.h"
#include "tests/support/temp_dir.h"

namespace kdumpkit {
namespace {

using testing::HasSubstr;

std::atomic<bool> never_stop = false;

class VerifyTest : public testing::Test {
 protected:
  std::string Write(const std::string& name, ByteView bytes) {
    return dir_.Write(name, AsText(bytes));
  }
  VerifyReport Verify(const std::string& path) {
    FilterOptions options;
    options.vmcore = path;
    return VerifyDump(options, never_stop);
  }
  Result<ReassembleReport> Run(const std::string& stream, bool force = false) {
    FilterOptions options;
    options.vmcore = stream;
    options.output = dir_.File("out");
    options.force = force;
    return Reassemble(options, never_stop);
  }
  // The image as a stream in two records.
  std::string WriteStream(ByteView image, bool whole = true) {
    std::string path = dir_.Write("stream", "");
    UniqueFd fd = OpenFile(path, O_RDWR).value();
    FlattenedStream stream(fd.get());
    EXPECT_TRUE(stream.WriteAt(FileOffset(4096), image.subspan(4096)));
    EXPECT_TRUE(stream.WriteAt(FileOffset(0), image.first(4096)));
    if (whole) CHECK(stream.End().has_value());
    return path;
  }

  TempDir dir_;
  ByteBuffer image_ = MakeKdumpImage({});
};

TEST_F(VerifyTest, Whole) {
  VerifyReport report = Verify(Write("dump", image_));
  EXPECT_EQ(report.soundness, Soundness::kWhole);
  EXPECT_THAT(VerifyText(report), HasSubstr("dump' is whole: 4 of 4 pages decompressed"));
  nlohmann::json json = nlohmann::json::parse(VerifyJson(report));
  EXPECT_EQ(json["result"], "whole");
  EXPECT_EQ(json["pages"], 4);
  EXPECT_EQ(json["bytes"], image_.size());
}

TEST_F(VerifyTest, Incomplete) {
  VerifyReport report = Verify(Write("dump", MakeKdumpImage({.lost = true})));
  EXPECT_EQ(report.soundness, Soundness::kIncomplete);
  EXPECT_THAT(VerifyText(report), HasSubstr("sound so far: 1 pages lost: 4 of 5 pages"));
  EXPECT_EQ(nlohmann::json::parse(VerifyJson(report))["result"], "incomplete");
}

TEST_F(VerifyTest, Broken) {
  VerifyReport report = Verify(Write("dump", ByteView(image_).first(image_.size() - 1)));
  EXPECT_EQ(report.soundness, Soundness::kBroken);
  EXPECT_THAT(VerifyText(report), HasSubstr("is broken: "));
  EXPECT_FALSE(report.faults.empty());
}

TEST_F(VerifyTest, WhatCannotBeOpenedIsBroken) {
  EXPECT_THAT(Verify(dir_.File("none")).faults[0], HasSubstr("No such file"));
  EXPECT_THAT(Verify(dir_.Write("text", std::string(1000, 'x'))).faults[0],
              HasSubstr("no kdump-compressed file"));
  EXPECT_THAT(Verify(dir_.Write("empty", "")).faults[0], HasSubstr("reading the dump header"));
  EXPECT_THAT(Verify(dir_.path()).faults[0], HasSubstr("directory"));
}

TEST_F(VerifyTest, FlattenedDumpAsItIs) {
  EXPECT_EQ(Verify(WriteStream(image_)).soundness, Soundness::kWhole);
  VerifyReport report = Verify(WriteStream(image_, false));
  EXPECT_EQ(report.soundness, Soundness::kBroken);
  EXPECT_THAT(report.faults[0], HasSubstr("looking for the end mark"));
}

TEST_F(VerifyTest, ReassembledFileIsTheDump) {
  Result<ReassembleReport> report = Run(WriteStream(image_));
  ASSERT_TRUE(report) << report.error().message();
  EXPECT_TRUE(report->complete);
  EXPECT_EQ(report->dump, dir_.File("out"));
  EXPECT_EQ(report->records, 2u);
  EXPECT_EQ(Sha256OfFile(dir_.File("out")).value(), Sha256OfFile(Write("direct", image_)).value());
  EXPECT_THAT(ReassembleText(*report), HasSubstr("complete file"));
  EXPECT_EQ(nlohmann::json::parse(ReassembleJson(*report))["result"], "complete");
  // And it stays.
  Result<ReassembleReport> again = Run(dir_.File("stream"));
  ASSERT_FALSE(again);
  EXPECT_THAT(again.error().message(), HasSubstr("exists"));
  EXPECT_TRUE(Run(dir_.File("stream"), true));
}

TEST_F(VerifyTest, CutStreamStaysIncomplete) {
  Result<ReassembleReport> report = Run(WriteStream(image_, false));
  ASSERT_TRUE(report);
  EXPECT_FALSE(report->complete);
  EXPECT_EQ(report->dump, dir_.File("out-incomplete"));
  EXPECT_TRUE(std::filesystem::exists(report->dump));
  EXPECT_FALSE(std::filesystem::exists(dir_.File("out")));
  ASSERT_EQ(report->warnings.size(), 1u);
  EXPECT_THAT(report->warnings[0], HasSubstr("before its end mark"));
  EXPECT_THAT(ReassembleText(*report), HasSubstr("the beginning is in"));
}

TEST_F(VerifyTest, WhatIsNoStreamLeavesNothing) {
  Result<ReassembleReport> report = Run(Write("dump", image_));
  ASSERT_FALSE(report);
  EXPECT_THAT(report.error().message(), HasSubstr("dump': no flattened stream"));
  EXPECT_FALSE(std::filesystem::exists(dir_.File("out-incomplete")));
  EXPECT_FALSE(Run(dir_.File("none")));
}

}  // namespace
}  // namespace kdumpkit
