// SPDX-License-Identifier: GPL-2.0-or-later
#include "initramfs/unpack_image.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <map>

#include "base/file.h"
#include "initramfs/codec.h"

namespace kdumpkit {
namespace {

// See newc.cc for the format. The other magic says that there are checksums, which nobody checks.
constexpr std::string_view kMagic = "070701";
constexpr std::string_view kChecksumMagic = "070702";
constexpr std::string_view kTrailer = "TRAILER!!!";
constexpr size_t kDigits = 8;
constexpr size_t kHeaderSize = 6 + 13 * kDigits;
constexpr size_t kAlignment = 4;
constexpr size_t kLimit = size_t{2} << 30;

struct Entry {
  std::string name;
  uint32_t inode = 0;
  uint32_t mode = 0;
  uint32_t links = 0;
  ByteView data;
};

bool IsArchive(ByteView bytes) {
  std::string_view text = AsText(bytes);
  return text.starts_with(kMagic) || text.starts_with(kChecksumMagic);
}

// By the first bytes, as UnpackModule wants it; empty: unknown.
std::string_view CompressionOf(ByteView bytes) {
  constexpr struct {
    std::string_view magic;
    std::string_view suffix;
  } kKnown[] = {{"\x1f\x8b", ".gz"},
                {"\xfd"
                 "7zXZ",
                 ".xz"},
                {"\x28\xb5\x2f\xfd", ".zst"}};
  for (const auto& known : kKnown)
    if (AsText(bytes).starts_with(known.magic)) return known.suffix;
  return {};
}

// Whether no part of it leads out of the folder.
bool StaysInside(std::string_view name) {
  while (!name.empty()) {
    std::string_view part = name.substr(0, name.find('/'));
    if (part == "..") return false;
    name.remove_prefix(std::min(part.size() + 1, name.size()));
  }
  return true;
}

class Unpacker {
 public:
  explicit Unpacker(const std::string& folder) : folder_(folder) {}

  Status Run(ByteView image);
  const UnpackedImage& result() const { return result_; }

 private:
  Result<size_t> Archive(ByteView image);
  Result<Entry> ReadEntry(ByteView image, size_t& at) const;
  Status Put(const Entry& entry);
  Status PutFile(const Entry& entry, const std::string& path);
  Status PutLink(const Entry& entry, const std::string& path);

  const std::string& folder_;
  UnpackedImage result_;
  std::map<uint32_t, std::string> linked_;  // files with several names, by inode
};

size_t Align(size_t at) { return (at + kAlignment - 1) / kAlignment * kAlignment; }

Status Unpacker::Run(ByteView image) {
  while (!image.empty()) {
    if (image[0] == std::byte{0}) {
      image = image.subspan(1);
    } else if (IsArchive(image)) {
      image = image.subspan(TRY(Archive(image)));
    } else {
      std::string_view suffix = CompressionOf(image);
      if (suffix.empty()) return Unsupported("it is compressed, but neither by gzip, xz nor zstd");
      ByteBuffer rest = TRY(UnpackModule(image, suffix, kLimit));
      if (!IsArchive(rest)) return Malformed("there is no cpio archive in it");
      return Run(rest);
    }
  }
  return {};
}

// Returns how many bytes it had.
Result<size_t> Unpacker::Archive(ByteView image) {
  linked_.clear();
  for (size_t at = 0;;) {
    Entry entry = TRY(ReadEntry(image, at));
    if (entry.name == kTrailer) return at;
    TRY(Put(entry));
  }
}

Result<Entry> Unpacker::ReadEntry(ByteView image, size_t& at) const {
  ByteReader reader(image, kHostOrder, "the archive");
  if (!IsArchive(image.subspan(std::min(at, image.size()))))
    return Malformed("the archive has no header at {:#x}", at);
  std::string_view digits = AsText(TRY(reader.Bytes(at, kHeaderSize))).substr(kMagic.size());
  uint32_t fields[13] = {};
  for (uint32_t& field : fields) {
    auto [end, error] = std::from_chars(digits.data(), digits.data() + kDigits, field, 16);
    if (error != std::errc() || end != digits.data() + kDigits)
      return Malformed("the archive has a damaged header at {:#x}", at);
    digits.remove_prefix(kDigits);
  }
  Entry entry;
  entry.inode = fields[0];
  entry.mode = fields[1];
  entry.links = fields[4];
  std::string_view name = AsText(TRY(reader.Bytes(at + kHeaderSize, fields[11])));
  entry.name = name.substr(0, name.find('\0'));
  at = Align(at + kHeaderSize + fields[11]);
  entry.data = TRY(reader.Bytes(at, fields[6]));
  at = std::min(Align(at + fields[6]), image.size());
  return entry;
}

Status Unpacker::Put(const Entry& entry) {
  if (!StaysInside(entry.name)) return Malformed("the archive has a file '{}'", entry.name);
  std::string path = fmt::format("{}/{}", folder_, entry.name);
  if (S_ISREG(entry.mode)) return PutFile(entry, path);
  if (S_ISLNK(entry.mode)) return PutLink(entry, path);
  if (!S_ISDIR(entry.mode)) return {};
  if (mkdir(path.c_str(), entry.mode & 07777) == 0 || errno == EEXIST) return {};
  return SystemError(errno, fmt::format("cannot make '{}'", path));
}

// Of a file with several names the last one has the data.
Status Unpacker::PutFile(const Entry& entry, const std::string& path) {
  auto [first, is_new] = linked_.try_emplace(entry.links > 1 ? entry.inode : 0, path);
  (void)unlink(path.c_str());
  if (entry.links > 1 && !is_new && link(first->second.c_str(), path.c_str()) != 0)
    return SystemError(errno, fmt::format("cannot link '{}'", path));
  if (entry.links > 1 && !is_new && entry.data.empty()) return {};
  UniqueFd fd = TRY(OpenFile(path, O_WRONLY | O_CREAT | O_TRUNC, 0600));
  TRY(WriteFully(fd.get(), entry.data).In(path));
  if (fchmod(fd.get(), entry.mode & 07777) != 0) return SystemError(errno, path);
  ++result_.files;
  result_.bytes += entry.data.size();
  return {};
}

Status Unpacker::PutLink(const Entry& entry, const std::string& path) {
  (void)unlink(path.c_str());
  std::string target(AsText(entry.data));
  if (symlink(target.c_str(), path.c_str()) == 0) return {};
  return SystemError(errno, fmt::format("cannot make the link '{}'", path));
}

}  // namespace

Result<UnpackedImage> UnpackImage(ByteView image, const std::string& folder) {
  Unpacker unpacker(folder);
  TRY(unpacker.Run(image));
  if (unpacker.result().files == 0) return Malformed("there is no file in it");
  return unpacker.result();
}

}  // namespace kdumpkit
