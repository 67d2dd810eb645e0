// SPDX-License-Identifier: GPL-2.0-or-later
// "kdumpctl test": a real crash whose dump is known by an ID, and what became of it.
#pragma once

#include <optional>
#include <string>

#include "config/config.h"
#include "kdumpctl/command.h"

namespace kdumpkit {

// Kept in /var/lib/kdump/test.json.
struct TestRecord {
  std::string id;
  std::string started;  // ISO 8601 UTC
  std::string boot_id;  // of the boot that was to crash
  std::string outcome;  // "pending"; then as in the manifest, "missing" or "unknown"
  std::string reason;   // why it is not complete
  std::string folder;   // of the dump
};
std::optional<TestRecord> ReadTest(const RootDir& root);

// Once the machine has crashed: looks for the dump where that can be seen, asks servers behind ssh
// (as root, for a few seconds each), and takes down what became of it. Returns the record as it is
// then.
std::optional<TestRecord> FollowTest(const Config& config, const RootDir& root, LiveSystem& system);

// One line; empty: there was none.
std::string TestText(const std::optional<TestRecord>& test);

// Digits that no other test has.
std::string NewTestId();

int Test(const Invocation& invocation);

inline constexpr CommandOption kTestOptions[] = {
    {"force", nullptr, "do not ask, crash at once"},
    {"dry", nullptr, "crash nothing: run the image here, on a made-up memory"},
    {"keep", nullptr, "with --dry: leave what it saved at the destination"},
};

}  // namespace kdumpkit
