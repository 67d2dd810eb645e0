// SPDX-License-Identifier: GPL-2.0-or-later
// Writes the corpus of the fuzz target flattened into the folder that it is given.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

#include "dumpfile/flattened_format.h"
#include "tests/dumpfile/kdump_image.h"
#include "tests/dumpfile/sparse_image.h"

using namespace kdumpkit;

namespace {

// Records without the stream's header.
class Records {
 public:
  Records& Add(uint64_t offset, ByteView bytes) {
    std::array<std::byte, kFlattenedRecordSize> header;
    EncodeFlattenedRecord(offset, bytes.size(), header);
    bytes_.insert(bytes_.end(), header.begin(), header.end());
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
    return *this;
  }
  Records& End() {
    std::array<std::byte, kFlattenedRecordSize> mark;
    mark.fill(std::byte{0xff});
    bytes_.insert(bytes_.end(), mark.begin(), mark.end());
    return *this;
  }
  bool Save(const std::string& path) const {
    std::ofstream stream(path, std::ios::binary);
    stream << AsText(PackImage(bytes_)) << std::flush;
    return stream.good();
  }

 private:
  ByteBuffer bytes_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: flattened_make_corpus DIRECTORY\n", stderr);
    return 2;
  }
  std::string dir = std::string(argv[1]) + "/";
  std::error_code ignored;
  std::filesystem::create_directories(dir, ignored);
  ByteBuffer image = MakeKdumpImage({});
  ByteView all = image;
  bool good =
      Records().Add(4096, all.subspan(4096)).Add(0, all.first(4096)).End().Save(dir + "dump") &&
      Records()
          .Add(0, AsBytes("aaaaaaaaaaaa"))
          .Add(2, AsBytes("bbb"))
          .Add(4, AsBytes("cc"))
          .Add(10, AsBytes("dddd"))
          .End()
          .Save(dir + "overlaps") &&
      Records().Add(0, AsBytes("abc")).Save(dir + "cut");
  if (!good) std::perror(argv[1]);
  return good ? 0 : 1;
}
