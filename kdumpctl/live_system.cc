// SPDX-License-Identifier: GPL-2.0-or-later
#include "kdumpctl/live_system.h"

#include <blkid/blkid.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "base/file.h"
#include "kdumpctl/apart.h"
#include "kdumpctl/text.h"

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

// The numeric addresses in the output of getent(1), "ADDRESS STREAM NAME".
std::vector<std::string> AddressesIn(std::string_view text) {
  std::vector<std::string> addresses;
  for (std::string_view line : Lines(text)) {
    std::vector<std::string> words = Words(line);
    if (words.size() >= 2 && words[1] == "STREAM") addresses.push_back(words[0]);
  }
  return addresses;
}

struct FreeProbe {
  void operator()(blkid_probe probe) const { blkid_free_probe(probe); }
};

std::string ProbedValue(blkid_probe probe, const char* name) {
  const char* value = nullptr;
  return blkid_probe_lookup_value(probe, name, &value, nullptr) == 0 ? value : "";
}

// In the child of ProbeFolder: writes the result into a pipe as text.
void ProbeInChild(std::string folder, int out) {
  struct stat info = {};
  while (stat(folder.c_str(), &info) != 0 && errno == ENOENT && folder.size() > 1)
    folder.resize(std::max<size_t>(folder.rfind('/'), 1));
  struct statvfs space = {};
  if (statvfs(folder.c_str(), &space) != 0) _exit(1);
  std::string file = fmt::format("{}/.kdumpctl-probe-{}", folder, getpid());
  int fd = open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  const char* problem = fd < 0 ? strerror(errno) : "";
  if (fd >= 0 && write(fd, "x", 1) != 1) problem = strerror(errno);
  if (fd >= 0) (void)unlink(file.c_str());
  uint64_t free_bytes = uint64_t{space.f_bavail} * space.f_frsize;
  std::string text = fmt::format("{} {}", free_bytes, problem);
  (void)WriteFully(out, AsBytes(text));
  _exit(0);
}

// Does not wait for a child that cannot be killed.
std::string ReadFromChild(pid_t child, int fd, milliseconds limit) {
  ProgramResult result;
  Collect(fd, -1, Clock::now() + limit, result);
  kill(child, SIGKILL);
  (void)waitpid(child, nullptr, WNOHANG);
  return result.out;
}

Status ConnectTo(const addrinfo& address, milliseconds limit) {
  UniqueFd fd(socket(address.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return SystemError(errno, "socket");
  if (connect(fd.get(), address.ai_addr, address.ai_addrlen) == 0) return {};
  if (errno != EINPROGRESS) return SystemError(errno, "no connection");
  pollfd wanted{fd.get(), POLLOUT, 0};
  if (poll(&wanted, 1, static_cast<int>(limit.count())) != 1)
    return SystemError(ETIMEDOUT, "no connection");
  int error = 0;
  socklen_t size = sizeof error;
  if (getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
  if (error != 0) return SystemError(error, "no connection");
  return {};
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

  // A child, because getaddrinfo(3) knows no limit.
  Result<ExitState> RunOnTerminal(const std::vector<std::string>& argv,
                                  milliseconds limit) override {
    SpawnOptions options;
    options.stdout_fd = STDERR_FILENO;
    ChildProcess child = TRY(ChildProcess::Spawn(argv, options));
    return child.Wait(limit);
  }

  Result<ExitState> RunApart(const ApartProgram& program, milliseconds limit) override {
    return RunApartNow(program, limit);
  }

  std::vector<std::string> Resolve(const std::string& host) override {
    Result<ProgramResult> result = Run({"getent", "ahosts", host}, std::chrono::seconds(5));
    if (!result || !result->state.ok()) return {};
    return AddressesIn(result->out);
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

  Result<FolderProbe> ProbeFolder(const std::string& folder, milliseconds limit) override {
    Pipe pipe = TRY(MakePipe());
    pid_t child = fork();
    if (child < 0) return SystemError(errno, "fork");
    if (child == 0) ProbeInChild(folder, pipe.write_end.get());
    pipe.write_end.reset();
    std::string text = ReadFromChild(child, pipe.read_end.get(), limit);
    size_t blank = text.find(' ');
    if (blank == std::string::npos)
      return SystemError(ETIMEDOUT, fmt::format("'{}' does not answer", folder));
    FolderProbe probe;
    (void)std::from_chars(text.data(), text.data() + blank, probe.free_bytes);
    probe.problem = text.substr(blank + 1);
    return probe;
  }

  Status Connect(const std::string& host, unsigned port, milliseconds limit) override {
    std::vector<std::string> addresses = Resolve(host);
    if (addresses.empty()) return UsageError("the name '{}' is not known now", host);
    addrinfo hints = {};
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
    addrinfo* list = nullptr;
    if (getaddrinfo(addresses[0].c_str(), std::to_string(port).c_str(), &hints, &list) != 0)
      return UsageError("'{}' is no address", addresses[0]);
    Status connected = ConnectTo(*list, limit);
    freeaddrinfo(list);
    return connected;
  }

  bool HasLogonKey(const std::string& name) override {
    return syscall(SYS_request_key, "logon", name.c_str(), nullptr, 0) >= 0;
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
