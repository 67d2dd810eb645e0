// SPDX-License-Identifier: GPL-2.0-or-later
// Feeds a fuzz target its corpus without libFuzzer: every file whole, cut at many lengths, and with
// single bytes changed. A crash, a sanitizer report or a hang is the failure.
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

void FeedPrefixes(const std::vector<uint8_t>& input) {
  size_t step = input.size() / 512 + 1;
  for (size_t size = 0; size <= input.size(); size += step) {
    // A buffer of exactly this size, so that a sanitizer sees a read past its end.
    std::vector<uint8_t> prefix(input.begin(), input.begin() + static_cast<ptrdiff_t>(size));
    LLVMFuzzerTestOneInput(prefix.data(), prefix.size());
  }
}

void FeedDamaged(std::vector<uint8_t> input) {
  size_t step = input.size() / 2048 + 1;
  for (size_t at = 0; at < input.size(); at += step) {
    uint8_t good = input[at];
    for (uint8_t bad : {uint8_t{0}, uint8_t{0xff}, static_cast<uint8_t>(good ^ 0x80)}) {
      input[at] = bad;
      LLVMFuzzerTestOneInput(input.data(), input.size());
    }
    input[at] = good;
  }
}

}  // namespace

int main(int argc, char** argv) {
  int files = 0;
  for (int i = 1; i < argc; ++i) {
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(argv[i], error)) {
      std::ifstream stream(entry.path(), std::ios::binary);
      std::vector<uint8_t> input{std::istreambuf_iterator<char>(stream), {}};
      FeedPrefixes(input);
      FeedDamaged(input);
      ++files;
    }
  }
  std::printf("replayed %d corpus files\n", files);
  return files > 0 ? 0 : 1;
}
