// SPDX-License-Identifier: GPL-2.0-or-later
// Writes the corpus of the fuzz target kdump_header: kdump_corpus tests/fuzz/corpus/kdump_header
#include <cstdio>
#include <fstream>
#include <string>

#include "tests/dumpfile/kdump_image.h"
#include "tests/dumpfile/sparse_image.h"

using namespace kdumpkit;

namespace {

bool Save(const std::string& path, const KdumpImageOptions& options) {
  ByteBuffer packed = PackImage(MakeKdumpImage(options));
  std::ofstream stream(path, std::ios::binary);
  stream << AsText(packed) << std::flush;
  return stream.good();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: kdump_corpus DIRECTORY\n", stderr);
    return 2;
  }
  std::string dir = std::string(argv[1]) + "/";
  bool good = Save(dir + "lp64-zlib", {}) && Save(dir + "lp64-lzo", {.codec = Codec::kLzo}) &&
              Save(dir + "lp64-snappy", {.codec = Codec::kSnappy}) &&
              Save(dir + "lp64-zstd-lost", {.codec = Codec::kZstd, .lost = true}) &&
              Save(dir + "lp64-big-raw", {.abi = {ByteOrder::kBig, 8, 8}, .codec = Codec::kNone}) &&
              Save(dir + "i386-lzo", {.abi = {ByteOrder::kLittle, 4, 4}, .codec = Codec::kLzo}) &&
              Save(dir + "arm-zlib", {.abi = {ByteOrder::kLittle, 4, 8}});
  if (!good) std::perror(argv[1]);
  return good ? 0 : 1;
}
