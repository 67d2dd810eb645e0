// SPDX-License-Identifier: GPL-2.0-or-later
#include "initramfs/newc.h"

#include <sys/stat.h>

#include <array>
#include <limits>

namespace kdumpkit {
namespace {

// Documentation/driver-api/early-userspace/buffer-format.rst of the kernel: a header of a magic
// and thirteen numbers of eight hexadecimal digits, then the name with its NUL, then the data;
// name and data each padded to a multiple of four bytes from the archive's begin.
constexpr std::string_view kMagic = "070701";
constexpr std::string_view kTrailer = "TRAILER!!!";
constexpr size_t kAlignment = 4;
// Written like others do, so that an archive can be followed by another one.
constexpr size_t kBlock = 512;

struct Header {
  uint32_t inode = 0;
  uint32_t mode = 0;
  uint32_t links = 1;
  uint32_t size = 0;
  uint32_t device_major = 0;
  uint32_t device_minor = 0;
};

void PadToMultiple(ByteWriter& out, size_t multiple) {
  out.PadTo((out.size() + multiple - 1) / multiple * multiple);
}

void PutHeader(ByteWriter& out, const Header& header, std::string_view name) {
  const std::array<uint32_t, 13> kFields = {
      header.inode,
      header.mode,
      0,  // owner
      0,  // group
      header.links,
      0,  // time of change
      header.size,
      0,  // major of the device that holds the file
      0,  // minor
      header.device_major,
      header.device_minor,
      static_cast<uint32_t>(name.size() + 1),
      0,  // checksum; none in this variant
  };
  out.PutBytes(AsBytes(kMagic));
  for (uint32_t field : kFields) out.PutBytes(AsBytes(fmt::format("{:08X}", field)));
  out.PutBytes(AsBytes(name));
  out.Put(uint8_t{0});
  PadToMultiple(out, kAlignment);
}

uint32_t TypeBits(TreeEntry::Kind kind) {
  switch (kind) {
    case TreeEntry::Kind::kFolder:
      return S_IFDIR;
    case TreeEntry::Kind::kFile:
      return S_IFREG;
    case TreeEntry::Kind::kCharDevice:
      return S_IFCHR;
  }
  CHECK(false);
}

}  // namespace

Result<ByteBuffer> WriteNewc(const FileTree& tree) {
  ByteWriter out(kHostOrder);
  uint32_t inode = 0;
  for (const auto& [path, entry] : tree.entries()) {
    if (entry.data.size() > std::numeric_limits<uint32_t>::max())
      return Unsupported("'/{}' is larger than 4 GiB", path);
    Header header;
    header.inode = ++inode;
    header.mode = TypeBits(entry.kind) | entry.permissions;
    header.links = entry.kind == TreeEntry::Kind::kFolder ? 2 : 1;
    header.size = static_cast<uint32_t>(entry.data.size());
    header.device_major = entry.major;
    header.device_minor = entry.minor;
    PutHeader(out, header, path);
    out.PutBytes(entry.data);
    PadToMultiple(out, kAlignment);
  }
  PutHeader(out, Header{}, kTrailer);
  PadToMultiple(out, kBlock);
  return std::move(out).Take();
}

}  // namespace kdumpkit
