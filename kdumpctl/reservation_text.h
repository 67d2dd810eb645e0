// SPDX-License-Identifier: GPL-2.0-or-later
// crashkernel= in the texts that boot loaders are configured by. Whatever else stands there is kept
// byte for byte.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kdumpkit {

// Values of crashkernel=, each without the name: "256M"; more than one for ",high" and ",low".
using Reservation = std::vector<std::string>;

// A kernel's command line. A word ends at a blank outside of double quotes.
Reservation FindReservation(std::string_view command_line);
// The values take the place of the first one that is there, or stand at the end. No values: all
// go.
std::string SetReservation(std::string_view command_line, const Reservation& values);

// A file of command line text, /etc/kernel/cmdline: lines without '#' at their beginning.
Reservation FindInCmdlineFile(std::string_view text);
std::string SetInCmdlineFile(std::string_view text, const Reservation& values);

// An entry of the Boot Loader Specification: its "options" lines.
Reservation FindInEntry(std::string_view text);
std::string SetInEntry(std::string_view text, const Reservation& values);
// The value of the first line with that key: "linux", "version"; empty: there is none.
std::string EntryValue(std::string_view text, std::string_view key);

// /etc/default/grub: GRUB_CMDLINE_LINUX and GRUB_CMDLINE_LINUX_DEFAULT as plain assignments. What
// has no crashkernel= gets it in the former.
Reservation FindInGrubDefaults(std::string_view text);
std::string SetInGrubDefaults(std::string_view text, const Reservation& values);

// The whole of /etc/default/grub.d/kdumpkit.cfg.
std::string GrubDropIn(const Reservation& values);

}  // namespace kdumpkit
