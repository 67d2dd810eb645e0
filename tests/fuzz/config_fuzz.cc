// SPDX-License-Identifier: GPL-2.0-or-later
// A kdump.conf. Whatever stands in it, there is a configuration that can be used; what the capture
// image would get of it is read without an error, and says the same again.
#include <cstddef>
#include <cstdint>

#include "base/bytes.h"
#include "config/parse.h"
#include "config/serialize.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

using namespace kdumpkit;

ParsedConfig Read(const std::string& text) {
  ConfigSource source{"file", text};
  return ParseConfig({&source, 1});
}

}  // namespace

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string text(AsText(std::as_bytes(std::span<const uint8_t>(data, size))));
  ParsedConfig reading = Read(text);
  CHECK(!reading.config.destinations.empty());
  for (const Problem& problem : reading.problems) CHECK(!FormatProblem(problem).empty());
  // Settings that contradict each other are still written; only good ones are read back alike.
  std::string capture = SerializeForCapture(reading.config);
  if (!reading.ok()) return 0;
  ParsedConfig again = Read(capture);
  CHECK(again.ok());
  CHECK(SerializeForCapture(again.config) == capture);
  return 0;
}
