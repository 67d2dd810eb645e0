// SPDX-License-Identifier: GPL-2.0-or-later
#include "elf/needed_libraries.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/elf_file_builder.h"
#include "tests/support/temp_dir.h"

namespace kdumpkit {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

class NeededLibrariesTest : public testing::Test {
 protected:
  Result<DynamicNeeds> Read(const std::string& bytes) {
    return ReadDynamicNeeds(dir_.Write("file", bytes));
  }
  TempDir dir_;
};

TEST_F(NeededLibrariesTest, NeededInOrder) {
  Result<DynamicNeeds> needs = Read(BuildLibrary({.needed = {"libz.so.1", "libc.so.6"}}));
  ASSERT_TRUE(needs);
  EXPECT_THAT(needs->needed, ElementsAre("libz.so.1", "libc.so.6"));
  EXPECT_THAT(needs->interpreter, IsEmpty());
  EXPECT_THAT(needs->rpaths, IsEmpty());
  EXPECT_THAT(needs->runpaths, IsEmpty());
}
TEST_F(NeededLibrariesTest, ClassAndMachine) {
  Result<DynamicNeeds> needs = Read(BuildLibrary({.machine = 183}));
  ASSERT_TRUE(needs);
  EXPECT_EQ(needs->elf_class, 2);
  EXPECT_EQ(needs->machine, 183);
}
TEST_F(NeededLibrariesTest, Interpreter) {
  EXPECT_EQ(Read(BuildLibrary({.interpreter = "/lib64/ld.so"}))->interpreter, "/lib64/ld.so");
}
TEST_F(NeededLibrariesTest, PathsAreSplit) {
  Result<DynamicNeeds> needs = Read(BuildLibrary({.rpath = "/a:$ORIGIN/b", .runpath = "/c::/d"}));
  ASSERT_TRUE(needs);
  EXPECT_THAT(needs->rpaths, ElementsAre("/a", "$ORIGIN/b"));
  EXPECT_THAT(needs->runpaths, ElementsAre("/c", "/d"));
}
TEST_F(NeededLibrariesTest, ThisVeryProgram) {
  Result<DynamicNeeds> needs = ReadDynamicNeeds("/proc/self/exe");
  ASSERT_TRUE(needs);
  EXPECT_THAT(needs->needed, Contains(StartsWith("libc.so")));
  EXPECT_THAT(needs->interpreter, HasSubstr("ld"));
}

TEST_F(NeededLibrariesTest, NotElf) {
  Result<DynamicNeeds> needs = Read("#!/bin/sh\n");
  ASSERT_FALSE(needs);
  EXPECT_EQ(needs.error().kind(), ErrorKind::kUnsupported);
  EXPECT_THAT(needs.error().message(), HasSubstr("not an ELF file"));
}
TEST_F(NeededLibrariesTest, ObjectFileIsNeither) {
  Result<DynamicNeeds> needs = Read(BuildModule({}));
  ASSERT_FALSE(needs);
  EXPECT_THAT(needs.error().message(), HasSubstr("neither a program nor"));
}
TEST_F(NeededLibrariesTest, MissingFile) { EXPECT_FALSE(ReadDynamicNeeds(dir_.File("none"))); }

// A damaged file may read as something else, but never crashes.
TEST_F(NeededLibrariesTest, SurvivesEveryPrefix) {
  std::string whole = BuildLibrary({.needed = {"libc.so.6"}, .interpreter = "/lib64/ld.so"});
  for (size_t size = 0; size < whole.size(); ++size) (void)Read(whole.substr(0, size));
}
TEST_F(NeededLibrariesTest, SurvivesEveryChangedByte) {
  std::string whole = BuildLibrary({.needed = {"libc.so.6"}, .interpreter = "/lib64/ld.so"});
  for (char& byte : whole) {
    char good = std::exchange(byte, static_cast<char>(~byte));
    (void)Read(whole);
    byte = good;
  }
}

}  // namespace
}  // namespace kdumpkit
