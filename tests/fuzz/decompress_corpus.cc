// SPDX-License-Identifier: GPL-2.0-or-later
// Writes one file a compression, and one of two streams with bytes behind them.
#include <filesystem>
#include <fstream>

#include "tests/kexec/packer.h"

namespace {

void Write(const std::string& folder, const std::string& name, const std::string& contents) {
  std::ofstream(folder + "/" + name, std::ios::binary) << contents;
}

std::string Text() {
  std::string text;
  for (int i = 0; i < 40; ++i) text += fmt::format("line {} of {}\n", i * i, i % 7);
  return text;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 1;
  std::filesystem::create_directories(argv[1]);
  for (kdumpkit::Compression compression : kdumpkit::kAllCompressions) {
    std::string name =
        fmt::format("{}-{}", static_cast<int>(compression), CompressionName(compression));
    Write(argv[1], name, kdumpkit::Pack(compression, Text()));
    Write(argv[1], name + "-twice",
          kdumpkit::Pack(compression, "one") + std::string(4, '\0') +
              kdumpkit::Pack(compression, "two") + "tail");
  }
  return 0;
}
