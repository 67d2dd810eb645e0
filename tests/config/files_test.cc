// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/support/temp_dir.h"

namespace kdumpkit {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<std::string> Names(const TempDir& dir) {
  Result<RootDir> root = RootDir::Open(dir.path());
  Result<std::vector<ConfigSource>> sources = ReadConfigFiles(*root);
  EXPECT_TRUE(sources.has_value());
  std::vector<std::string> names;
  for (const ConfigSource& source : *sources) names.push_back(source.name);
  return names;
}

TEST(ConfigFiles, NoneIsFine) {
  TempDir dir;
  EXPECT_THAT(Names(dir), IsEmpty());
}

TEST(ConfigFiles, VendorThenMainThenDropIns) {
  TempDir dir;
  dir.Write("etc/kdump.conf.d/b.conf", "");
  dir.Write("etc/kdump.conf.d/a.conf", "");
  dir.Write("etc/kdump.conf.d/10.conf", "");
  dir.Write("etc/kdump.conf", "path /x\n");
  dir.Write("usr/lib/kdump.conf.d/z.conf", "");
  EXPECT_THAT(Names(dir), ElementsAre("/usr/lib/kdump.conf.d/z.conf", "/etc/kdump.conf",
                                      "/etc/kdump.conf.d/10.conf", "/etc/kdump.conf.d/a.conf",
                                      "/etc/kdump.conf.d/b.conf"));
}

TEST(ConfigFiles, OtherNamesAreNotRead) {
  TempDir dir;
  for (std::string name : {"a.conf~", ".a.conf", "a.conf.rpmnew", "README"})
    dir.Write("etc/kdump.conf.d/" + name, "nonsense");
  EXPECT_THAT(Names(dir), IsEmpty());
}

TEST(ConfigFiles, DropInTakesThePlaceOfTheVendorsFile) {
  TempDir dir;
  dir.Write("usr/lib/kdump.conf.d/a.conf", "");
  dir.Write("usr/lib/kdump.conf.d/b.conf", "");
  dir.Write("etc/kdump.conf.d/a.conf", "");
  EXPECT_THAT(Names(dir), ElementsAre("/usr/lib/kdump.conf.d/b.conf", "/etc/kdump.conf.d/a.conf"));
}

TEST(ConfigFiles, WhatCannotBeReadIsAnError) {
  TempDir dir;
  std::filesystem::create_directories(dir.File("etc/kdump.conf"));
  Result<RootDir> root = RootDir::Open(dir.path());
  Result<std::vector<ConfigSource>> sources = ReadConfigFiles(*root);
  ASSERT_FALSE(sources.has_value());
  EXPECT_THAT(sources.error().message(), HasSubstr("etc/kdump.conf'"));
}

TEST(ConfigFiles, LinkToNowhereIsAnError) {
  TempDir dir;
  dir.Write("etc/kdump.conf.d/a.conf", "");
  std::filesystem::create_symlink("nowhere", dir.File("etc/kdump.conf.d/b.conf"));
  Result<RootDir> root = RootDir::Open(dir.path());
  EXPECT_FALSE(ReadConfigFiles(*root).has_value());
}

TEST(ConfigFiles, HugeFileIsRefused) {
  TempDir dir;
  dir.Write("etc/kdump.conf", std::string((1 << 20) + 1, '#'));
  Result<RootDir> root = RootDir::Open(dir.path());
  EXPECT_FALSE(ReadConfigFiles(*root).has_value());
}

}  // namespace
}  // namespace kdumpkit
