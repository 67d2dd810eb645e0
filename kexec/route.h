// SPDX-License-Identifier: GPL-2.0-or-later
// Which of the two system calls serves a load.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "kexec/kernel_file.h"
#include "kexec/options.h"

namespace kdumpkit {

enum class KexecCall {
  kFile,      // kexec_file_load(2): the kernel reads the files, verifies and places them
  kSegments,  // kexec_load(2): this program makes the segments
};

struct Route {
  KexecCall call = KexecCall::kFile;
  bool may_fall_back = false;  // kexec_load could do it, too, and is allowed
  std::string reason;          // why kexec_load at once, for -d; may be empty
};

// Fails with one sentence when neither call (or not the demanded one) takes the image on `machine`
// (as uname spells it): what the file looks like, what is wanted, what to do.
Result<Route> ChooseRoute(const Options& options, const KernelFile& kernel,
                          std::string_view machine);

// "kexec_file_load", "kexec_load".
std::string_view CallName(KexecCall call);

// After which errno of kexec_file_load kexec_load is worth a try: the call is not there, or does
// not know the image, the platform or a flag. Any other answer is about permission, signatures,
// room or the files, which kexec_load would only circumvent or repeat.
bool FallsBack(int error);

}  // namespace kdumpkit
