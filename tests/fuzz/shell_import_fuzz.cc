// SPDX-License-Identifier: GPL-2.0-or-later
// Another distribution's settings. Whatever stands in them, what is made of them has no errors.
#include <cstddef>
#include <cstdint>

#include "base/bytes.h"
#include "config/import.h"
#include "config/parse.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace kdumpkit;
  std::string text(AsText(std::as_bytes(std::span<const uint8_t>(data, size))));
  for (const ImportSource& source : ImportSources()) {
    ConfigSource made{"file", source.import("import", text).text};
    CHECK(ParseConfig({&made, 1}).ok());
  }
  return 0;
}
