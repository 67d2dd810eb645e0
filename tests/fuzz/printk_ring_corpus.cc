// SPDX-License-Identifier: GPL-2.0-or-later
// Two rings: one with a few records of each kind, one that was gone through several times.
#include <fcntl.h>

#include <filesystem>

#include "base/file.h"
#include "tests/fuzz/printk_ring_input.h"

using namespace kdumpkit;

namespace {

void Write(const PrintkRingBuilder& ring, const std::string& path) {
  ByteBuffer input;
  for (const PrintkRingPart& part : kPrintkRingParts) {
    ByteBuffer bytes = ring.memory().Copy(PhysAddr(part.address), part.size);
    input.insert(input.end(), bytes.begin(), bytes.end());
  }
  Result<UniqueFd> fd = OpenFile(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
  CHECK(fd && WriteFully(fd->get(), input));
}

}  // namespace

int main(int, char** argv) {
  std::string folder = argv[1];
  std::filesystem::create_directories(folder);
  PrintkRingBuilder young;
  young.Add("Linux version", 0);
  young.Add("two\nlines\x1b", 1'234'567'890);
  young.AddDataless(1);
  young.AddDataless(3);
  young.Add("reserved", 2, PrintkRingBuilder::kReserved);
  Write(young, folder + "/young");
  PrintkRingBuilder old({.exact_fit = true});
  for (uint64_t i = 0; i < 200; ++i) old.Add(std::string(i % 41, 'x'), i);
  Write(old, folder + "/old");
  return 0;
}
