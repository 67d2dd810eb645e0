// SPDX-License-Identifier: GPL-2.0-or-later
#include "kdumpctl/live_system.h"

#include <blkid/blkid.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>

#include "base/file.h"

namespace kdumpkit {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

struct Pipe {
  UniqueFd read_end;
  UniqueFd write_end;
};

Result<Pipe> MakePipe() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return SystemError(errno, "cannot make a pipe");
  return Pipe{UniqueFd(ends[0]), UniqueFd(ends[1])};
}

// Takes what is there; false at the end. What is beyond the limit is read and dropped.
bool Drain(int fd, std::string& text) {
  constexpr size_t kLimit = size_t{4} << 20;
  char buffer[4096];
  ssize_t n = read(fd, buffer, sizeof buffer);
  if (n < 0) return errno == EINTR || errno == EAGAIN;
  if (n == 0) return false;
  size_t room = kLimit - std::min(kLimit, text.size());
  text.append(buffer, std::min(room, static_cast<size_t>(n)));
  return true;
}

int MillisecondsUntil(Clock::time_point end) {
  auto left = std::chrono::duration_cast<milliseconds>(end - Clock::now());
  return static_cast<int>(std::max<int64_t>(left.count(), 0));
}

// Reads both until they end or the time is over.
void Collect(int out, int err, Clock::time_point end, ProgramResult& result) {
  pollfd wanted[2] = {{out, POLLIN, 0}, {err, POLLIN, 0}};
  std::string* texts[2] = {&result.out, &result.err};
  while (wanted[0].fd >= 0 || wanted[1].fd >= 0) {
    int ready = poll(wanted, 2, MillisecondsUntil(end));
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) return;
    for (int i = 0; i < 2; ++i)
      if (wanted[i].revents != 0 && !Drain(wanted[i].fd, *texts[i])) wanted[i].fd = -1;
  }
}

struct FreeAddresses {
  void operator()(addrinfo* list) const { freeaddrinfo(list); }
};

std::string NumericText(const addrinfo& entry) {
  char text[NI_MAXHOST];
  int status =
      getnameinfo(entry.ai_addr, entry.ai_addrlen, text, sizeof text, nullptr, 0, NI_NUMERICHOST);
  return status == 0 ? text : "";
}

struct FreeProbe {
  void operator()(blkid_probe probe) const { blkid_free_probe(probe); }
};

std::string ProbedValue(blkid_probe probe, const char* name) {
  const char* value = nullptr;
  return blkid_probe_lookup_value(probe, name, &value, nullptr) == 0 ? value : "";
}

class RealLiveSystem : public LiveSystem {
 public:
  Result<ProgramResult> Run(const std::vector<std::string>& argv, milliseconds limit) override {
    Clock::time_point end = Clock::now() + limit;
    UniqueFd null = TRY(OpenFile("/dev/null", O_RDONLY));
    Pipe out = TRY(MakePipe());
    Pipe err = TRY(MakePipe());
    SpawnOptions options{null.get(), out.write_end.get(), err.write_end.get()};
    ChildProcess child = TRY(ChildProcess::Spawn(argv, options));
    out.write_end.reset();
    err.write_end.reset();
    ProgramResult result;
    Collect(out.read_end.get(), err.read_end.get(), end, result);
    result.state = TRY(child.Wait(milliseconds(MillisecondsUntil(end))));
    return result;
  }

  std::vector<std::string> Resolve(const std::string& host) override {
    addrinfo hints = {};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* list = nullptr;
    if (getaddrinfo(host.c_str(), nullptr, &hints, &list) != 0) return {};
    std::unique_ptr<addrinfo, FreeAddresses> owner(list);
    std::vector<std::string> addresses;
    for (const addrinfo* entry = list; entry != nullptr; entry = entry->ai_next)
      if (std::string text = NumericText(*entry); !text.empty()) addresses.push_back(text);
    return addresses;
  }

  std::optional<DeviceContent> Probe(const std::string& device) override {
    std::unique_ptr<blkid_struct_probe, FreeProbe> probe(
        blkid_new_probe_from_filename(device.c_str()));
    if (!probe) return std::nullopt;
    blkid_probe_enable_superblocks(probe.get(), 1);
    if (blkid_do_safeprobe(probe.get()) < 0) return std::nullopt;
    return DeviceContent{ProbedValue(probe.get(), "TYPE"), ProbedValue(probe.get(), "UUID")};
  }

  std::optional<std::string> FindTag(const std::string& tag, const std::string& value) override {
    char* name = blkid_evaluate_tag(tag.c_str(), value.c_str(), nullptr);
    if (name == nullptr) return std::nullopt;
    std::string device = name;
    std::free(name);
    return device;
  }

  std::optional<std::string> DeviceNumber(const std::string& node) override {
    struct stat info = {};
    if (stat(node.c_str(), &info) != 0 || !S_ISBLK(info.st_mode)) return std::nullopt;
    return fmt::format("{}:{}", major(info.st_rdev), minor(info.st_rdev));
  }

  std::optional<std::string> FindProgram(const std::string& name) override {
    const char* search = std::getenv("PATH");
    std::error_code error;
    std::string own = std::filesystem::read_symlink("/proc/self/exe", error).parent_path();
    std::string folders = fmt::format("{}:{}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin",
                                      own, search != nullptr ? search : "");
    for (size_t at = 0; at < folders.size();) {
      size_t end = std::min(folders.find(':', at), folders.size());
      std::string path = fmt::format("{}/{}", folders.substr(at, end - at), name);
      if (end > at && access(path.c_str(), X_OK) == 0) return path;
      at = end + 1;
    }
    return std::nullopt;
  }
};

}  // namespace

std::unique_ptr<LiveSystem> MakeLiveSystem() { return std::make_unique<RealLiveSystem>(); }

}  // namespace kdumpkit
