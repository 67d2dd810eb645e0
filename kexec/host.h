// SPDX-License-Identifier: GPL-2.0-or-later
// The machine this program runs on.
#pragma once

#include <memory>
#include <string>

#include "kexec/syscalls.h"

namespace kdumpkit {

// The machine as uname(2) spells it: "x86_64", "aarch64".
std::string HostMachine();

// The real calls.
std::unique_ptr<KexecSyscalls> HostSyscalls();

}  // namespace kdumpkit
