// SPDX-License-Identifier: GPL-2.0-or-later
#include "kdumpctl/local_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/temp_dir.h"

namespace kdumpkit {
namespace {

using testing::HasSubstr;

constexpr char kMountinfo[] =
    "22 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw\n"
    "23 22 0:20 / /proc rw - proc proc rw\n"
    "30 22 253:0 / /srv/my\\040disk rw shared:5 master:2 - xfs /dev/mapper/vg-crash rw\n"
    "31 22 0:40 /@data /data rw - btrfs /dev/vdb rw,subvol=/@data\n"
    "32 22 0:41 / /net/dumps rw - nfs4 srv:/export rw\n"
    "33 22 0:42 / /net/six rw - nfs [2001:db8::1]:/x rw\n"
    "34 22 0:43 / /shared rw - virtiofs crashes rw\n"
    "35 22 254:33 /in/side /only/part rw - ext4 /dev/root rw\n"
    "garbage\n"
    "36 22 254:1 / /short -\n";

class LocalFolderTest : public testing::Test {
 protected:
  LocalFolderTest() {
    for (const char* name : {"vda1", "vdb", "vdc1", "dm-0"})
      dir_.Write(fmt::format("dev/{}", name), "");
    Link("disk/by-uuid/aa-bb", "../../vda1");
    Link("disk/by-label/my\\x20disk", "../../dm-0");
    Link("mapper/vg-crash", "../dm-0");
    dir_.Write("sys/class/block/vdc1/dev", "254:33\n");
  }
  void Link(const std::string& name, const std::string& target) {
    std::string path = dir_.File("dev/" + name);
    std::filesystem::create_directories(std::filesystem::path(path).parent_path());
    std::filesystem::create_symlink(target, path);
  }
  LocalFolder Folder(const std::vector<std::string>& words) {
    Result<Destination> destination = ParseDestination(words);
    EXPECT_TRUE(destination.has_value()) << destination.error().message();
    Result<RootDir> root = RootDir::Open(dir_.path());
    return FolderOf(*destination, ParseMountInfo(kMountinfo), *root);
  }

  TempDir dir_;
};

TEST_F(LocalFolderTest, OfADestination) {
  const std::pair<std::vector<std::string>, std::string> kCases[] = {
      {{"/var/crash"}, "/var/crash"},
      {{"UUID=aa-bb:/crash"}, "/crash"},
      {{"/dev/vda1:/a/b"}, "/a/b"},
      {{"LABEL=my disk:/dumps"}, "/srv/my disk/dumps"},
      {{"/dev/mapper/vg-crash:/"}, "/srv/my disk"},
      {{"/dev/vdb:/crash", "options=subvol=@data"}, "/data/crash"},
      {{"/dev/vdb:/@data/crash"}, "/data/crash"},
      {{"/dev/vdc1:/in/side/it"}, "/only/part/it"},
      {{"nfs://srv/export:/var/crash"}, "/net/dumps/var/crash"},
      {{"nfs://[2001:db8::1]/x:/"}, "/net/six"},
      {{"virtiofs:crashes:/d"}, "/shared/d"},
  };
  for (const auto& [words, folder] : kCases) {
    LocalFolder found = Folder(words);
    EXPECT_EQ(found.folder, folder) << words[0];
    EXPECT_EQ(found.reason, "") << words[0];
  }
}

TEST_F(LocalFolderTest, DestinationThatIsNotThere) {
  const std::pair<std::vector<std::string>, std::string> kCases[] = {
      {{"UUID=cc:/crash"}, "'UUID=cc:/crash' is not mounted"},
      {{"/dev/vdb:/crash"}, "not mounted"},  // another subvolume is
      {{"/dev/vdc1:/out/side"}, "not mounted"},
      {{"nfs://other/export:/x"}, "not mounted"},
      {{"virtiofs:other:/x"}, "not mounted"},
      {{"ssh://u@h/d"}, "'ssh://u@h/d' can only be seen there"},
      {{"raw:/dev/vdc1"}, "kdumpctl recover"},
  };
  for (const auto& [words, reason] : kCases) {
    LocalFolder found = Folder(words);
    EXPECT_EQ(found.folder, "") << words[0];
    EXPECT_THAT(found.reason, HasSubstr(reason)) << words[0];
  }
}

}  // namespace
}  // namespace kdumpkit
