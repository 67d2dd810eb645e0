// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/error.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace kdumpkit {

Error Error::In(std::string_view context) && {
  return Error(kind_, error_number_, fmt::format("{}: {}", context, message_));
}

Error SystemError(int error_number, std::string_view what) {
  // strerrordesc_np is thread safe; it knows every errno of the C library.
  const char* text = strerrordesc_np(error_number);
  return Error(ErrorKind::kSystem, error_number,
               text != nullptr ? fmt::format("{}: {}", what, text)
                               : fmt::format("{}: error {}", what, error_number));
}

void CheckFailed(const char* file, int line, const char* condition) {
  std::fprintf(stderr, "%s:%d: internal error: %s does not hold\n", file, line, condition);
  std::abort();
}

}  // namespace kdumpkit
