// SPDX-License-Identifier: GPL-2.0-or-later
// Carries an erase script out against a dead kernel: finds all the data that it names.
#pragma once

#include <string>
#include <vector>

#include "erase/plan.h"
#include "erase/script.h"
#include "kernel/kernel_names.h"

namespace kdumpkit {

// What became of one command.
struct EraseResult {
  std::string text;  // of its expression
  ScriptPlace place;
  bool nullify = false;
  uint64_t count = 0;   // pieces of data
  uint64_t bytes = 0;   // all of them together
  bool failed = false;  // something of it is among the problems
};

struct Erasure {
  ErasePlan plan;
  std::vector<EraseResult> results;     // of every command that was understood
  std::vector<ScriptProblem> problems;  // of the text and of the names in it

  // The record that goes into the dump, as makedumpfile writes it: a line for each command that
  // erased something.
  std::string Record() const;
};

// Never fails: what could not be found is among the problems, and the plan is without it. The work
// is bounded, however damaged the kernel's lists are.
Erasure FindErasedData(const EraseScript& script, const CrashedKernel& kernel,
                       const KernelNames& names);

// "FILE:LINE:COLUMN: what"
std::string ProblemText(std::string_view file, const ScriptProblem& problem);

}  // namespace kdumpkit
