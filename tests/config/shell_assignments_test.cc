// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/shell_assignments.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kdumpkit {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

// "NAME=VALUE" of each assignment.
std::vector<std::string> Texts(const ShellFile& file) {
  std::vector<std::string> texts;
  for (const ShellAssignment& assignment : file.assignments)
    texts.push_back(assignment.name + "=" + assignment.value);
  return texts;
}
std::vector<std::string> Read(std::string_view text) {
  ShellFile file = ReadShellAssignments("f", text);
  for (const Problem& problem : file.problems) ADD_FAILURE() << FormatProblem(problem);
  return Texts(file);
}
// The only problem; nothing but the assignment Z=1 may have been read besides.
std::string Refused(std::string_view text) {
  ShellFile file = ReadShellAssignments("f", std::string(text) + "\nZ=1\n");
  EXPECT_THAT(Texts(file), ElementsAre("Z=1")) << text;
  EXPECT_THAT(file.problems, SizeIs(1)) << text;
  return file.problems.empty() ? "" : FormatProblem(file.problems[0]);
}

TEST(ShellAssignments, PlainValues) {
  EXPECT_THAT(Read("A=1\nB=/var/crash\nC=\n_d2=x=y"),
              ElementsAre("A=1", "B=/var/crash", "C=", "_d2=x=y"));
}

TEST(ShellAssignments, LinesAreCounted) {
  ShellFile file = ReadShellAssignments("f", "# x\n\nA='1\n2'\nB=2\n");
  ASSERT_THAT(file.assignments, SizeIs(2));
  EXPECT_EQ(file.assignments[0].line, 3u);
  EXPECT_EQ(file.assignments[1].line, 5u);
}

TEST(ShellAssignments, Quotes) {
  EXPECT_THAT(Read("A=\"b c\""), ElementsAre("A=b c"));
  EXPECT_THAT(Read("A='b \" $x `y` \\'"), ElementsAre("A=b \" $x `y` \\"));
  EXPECT_THAT(Read("A=a\"b c\"'d e'f"), ElementsAre("A=ab cd ef"));
  EXPECT_THAT(Read(R"(A="\" \\ \$x \` \n")"), ElementsAre("A=\" \\ $x ` \\n"));
  EXPECT_THAT(Read("A=b\\ c\\\"d\\$"), ElementsAre("A=b c\"d$"));
  EXPECT_THAT(Read("A=\"\"\nB=''"), ElementsAre("A=", "B="));
}

TEST(ShellAssignments, LinesThatGoOn) {
  EXPECT_THAT(Read("A=\"a \\\n b\"\nB=c\\\nd\n"), ElementsAre("A=a  b", "B=cd"));
  EXPECT_THAT(Read("A=\"a\nb\""), ElementsAre("A=a\nb"));
}

TEST(ShellAssignments, Comments) {
  EXPECT_THAT(Read("A=1 # B=2\n#C=3\n  # D=4\nE=a#b\n"), ElementsAre("A=1", "E=a#b"));
}

TEST(ShellAssignments, SeveralInALine) {
  EXPECT_THAT(Read("A=1 B=2; C=3;\nexport D=4\n;"), ElementsAre("A=1", "B=2", "C=3", "D=4"));
}

TEST(ShellAssignments, LoneDollarIsACharacter) {
  EXPECT_THAT(Read("A=a$\nB=\"5 $\"\nC=\"$ x\""), ElementsAre("A=a$", "B=5 $", "C=$ x"));
}

// Nothing is expanded.
TEST(ShellAssignments, VariablesAreRefused) {
  EXPECT_EQ(Refused("A=\"${A:-x}\""),
            "f:1: error: 'A=\"${A:-x}\"': only a shell knows what the '$' stands for; look up the "
            "value and write the setting by hand");
  for (std::string_view text : {"A=$B", "A=${B}", "A=\"x $B\"", "A=$1", "A=$*", "A=$'x'", "A=~/x"})
    EXPECT_THAT(Refused(text), HasSubstr("only a shell knows")) << text;
}

// Nothing is run.
TEST(ShellAssignments, CommandsAreRefused) {
  for (std::string_view text : {"A=$(touch /tmp/x)", "A=\"$(touch /tmp/x)\"", "A=`touch /tmp/x`",
                                "A=\"`id`\"", "A=\"$(echo \"b\")\""})
    EXPECT_THAT(Refused(text), HasSubstr("a command would have to be run")) << text;
  for (std::string_view text : {". /etc/x", "touch x", "A=1 touch x", "test -f x && A=2", "unset A",
                                "A+=1", "1A=2", "A =1", "export A", "=x", "[ x ]"})
    EXPECT_THAT(Refused(text), HasSubstr("a command of the shell")) << text;
  for (std::string_view text : {"A=1&", "A=(1 2)", "A=1|x", "A=<x", "A=1>x"})
    EXPECT_THAT(Refused(text), HasSubstr("an operator of the shell")) << text;
}

TEST(ShellAssignments, TheRestIsReadAllTheSame) {
  ShellFile file = ReadShellAssignments("f", "A=1\nB=$(x)\nC=3\nD=`y`\nE=5\n");
  EXPECT_THAT(Texts(file), ElementsAre("A=1", "C=3", "E=5"));
  EXPECT_THAT(file.problems, SizeIs(2));
}

// The lines of a text that is not read are no assignments.
TEST(ShellAssignments, LinesWithinARefusedQuoteAreNotRead) {
  EXPECT_THAT(Refused("A=\"$(x\nB=2\n)\""), HasSubstr("f:1:"));
  EXPECT_THAT(Refused("echo 'x\nB=2\n'"), HasSubstr("f:1:"));
  EXPECT_THAT(Refused("echo x \\\nB=2"), HasSubstr("f:1:"));
}

TEST(ShellAssignments, WhatDependsOnAConditionIsRefused) {
  ShellFile file = ReadShellAssignments(
      "f", "A=1\nif [ -f /x ]; then\n  B=2\nelse\n  C=3\nfi\nD=4\nf() {\nE=5\n}\nG=6\n");
  EXPECT_THAT(Texts(file), ElementsAre("A=1", "D=4", "G=6"));
  std::vector<std::string> lines;
  for (const Problem& problem : file.problems) lines.push_back(FormatProblem(problem));
  EXPECT_THAT(lines,
              ElementsAre(HasSubstr("f:2: error: 'if [ -f /x ]; then'"),
                          HasSubstr("f:3: error: 'B' depends on a condition"),
                          HasSubstr("f:5: error: 'C' depends on a condition"),
                          HasSubstr("f:8: error: 'f() {'"), HasSubstr("f:9: error: 'E' depends")));
}

TEST(ShellAssignments, CaseInOneLine) {
  EXPECT_THAT(Refused("case $(uname) in x) A=1;; esac"), HasSubstr("f:1:"));
}

TEST(ShellAssignments, NothingIsReadBehindAHereDocument) {
  ShellFile file = ReadShellAssignments("f", "A=1\ncat <<EOF\nB=2\nEOF\nC=3\n");
  EXPECT_THAT(Texts(file), ElementsAre("A=1"));
  EXPECT_THAT(FormatProblem(file.problems.back()), HasSubstr("f:2: error: a here-document"));
}

TEST(ShellAssignments, OpenQuote) {
  ShellFile file = ReadShellAssignments("f", "A=1\nB=\"2\nC=3\n");
  EXPECT_THAT(Texts(file), ElementsAre("A=1"));
  ASSERT_THAT(file.problems, SizeIs(2));
  EXPECT_THAT(FormatProblem(file.problems[0]),
              HasSubstr("f:2: error: 'B=\"2': a \" is not closed"));
  EXPECT_THAT(FormatProblem(file.problems[1]), HasSubstr("the rest of the file is not read"));
}

TEST(ShellAssignments, WindowsLineEnds) {
  EXPECT_THAT(Read("A=1\r\nB=\"2\"\r\n"), ElementsAre("A=1", "B=2"));
}

}  // namespace
}  // namespace kdumpkit
