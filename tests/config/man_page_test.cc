// SPDX-License-Identifier: GPL-2.0-or-later
// man/kdump.conf.5 against the table of directives, in both directions.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <sstream>

#include "config/directives.h"

namespace kdumpkit {
namespace {

using testing::HasSubstr;

std::string WithoutEscapes(std::string text) {
  const std::pair<std::string_view, std::string_view> kEscapes[] = {
      {"\\-", "-"}, {"\\fB", ""}, {"\\fP", ""}, {"\\fI", ""}, {"\\(aq", "'"}};
  for (auto [from, to] : kEscapes) {
    for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at))
      text.replace(at, from.size(), to);
  }
  return text;
}

// The entries of the section DIRECTIVES: the name, and all lines up to the next entry.
std::map<std::string, std::string> Entries() {
  std::ifstream file(KDUMPKIT_MAN_PAGE);
  std::map<std::string, std::string> entries;
  std::string* entry = nullptr;
  bool tagged = false;
  bool inside = false;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(".SH")) inside = line == ".SH DIRECTIVES";
    if (!inside) continue;
    if (line.starts_with(".SS")) entry = nullptr;
    if (tagged) {
      std::istringstream words(line);
      std::string macro;
      std::string name;
      words >> macro >> name;
      EXPECT_FALSE(entries.contains(name)) << name;
      entry = &entries[name];
    }
    tagged = line == ".TP" || line == ".TQ";
    if (entry != nullptr) *entry += WithoutEscapes(line) + "\n";
  }
  return entries;
}

TEST(ManPage, HasEveryDirectiveAndNoOther) {
  std::map<std::string, std::string> entries = Entries();
  for (const Directive& directive : Directives())
    EXPECT_TRUE(entries.contains(std::string(directive.name))) << directive.name;
  for (const auto& [name, text] : entries) EXPECT_NE(FindDirective(name), nullptr) << name;
  EXPECT_EQ(entries.size(), Directives().size());
}

TEST(ManPage, HasEveryDefault) {
  std::map<std::string, std::string> entries = Entries();
  for (const Directive& directive : Directives()) {
    if (directive.role != Role::kValue) continue;
    std::string text = FieldTexts(directive, Config())[0];
    EXPECT_THAT(entries[std::string(directive.name)], HasSubstr("Default:\n.BR " + text + " ."));
  }
}

TEST(ManPage, HasEveryArgumentAndWord) {
  std::map<std::string, std::string> entries = Entries();
  for (const Directive& directive : Directives()) {
    const std::string& entry = entries[std::string(directive.name)];
    if (!directive.argument.empty()) {
      EXPECT_THAT(entry,
                  HasSubstr(fmt::format(".BI {} \" {}\"", directive.name, directive.argument)));
    }
    for (std::string_view word : AllowedWords(directive)) EXPECT_THAT(entry, HasSubstr(word));
  }
}

// KDUMP_DUMPLEVEL and the like.
TEST(ManPage, HasTheIncumbentsNames) {
  std::map<std::string, std::string> entries = Entries();
  int names = 0;
  for (const Directive& directive : Directives()) {
    std::istringstream words{std::string(directive.incumbents)};
    for (std::string word; words >> word;) {
      while (word.ends_with(',')) word.pop_back();
      if (word.find('_') == std::string::npos || word == directive.name) continue;
      EXPECT_THAT(entries[std::string(directive.name)], HasSubstr(word)) << directive.name;
      ++names;
    }
  }
  EXPECT_GT(names, 40);
}

TEST(ManPage, SaysWhatToWriteInstead) {
  std::map<std::string, std::string> entries = Entries();
  for (const Directive& directive : Directives()) {
    if (directive.role != Role::kRemoved) continue;
    EXPECT_THAT(entries[std::string(directive.name)], HasSubstr(directive.help));
  }
}

}  // namespace
}  // namespace kdumpkit
