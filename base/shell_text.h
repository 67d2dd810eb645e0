// SPDX-License-Identifier: GPL-2.0-or-later
// Text in the scripts that make shells complete a command line.
#pragma once

#include <string>
#include <string_view>

namespace kdumpkit {

// In single quotes, for bash and zsh, and for fish. No backslash may be in `text`.
std::string QuotedPosix(std::string_view text);
std::string QuotedFish(std::string_view text);

// As part of a specification of zsh's _arguments, where brackets and colons have a meaning.
std::string ZshText(std::string_view text);

}  // namespace kdumpkit
