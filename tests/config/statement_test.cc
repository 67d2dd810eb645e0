// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/statement.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kdumpkit {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

Statement One(std::string_view text) {
  StatementList list = ReadStatements("f", text);
  EXPECT_THAT(list.problems, IsEmpty()) << text;
  EXPECT_THAT(list.statements, SizeIs(1)) << text;
  return list.statements.empty() ? Statement{} : list.statements[0];
}
std::vector<std::string> Words(std::string_view text) {
  std::vector<std::string> words;
  for (const Word& word : One(text).words) words.push_back(word.text);
  return words;
}
// The only problem of a text that has no statements.
std::string Refused(std::string_view text) {
  StatementList list = ReadStatements("f", text);
  EXPECT_THAT(list.statements, IsEmpty()) << text;
  EXPECT_THAT(list.problems, SizeIs(1)) << text;
  return list.problems.empty() ? "" : FormatProblem(list.problems[0]);
}
std::string Warned(std::string_view text) {
  StatementList list = ReadStatements("f", text);
  EXPECT_THAT(list.statements, SizeIs(1)) << text;
  EXPECT_THAT(list.problems, SizeIs(1)) << text;
  return list.problems.empty() ? "" : FormatProblem(list.problems[0]);
}

TEST(Statement, NameAndWords) {
  Statement statement = One("  path \t /var/crash  ");
  EXPECT_EQ(statement.name, "path");
  EXPECT_EQ(statement.value, "/var/crash");
  EXPECT_THAT(Words("a b  c\td"), ElementsAre("b", "c", "d"));
}

TEST(Statement, EmptyLinesAndCommentsMeanNothing) {
  EXPECT_THAT(ReadStatements("f", "\n  \n# a b\n\t#c\n").statements, IsEmpty());
  EXPECT_THAT(ReadStatements("f", "").statements, IsEmpty());
}

TEST(Statement, LinesAreCounted) {
  StatementList list = ReadStatements("f", "# x\n\na 1\nb 2");
  ASSERT_THAT(list.statements, SizeIs(2));
  EXPECT_EQ(list.statements[0].line, 3u);
  EXPECT_EQ(list.statements[1].line, 4u);
}

TEST(Statement, CommentBeginsAtAWord) {
  Statement statement = One("path /var/crash # the old one \" '");
  EXPECT_EQ(statement.value, "/var/crash");
  EXPECT_THAT(Words("path #nothing"), IsEmpty());
}

TEST(Statement, HashWithinAWordBelongsToItAndIsWarnedOf) {
  EXPECT_EQ(Warned("path /var/crash#1"),
            "f:1: warning: the '#' in '/var/crash#1' is part of the value; put a blank before it "
            "to begin a comment, or the value in quotes");
}

TEST(Statement, HashWithinQuotes) {
  EXPECT_THAT(Words("path \"/var/crash #1\" # x"), ElementsAre("/var/crash #1"));
  EXPECT_THAT(Words("path '/var/crash#1'"), ElementsAre("/var/crash#1"));
}

TEST(Statement, Quotes) {
  EXPECT_THAT(Words("a \"b c\" 'd \"e' x=\"y z\" x='1 2'"),
              ElementsAre("b c", "d \"e", "x=y z", "x=1 2"));
  EXPECT_THAT(Words(R"(a "b \" c" 'd \' e' "f \\")"), ElementsAre("b \" c", "d ' e", "f \\"));
  EXPECT_THAT(Words(R"(a "b\c")"), ElementsAre("b\\c"));
  EXPECT_THAT(Words("a \"\" b"), ElementsAre("", "b"));
}

TEST(Statement, BackslashOutsideOfQuotesIsOrdinary) {
  EXPECT_THAT(Words("a DOMAIN\\user"), ElementsAre("DOMAIN\\user"));
}

TEST(Statement, QuoteWithinAWordIsOrdinaryAndWarnedOf) {
  EXPECT_THAT(Warned("path /var/o'neil"), HasSubstr("the quote in '/var/o'neil' is part of"));
}

TEST(Statement, WhatCannotBeReadIsRefused) {
  EXPECT_THAT(Refused("a \"b"), HasSubstr("f:1: error: 'a \"b': a \" is not closed"));
  EXPECT_THAT(Refused("a 'b"), HasSubstr("a ' is not closed"));
  EXPECT_THAT(Refused("a \"b\"c"), HasSubstr("text right behind a closing \""));
  EXPECT_THAT(Refused("a b\\"), HasSubstr("cannot go on in the next one"));
  EXPECT_THAT(Refused("a b\\ c"), HasSubstr("a backslash escapes nothing outside of quotes"));
  EXPECT_THAT(Refused("a b\x01"), HasSubstr("'a b\\x01' has control characters"));
  EXPECT_THAT(Refused(std::string_view("a b\0c", 5)), HasSubstr("'a b\\x00c'"));
}

// Fedora takes the outer quotes off, and xargs then reads the inner ones; a silent change of
// meaning would be worse than a refusal.
TEST(Statement, QuotesWithinTheSameQuotesAreRefused) {
  EXPECT_THAT(Refused("dracut_args \"--add-drivers \"a b\" --x\""), HasSubstr("write \\\""));
}

TEST(Statement, ALineInErrorDoesNotHideTheOthers) {
  StatementList list = ReadStatements("f", "a \"b\nc d\ne 'f\ng h\n");
  EXPECT_THAT(list.statements, SizeIs(2));
  EXPECT_THAT(list.problems, SizeIs(2));
}

TEST(Statement, WindowsLineEndsAndByteOrderMark) {
  EXPECT_EQ(One("\xef\xbb\xbfpath /a\r\n").value, "/a");
  EXPECT_THAT(Refused("path /a\rb\n"), HasSubstr("control characters"));
}

TEST(Statement, OneTextKeepsBlanksAsFedoraDoes) {
  EXPECT_EQ(*OneText(One("path /var/my  crash # x")), "/var/my  crash");
  EXPECT_EQ(*OneText(One("path \"/var/my  crash\"")), "/var/my  crash");
  EXPECT_FALSE(OneText(One("path \"/var/my\" crash")).has_value());
}

TEST(Statement, AListThatIsOneStringIsTakenApart) {
  EXPECT_THAT(*WordList(One("c \"makedumpfile -l -d 31\"")),
              ElementsAre("makedumpfile", "-l", "-d", "31"));
  EXPECT_THAT(*WordList(One("c \"cp 'a b'\"")), ElementsAre("cp", "a b"));
  EXPECT_THAT(*WordList(One("c \"a b\" c")), ElementsAre("a b", "c"));
  EXPECT_THAT(*WordList(One("c 'a b'")), ElementsAre("a b"));
  EXPECT_FALSE(WordList(One("c \"a 'b\"")).has_value());
}

TEST(Statement, QuotingIsReadBack) {
  for (std::string text : {"plain", "two words", "a\"b", "it's", "#x", "a#b", "back\\slash", "",
                           "\\", "x=\"y\"", "tab\there", "\\\"", "'\"'\""}) {
    EXPECT_EQ(*OneText(One("n " + QuoteText(text) + " # c")), text);
    EXPECT_THAT(*WordList(One("n " + QuoteWord(text))), ElementsAre(text));
    EXPECT_THAT(*WordList(One("n " + JoinWords({text, "b c"}))), ElementsAre(text, "b c"));
  }
}

TEST(Statement, ShownTextIsSafeAndShort) {
  EXPECT_EQ(Shown("a\tb\x7f"), "a\\x09b\\x7f");
  EXPECT_EQ(Shown(std::string(500, 'x')), std::string(120, 'x') + "...");
}

}  // namespace
}  // namespace kdumpkit
