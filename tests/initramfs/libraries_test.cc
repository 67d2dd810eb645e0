// SPDX-License-Identifier: GPL-2.0-or-later
#include "initramfs/libraries.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/elf_file_builder.h"
#include "tests/support/temp_dir.h"

namespace kdumpkit {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Key;
using testing::Pair;
using testing::UnorderedElementsAre;

class LibrariesTest : public testing::Test {
 protected:
  std::string Add(const std::string& name, const FakeLibrary& library) {
    return dir_.Write(name, BuildLibrary(library));
  }
  // File names in the image -> paths below the test's folder.
  std::map<std::string, std::string> Needed(const std::string& program) {
    LibrarySet set({dir_.File("lib"), dir_.File("usr/lib")});
    EXPECT_TRUE(set.AddProgram(program));
    std::map<std::string, std::string> shown;
    for (const auto& [place, file] : set.Files())
      shown[place.substr(place.rfind('/') + 1)] = file.substr(dir_.path().size() + 1);
    return shown;
  }
  TempDir dir_;
};

TEST_F(LibrariesTest, ClosureOfNeeds) {
  Add("lib/liba.so", {.needed = {"libb.so", "libc.so.6"}});
  Add("usr/lib/libb.so", {.needed = {"liba.so"}});
  Add("lib/libc.so.6", {});
  EXPECT_THAT(
      Needed(Add("program", {.needed = {"liba.so"}})),
      UnorderedElementsAre(Pair("liba.so", "lib/liba.so"), Pair("libb.so", "usr/lib/libb.so"),
                           Pair("libc.so.6", "lib/libc.so.6")));
}
TEST_F(LibrariesTest, StaticProgramNeedsNothing) { EXPECT_THAT(Needed(Add("p", {})), IsEmpty()); }
TEST_F(LibrariesTest, MissingLibraryIsAnError) {
  LibrarySet set({dir_.File("lib")});
  EXPECT_THAT(set.AddProgram(Add("p", {.needed = {"libno.so"}})).error().message(),
              HasSubstr("needs library 'libno.so'"));
}
TEST_F(LibrariesTest, ScriptIsAnError) {
  LibrarySet set({});
  EXPECT_THAT(set.AddProgram(dir_.Write("p", "#!/bin/sh\n")).error().message(),
              HasSubstr("not an ELF file"));
}
TEST_F(LibrariesTest, OtherMachineIsPassedOver) {
  Add("lib/liba.so", {.machine = 183});
  Add("usr/lib/liba.so", {});
  EXPECT_THAT(Needed(Add("p", {.needed = {"liba.so"}})),
              ElementsAre(Pair("liba.so", "usr/lib/liba.so")));
}
TEST_F(LibrariesTest, RunpathComesFirst) {
  Add("lib/liba.so", {});
  Add("own/liba.so", {});
  EXPECT_THAT(Needed(Add("p", {.needed = {"liba.so"}, .runpath = dir_.File("own")})),
              ElementsAre(Pair("liba.so", "own/liba.so")));
}
TEST_F(LibrariesTest, OriginIsTheObjectsFolder) {
  Add("own/lib/liba.so", {});
  EXPECT_THAT(Needed(Add("own/bin/p", {.needed = {"liba.so"}, .runpath = "$ORIGIN/../lib"})),
              ElementsAre(Pair("liba.so", "own/bin/../lib/liba.so")));
  EXPECT_THAT(Needed(Add("own/bin/p", {.needed = {"liba.so"}, .runpath = "${ORIGIN}/../lib"})),
              ElementsAre(Pair("liba.so", "own/bin/../lib/liba.so")));
}
TEST_F(LibrariesTest, RpathIsInherited) {
  Add("own/liba.so", {.needed = {"libb.so"}});
  Add("own/libb.so", {});
  Add("lib/libb.so", {});
  EXPECT_THAT(Needed(Add("p", {.needed = {"liba.so"}, .rpath = dir_.File("own")})),
              Contains(Pair("libb.so", "own/libb.so")));
}
TEST_F(LibrariesTest, RunpathIsNotInherited) {
  Add("own/liba.so", {.needed = {"libb.so"}});
  Add("own/libb.so", {});
  Add("lib/libb.so", {});
  EXPECT_THAT(Needed(Add("p", {.needed = {"liba.so"}, .runpath = dir_.File("own")})),
              Contains(Pair("libb.so", "lib/libb.so")));
}
TEST_F(LibrariesTest, RunpathTurnsRpathOff) {
  Add("own/liba.so", {});
  Add("lib/liba.so", {});
  EXPECT_THAT(
      Needed(Add("p",
                 {.needed = {"liba.so"}, .rpath = dir_.File("own"), .runpath = dir_.File("none")})),
      ElementsAre(Pair("liba.so", "lib/liba.so")));
}
TEST_F(LibrariesTest, AllStandBesideTheCLibrary) {
  Add("lib/libc.so.6", {});
  Add("own/liba.so", {.needed = {"libc.so.6"}});
  LibrarySet set({dir_.File("lib")});
  ASSERT_TRUE(set.AddProgram(Add("p", {.needed = {"liba.so"}, .runpath = dir_.File("own")})));
  EXPECT_THAT(set.Files(),
              UnorderedElementsAre(Key(dir_.File("lib/libc.so.6")), Key(dir_.File("lib/liba.so"))));
}
TEST_F(LibrariesTest, LoaderStandsWhereProgramsWantIt) {
  std::string loader = Add("lib64/ld.so.2", {});
  Add("lib/libc.so.6", {.needed = {"ld.so.2"}});
  Add("lib/ld.so.2", {});
  LibrarySet set({dir_.File("lib")});
  ASSERT_TRUE(set.AddProgram(Add("p", {.needed = {"libc.so.6"}, .interpreter = loader})));
  EXPECT_THAT(set.Files(),
              UnorderedElementsAre(Pair(loader, loader), Key(dir_.File("lib/libc.so.6"))));
}
TEST_F(LibrariesTest, ThisVeryProgram) {
  LibrarySet set(SystemLibraryFolders());
  ASSERT_TRUE(set.AddProgram("/proc/self/exe"));
  EXPECT_THAT(set.Files(),
              AllOf(Contains(Key(HasSubstr("/libc.so"))), Contains(Key(HasSubstr("/libstdc++")))));
}

TEST(SystemLibraryFolders, FollowsIncludesAndComments) {
  TempDir dir;
  dir.Write("conf.d/1.conf", "# a comment\n/one\n/two # behind it\n");
  dir.Write("conf.d/2.conf", "\n/three\n");
  dir.Write("conf.d/other", "/other\n");
  std::string conf = dir.Write("ld.so.conf", "include conf.d/*.conf\n/four\n");
  EXPECT_THAT(SystemLibraryFolders(conf), ElementsAre("/one", "/two", "/three", "/four", "/lib64",
                                                      "/usr/lib64", "/lib", "/usr/lib"));
}
TEST(SystemLibraryFolders, IncludesInACircleEnd) {
  TempDir dir;
  std::string conf = dir.Write("ld.so.conf", "include ld.so.conf\n");
  EXPECT_THAT(SystemLibraryFolders(conf), ElementsAre("/lib64", "/usr/lib64", "/lib", "/usr/lib"));
}
TEST(SystemLibraryFolders, WithoutAFileTheBuiltInOnes) {
  EXPECT_EQ(SystemLibraryFolders("/nonexistent").size(), 4u);
}

}  // namespace
}  // namespace kdumpkit
