// SPDX-License-Identifier: GPL-2.0-or-later
// kdump-capture: saves the dead kernel's memory and restarts the machine. See kdump-capture(8).
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <optional>

#include "capture/dry_system.h"
#include "capture/modules.h"
#include "capture/real_system.h"
#include "capture/recover.h"
#include "capture/run.h"
#include "capture/volume_keys.h"

namespace kdumpkit {
namespace {

constexpr const char kHelp[] =
    "Usage: kdump-capture [-h] [-v]\n"
    "       kdump-capture --recover DEVICE FOLDER\n"
    "       kdump-capture --open-volumes\n"
    "Saves the dead kernel's memory from '/proc/vmcore' as '/etc/kdump.conf' and the kernel's\n"
    "command line (kdump.dest=UUID=..., kdump.path=...) say, then reboots. Runs in the capture\n"
    "kernel only, as '/init' of its initramfs or as an ordinary program; see kdump-capture(8).\n"
    "\n"
    "  --recover      in the running system: make files below FOLDER of the dump on a raw DEVICE\n"
    "  --open-volumes in the capture kernel: open the LUKS volumes whose devices are there\n"
    "  -h, --help     show this text\n"
    "  -v, --version  show the version\n";

constexpr option kOptions[] = {{"recover", no_argument, nullptr, 'r'},
                               {"open-volumes", no_argument, nullptr, 'o'},
                               {"help", no_argument, nullptr, 'h'},
                               {"version", no_argument, nullptr, 'v'},
                               {nullptr, 0, nullptr, 0}};

// Without /dev/console the kernel starts process 1 with no open descriptors; a dump that was then
// opened as descriptor 1 would have our messages in it.
void OccupyStandardDescriptors() {
  int fd = -1;
  do {
    fd = open("/dev/console", O_RDWR | O_NOCTTY);
    if (fd < 0) fd = open("/", O_PATH);
  } while (fd >= 0 && fd <= STDERR_FILENO);
  if (fd >= 0) close(fd);
}

// 0 all of it, or there is none, 1 failed, 3 something is missing.
int Recover(const std::string& device, const std::string& folder) {
  RealSystem system;
  Result<RootDir> root = RootDir::Open("/");
  CHECK(root.has_value());
  // A filter that dies shows in its status.
  signal(SIGPIPE, SIG_IGN);
  Result<Recovered> recovered = RecoverDump({device, folder, "kdump-filter"}, *root, system);
  if (!recovered) {
    std::fprintf(stderr, "kdump-capture: %s\n", recovered.error().message().c_str());
    return 1;
  }
  for (const std::string& problem : recovered->problems)
    std::fprintf(stderr, "kdump-capture: %s\n", problem.c_str());
  if (!recovered->folder.empty()) std::printf("%s\n", recovered->folder.c_str());
  return recovered->problems.empty() ? 0 : 3;
}

// For the hooks of dracut and initramfs-tools, whose other devices may stand on a volume. 0 there
// is no more to do, 1 a volume's device is not there yet.
int OpenVolumesNow() {
  RealSystem system;
  Result<RootDir> root = RootDir::Open("/");
  CHECK(root.has_value());
  CaptureLog log(STDOUT_FILENO, [&system] { return system.Uptime(); });
  (void)LoadListedModules(*root, root->ReadLine("/proc/cmdline").value_or(""), system, log);
  return OpenVolumes(*root, std::chrono::seconds(0), system, log) == VolumesState::kDone ? 0 : 1;
}

// The exit status if the program is to end now.
std::optional<int> ReadOptions(int argc, char** argv) {
  bool recover = false;
  for (int c; (c = getopt_long(argc, argv, "hv", kOptions, nullptr)) != -1;) {
    recover |= c == 'r';
    if (c == 'r') continue;
    if (c == 'o') return OpenVolumesNow();
    if (c == 'h') return std::fputs(kHelp, stdout) < 0 ? 1 : 0;
    if (c == 'v') return std::printf("kdump-capture %s\n", KDUMPKIT_VERSION) < 0 ? 1 : 0;
    return 2;
  }
  if (recover && optind + 2 == argc) return Recover(argv[optind], argv[optind + 1]);
  if (recover) {
    std::fputs("kdump-capture: --recover wants a device and a folder; see --help\n", stderr);
    return 2;
  }
  if (optind == argc) return std::nullopt;
  std::fprintf(stderr, "kdump-capture: unexpected argument '%s'; see --help\n", argv[optind]);
  return 2;
}

int Main(int argc, char** argv) {
  CaptureOptions options;
  options.is_init = getpid() == 1;
  // The kernel hands process 1 every word of its command line that it does not know itself.
  if (!options.is_init) {
    if (std::optional<int> status = ReadOptions(argc, argv)) return *status;
  }
  OccupyStandardDescriptors();
  umask(077);
  // A server's ssh that goes away must not end the capture.
  signal(SIGPIPE, SIG_IGN);
  Result<RootDir> root = RootDir::Open("/");
  CHECK(root.has_value());
  options.dry = ParseDryRun(root->ReadText(kDryRunFile).value_or(""));
  if (options.dry) {
    DrySystem system(*root, *options.dry);
    return ExitStatus(RunCapture(options, *root, system));
  }
  RealSystem system;
  int status = ExitStatus(RunCapture(options, *root, system));
  // The end of process 1 is a kernel panic.
  while (options.is_init) pause();
  return status;
}

}  // namespace
}  // namespace kdumpkit

int main(int argc, char** argv) { return kdumpkit::Main(argc, argv); }
