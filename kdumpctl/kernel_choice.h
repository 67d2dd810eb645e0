// SPDX-License-Identifier: GPL-2.0-or-later
// The kernel that is to capture: its release, its file, and its command line.
#pragma once

#include <string>
#include <vector>

#include "base/file.h"
#include "config/config.h"

namespace kdumpkit {

struct KernelChoice {
  std::string release;        // "6.1.0-50-amd64"
  std::string file;           // "/boot/vmlinuz-6.1.0-50-amd64", as in a live system
  std::string module_folder;  // "/lib/modules/6.1.0-50-amd64"; empty: there is none
};

// The running kernel's release, unless the configuration names another one; its file where
// distributions put it: /boot, beside its modules, on the EFI partition, or what an entry of the
// boot loader (Boot Loader Specification) says. The error names all places that were looked at.
Result<KernelChoice> ChooseKernel(const Config& config, const RootDir& root);

// What only the moment of loading knows.
struct BootFacts {
  std::string host;                // for the name of the dump's folder
  std::string boot_id;             // of this boot
  std::string test_id;             // empty: no test
  bool full_image = false;         // built by dracut or initramfs-tools
  std::vector<std::string> words;  // more that such an image needs
};

// The capture kernel's command line: the running (or configured) one without what would disturb,
// with what saves memory and waits for nothing.
std::string CaptureCommandLine(const Config& config, const BootFacts& facts, const RootDir& root);

}  // namespace kdumpkit
