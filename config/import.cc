// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/import.h"

namespace kdumpkit {
namespace {

constexpr ImportSource kSources[] = {
    {"debian", "/etc/default/kdump-tools", "Debian and Ubuntu", ImportDebian},
    {"suse", "/etc/sysconfig/kdump", "openSUSE and SLES", ImportSuse},
    {"fedora", "/etc/sysconfig/kdump", "Fedora and RHEL, beside their kdump.conf", ImportFedora},
};

}  // namespace

std::span<const ImportSource> ImportSources() { return kSources; }

}  // namespace kdumpkit
