// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/capture/stub_filter.h"

#include <sys/stat.h>

#include <fstream>

#include "base/error.h"

namespace kdumpkit {

void StubFilter::SetBody(const std::string& body) const {
  std::string script = fmt::format(
      "#!/bin/sh\n"
      "echo \"$*\" >>'{0}'\n"
      "run=$(wc -l <'{0}')\n"
      "for out; do :; done\n"
      "{1}\n",
      dir_.File("filter-runs"), body);
  dir_.Write("kdump-filter", script);
  CHECK(chmod(path().c_str(), 0755) == 0);
}

std::vector<std::string> StubFilter::runs() const {
  std::ifstream stream(dir_.File("filter-runs"));
  std::vector<std::string> lines;
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

}  // namespace kdumpkit
