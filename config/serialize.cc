// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/serialize.h"

#include <fmt/format.h>

#include "config/directives.h"

namespace kdumpkit {
namespace {

std::string Lines(const Directive& directive, const Config& config) {
  std::string text;
  for (const std::string& value : FieldTexts(directive, config))
    text += fmt::format("{} {}\n", directive.name, value);
  return text;
}

// Breaks `text` into comment lines of at most 100 columns.
std::string Comment(std::string_view text) {
  constexpr size_t kColumns = 98;
  std::string comment;
  while (!text.empty()) {
    size_t end = text.size() <= kColumns ? text.size() : text.rfind(' ', kColumns);
    comment += fmt::format("# {}\n", text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return comment;
}

std::string DefaultEntry(const Directive& directive) {
  std::string text = fmt::format("\n{}", Comment(directive.help));
  text += Comment(fmt::format("{} {}", directive.name, directive.argument));
  for (const std::string& value : FieldTexts(directive, Config()))
    text += fmt::format("#{} {}\n", directive.name, value);
  return text;
}

// What has no default is shown by an example.
constexpr std::string_view kExamples =
    "#destination /var/crash\n"
    "#destination ssh://kdump@crashes.example.com/srv/dumps\n"
    "#destination nfs://files.example.com/export/dumps\n"
    "#destination UUID=03138356-5e61-4ab3-b58e-27507ac41937:/dumps\n"
    "#destination raw:/dev/disk/by-id/virtio-dump\n"
    "#destination virtiofs:hostshare:/dumps\n";

}  // namespace

std::string SerializeForCapture(const Config& config) {
  std::string text = "# Written by kdumpctl from kdump.conf and its drop-in files.\n";
  const Config defaults;
  for (const Directive& directive : Directives()) {
    if (!directive.capture) continue;
    std::string lines = Lines(directive, config);
    if (lines != Lines(directive, defaults)) text += lines;
  }
  // Otherwise it has gone into the destinations.
  if (config.failure_action == FailureAction::kDumpToRootfs)
    text += Lines(*FindDirective("path"), config);
  return text;
}

std::string DefaultFile() {
  std::string text =
      "# Configuration of kdump; kdump.conf(5) explains it, 'kdumpctl check-config' checks it.\n"
      "# A directive a line; every line below is a comment and shows the default.\n"
      "# /etc/kdump.conf.d/*.conf is read after this file and overrides it.\n";
  const Group* last = nullptr;
  for (const Directive& directive : Directives()) {
    if (directive.group == Group::kTarget || directive.group == Group::kObsolete) continue;
    if (last == nullptr || *last != directive.group)
      text += fmt::format("\n### {}\n", GroupTitle(directive.group));
    last = &directive.group;
    text += DefaultEntry(directive);
    if (directive.role == Role::kDestination) text += kExamples;
  }
  return text;
}

}  // namespace kdumpkit
