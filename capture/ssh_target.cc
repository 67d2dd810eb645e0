// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/ssh_target.h"

#include <cerrno>

#include "capture/filter_child.h"

namespace kdumpkit {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds kRetryInterval{2000};
// More dumps than this in one second are not crashes.
constexpr int kMaxSameName = 100;
// What a server may take beyond the limit of a step.
constexpr seconds kAbandonLimit{30};
// For ssh to end by itself when its connection is given up.
constexpr seconds kCloseLimit{5};
// A server that reads its disk more slowly than this is taken for one that hangs.
constexpr uint64_t kSlowestRead = uint64_t{4} << 20;  // bytes a second

}  // namespace

SshAccess SshTarget::AccessOf(const Destination& destination, const CaptureConfig& config) {
  SshAccess access;
  access.user = destination.user;
  access.host = destination.host;
  access.port = destination.port;
  access.identities = config.ssh_identities;
  access.known_hosts = config.ssh_known_hosts;
  access.host_keys = config.ssh_host_keys;
  access.connect_timeout = config.connect_timeout;
  return access;
}

SshTarget::SshTarget(SshAccess access, std::string path, const CaptureContext& context)
    : context_(context),
      access_(std::move(access)),
      host_(access_, context.config.connect_timeout + context.config.stall_timeout, context.log,
            context.watchdog),
      parent_(path == "/" ? "" : std::move(path)) {}

Result<std::unique_ptr<Target>> SshTarget::Open(SshAccess access, std::string path,
                                                seconds patience, const CaptureContext& context) {
  std::unique_ptr<SshTarget> target(new SshTarget(std::move(access), std::move(path), context));
  TRY(target->WaitForServer(patience));
  context.log.Say("destination: {}", target->Describe(""));
  return std::unique_ptr<Target>(std::move(target));
}

// A link that is up does not mean that packets get through: a switch may take half a minute.
Status SshTarget::WaitForServer(seconds patience) {
  milliseconds begin = context_.system.Uptime();
  for (;;) {
    Result<std::string> answer =
        RunSsh(access_, {"true"}, {}, access_.connect_timeout + kAbandonLimit, context_.log,
               context_.watchdog);
    if (answer) return {};
    milliseconds waited = context_.system.Uptime() - begin;
    bool over = waited + kRetryInterval >= patience;
    if (over || !MayPassAway(answer.error())) return answer.error();
    context_.log.Say("{}, trying again", answer.error().message());
    context_.system.Sleep(kRetryInterval);
  }
}

std::string SshTarget::Describe(std::string_view name) const {
  std::string path = folder_.empty() ? parent_ : folder_;
  std::string_view slash = path.starts_with('/') ? "" : "/~/";
  return fmt::format("{}{}{}/{}", access_.Describe(), slash, path, name);
}

Result<std::optional<uint64_t>> SshTarget::Room() {
  Result<uint64_t> free = host_.FreeBytes(parent_.empty() ? "/" : parent_);
  if (!free) return free.error();
  return std::optional<uint64_t>(*free);
}

std::vector<std::string> SshTarget::DumpNames() {
  // The folder may not be there yet.
  return host_.List(parent_.empty() ? "/" : parent_).value_or(std::vector<std::string>());
}

Status SshTarget::MakeFolder(const std::string& name) {
  Status made;
  for (int number = 1; number < kMaxSameName; ++number) {
    folder_ = number == 1 ? fmt::format("{}/{}", parent_, name)
                          : fmt::format("{}/{}-{}", parent_, name, number);
    made = host_.MakeFolder(folder_);
    if (made || made.error().error_number() != EEXIST) return made;
  }
  return made;
}

Status SshTarget::Begin(const std::string& name) {
  context_.Begin("starting ssh");
  name_ = name;
  stream_.emplace(TRY(SshStream::Start(access_, fmt::format("{}{}", PathOf(name), kIncomplete))));
  return {};
}

Status SshTarget::Write(ByteView bytes) {
  // The watchdog comes later than the stream's own limit.
  context_.Begin("sending to the server", kAbandonLimit);
  return stream_->Write(bytes, context_.config.stall_timeout);
}

Result<std::string> SshTarget::RemoteDigest(const std::string& path, uint64_t size) {
  milliseconds limit =
      context_.config.stall_timeout + seconds(static_cast<int64_t>(size / kSlowestRead));
  std::optional<std::string> digest = TRY(host_.Sha256(path, limit));
  if (digest) return *digest;
  context_.log.Say("the server has no sha256sum: reading the file back");
  Sha256 hash;
  auto sink = [&hash](ByteView bytes) -> Status {
    hash.Update(bytes);
    return {};
  };
  std::string word = path.starts_with('/') ? path : "./" + path;
  FilterEnd end = TRY(RunFilter({SshArgv(access_, {"cat", word}), "", sink}, context_));
  if (end.complete()) return HexText(hash.Finish());
  return Error(ErrorKind::kSystem, fmt::format("cannot read '{}' back: {}", path, end.ToString()));
}

Result<Verified> SshTarget::End(const Digest& written) {
  context_.Begin("waiting for the server's disk", kAbandonLimit);
  Status finished = stream_->Finish(context_.config.stall_timeout);
  stream_.reset();
  TRY(finished);
  std::string path = PathOf(name_);
  std::string incomplete = fmt::format("{}{}", path, kIncomplete);
  uint64_t size = TRY(host_.Size(incomplete));
  if (size != written.size)
    return Truncated("'{}' has {} bytes on the server, {} were sent", path, size, written.size);
  if (TRY(RemoteDigest(incomplete, size)) != written.sha256)
    return Malformed("'{}' has not the bytes that were sent: other digest", path);
  TRY(host_.Rename(incomplete, path));
  return Verified::kYes;
}

void SshTarget::Abandon() {
  if (!stream_) return;
  context_.Begin("closing ssh", kCloseLimit);
  (void)stream_->Finish(kCloseLimit);
  stream_.reset();
}

void SshTarget::SetAside(const std::string& name) {
  std::string incomplete = fmt::format("{}{}", PathOf(name), kIncomplete);
  (void)host_.Rename(incomplete, fmt::format("{}{}", incomplete, kAside));
}

void SshTarget::DropAside(const std::string& name) {
  std::string path = fmt::format("{}{}{}", PathOf(name), kIncomplete, kAside);
  (void)RunSsh(access_, {"rm", "-f", "--", path}, {}, kAbandonLimit, context_.log,
               context_.watchdog);
}

Status SshTarget::RemoveFolder() {
  std::string word = folder_.starts_with('/') ? folder_ : "./" + folder_;
  Result<std::string> removed = RunSsh(access_, {"rm", "-rf", "--", word}, {}, kAbandonLimit,
                                       context_.log, context_.watchdog);
  if (!removed) return removed.error();
  return {};
}

}  // namespace kdumpkit
