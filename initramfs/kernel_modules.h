// SPDX-License-Identifier: GPL-2.0-or-later
// Which files of a kernel's modules are needed, and in which order they are loaded.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/error.h"

struct kmod_ctx;
struct kmod_module;

namespace kdumpkit {

// The modules of one kernel release, by libkmod. Configuration of the machine it runs on
// (/etc/modprobe.d) plays no part: the image depends on the module tree only.
class ModuleTree {
 public:
  // `folder` has modules.dep.bin: "/lib/modules/6.1.0-50-amd64".
  static Result<ModuleTree> Open(const std::string& folder);

  // Whether there is a module of this name or alias, as a file or built into the kernel.
  bool Knows(const std::string& name) const;

  // The files of the named modules (names or aliases) and of all they need, softly too, in
  // loading order and each once. Nothing for what is built into the kernel. A name that the kernel
  // does not know is an error (kUsage), a soft need that it does not know is none.
  Result<std::vector<std::string>> Closure(const std::vector<std::string>& names) const;

  // The names of the firmware that these files of modules may ask for: "bnx2x/bnx2x-e1.fw", each
  // once. A file that cannot be read asks for nothing.
  std::vector<std::string> Firmware(const std::vector<std::string>& files) const;

 private:
  struct FreeContext {
    void operator()(kmod_ctx* context) const;
  };

  ModuleTree(kmod_ctx* context, std::string folder)
      : context_(context), folder_(std::move(folder)) {}

  std::unique_ptr<kmod_ctx, FreeContext> context_;
  std::string folder_;
};

// The folder of a release's modules in a tree ("/" or an unpacked package): `root`/lib/modules/R
// or `root`/usr/lib/modules/R. An empty `release` stands for the only one that is there.
Result<std::string> FindModuleFolder(const std::string& root, const std::string& release);

}  // namespace kdumpkit
