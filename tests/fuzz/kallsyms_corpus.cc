// SPDX-License-Identifier: GPL-2.0-or-later
// The tables of kallsyms in every shape.
#include <filesystem>
#include <fstream>

#include "tests/fuzz/kallsyms_input.h"

using namespace kdumpkit;

int main(int, char** argv) {
  std::filesystem::path folder = argv[1];
  std::filesystem::create_directories(folder);
  for (int shape = 0; shape < kFuzzShapes; ++shape) {
    FakeMemory memory;
    memory.AddRange(PhysAddr(kFuzzTables), 0x2000);
    KallsymsBuilder builder = FuzzTables(shape);
    builder.Put(memory, VirtAddr(kFuzzTables), PhysAddr(kFuzzTables));
    ByteBuffer bytes = memory.Copy(PhysAddr(kFuzzTables), 0x700);
    std::ofstream file(folder / std::to_string(shape), std::ios::binary);
    file.put(static_cast<char>(shape));
    file.write(AsChars(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  }
  return 0;
}
