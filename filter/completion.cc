// SPDX-License-Identifier: GPL-2.0-or-later
#include "filter/completion.h"

#include <algorithm>

#include "base/shell_text.h"
#include "filter/option_table.h"

namespace kdumpkit {
namespace {

constexpr std::string_view kNames = "kdump-filter makedumpfile";

// Options that are shown, in order.
template <typename Function>
void ForEachShown(Function f) {
  for (const FilterOptionRow& row : FilterOptionTable())
    if (row.help != nullptr) f(row);
}

bool NeedsArgument(const FilterOptionRow& row) {
  return row.argument != nullptr && row.argument[0] != '[';
}

// Words of bash: "-c", "--json".
std::string Words() {
  std::string words;
  ForEachShown([&](const FilterOptionRow& row) {
    if (row.letter != 0) words += fmt::format("-{} ", row.letter);
    if (row.name != nullptr) words += fmt::format("--{} ", row.name);
  });
  words.pop_back();
  return words;
}

// Options whose next word is no operand and no option.
std::string WordsWithArgument() {
  std::string words;
  ForEachShown([&](const FilterOptionRow& row) {
    if (!NeedsArgument(row)) return;
    if (row.letter != 0) words += fmt::format("-{}|", row.letter);
    if (row.name != nullptr) words += fmt::format("--{}|", row.name);
  });
  words.pop_back();
  return words;
}

std::string Bash() {
  return fmt::format(
      "# Made by 'kdump-filter --completion bash'.\n"
      "_kdump_filter() {{\n"
      "  local word=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD - 1]}}\n"
      "  compopt -o filenames\n"
      "  if [[ $word == -* && ! $before =~ ^({})$ ]]; then\n"
      "    local words='{}'\n"
      "    [[ ${{COMP_WORDS[0]##*/}} == vmcore-dmesg ]] && words='-h --help -v --version'\n"
      "    mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$word\")\n"
      "  else\n"
      "    mapfile -t COMPREPLY < <(compgen -f -- \"$word\")\n"
      "  fi\n"
      "}}\n"
      "complete -F _kdump_filter {} vmcore-dmesg\n",
      WordsWithArgument(), Words(), kNames);
}

// What an option looks like in a specification of zsh's _arguments.
std::string ZshSpecification(std::string_view option, const FilterOptionRow& row) {
  std::string text = std::string(option);
  if (row.argument != nullptr && option.starts_with("--")) text += NeedsArgument(row) ? "=" : "=-";
  text += fmt::format("[{}]", ZshText(row.help));
  if (row.argument == nullptr) return text;
  std::string_view action =
      std::string_view(row.argument).find("DIR") != std::string_view::npos ||
              std::string_view(row.argument).find("FILE") != std::string_view::npos
          ? "_files"
          : "";
  return text +
         fmt::format("{}{}:{}", NeedsArgument(row) ? ":" : "::", ZshText(row.argument), action);
}

std::string Zsh() {
  std::string options;
  ForEachShown([&](const FilterOptionRow& row) {
    if (row.letter != 0)
      options +=
          "    " + QuotedPosix(ZshSpecification(fmt::format("-{}", row.letter), row)) + " \\\n";
    if (row.name != nullptr)
      options +=
          "    " + QuotedPosix(ZshSpecification(fmt::format("--{}", row.name), row)) + " \\\n";
  });
  return fmt::format(
      "#compdef {} vmcore-dmesg\n"
      "# Made by 'kdump-filter --completion zsh'.\n"
      "if [[ $service == vmcore-dmesg ]]; then\n"
      "  _arguments '(-h --help)'{{-h,--help}}'[print this help]' \\\n"
      "    '(-v --version)'{{-v,--version}}'[print the version]' ':vmcore:_files'\n"
      "else\n"
      "  _arguments -s \\\n{}    '*:file:_files'\n"
      "fi\n",
      kNames, options);
}

std::string Fish() {
  std::string text =
      "# Made by 'kdump-filter --completion fish'.\n"
      "complete -c vmcore-dmesg -s h -l help -d 'print this help'\n"
      "complete -c vmcore-dmesg -s v -l version -d 'print the version'\n";
  text += fmt::format("for name in {}\n", kNames);
  ForEachShown([&](const FilterOptionRow& row) {
    text += "  complete -c $name";
    if (row.letter != 0) text += fmt::format(" -s {}", row.letter);
    if (row.name != nullptr) text += fmt::format(" -l {}", row.name);
    if (NeedsArgument(row)) text += " -r";
    text += fmt::format(" -d {}\n", QuotedFish(row.help));
  });
  return text + "end\n";
}

}  // namespace

std::optional<std::string> FilterCompletion(std::string_view shell) {
  if (shell == "bash") return Bash();
  if (shell == "zsh") return Zsh();
  if (shell == "fish") return Fish();
  return std::nullopt;
}

}  // namespace kdumpkit
