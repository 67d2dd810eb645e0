// SPDX-License-Identifier: GPL-2.0-or-later
#include "erase/script.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace kdumpkit {
namespace {

// The script as it was understood, on one line.
std::string Show(const std::vector<EraseStatement>& statements) {
  std::string text;
  for (const EraseStatement& statement : statements) {
    if (statement.module != "vmlinux") text += fmt::format("[{}] ", statement.module);
    if (const auto* command = std::get_if<EraseCommand>(&statement.what)) {
      if (!command->target.cast.empty()) text += fmt::format("({})", command->target.cast);
      text += command->target.Text();
      if (command->bytes) text += fmt::format(" {}", *command->bytes);
      if (command->size_from) text += fmt::format(" by {}", command->size_from->Text());
      if (command->nullify) text += " null";
      text += "; ";
      continue;
    }
    const EraseLoop& loop = *std::get<std::unique_ptr<EraseLoop>>(statement.what);
    text += fmt::format("{} of {}", loop.variable, loop.source.Text());
    if (loop.walk == EraseLoop::Walk::kVia)
      text += fmt::format(" via {}", fmt::join(loop.next, "."));
    if (loop.walk == EraseLoop::Walk::kWithin)
      text += fmt::format(" in {}:{}", loop.container, fmt::join(loop.link, "."));
    text += fmt::format(" {{ {}}} ", Show(loop.body));
  }
  return text;
}

struct Understood {
  const char* text;
  const char* shown;
};

TEST(EraseScript, IsUnderstood) {
  constexpr Understood kScripts[] = {
      {"", ""},
      {"# erase x\n\n \t \n", ""},
      {"erase a", "a; "},
      {"erase a.b.c size 12 # why\nerase b size 4K\nerase c size 2M",
       "a.b.c 12; b 4096; c 2097152; "},
      {"erase a size b.len\r\nerase p nullify\r\n", "a by b.len; p null; "},
      {"erase\n a\n size\n 3", "a 3; "},  // lines mean nothing
      {"erase (struct task_struct)init_task.comm", "(struct task_struct)init_task.comm; "},
      {"erase (char *) line", "(char *)line; "},
      {"[ext4]\nerase a\n[vmlinux]\nerase b", "[ext4] a; b; "},
      {"[snd-hda]\nerase a", "[snd_hda] a; "},
      {"erase via", "via; "},
      {"for v in a\nerase v.x\nendfor", "v of a { v.x; } "},
      {"for v in a via next erase v endfor", "v of a via next { v; } "},
      {"for m in modules.next within module:list\n erase m.name size m.len\nendfor",
       "m of modules.next in module:list { m.name by m.len; } "},
      {"for m in a within b erase m nullify endfor", "m of a in b:list { m null; } "},
      {"for p in a for t in p.b within c:d.e erase t.x erase p.y endfor endfor",
       "p of a { t of p.b in c:d.e { t.x; p.y; } } "},
  };
  for (const Understood& script : kScripts) {
    EraseScript parsed = ParseEraseScript(script.text);
    EXPECT_EQ(Show(parsed.statements), script.shown) << script.text;
    for (const ScriptProblem& problem : parsed.problems) ADD_FAILURE() << problem.text;
  }
}

struct Mistake {
  const char* text;
  const char* problem;  // "line:column: text", of the first
};

TEST(EraseScript, MistakesHaveAPlace) {
  constexpr Mistake kMistakes[] = {
      {"erase", "1:6: what to erase is missing at the end of the file"},
      {"erase a\nerase size 3", "2:7: what to erase is missing before 'size'"},
      {"erase a size", "1:13: a size is missing at the end of the file"},
      {"erase a size 0", "1:14: '0' is not a size from 1 to 1024M, as in 100, 4K or 2M"},
      {"erase a size 1025M", "1:14: '1025M' is not a size from 1 to 1024M, as in 100, 4K or 2M"},
      {"erase a size -1", "1:14: '-1' is not a size from 1 to 1024M, as in 100, 4K or 2M"},
      {"erase a size 99999999999999999999",
       "1:14: '99999999999999999999' is not a size from 1 to 1024M, as in 100, 4K or 2M"},
      {"erase a size 4G", "1:14: '4G' is not a size from 1 to 1024M, as in 100, 4K or 2M"},
      {"erase a..b", "1:7: 'a..b' is not NAME or NAME.MEMBER.MEMBER"},
      {"erase a[3]", "1:7: 'a[3]' is not NAME or NAME.MEMBER.MEMBER"},
      {"erase 3", "1:7: '3' is not NAME or NAME.MEMBER.MEMBER"},
      {"erase a\x01", "1:7: 'a?' is not NAME or NAME.MEMBER.MEMBER"},
      {"erase (char", "1:7: '(' begins a type, as in (struct task_struct)init_task.comm"},
      {"eraze a", "1:1: 'eraze': did you mean 'erase'?"},
      {"erase a b", "1:9: 'b': 'erase', 'for' or [MODULE] is expected"},
      {"erase a size 3 nullify", "1:16: 'nullify': 'erase', 'for' or [MODULE] is expected"},
      {"[a b]", "1:1: a section is the name of a module in brackets, as in [ext4]"},
      {"[ext4", "1:1: a section is the name of a module in brackets, as in [ext4]"},
      {"[ext/4]", "1:1: 'ext/4' is not the name of a module"},
      {"endfor", "1:1: 'endfor' without a 'for'"},
      {"for v in a\nerase v", "1:1: this 'for' has no 'endfor'"},
      {"for v a\nerase v\nendfor", "1:7: 'in' is expected after 'for v'"},
      {"for in a erase v endfor", "1:5: the variable of the loop is missing before 'in'"},
      {"for v in a within b. erase v endfor",
       "1:19: 'b.' is not STRUCT:MEMBER, as in task_struct:tasks"},
      {"for v in a\n erase w.x\nendfor",
       "2:8: in a loop, what is erased begins with its variable 'v'"},
      {"for v in a for v in b erase v endfor endfor",
       "1:16: 'v' is the variable of the outer loop already"},
      {"for v in a\n[ext4]\nerase v endfor", "2:1: a section inside of 'for'; 'endfor' is missing"},
  };
  for (const Mistake& mistake : kMistakes) {
    EraseScript parsed = ParseEraseScript(mistake.text);
    ASSERT_FALSE(parsed.problems.empty()) << mistake.text;
    const ScriptProblem& first = parsed.problems[0];
    EXPECT_EQ(fmt::format("{}:{}: {}", first.place.line, first.place.column, first.text),
              mistake.problem)
        << mistake.text;
  }
}

TEST(EraseScript, WhatFollowsAMistakeIsStillUnderstood) {
  EraseScript parsed = ParseEraseScript("erase a..b\nerase c\nnonsense\nerase d size 3\n");
  EXPECT_EQ(parsed.problems.size(), 2u);
  EXPECT_EQ(Show(parsed.statements), "c; d 3; ");
}

TEST(EraseScript, LoopsInEachOtherHaveAnEnd) {
  std::string text;
  for (int i = 0; i < 5000; ++i) text += fmt::format("for v{} in a\n", i);
  EraseScript parsed = ParseEraseScript(text);
  ASSERT_FALSE(parsed.problems.empty());
  EXPECT_EQ(parsed.problems[0].text, "more than 8 loops in each other");
}

TEST(EraseScript, AFileOfMoreThanAMegabyteIsRefused) {
  EXPECT_EQ(ParseEraseScript(std::string(kMaxScriptBytes + 1, ' ')).problems.size(), 1u);
}

}  // namespace
}  // namespace kdumpkit
