// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/ssh.h"

#include <fcntl.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>

#include "base/file.h"

namespace kdumpkit {
namespace {

using std::chrono::milliseconds;

// ssh(1): its own failures; every other status is that of the remote command.
constexpr int kSshFailed = 255;
// Of our remote scripts.
constexpr int kExists = 117;
// A connection that says nothing is taken for dead after their product.
constexpr const char* kAliveInterval = "ServerAliveInterval=15";
constexpr const char* kAliveCount = "ServerAliveCountMax=3";
// How long ssh may take to end once it reads no more.
constexpr milliseconds kEndLimit{10'000};

struct Saying {
  std::string_view text;
  int error;
};

// What ssh says, by readpass.c, sshconnect.c, packet.c and clientloop.c of OpenSSH 7.4 to 9.9. The
// first that is found counts.
constexpr Saying kSshSayings[] = {
    {"Host key verification failed", EKEYREJECTED},
    {"host key is known for", EKEYREJECTED},
    {"HOST IDENTIFICATION HAS CHANGED", EKEYREJECTED},
    {"Permission denied", EACCES},
    {"Too many authentication failures", EACCES},
    {"ssh: connect to host", EHOSTUNREACH},
    {"Could not resolve hostname", EHOSTUNREACH},
    {"timed out", ETIMEDOUT},
    {"not responding", ETIMEDOUT},
    {"Connection closed", ECONNRESET},
    {"Connection reset", ECONNRESET},
    {"Broken pipe", ECONNRESET},
    {"closed by remote host", ECONNRESET},
};

// What POSIX commands say, in the C locale.
constexpr Saying kCommandSayings[] = {
    {"No space left on device", ENOSPC},
    {"Disk quota exceeded", EDQUOT},
    {"Read-only file system", EROFS},
};

int FindSaying(std::span<const Saying> sayings, std::string_view said, int otherwise) {
  for (const Saying& saying : sayings)
    if (said.find(saying.text) != std::string_view::npos) return saying.error;
  return otherwise;
}

std::string_view LastLine(std::string_view text) {
  size_t end = text.find_last_not_of(" \t\r\n");
  if (end == std::string_view::npos) return {};
  text = text.substr(0, end + 1);
  return text.substr(text.find_last_of("\r\n") + 1);
}

std::string_view KeySource(const SshAccess& access) {
  return access.host_keys.empty() ? std::string_view(access.known_hosts) : "ssh_host_key";
}

Error Failure(const SshAccess& access, int error, std::string_view what) {
  return Error(ErrorKind::kSystem, error, fmt::format("{}: {}", access.Describe(), what));
}

Error KeyRejected(const SshAccess& access, std::string_view said) {
  bool changed = said.find("HAS CHANGED") != std::string_view::npos;
  return Failure(
      access, EKEYREJECTED,
      fmt::format("the server's key is not {} '{}'; nothing was sent. If it is the right "
                  "server, put its key there and restart the service",
                  changed ? "the one in" : "in", KeySource(access)));
}

Error SshItselfFailed(const SshAccess& access, std::string_view said) {
  int error = FindSaying(kSshSayings, said, EHOSTUNREACH);
  if (error == EKEYREJECTED) return KeyRejected(access, said);
  std::string_view line = LastLine(said);
  if (line.empty()) line = "ssh failed and did not say why";
  std::string_view advice = error == EACCES ? " 'kdumpctl propagate' puts our key there" : "";
  return Failure(access, error, fmt::format("{}{}", line, advice));
}

// Values of options are split at blanks, and have tokens that begin with '%'.
std::string OptionPath(std::string_view path) {
  std::string text = "\"";
  for (char c : path) {
    if (c == '%') text += '%';
    if (c == '"' || c == '\\') text += '\\';
    text += c;
  }
  return text + '"';
}

std::string IdentityPath(std::string_view path) {
  std::string text;
  for (char c : path) text += c == '%' ? std::string("%%") : std::string(1, c);
  return text;
}

std::string KnownHostsPath(const SshAccess& access) {
  if (!access.host_keys.empty()) return access.host_key_file;
  return access.known_hosts.empty() ? "/dev/null" : access.known_hosts;
}

// The keys are those of this one server, by whichever name or port it is reached.
Status WriteHostKeys(const SshAccess& access) {
  if (access.host_keys.empty()) return {};
  std::string text;
  for (const std::string& key : access.host_keys) text += fmt::format("* {}\n", key);
  UniqueFd fd = TRY(OpenFile(access.host_key_file, O_WRONLY | O_CREAT | O_TRUNC, 0600));
  return WriteFully(fd.get(), AsBytes(text)).In(fmt::format("'{}'", access.host_key_file));
}

// Never taken for an option, nor for a name in CDPATH.
std::string RemotePath(const std::string& path) {
  return path.starts_with('/') ? path : "./" + path;
}

std::vector<std::string> ScriptWords(const std::string& script,
                                     const std::vector<std::string>& arguments) {
  std::vector<std::string> words = {"sh", "-c", "LC_ALL=C; export LC_ALL; umask 077; " + script,
                                    "sh"};
  words.insert(words.end(), arguments.begin(), arguments.end());
  return words;
}

std::vector<std::string> Lines(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    size_t end = std::min(text.find('\n'), text.size());
    if (end > 0) lines.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

std::vector<std::string_view> Fields(std::string_view line) {
  constexpr std::string_view kBlanks = " \t\r\n";
  std::vector<std::string_view> fields;
  for (size_t at = line.find_first_not_of(kBlanks); at != std::string_view::npos;) {
    size_t end = std::min(line.find_first_of(kBlanks, at), line.size());
    fields.push_back(line.substr(at, end - at));
    at = line.find_first_not_of(kBlanks, end);
  }
  return fields;
}

std::optional<uint64_t> Number(std::string_view text) {
  uint64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}

Error NotUnderstood(std::string_view command, std::string_view output) {
  return Malformed("the server's '{}' printed '{}', which is not understood", command,
                   LastLine(output).substr(0, 200));
}

}  // namespace

std::string SshAccess::Describe() const {
  std::string text = "ssh://";
  if (!user.empty()) text += user + "@";
  text += host.find(':') == std::string::npos ? host : "[" + host + "]";
  if (port != 0) text += fmt::format(":{}", port);
  return text;
}

std::string QuoteForShell(std::string_view word) {
  constexpr std::string_view kPlain =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_@%+:,./-";
  if (!word.empty() && word.find_first_not_of(kPlain) == std::string_view::npos)
    return std::string(word);
  std::string text = "'";
  for (char c : word) text += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return text + "'";
}

std::vector<std::string> SshArgv(const SshAccess& access,
                                 const std::vector<std::string>& remote_words) {
  std::vector<std::string> argv = {access.program, "-F", "none", "-T"};
  auto add = [&argv](std::string option) {
    argv.push_back("-o");
    argv.push_back(std::move(option));
  };
  for (const char* option :
       {"BatchMode=yes", "StrictHostKeyChecking=yes", "GlobalKnownHostsFile=/dev/null",
        "UpdateHostKeys=no", "CheckHostIP=no", "IdentitiesOnly=yes", "ControlPath=none",
        "ConnectionAttempts=1", kAliveInterval, kAliveCount})
    add(option);
  add("UserKnownHostsFile=" + OptionPath(KnownHostsPath(access)));
  add(fmt::format("ConnectTimeout={}", std::max<int64_t>(access.connect_timeout.count(), 1)));
  for (const std::string& identity : access.identities)
    argv.insert(argv.end(), {"-i", IdentityPath(identity)});
  if (access.port != 0) argv.insert(argv.end(), {"-p", std::to_string(access.port)});
  if (!access.user.empty()) argv.insert(argv.end(), {"-l", access.user});
  argv.insert(argv.end(), {"--", access.host});
  // ssh joins them with blanks and gives the text to the login shell.
  for (const std::string& word : remote_words) argv.push_back(QuoteForShell(word));
  return argv;
}

Error SshFailure(const SshAccess& access, const ExitState& state, std::string_view said) {
  if (state.timed_out) return Failure(access, ETIMEDOUT, "timed out; no answer from the server");
  if (state.signal != 0) return Failure(access, EREMOTEIO, "ssh was " + state.ToString());
  if (state.status == kSshFailed) return SshItselfFailed(access, said);
  if (state.status == kExists) return Failure(access, EEXIST, "it exists already");
  std::string_view line = LastLine(said);
  return Failure(access, FindSaying(kCommandSayings, said, EREMOTEIO),
                 line.empty() ? fmt::format("the command there ended with {}", state.ToString())
                              : std::string(line));
}

bool MayPassAway(const Error& ssh_failure) {
  int error = ssh_failure.error_number();
  return error == EHOSTUNREACH || error == ETIMEDOUT || error == ECONNRESET;
}

Result<std::string> RunSsh(const SshAccess& access, const std::vector<std::string>& remote_words,
                           ByteView input, milliseconds limit, CaptureLog& log,
                           Watchdog& watchdog) {
  TRY(WriteHostKeys(access));
  CommandRequest request;
  request.argv = SshArgv(access, remote_words);
  request.input = input;
  request.limit = limit;
  CommandEnd end = TRY(RunCommand(request, watchdog));
  if (end.state.ok() && end.output_cut)
    return Failure(access, EREMOTEIO,
                   fmt::format("more than {} bytes of output", end.output.size()));
  if (end.state.ok()) return std::move(end.output);
  log.Raw(end.errors);
  return SshFailure(access, end.state, end.errors);
}

Result<std::string> SshHost::Run(const std::string& script,
                                 const std::vector<std::string>& arguments, ByteView input,
                                 std::optional<milliseconds> limit) {
  return RunSsh(access_, ScriptWords(script, arguments), input, limit.value_or(limit_), log_,
                watchdog_)
      .In(fmt::format("'{}'", arguments.front()));
}

Status SshHost::MakeFolder(const std::string& path) {
  const std::string script = fmt::format(
      "[ -e \"$1\" ] && exit {}; mkdir -p \"$(dirname \"$1\")\" && mkdir \"$1\"", kExists);
  TRY(Run(script, {RemotePath(path)}, {}));
  return {};
}

Result<std::vector<std::string>> SshHost::List(const std::string& path) {
  return Lines(TRY(Run("cd \"$1\" && ls -A", {RemotePath(path)}, {})));
}

Result<uint64_t> SshHost::FreeBytes(const std::string& path) {
  std::string output =
      TRY(Run("p=$1; while ! [ -e \"$p\" ]; do p=$(dirname \"$p\"); done; df -Pk \"$p\"",
              {RemotePath(path)}, {}));
  return ParseFreeBytes(output);
}

// A connection that breaks looks to the remote cat(1) like the end of the file, hence the length.
Status SshHost::WriteFile(const std::string& path, ByteView bytes) {
  const std::string script = fmt::format(
      "[ -e \"$1\" ] && exit {}; t=$1-incomplete; cat >\"$t\" && "
      "[ $(wc -c <\"$t\") -eq \"$2\" ] && sync \"$t\" && mv \"$t\" \"$1\" && "
      "sync \"$(dirname \"$1\")\"",
      kExists);
  TRY(Run(script, {RemotePath(path), std::to_string(bytes.size())}, bytes));
  return {};
}

Status SshHost::Rename(const std::string& from, const std::string& to) {
  const std::string script = fmt::format(
      "[ -e \"$2\" ] && exit {}; mv \"$1\" \"$2\" && sync \"$(dirname \"$2\")\"", kExists);
  TRY(Run(script, {RemotePath(from), RemotePath(to)}, {}));
  return {};
}

// wc(1) of some systems reads the whole file; POSIX has the size as the fifth field here.
Result<uint64_t> SshHost::Size(const std::string& path) {
  std::string output = TRY(Run("ls -ldn \"$1\"", {RemotePath(path)}, {}));
  std::vector<std::string_view> fields = Fields(output);
  std::optional<uint64_t> size = fields.size() < 5 ? std::nullopt : Number(fields[4]);
  if (!size) return NotUnderstood("ls -ldn", output);
  return *size;
}

Result<std::optional<std::string>> SshHost::Sha256(const std::string& path, milliseconds limit) {
  constexpr size_t kDigits = 64;
  const std::string script =
      fmt::format("command -v sha256sum >/dev/null || {{ echo none; exit 0; }}; sha256sum <\"$1\"");
  std::string output = TRY(Run(script, {RemotePath(path)}, {}, limit));
  if (output == "none\n") return std::optional<std::string>();
  std::string digest = output.substr(0, output.find_first_of(" \n"));
  if (digest.size() != kDigits || digest.find_first_not_of("0123456789abcdef") != std::string::npos)
    return NotUnderstood("sha256sum", output);
  return std::optional(std::move(digest));
}

Result<SshStream> SshStream::Start(const SshAccess& access, const std::string& remote_path) {
  TRY(WriteHostKeys(access));
  const std::string script =
      fmt::format("[ -e \"$1\" ] && exit {}; cat >\"$1\" && sync \"$1\"", kExists);
  SocketPair input = TRY(MakeSocketPair());
  Pipe errors = TRY(MakePipe());
  UniqueFd nothing = OpenFile("/dev/null", O_WRONLY).value_or(UniqueFd());
  SpawnOptions options{input.theirs.get(), nothing.get(), errors.write_end.get(), {}, true};
  ChildProcess child = TRY(ChildProcess::Spawn(
      SshArgv(access, ScriptWords(script, {RemotePath(remote_path)})), options));
  return SshStream(access, std::move(child), std::move(input.ours), std::move(errors.read_end));
}

void SshStream::TakeErrors() {
  constexpr size_t kMost = size_t{64} << 10;
  pollfd entry{errors_.get(), POLLIN, 0};
  while (errors_.valid() && said_.size() < kMost && poll(&entry, 1, 0) > 0) {
    char buffer[4096];
    ssize_t n = read(errors_.get(), buffer, sizeof(buffer));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return errors_.reset();
    said_.append(buffer, static_cast<size_t>(n));
  }
}

// Once ssh does not read any more: how it ended.
Error SshStream::Failure(milliseconds limit) {
  Result<ExitState> state = child_.Wait(limit);
  if (!state) return std::move(state.error());
  TakeErrors();
  if (state->ok()) return kdumpkit::Failure(access_, ECONNRESET, "ended before it had all");
  return SshFailure(access_, *state, said_);
}

Status SshStream::Write(ByteView bytes, milliseconds stall) {
  while (!bytes.empty()) {
    pollfd entry{input_.get(), POLLOUT, 0};
    int n = poll(&entry, 1, static_cast<int>(std::min<int64_t>(stall.count(), 1 << 30)));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return SystemError(errno, "poll");
    TakeErrors();
    if (n == 0)
      return kdumpkit::Failure(
          access_, ETIMEDOUT,
          fmt::format("stalled: the server took nothing for {} s", stall.count() / 1000));
    Result<size_t> sent = SendSome(input_.get(), bytes);
    if (!sent) return Failure(kEndLimit);
    bytes = bytes.subspan(*sent);
  }
  return {};
}

Status SshStream::Finish(milliseconds limit) {
  CloseOurs();
  ExitState state = TRY(child_.Wait(limit));
  TakeErrors();
  if (state.ok()) return {};
  return SshFailure(access_, state, said_);
}

// The last line, from behind: a file system's name may have blanks, "12%" stands behind its room.
Result<uint64_t> ParseFreeBytes(std::string_view df_output) {
  std::vector<std::string_view> fields = Fields(LastLine(df_output));
  for (size_t i = 4; i < fields.size(); ++i) {
    if (!fields[i].ends_with('%') && fields[i] != "-") continue;
    // What root has taken of the part reserved for it is less than nothing to BSD's df.
    std::optional<uint64_t> blocks = fields[i - 1].starts_with('-') ? 0 : Number(fields[i - 1]);
    if (blocks && *blocks <= UINT64_MAX / 1024 && Number(fields[i - 2])) return *blocks * 1024;
  }
  return NotUnderstood("df -Pk", df_output);
}

}  // namespace kdumpkit
