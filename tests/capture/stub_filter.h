// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>
#include <vector>

#include "tests/support/temp_dir.h"

namespace kdumpkit {

// A shell script in the place of kdump-filter. Before `body` runs, its arguments are noted; the
// body finds the last one, the output, in $out, the number of this run of a dump in $run, and a
// file name after --json= in $json. --verify succeeds without being asked.
class StubFilter {
 public:
  explicit StubFilter(const TempDir& dir) : dir_(dir) { SetBody("exit 0"); }

  void SetBody(const std::string& body) const;
  // What --verify exits with.
  void SetVerifyStatus(int status) { verify_status_ = status; }
  std::string path() const { return dir_.File("kdump-filter"); }
  // The arguments of each run, one string a run; those with --verify are not among them.
  std::vector<std::string> runs() const;

 private:
  const TempDir& dir_;
  int verify_status_ = 0;
};

// What a working filter does: a log for --dump-dmesg, else a dump of 1000 bytes.
inline constexpr const char* kWorkingFilter = R"(
case " $* " in
*--dump-dmesg*) printf 'first line\nKernel panic - not syncing: test\n' ;;
*--dry-run*) echo '{"bytes": 1000}' >"$json" ;;
*" -F "*) flat ;;
*) head -c 1000 /dev/zero >"$out"; echo 'pages kept: 7' ;;
esac
)";

}  // namespace kdumpkit
