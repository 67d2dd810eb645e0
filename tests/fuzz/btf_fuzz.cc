// SPDX-License-Identifier: GPL-2.0-or-later
// BTF of a kernel, and the same bytes once more as split BTF on top of a sound base. Every name
// that occurs is looked up.
#include <cstddef>
#include <cstdint>

#include "kernel/btf.h"
#include "tests/support/btf_builder.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

using namespace kdumpkit;

constexpr uint32_t kMaxTypes = 64;

void LookEverythingUp(const Btf& btf) {
  constexpr std::string_view kNames[] = {"page", "flags", "x", "PG_lru", "pageflags", "list_head"};
  for (std::string_view name : kNames) (void)btf.FindType(name);
  size_t last = btf.type_count() + 1;
  for (uint32_t type = 0; type < std::min<size_t>(last, kMaxTypes); ++type) {
    CHECK(btf.Resolve(type) < UINT32_MAX || type > 0);
    std::optional<uint64_t> size = btf.SizeOf(type);
    CHECK(!size || *size <= UINT32_MAX);
    (void)btf.ArrayLength(type);
    for (std::string_view name : kNames) {
      (void)btf.FindMember(type, name);
      (void)btf.Enumerator(type, name);
    }
  }
}

}  // namespace

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  ByteView bytes = std::as_bytes(std::span<const uint8_t>(data, size));
  (void)Btf::BlobSize(bytes);
  if (Result<Btf> btf = Btf::Parse(bytes)) LookEverythingUp(*btf);
  BtfBuilder builder;
  builder.Struct("list_head", 16, {{"x", builder.Int("int", 4), 0}});
  ByteBuffer base_blob = builder.Build();
  Result<Btf> base = Btf::Parse(base_blob);
  CHECK(base.has_value());
  if (Result<Btf> split = Btf::Parse(bytes, &*base)) LookEverythingUp(*split);
  return 0;
}
