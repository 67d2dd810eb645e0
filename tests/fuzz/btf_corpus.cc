// SPDX-License-Identifier: GPL-2.0-or-later
// Small BTF blobs: of both byte orders, with a kind of the future, and with types that contain
// themselves.
#include <filesystem>
#include <fstream>

#include "tests/support/btf_builder.h"

using namespace kdumpkit;

namespace {

void AddTypes(BtfBuilder& builder) {
  uint32_t number = builder.Int("long unsigned int", 8);
  uint32_t list = builder.Struct("list_head", 16, {{"x", number, 0}});
  uint32_t inner = builder.Struct("", 16, {{"x", list, 0}}, Btf::kUnion);
  uint32_t flags = builder.Reference(Btf::kTypedef, number, "flags_t");
  builder.Struct("page", 64, {{"flags", flags, 0}, {"", inner, 64}, {"bits", number, 192, 3}});
  builder.Array(list, 11);
  builder.Enum("pageflags", {{"PG_lru", 5}, {"PG_none", -1}});
  builder.Enum64("wide", {{"x", int64_t{1} << 40}});
}

void Write(const std::filesystem::path& path, const BtfBuilder& builder) {
  ByteBuffer blob = builder.Build();
  std::ofstream(path, std::ios::binary)
      .write(AsChars(blob.data()), static_cast<std::streamsize>(blob.size()));
}

}  // namespace

int main(int, char** argv) {
  std::filesystem::path folder = argv[1];
  std::filesystem::create_directories(folder);
  for (ByteOrder order : {ByteOrder::kLittle, ByteOrder::kBig}) {
    BtfBuilder builder(order);
    AddTypes(builder);
    Write(folder / (order == ByteOrder::kLittle ? "little" : "big"), builder);
  }
  BtfBuilder future;
  future.Raw(40, 1, ByteBuffer(12), "x");
  future.AddLayout(40, 4, 8);
  AddTypes(future);
  Write(folder / "future", future);
  BtfBuilder loops;
  loops.Reference(Btf::kTypedef, 1, "x");
  loops.Array(2, 2);
  loops.Struct("page", 8, {{"", 3, 0}, {"", 3, 0}, {"", 1, 0}});
  Write(folder / "loops", loops);
  return 0;
}
