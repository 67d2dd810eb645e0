// SPDX-License-Identifier: GPL-2.0-or-later
// The tables of kallsyms with any bytes in them, through keys and by their shape.
#include <cstddef>
#include <cstdint>

#include "tests/fuzz/kallsyms_input.h"
#include "tests/support/identity_kernel.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

using namespace kdumpkit;

constexpr uint64_t kMemory = 0x10000;  // bytes, from kFuzzText on

void ReadAll(const MemorySource& memory, const std::string& keys) {
  IdentityKernel kernel(memory, keys, {62});
  Result<Kallsyms> symbols = Kallsyms::Read(kernel);
  if (!symbols) return;
  uint32_t count = 0;
  symbols->ForEach([&](const KernelSymbol& symbol) {
    CHECK(!symbol.name.empty());
    ++count;
    return true;
  });
  CHECK(count == symbols->size());
}

}  // namespace

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  ByteView bytes = std::as_bytes(std::span<const uint8_t>(data, size));
  FakeMemory memory;
  memory.AddRange(PhysAddr(kFuzzText), kMemory);
  KallsymsBuilder builder = FuzzTables(data[0] % kFuzzShapes);
  std::string keys = builder.Put(memory, VirtAddr(kFuzzTables), PhysAddr(kFuzzTables));
  size_t room = static_cast<size_t>(kFuzzText + kMemory - kFuzzTables);
  memory.Write(PhysAddr(kFuzzTables), bytes.subspan(1, std::min(size - 1, room)));
  // The search begins at _stext; with keys that address is only compared.
  ReadAll(memory, fmt::format("SYMBOL(_stext)={:x}\nNUMBER(KERNEL_IMAGE_SIZE)={}\n{}", kFuzzText,
                              kMemory, builder.old_order ? "" : keys));
  return 0;
}
