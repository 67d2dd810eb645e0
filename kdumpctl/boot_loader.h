// SPDX-License-Identifier: GPL-2.0-or-later
// How crashkernel= gets onto the kernel's command line of the next boot: a plan of files to change
// and programs to run, for every boot loader configuration that is found (several may be).
//
//   /boot/grub/grub.cfg and update-grub   Debian: /etc/default/grub.d/kdumpkit.cfg, update-grub
//   /etc/default/grub without them        Fedora, openSUSE: its GRUB_CMDLINE_LINUX, and where no
//                                         entries below are used, grub2-mkconfig
//   …/loader/entries/*.conf               Boot Loader Specification: GRUB of Fedora, systemd-boot,
//                                         zipl; "options". An entry that names $kernelopts (RHEL 8)
//                                         is grubby's
//   /etc/kernel/cmdline                   for entries that kernel-install will make
//   …/EFI/Linux/*.efi                     unified images have it inside; kernel-install remakes
//   them
#pragma once

#include <string>
#include <vector>

#include "base/file.h"
#include "kdumpctl/live_system.h"
#include "kdumpctl/reservation_text.h"

namespace kdumpkit {

struct FileEdit {
  std::string path;      // in the running system; not a symbolic link
  bool created = false;  // it is not there yet
  std::string before;
  std::string after;
  Reservation old_values;
};

struct BootLoaderPlan {
  std::vector<FileEdit> edits;                     // with those that change nothing
  std::vector<std::vector<std::string>> commands;  // in their order, once the files are written
  std::vector<std::string> notes;                  // what the user should know
  Reservation other_values;                        // in files that are left alone

  bool changes() const;
  // All values that are configured now.
  Reservation old_values() const;
};

// `kernel`: "ALL", "DEFAULT", or the file or release of one. kUsage errors say what to do.
Result<BootLoaderPlan> PlanReservation(const Reservation& values, const std::string& kernel,
                                       const RootDir& root, LiveSystem& system);

// Replaces a file as a whole; its permissions and owner stay. A new one is readable by all.
Status ApplyEdit(const FileEdit& edit, const RootDir& root);

}  // namespace kdumpkit
