// SPDX-License-Identifier: GPL-2.0-or-later
// What the importers share: variables by name, and the file that is written.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/import.h"
#include "config/shell_assignments.h"

namespace kdumpkit {

class ImportWriter {
 public:
  // `title` is the first line of the file that is written.
  ImportWriter(const std::string& file, std::string_view text, std::string_view title);

  // The last assignment of a variable; absent when there is none or its value is empty, which
  // means the default everywhere.
  const ShellAssignment* Find(std::string_view name) const;
  // The value, or the distribution's default.
  std::string Value(std::string_view name, std::string_view fallback) const;
  // All variables that have a value, in the order of the file.
  std::vector<const ShellAssignment*> All() const;

  // Writes "DIRECTIVE VALUE" for a variable. A value that the directive does not take becomes a
  // comment and a problem.
  void Set(const ShellAssignment& from, std::string_view directive, const std::string& value);
  void SetText(const ShellAssignment& from, std::string_view directive, std::string_view text);
  void SetWords(const ShellAssignment& from, std::string_view directive,
                const std::vector<std::string>& words);
  // A comment: the variable's value is the default here, or has no equivalent and why.
  void Note(const ShellAssignment& from, std::string_view note);
  // As Note, and a problem: something has to be done by hand.
  void Refuse(const ShellAssignment& from, std::string_view reason, std::string_view instead);

  Import Finish() &&;

 private:
  std::string file_;
  ShellFile variables_;
  std::string text_;
  std::vector<Problem> problems_;
  const ShellAssignment* last_ = nullptr;  // the one that text_ ends with
};

// How the value of one variable is translated.
enum class ImportAs {
  kText,         // the directive takes it as one text
  kWords,        // the directive takes its words
  kCommandLine,  // as kWords; nr_cpus= becomes the directive `cpus`
  kNote,         // not at all: `text` says why
  kRule,         // by `apply`
};

struct ImportRule {
  std::string_view variable;
  ImportAs as;
  std::string_view text;  // the name of the directive, or the note
  void (*apply)(ImportWriter& writer, const ShellAssignment& from) = nullptr;
};

// Applies the rules to all variables of the file in its order; one without a rule is refused.
Import ApplyRules(ImportWriter writer, std::span<const ImportRule> rules);

// A variable with a password in it, whose value must not be shown.
bool HasPassword(const ShellAssignment& assignment);

// The words of a value, which blanks, line ends and quotes separate; none, and a problem, when they
// cannot be told.
std::vector<std::string> ImportedWords(ImportWriter& writer, const ShellAssignment& from);
// yes, 1 and true; no, 0 and false; absent for anything else.
std::optional<bool> ImportedFlag(std::string_view text);

// As ImportAs::kCommandLine. A word that is `dropped` is left out with a note.
void SetCommandLine(ImportWriter& writer, const ShellAssignment& from, std::string_view directive,
                    std::string_view dropped = {});

// level, compression and so on from the arguments of makedumpfile; core_collector when they ask
// for more. -F is left out.
void SetMakedumpfile(ImportWriter& writer, const ShellAssignment& from,
                     const std::vector<std::string>& arguments);

}  // namespace kdumpkit
