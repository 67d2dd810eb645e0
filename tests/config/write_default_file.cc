// SPDX-License-Identifier: GPL-2.0-or-later
// Prints what config/kdump.conf has to be: after a change of the table of directives,
//   ninja -C build tests/config/write_default_file
//   build/tests/config/write_default_file > config/kdump.conf
#include <cstdio>

#include "config/serialize.h"

int main() { return std::fputs(kdumpkit::DefaultFile().c_str(), stdout) < 0 ? 1 : 0; }
