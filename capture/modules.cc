// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/modules.h"

#include <algorithm>

#include "capture/config.h"

namespace kdumpkit {
namespace {

std::string Underscored(std::string_view name) {
  std::string spelled(name);
  std::replace(spelled.begin(), spelled.end(), '-', '_');
  return spelled;
}

// A blank in a value is kept by quotes; the kernel removes them again.
std::string Quoted(std::string_view assignment) {
  if (assignment.find(' ') == std::string_view::npos) return std::string(assignment);
  return fmt::format("\"{}\"", assignment);
}

}  // namespace

std::string ModuleName(std::string_view path) {
  std::string_view name = path.substr(path.rfind('/') + 1);
  return Underscored(name.substr(0, name.find('.')));
}

std::string ModuleParameters(std::string_view module, std::string_view command_line) {
  std::string parameters;
  for (const std::string& word : SplitCommandLine(command_line)) {
    size_t dot = word.find('.');
    if (dot == std::string::npos || dot > word.find('=')) continue;
    if (Underscored(std::string_view(word).substr(0, dot)) != module) continue;
    if (!parameters.empty()) parameters += ' ';
    parameters += Quoted(std::string_view(word).substr(dot + 1));
  }
  return parameters;
}

size_t LoadListedModules(const RootDir& root, std::string_view command_line, CaptureSystem& system,
                         CaptureLog& log) {
  size_t loaded = 0;
  Result<std::string> list = root.ReadText(kModuleList);
  if (!list) return loaded;
  // Module paths hold no blanks, so the words of the file are its lines.
  for (const std::string& path : SplitCommandLine(*list)) {
    std::string parameters = ModuleParameters(ModuleName(path), command_line);
    Status status = system.LoadModule(root.HostPath(path), parameters);
    if (status) {
      ++loaded;
    } else {
      log.Say("{}, ignoring", status.error().message());
    }
  }
  return loaded;
}

}  // namespace kdumpkit
