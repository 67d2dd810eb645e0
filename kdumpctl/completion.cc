// SPDX-License-Identifier: GPL-2.0-or-later
#include "kdumpctl/completion.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "base/shell_text.h"

namespace kdumpkit {
namespace {

constexpr CommandOption kJsonOption = {"json", nullptr, "print the result as JSON"};
constexpr CommandOption kHelpOption = {"help", nullptr, "show a help text"};

std::vector<CommandOption> OptionsOf(const Subcommand& subcommand) {
  std::vector<CommandOption> options(subcommand.options.begin(), subcommand.options.end());
  if (subcommand.json) options.push_back(kJsonOption);
  options.push_back(kHelpOption);
  return options;
}

// In `operands`, words in small letters stand for themselves.
std::vector<std::string> FixedOperands(std::string_view operands) {
  std::vector<std::string> words(1);
  for (char c : operands) {
    if (std::string_view("[]|. ").find(c) != std::string_view::npos) {
      words.emplace_back();
    } else {
      words.back() += c;
    }
  }
  std::erase_if(words, [](const std::string& word) {
    return word.empty() ||
           std::any_of(word.begin(), word.end(), [](char c) { return c < 'a' || c > 'z'; });
  });
  return words;
}

bool TakesFiles(const Subcommand& subcommand) {
  for (std::string_view word : {"FILE", "PATH", "FOLDER"})
    if (subcommand.operands.find(word) != std::string_view::npos) return true;
  return false;
}

std::string BashCase(const Subcommand& subcommand) {
  std::string words;
  for (const CommandOption& own : OptionsOf(subcommand))
    words += fmt::format("--{}{} ", own.name, own.argument == nullptr ? "" : "=");
  for (const std::string& word : FixedOperands(subcommand.operands)) words += word + " ";
  words.pop_back();
  return fmt::format("    {}) words='{}'{} ;;\n", subcommand.name, words,
                     TakesFiles(subcommand) ? " files=1" : "");
}

std::string Bash(std::span<const Subcommand> subcommands) {
  std::string names;
  std::string cases;
  for (const Subcommand& subcommand : subcommands) {
    names += fmt::format("{} ", subcommand.name);
    cases += BashCase(subcommand);
  }
  return "# Made by 'kdumpctl completion bash'.\n"
         "_kdumpctl() {\n"
         "  local word=${COMP_WORDS[COMP_CWORD]} command= words= files= i\n"
         "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
         "    case ${COMP_WORDS[i]} in\n"
         "      -*) ;;\n"
         "      *) command=${COMP_WORDS[i]}; break ;;\n"
         "    esac\n"
         "  done\n"
         "  case $command in\n"
         "    '') words='" +
         names + "--help --version' ;;\n" + cases +
         "  esac\n"
         "  mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$word\")\n"
         "  if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *= ]]; then compopt -o nospace; fi\n"
         "  if [[ -n $files && ${#COMPREPLY[@]} -eq 0 ]]; then\n"
         "    compopt -o filenames\n"
         "    mapfile -t COMPREPLY < <(compgen -f -- \"$word\")\n"
         "  fi\n"
         "}\n"
         "complete -F _kdumpctl kdumpctl\n";
}

std::string ZshCase(const Subcommand& subcommand) {
  std::string text = fmt::format("    {})\n      _arguments", subcommand.name);
  for (const CommandOption& own : OptionsOf(subcommand)) {
    std::string spec =
        fmt::format("--{}{}[{}]{}", own.name, own.argument == nullptr ? "" : "=", ZshText(own.help),
                    own.argument == nullptr ? "" : fmt::format(":{}:", ZshText(own.argument)));
    text += " \\\n        " + QuotedPosix(spec);
  }
  std::string words;
  for (const std::string& word : FixedOperands(subcommand.operands)) words += word + " ";
  if (!words.empty()) {
    words.pop_back();
    text += fmt::format(" \\\n        '1:operand:({})'", words);
  }
  if (TakesFiles(subcommand)) text += " \\\n        '*:file:_files'";
  return text + "\n      ;;\n";
}

std::string Zsh(std::span<const Subcommand> subcommands) {
  std::string commands;
  std::string cases;
  for (const Subcommand& subcommand : subcommands) {
    commands += fmt::format("    {}\n",
                            QuotedPosix(fmt::format("{}:{}", subcommand.name, subcommand.help)));
    cases += ZshCase(subcommand);
  }
  return "#compdef kdumpctl\n"
         "# Made by 'kdumpctl completion zsh'.\n"
         "_kdumpctl() {\n"
         "  local -a commands\n"
         "  commands=(\n" +
         commands +
         "  )\n"
         "  if (( CURRENT == 2 )); then\n"
         "    _describe subcommand commands\n"
         "    _arguments '--help[show a help text]' '--version[show the version]'\n"
         "    return\n"
         "  fi\n"
         "  local command=$words[2]\n"
         "  shift words\n"
         "  (( CURRENT-- ))\n"
         "  case $command in\n" +
         cases +
         "  esac\n"
         "}\n"
         "_kdumpctl \"$@\"\n";
}

std::string FishLines(const Subcommand& subcommand) {
  constexpr std::string_view kStart = "complete -c kdumpctl -n";
  std::string text = fmt::format("{} __fish_use_subcommand -a {} -d {}\n", kStart, subcommand.name,
                                 QuotedFish(subcommand.help));
  std::string seen = fmt::format("'__fish_seen_subcommand_from {}'", subcommand.name);
  for (const CommandOption& own : OptionsOf(subcommand))
    text += fmt::format("{} {} -l {}{} -d {}\n", kStart, seen, own.name,
                        own.argument == nullptr ? "" : " -x", QuotedFish(own.help));
  for (const std::string& word : FixedOperands(subcommand.operands))
    text += fmt::format("{} {} -a {}\n", kStart, seen, word);
  if (TakesFiles(subcommand)) text += fmt::format("{} {} -F\n", kStart, seen);
  return text;
}

std::string Fish(std::span<const Subcommand> subcommands) {
  std::string text =
      "# Made by 'kdumpctl completion fish'.\n"
      "complete -c kdumpctl -f\n"
      "complete -c kdumpctl -n __fish_use_subcommand -l help -d 'show a help text'\n"
      "complete -c kdumpctl -n __fish_use_subcommand -l version -d 'show the version'\n";
  for (const Subcommand& subcommand : subcommands) text += FishLines(subcommand);
  return text;
}

}  // namespace

std::optional<std::string> CompletionScript(std::string_view shell,
                                            std::span<const Subcommand> subcommands) {
  if (shell == "bash") return Bash(subcommands);
  if (shell == "zsh") return Zsh(subcommands);
  if (shell == "fish") return Fish(subcommands);
  return std::nullopt;
}

int CompletionCommand(const Invocation& invocation) {
  std::optional<std::string> script = CompletionScript(invocation.operands[0], Subcommands());
  if (!script) {
    invocation.Complain(fmt::format("completion: '{}' is not known; there are bash, zsh and fish",
                                    invocation.operands[0]));
    return kExitUsage;
  }
  Print(invocation.out, *script);
  return kExitOk;
}

}  // namespace kdumpkit
