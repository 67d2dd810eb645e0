// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/capture/stub_filter.h"

#include <sys/stat.h>

#include <fstream>

#include "base/error.h"

namespace kdumpkit {

void StubFilter::SetBody(const std::string& body) const {
  // flat: what begins and ends as a flattened dump does.
  std::string script = fmt::format(
      "#!/bin/sh\n"
      "case \"$*\" in *--verify*) exit {2};; esac\n"
      "echo \"$*\" >>'{0}'\n"
      "run=$(grep -vc dump-dmesg '{0}')\n"
      "for out; do case $out in --json=*) json=${{out#--json=}};; esac; done\n"
      "flat() {{\n"
      "  printf 'makedumpfile\\000\\000\\000\\000'\n"
      "  printf "
      "'\\000\\000\\000\\000\\000\\000\\000\\001\\000\\000\\000\\000\\000\\000\\000\\001'\n"
      "  head -c 5000 /dev/zero\n"
      "  head -c 16 /dev/zero | tr '\\000' '\\377'\n"
      "}}\n"
      "{1}\n",
      dir_.File("filter-runs"), body, verify_status_);
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
