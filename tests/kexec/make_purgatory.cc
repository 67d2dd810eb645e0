// SPDX-License-Identifier: GPL-2.0-or-later
// Writes a purgatory for tests/vm/test_purgatory.py:
//   make_purgatory OUTPUT [entry=N] [boot_params=N] [serial=N] [reset=N]
//                         [backup=SOURCE,SIZE,DESTINATION] [region=NAME,ADDRESS,FILE]...
// and prints "MEMORY-SIZE ENTRY-OFFSET".
#include <fcntl.h>

#include <cstdio>
#include <deque>

#include "base/file.h"
#include "kexec/purgatory_image.h"
#include "kexec/text.h"

namespace kdumpkit {
namespace {

std::vector<std::string> Split(const std::string& text) {
  std::vector<std::string> parts(1);
  for (char c : text) {
    if (c == ',')
      parts.emplace_back();
    else
      parts.back() += c;
  }
  return parts;
}

uint64_t Number(const std::string& text) {
  std::optional<uint64_t> number = ParseNumber(text);
  CHECK(number.has_value());
  return *number;
}

ByteBuffer Contents(const std::string& path) {
  return ReadToEnd(OpenFile(path, O_RDONLY).value().get(), size_t{1} << 30).value();
}

void SetOption(const std::string& name, const std::string& value, PurgatoryOptions& options,
               std::deque<ByteBuffer>& files) {
  std::vector<std::string> parts = Split(value);
  if (name == "entry") options.entry = Number(value);
  if (name == "boot_params") options.boot_params = Number(value);
  if (name == "serial") options.serial_port = static_cast<uint16_t>(Number(value));
  if (name == "reset") options.reset_seconds = std::atoi(value.c_str());
  if (name == "backup") {
    options.backup_source = PhysRange{PhysAddr(Number(parts[0])), Number(parts[1])};
    options.backup_destination = PhysAddr(Number(parts[2]));
  }
  if (name == "region") {
    files.push_back(Contents(parts[2]));
    options.regions.push_back({parts[0], files.back(), PhysAddr(Number(parts[1]))});
  }
}

int Main(int argc, char** argv) {
  CHECK(argc > 1);
  PurgatoryOptions options;
  std::deque<ByteBuffer> files;
  for (int i = 2; i < argc; ++i) {
    std::string argument = argv[i];
    size_t equals = argument.find('=');
    CHECK(equals != std::string::npos);
    SetOption(argument.substr(0, equals), argument.substr(equals + 1), options, files);
  }
  PurgatoryImage image = MakePurgatory(options).value();
  UniqueFd out = OpenFile(argv[1], O_WRONLY | O_CREAT | O_TRUNC, 0644).value();
  CHECK(WriteFully(out.get(), image.bytes).has_value());
  std::printf("%zu %zu\n", size_t{image.memory_size}, size_t{image.entry_offset});
  return 0;
}

}  // namespace
}  // namespace kdumpkit

int main(int argc, char** argv) { return kdumpkit::Main(argc, argv); }
