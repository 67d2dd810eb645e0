// SPDX-License-Identifier: GPL-2.0-or-later
#include "kdumpctl/journal.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cerrno>
#include <cstdlib>

namespace kdumpkit {
namespace {

constexpr const char kSocket[] = "/run/systemd/journal/socket";

// A value with newlines has its length before it, 8 bytes of little-endian.
std::string EncodeField(const JournalField& field) {
  if (field.value.find('\n') == std::string::npos)
    return fmt::format("{}={}\n", field.name, field.value);
  ByteWriter size(ByteOrder::kLittle);
  size.Put<uint64_t>(field.value.size());
  ByteBuffer bytes = std::move(size).Take();
  return fmt::format("{}\n{}{}\n", field.name, AsText(bytes), field.value);
}

}  // namespace

std::string EncodeJournalEntry(const std::vector<JournalField>& fields) {
  std::string text;
  for (const JournalField& field : fields) text += EncodeField(field);
  return text;
}

Result<JournalResult> SendToJournal(const RootDir& root, const std::vector<JournalField>& fields) {
  std::string path = root.HostPath(kSocket);
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path)
    return UsageError("'{}' is too long for a socket", path);
  path.copy(address.sun_path, path.size());
  UniqueFd fd(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return SystemError(errno, "cannot make a socket");
  std::string entry = EncodeJournalEntry(fields);
  if (sendto(fd.get(), entry.data(), entry.size(), MSG_NOSIGNAL,
             reinterpret_cast<const sockaddr*>(&address), sizeof address) >= 0)
    return JournalResult::kSent;
  if (errno == ENOENT || errno == ECONNREFUSED) return JournalResult::kNoJournal;
  return SystemError(errno, fmt::format("the journal at '{}' did not take the entry", path));
}

bool IsJournalStream(std::FILE* file) {
  const char* stream = std::getenv("JOURNAL_STREAM");
  struct stat info = {};
  int fd = fileno(file);
  return stream != nullptr && fd >= 0 && fstat(fd, &info) == 0 &&
         stream == fmt::format("{}:{}", info.st_dev, info.st_ino);
}

}  // namespace kdumpkit
