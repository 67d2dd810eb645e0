// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/raw_target.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "capture/device.h"
#include "capture/step_progress.h"

namespace kdumpkit {
namespace {

// Kept for the manifest and capture.log.
constexpr uint64_t kReserve = uint64_t{1} << 20;
// How often the header is told how far a part has got.
constexpr uint64_t kHeaderInterval = uint64_t{64} << 20;
constexpr size_t kPiece = size_t{1} << 20;

Status CheckUnused(const std::string& path, int fd, const CaptureContext& context) {
  Result<RawHeader> header = ReadRawHeader(fd);
  if (header && !header->parts.empty())
    return Unsupported(
        "'{}' still has the dump '{}'; 'kdump-capture --recover {} FOLDER' makes a file of it",
        path, header->folder, path);
  if (!header && header.error().kind() == ErrorKind::kMalformed)
    context.log.Say("'{}': {}, overwriting it", path, header.error().message());
  return {};
}

}  // namespace

Result<std::unique_ptr<Target>> RawTarget::Open(const Destination& destination,
                                                const CaptureContext& context) {
  context.Begin("waiting for the destination's device", context.config.device_timeout);
  Device device = TRY(WaitForDevice(destination, context.config.device_timeout, context.root,
                                    context.system, context.log));
  if (!device.id.type.empty())
    return Unsupported("'{}' is to be overwritten, but it has a file system ({})", device.path,
                       device.id.type);
  int mode = context.dry != nullptr ? O_RDONLY : O_RDWR;
  UniqueFd fd = TRY(OpenFile(context.root.HostPath(device.path), mode));
  uint64_t size = TRY(DeviceSize(fd.get()));
  TRY(CheckUnused(device.path, fd.get(), context));
  if (context.dry != nullptr)
    return Unsupported("'{}' is there, {}, and free for a dump, but a dry run writes no raw device",
                       device.path, SizeText(size));
  context.log.Say("destination: {} (raw, {})", device.path, SizeText(size));
  return std::unique_ptr<Target>(
      new RawTarget(context, std::move(device.path), std::move(fd), size));
}

std::string RawTarget::Describe(std::string_view name) const {
  return name.empty() ? fmt::format("raw:{}", path_) : fmt::format("raw:{}, {}", path_, name);
}

Result<std::optional<uint64_t>> RawTarget::Room() {
  uint64_t used = NextRawOffset(header_) + kReserve;
  return std::optional<uint64_t>(size_ > used ? size_ - used : 0);
}

Status RawTarget::WriteHeader() {
  context_.Begin(fmt::format("writing '{}'", path_));
  return WriteRawHeader(fd_.get(), header_).In(fmt::format("'{}'", path_));
}

Status RawTarget::MakeFolder(const std::string& name) {
  header_.folder = name;
  return WriteHeader();
}

Status RawTarget::Begin(const std::string& name) {
  if (header_.parts.size() == kMaxRawParts)
    return Unsupported("'{}': too many parts for its header", path_);
  RawPart part;
  part.name = name;
  part.offset = NextRawOffset(header_);
  header_.parts.push_back(std::move(part));
  hash_ = Sha256();
  return WriteHeader();
}

Status RawTarget::Write(ByteView bytes) {
  context_.Begin(fmt::format("writing '{}'", path_));
  RawPart& part = header_.parts.back();
  uint64_t at = part.offset + part.size;
  if (at > size_ || bytes.size() > size_ - at)
    return SystemError(ENOSPC, fmt::format("cannot write '{}'", path_));
  TRY(WriteFullyAt(fd_.get(), FileOffset(at), bytes).In(fmt::format("'{}'", path_)));
  hash_.Update(bytes);
  part.size += bytes.size();
  // So that of a capture that is killed something can be found again.
  if ((part.size - bytes.size()) / kHeaderInterval == part.size / kHeaderInterval) return {};
  if (fsync(fd_.get()) != 0) return SystemError(errno, fmt::format("cannot sync '{}'", path_));
  return WriteHeader();
}

Result<Digest> RawTarget::ReadBack(const RawPart& part) {
  (void)posix_fadvise(fd_.get(), 0, 0, POSIX_FADV_DONTNEED);
  Sha256 hash;
  ByteBuffer piece(kPiece);
  StepProgress progress("reading the dump back", part.size, context_.log);
  for (uint64_t done = 0; done < part.size; done += piece.size()) {
    context_.Begin(fmt::format("reading '{}' back", path_));
    piece.resize(static_cast<size_t>(std::min<uint64_t>(kPiece, part.size - done)));
    TRY(ReadFullyAt(fd_.get(), FileOffset(part.offset + done), piece).In(path_));
    hash.Update(piece);
    progress.Update(done);
    (void)posix_fadvise(fd_.get(), static_cast<off_t>(part.offset + done),
                        static_cast<off_t>(piece.size()), POSIX_FADV_DONTNEED);
  }
  return Digest{part.size, HexText(hash.Finish())};
}

Result<Verified> RawTarget::End(const Digest& written) {
  context_.Begin(fmt::format("writing '{}'", path_));
  if (fsync(fd_.get()) != 0) return SystemError(errno, fmt::format("cannot sync '{}'", path_));
  RawPart& part = header_.parts.back();
  Digest found = TRY(ReadBack(part));
  if (found.sha256 != written.sha256)
    return Malformed("'{}' has not the bytes of '{}' that were written", path_, part.name);
  part.sha256 = hash_.Finish();
  part.complete = true;
  TRY(WriteHeader());
  return Verified::kYes;
}

void RawTarget::Abandon() {
  (void)fsync(fd_.get());
  header_.parts.back().sha256 = hash_.Finish();
  (void)WriteHeader();
}

// A dry run never comes so far.
Status RawTarget::RemoveFolder() { return Unsupported("'{}' has no folders", path_); }

Status RawTarget::Close() {
  header_.complete = true;
  return WriteHeader();
}

}  // namespace kdumpkit
