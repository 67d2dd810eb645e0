// SPDX-License-Identifier: GPL-2.0-or-later
// Records in order, out of order, overlapping, empty; with an end mark and without.
#include <fcntl.h>

#include <filesystem>

#include "base/file.h"
#include "dumpfile/flattened_format.h"

using namespace kdumpkit;

namespace {

void Put(ByteWriter& out, uint64_t offset, std::string_view text) {
  out.Put(offset);
  out.Put(uint64_t{text.size()});
  out.PutBytes(AsBytes(text));
}

void Write(ByteView bytes, const std::string& path) {
  Result<UniqueFd> fd = OpenFile(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
  CHECK(fd && WriteFully(fd->get(), bytes));
}

}  // namespace

int main(int, char** argv) {
  std::string folder = argv[1];
  std::filesystem::create_directories(folder);
  ByteWriter out(ByteOrder::kBig);
  Put(out, 4096, "second");
  Put(out, 0, "KDUMP   first");
  Put(out, 4, "overlaps");
  Put(out, 2, "");
  Put(out, 100, "x");
  out.Put(kFlattenedEndMark);
  out.Put(kFlattenedEndMark);
  ByteBuffer bytes = std::move(out).Take();
  Write(bytes, folder + "/whole");
  Write(ByteView(bytes).first(bytes.size() - 24), folder + "/cut");
  return 0;
}
