// SPDX-License-Identifier: GPL-2.0-or-later
// Small things about texts and paths that several files of this room need.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"

namespace kdumpkit {

// Parts between blanks; none is empty.
std::vector<std::string> Words(std::string_view text);
// Lines without their ends; valid as long as `text`.
std::vector<std::string_view> Lines(std::string_view text);

// The path that all symbolic links of `path` lead to, as in a live system; absent when there is
// nothing. Links must be relative where `root` is not "/".
std::optional<std::string> RealPath(const RootDir& root, std::string_view path);
// The last part of a path.
std::string BaseName(std::string_view path);
// A file that has an execute permission.
bool IsExecutable(const RootDir& root, std::string_view path);

// "1.5 GiB"
std::string SizeText(uint64_t bytes);

}  // namespace kdumpkit
