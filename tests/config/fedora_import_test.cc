// SPDX-License-Identifier: GPL-2.0-or-later
#include <algorithm>

#include "tests/config/importing.h"

namespace kdumpkit {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(FedoraImport, EverySetting) {
  EXPECT_THAT(
      Imported(ImportFedora, R"(
KDUMP_KERNELVER="5.14.0-1.el9.x86_64"
KDUMP_COMMANDLINE=""
KDUMP_COMMANDLINE_REMOVE="hugepages quiet"
KDUMP_COMMANDLINE_APPEND="irqpoll nr_cpus=1 reset_devices"
FADUMP_COMMANDLINE_APPEND=""
KEXEC_ARGS="-s"
KDUMP_BOOTDIR="/boot"
KDUMP_IMG="vmlinuz"
KDUMP_IMG_EXT=""
VMCORE_CREATION_NOTIFICATION="yes"
KDUMP_STDLOGLVL=3
)"),
      ElementsAre("kernel_version 5.14.0-1.el9.x86_64", "command_line_remove hugepages quiet",
                  "cpus 1", "command_line_append irqpoll reset_devices", "kexec_args -s"));
}

TEST(FedoraImport, PartsOfAPath) {
  EXPECT_THAT(NotImported(ImportFedora, "KDUMP_IMG=bzImage\n"), HasSubstr("kernel_image FILE"));
}

TEST(ImportSources, AreAllThere) {
  std::vector<std::string_view> names;
  for (const ImportSource& source : ImportSources()) {
    names.push_back(source.name);
    EXPECT_TRUE(source.file.starts_with('/'));
    EXPECT_TRUE(Parse(source.import("f", "").text).ok());
  }
  EXPECT_THAT(names, ElementsAre("debian", "suse", "fedora"));
}

// A file cut at any place is read, and what is made of it has no errors.
TEST(ImportSources, EveryPrefix) {
  constexpr std::string_view kText =
      "KDUMP_COREDIR=\"/a\\\" b\" # c\nSSH='u@h'; NFS=h:/e\nif x; then\nHOSTTAG=ip\nfi\n"
      "KDUMP_SAVEDIR=\"ssh://u@h/$(x)\"\nKDUMP_COMMANDLINE_APPEND='nr_cpus=1 \"a b\"'\ncat <<E\n";
  for (size_t size = 0; size <= kText.size(); ++size) {
    for (const ImportSource& source : ImportSources())
      EXPECT_TRUE(Parse(source.import("f", kText.substr(0, size)).text).ok()) << size;
  }
}

}  // namespace
}  // namespace kdumpkit
