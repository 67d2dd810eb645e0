// SPDX-License-Identifier: GPL-2.0-or-later
// Other distributions' settings, read as data and written as a kdump.conf.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/problem.h"

namespace kdumpkit {

struct Import {
  // A kdump.conf without errors. What has no equivalent stands in it as a comment.
  std::string text;
  // Lines that were not understood, and values that cannot be; what to do by hand.
  std::vector<Problem> problems;
};

// One distribution whose file can be read.
struct ImportSource {
  std::string_view name;  // "debian"
  std::string_view file;  // where it is kept
  std::string_view help;
  Import (*import)(const std::string& file, std::string_view text);
};

// /etc/default/kdump-tools.
Import ImportDebian(const std::string& file, std::string_view text);
// /etc/sysconfig/kdump of openSUSE and SLES.
Import ImportSuse(const std::string& file, std::string_view text);
// /etc/sysconfig/kdump of Fedora and RHEL, which stands beside their kdump.conf.
Import ImportFedora(const std::string& file, std::string_view text);

std::span<const ImportSource> ImportSources();

}  // namespace kdumpkit
