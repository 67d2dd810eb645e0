// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/kernel_btf.h"

#include "kernel/image_scan.h"

namespace kdumpkit {
namespace {

constexpr uint64_t kMaxBlob = uint64_t{64} << 20;  // Linux 7.3 of Debian has 5.3 MiB

Result<ByteBuffer> ReadBlob(const CrashedKernel& kernel, VirtAddr at, uint64_t size) {
  if (size > kMaxBlob) return Malformed("BTF of {} bytes at 0x{:x}", size, at.value);
  ByteBuffer blob(static_cast<size_t>(size));
  TRY(kernel.NewMemory()->Read(at, blob));
  if (TRY(Btf::Parse(blob)).FindType(Btf::kStruct, "page") == 0) {
    return Malformed("the BTF at 0x{:x} has no struct page", at.value);
  }
  return blob;
}

Result<ByteBuffer> ReadAt(const CrashedKernel& kernel, VirtAddr at) {
  std::array<std::byte, Btf::kMaxHeader> header;
  TRY(kernel.NewMemory()->Read(at, header));
  return ReadBlob(kernel, at, TRY(Btf::BlobSize(header)));
}

// The magic number, version 1 and no flags, as they stand at the beginning of a blob.
ByteBuffer Signature(ByteOrder order) {
  ByteWriter writer(order);
  writer.Put(uint16_t{0xeb9f});
  writer.Put(uint8_t{1});
  writer.Put(uint8_t{0});
  return std::move(writer).Take();
}

}  // namespace

Result<ByteBuffer> ReadKernelBtf(const CrashedKernel& kernel, const Kallsyms* symbols) {
  if (symbols != nullptr) {
    auto found = symbols->Find({"__start_BTF", "__stop_BTF"});
    if (found[0] && found[1] && *found[0] < *found[1]) {
      return ReadBlob(kernel, *found[0], *found[1] - *found[0]).In("__start_BTF");
    }
    return Unsupported("the kernel has no BTF");
  }
  ByteBuffer signature = Signature(kernel.machine().order);
  Result<ByteBuffer> blob = Unsupported("no BTF is in the kernel image");
  ScanImage(kernel, signature, [&](VirtAddr at) {
    Result<ByteBuffer> here = ReadAt(kernel, at);
    if (here) blob = std::move(here);
    return blob.has_value();
  });
  return blob;
}

}  // namespace kdumpkit
