// SPDX-License-Identifier: GPL-2.0-or-later
// A log of each kind that was gone through several times, and one with a few records.
#include <fcntl.h>

#include <filesystem>

#include "base/file.h"
#include "tests/support/old_log_builder.h"

using namespace kdumpkit;

namespace {

void Write(const OldLog& log, uint8_t kind, const std::string& path) {
  ByteBuffer input = {std::byte{kind}};
  for (auto [address, size] : std::initializer_list<std::pair<uint64_t, size_t>>{
           {OldLog::kVariables + 8, 5 * 8}, {OldLog::kBuffer, 700}}) {
    ByteBuffer bytes = log.memory().Copy(PhysAddr(address), size);
    input.insert(input.end(), bytes.begin(), bytes.end());
  }
  Result<UniqueFd> fd = OpenFile(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
  CHECK(fd && WriteFully(fd->get(), input));
}

}  // namespace

int main(int, char** argv) {
  std::string folder = argv[1];
  std::filesystem::create_directories(folder);
  RecordLog young({});
  young.Add("Linux version");
  young.Clear();
  young.Add("usb: new device", {.level = 3, .dictionary = "SUBSYSTEM=usb"});
  Write(young, 2, folder + "/young");
  RecordLog old({});
  for (int i = 0; i < 300; ++i) old.Add("x");
  Write(old, 0, folder + "/old");
  TextLog text;
  for (int i = 0; i < 400; ++i) text.Add("<6>[    1.234567] line\n");
  Write(text, 1, folder + "/text");
  return 0;
}
