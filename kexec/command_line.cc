// SPDX-License-Identifier: GPL-2.0-or-later
#include "kexec/command_line.h"

#include <algorithm>
#include <utility>

#include "kexec/text.h"

namespace kdumpkit {
namespace {

bool IsSpace(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

bool CarriedOver(std::string_view word, Slot slot) {
  std::string_view name = ParameterName(word);
  // The boot loader's remark about the file it loaded.
  if (name == "BOOT_IMAGE") return false;
  // Written by the kernel at each load of a crash kernel; an old value (when this is run in a
  // capture kernel) would make the next kernel take itself for one.
  if (name == "elfcorehdr" || name == "dmcryptkeys") return false;
  // A crash kernel lives in the reservation and must not make one of its own.
  return !(name == "crashkernel" && slot == Slot::kCrash);
}

}  // namespace

std::vector<std::string> SplitWords(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  bool quoted = false;
  for (char c : text) {
    if (c == '"') quoted = !quoted;
    if (!IsSpace(c) || quoted) {
      word += c;
    } else if (!word.empty()) {
      words.push_back(std::exchange(word, {}));
    }
  }
  if (!word.empty()) words.push_back(word);
  return words;
}

std::string_view ParameterName(std::string_view word) {
  if (word.starts_with('"')) word.remove_prefix(1);
  return word.substr(0, word.find('='));
}

std::string ComposeCommandLine(const std::optional<std::string>& reused,
                               const std::optional<std::string>& appended, Slot slot) {
  if (!reused) return appended.value_or("");
  // /proc/cmdline ends in a newline, which would otherwise belong to an unfinished quotation.
  std::string_view text = *reused;
  while (!text.empty() && IsSpace(text.back())) text.remove_suffix(1);
  std::vector<std::string> words = SplitWords(text);
  auto init_arguments = std::find(words.begin(), words.end(), "--");
  std::vector<std::string> kept;
  std::copy_if(words.begin(), init_arguments, std::back_inserter(kept),
               [&](const std::string& word) { return CarriedOver(word, slot); });
  if (appended && !appended->empty()) kept.push_back(*appended);
  kept.insert(kept.end(), init_arguments, words.end());
  return Join(kept, " ");
}

}  // namespace kdumpkit
