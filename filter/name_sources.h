// SPDX-License-Identifier: GPL-2.0-or-later
// -x and -i: what the user gives of the dead kernel's names, for what its memory does not say.
#pragma once

#include <memory>
#include <string>

#include "filter/input.h"
#include "kernel/given_vmlinux.h"

namespace kdumpkit {

// Read and sound, but not yet held against a kernel.
struct GivenNames {
  // Errors name the file.
  static Result<GivenNames> Load(const NameSources& sources);

  std::shared_ptr<GivenVmlinux> vmlinux;  // null without -x
  std::string vmcoreinfo_file;            // -i, and what it has
  std::string vmcoreinfo_text;
  bool empty() const { return vmlinux == nullptr && vmcoreinfo_text.empty(); }
};

// The VMCOREINFO text to open the kernel in `input` with: its own, and behind it what only `names`
// have. A vmlinux is moved to where this kernel is. Fails with kUsage when the names are another
// kernel's, kUnsupported when the input has no VMCOREINFO and does not show where its kernel is.
Result<std::string> CombineVmcoreinfo(const Input& input, const GivenNames& names);

}  // namespace kdumpkit
