// SPDX-License-Identifier: GPL-2.0-or-later
// Entries with fields for systemd's journal, in its native protocol (systemd.io/
// JOURNAL_NATIVE_PROTOCOL): a datagram, so that no library is needed and a test can be the journal.
#pragma once

#include <cstdio>
#include <string>
#include <vector>

#include "base/file.h"

namespace kdumpkit {

struct JournalField {
  std::string name;  // "KDUMP_FOLDER"
  std::string value;
};

// The bytes of an entry.
std::string EncodeJournalEntry(const std::vector<JournalField>& fields);

enum class JournalResult { kSent, kNoJournal };
// Errors: there is a journal, and it did not take the entry.
Result<JournalResult> SendToJournal(const RootDir& root, const std::vector<JournalField>& fields);

// Whether `file` leads to the journal already ($JOURNAL_STREAM in systemd.exec(5)).
bool IsJournalStream(std::FILE* file);

}  // namespace kdumpkit
