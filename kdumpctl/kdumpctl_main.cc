// SPDX-License-Identifier: GPL-2.0-or-later
// kdumpctl: the administrator's command. See kdumpctl(8).
#include <cstdio>
#include <string>
#include <vector>

#include "kdumpctl/command.h"

int main(int argc, char** argv) {
  using namespace kdumpkit;
  Result<RootDir> root = RootDir::Open("/");
  CHECK(root.has_value());
  std::vector<std::string> arguments(argv + (argc > 0 ? 1 : 0), argv + argc);
  return RunKdumpctl(arguments, *root, stdout, stderr);
}
