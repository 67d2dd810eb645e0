// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/initramfs/module_fixture.h"

#include "base/process.h"
#include "tests/support/elf_file_builder.h"

namespace kdumpkit {

namespace {

// Users' PATH often lacks the folder of depmod (package kmod).
bool RunDepmod(const std::string& root) {
  for (const char* program : {"depmod", "/sbin/depmod"}) {
    Result<ChildProcess> depmod = ChildProcess::Spawn({program, "-b", root, kTestRelease});
    if (depmod && depmod->Wait()->ok()) return true;
  }
  return false;
}

}  // namespace

std::string MakeModuleTree(const TempDir& dir) {
  std::string inside = fmt::format("lib/modules/{}/", kTestRelease);
  auto add = [&](const char* name, const FakeModule& module) {
    dir.Write(inside + "kernel/" + name + ".ko", BuildModule(module));
  };
  add("virtio/ring", {.exports = {"ring_new"}});
  add("virtio/pci", {.imports = {"ring_new"}, .info = {"softdep=pre: core", "firmware=blk/a.fw"}});
  add("block/blk", {.imports = {"ring_new"},
                    .info = {"alias=virtio:d2", "firmware=blk/b.fw", "firmware=blk/a.fw"}});
  add("fs/jbd", {.exports = {"jbd_start"}});
  add("fs/cache", {.exports = {"cache_get"}});
  add("fs/fs", {.imports = {"jbd_start", "cache_get"}, .info = {"softdep=pre: crc post: late"}});
  add("crypto/crc-fast", {.info = {"alias=crc"}});
  add("crypto/crc_slow", {.info = {"alias=crc"}});
  add("misc/late", {});
  add("misc/lonely", {.info = {"softdep=pre: nowhere"}});
  dir.Write(inside + "modules.order", "");
  dir.Write(inside + "modules.builtin", "kernel/core/core.ko\n");
  dir.Write(inside + "modules.builtin.modinfo", std::string("core.license=GPL\0", 17));
  CHECK(RunDepmod(dir.path()));
  return dir.File(inside.substr(0, inside.size() - 1));
}

}  // namespace kdumpkit
