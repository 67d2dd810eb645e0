// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>
#include <vector>

#include "tests/support/temp_dir.h"

namespace kdumpkit {

// A shell script in the place of kdump-filter. Before `body` runs, its arguments are noted; the
// body finds the last one, the output, in $out, and the number of this run in $run.
class StubFilter {
 public:
  explicit StubFilter(const TempDir& dir) : dir_(dir) { SetBody("exit 0"); }

  void SetBody(const std::string& body) const;
  std::string path() const { return dir_.File("kdump-filter"); }
  // The arguments of each run, one string a run.
  std::vector<std::string> runs() const;

 private:
  const TempDir& dir_;
};

// What a working filter does: a log for --dump-dmesg, else a dump of 1000 bytes.
inline constexpr const char* kWorkingFilter = R"(
case "$*" in
*--dump-dmesg*) printf 'first line\nKernel panic\n' >"$out" ;;
*) head -c 1000 /dev/zero >"$out-incomplete" && mv "$out-incomplete" "$out"; echo 'pages kept: 7' ;;
esac
)";

}  // namespace kdumpkit
