// SPDX-License-Identifier: GPL-2.0-or-later
// Kernel command lines, taken apart the way the kernel does it (next_arg() in lib/cmdline.c): words
// are separated by white space, double quotes protect it, and are part of the word.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kexec/syscalls.h"

namespace kdumpkit {

std::vector<std::string> SplitWords(std::string_view text);

// The name of the parameter in a word: what stands before '=', without a leading quote.
std::string_view ParameterName(std::string_view word);

// The command line of a kernel to load: the running kernel's (`reused`, as in /proc/cmdline) less
// what must not be carried over into the slot, then `appended`, which is left exactly as it is.
// What is appended goes before a "--", because words after that are arguments of init.
std::string ComposeCommandLine(const std::optional<std::string>& reused,
                               const std::optional<std::string>& appended, Slot slot);

}  // namespace kdumpkit
