// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/directives.h"

#include <algorithm>

namespace kdumpkit {
namespace {

constexpr unsigned kHour = 3600;
constexpr unsigned kDay = 86400;
constexpr unsigned kLongest = 36500 * kDay;  // a hundred years
constexpr unsigned kMany = 1000000;

Status CheckPath(std::string_view text) {
  Result<std::string> path = NormalPath(text);
  if (!path) return path.error();
  return {};
}

Status CheckAbsolute(std::string_view text) {
  if (text.starts_with('/') && !text.ends_with('/')) return {};
  return UsageError("an absolute path is wanted");
}

Status CheckName(std::string_view text) {
  bool blank = text.empty() || text.find_first_of(" \t/") != std::string_view::npos;
  if (!blank && !text.starts_with('-')) return {};
  return UsageError("a name without blanks and slashes is wanted");
}

// A word of a kernel command line: quotes cannot be escaped there.
Status CheckKernelWord(std::string_view text) {
  if (!text.empty() && text.find('"') == std::string_view::npos) return {};
  return UsageError("a word of a kernel command line must not be empty or have a \" in it");
}

Status CheckHostKey(std::string_view text) {
  size_t blank = text.find(' ');
  std::string_view type = text.substr(0, blank);
  bool known = type.starts_with("ssh-") || type.starts_with("ecdsa-") || type.starts_with("sk-");
  bool key = blank != std::string_view::npos && text.substr(blank + 1).starts_with("AAAA");
  if (known && key) return {};
  return UsageError("the server's public key is wanted, as in its ssh_host_*_key.pub: TYPE BASE64");
}

// What crashkernel= takes: "256M", "2G-64G:256M,64G-:512M", "512M,high", "1G@16M".
Status CheckReservation(std::string_view text) {
  static constexpr std::string_view kLetters = "KMGTkmgt@-:,highlowcma";
  bool good = std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || kLetters.find(c) != std::string_view::npos;
  });
  if (good && !text.empty() && text.find_first_of("0123456789") != std::string_view::npos)
    return {};
  return UsageError("values of crashkernel= are wanted: 256M, 2G-64G:256M,64G-:512M, 512M,high");
}

constexpr Directive Target(std::string_view name, std::string_view argument,
                           std::string_view incumbents, std::string_view help) {
  return {.name = name,
          .group = Group::kTarget,
          .role = Role::kTarget,
          .argument = argument,
          .incumbents = incumbents,
          .help = help};
}

// Of Fedora's, and no longer there either.
constexpr Directive Removed(std::string_view name, std::string_view instead) {
  return {.name = name, .group = Group::kObsolete, .role = Role::kRemoved, .help = instead};
}

constexpr Directive kDirectives[] = {
    // Where dumps go.
    {.name = "destination",
     .group = Group::kWhere,
     .role = Role::kDestination,
     .argument = "URI [OPTION]...",
     .repeatable = true,
     .capture = true,
     .incumbents = "openSUSE KDUMP_SAVEDIR, Debian NFS SSH KDUMP_COREDIR",
     .help = "A place for dumps; several lines are tried in their order until one succeeds."},
    {.name = "path",
     .group = Group::kWhere,
     .argument = "FOLDER",
     .field = &Config::path,
     .check = CheckPath,
     .incumbents = "Fedora path, Debian KDUMP_COREDIR",
     .help = "The folder for dumps on a destination that names none; without a destination, a "
             "folder of this machine."},
    {.name = "host_tag",
     .group = Group::kWhere,
     .argument = "ip|hostname",
     .field = &Config::host_tag,
     .capture = true,
     .incumbents = "Debian HOSTTAG",
     .help = "What the name of a dump's folder begins with."},
    {.name = "sshkey",
     .group = Group::kWhere,
     .argument = "FILE",
     .field = &Config::ssh_identities,
     .check = CheckAbsolute,
     .repeatable = true,
     .capture = true,
     .incumbents = "Fedora sshkey, Debian SSH_KEY, openSUSE KDUMP_SSH_IDENTITY",
     .help = "The private key for ssh destinations; several lines are tried in their order."},
    {.name = "ssh_known_hosts",
     .group = Group::kWhere,
     .argument = "FILE",
     .field = &Config::ssh_known_hosts,
     .check = CheckAbsolute,
     .capture = true,
     .help = "Where the keys of ssh servers are looked up; a server without one is never trusted."},
    {.name = "ssh_host_key",
     .group = Group::kWhere,
     .argument = "TYPE BASE64",
     .field = &Config::ssh_host_keys,
     .zero = "none",
     .check = CheckHostKey,
     .repeatable = true,
     .capture = true,
     .incumbents = "openSUSE KDUMP_HOST_KEY",
     .help = "A public key that an ssh server may have, instead of those in ssh_known_hosts."},

    // Fedora's targets.
    Target("raw", "DEVICE", "Fedora raw", "Fedora's way to write 'destination raw:DEVICE'."),
    Target("nfs", "HOST:/EXPORT", "Fedora nfs, Debian NFS",
           "Fedora's way to write 'destination nfs://HOST/EXPORT:PATH'."),
    Target("ssh", "USER@HOST", "Fedora ssh, Debian SSH",
           "Fedora's way to write 'destination ssh://USER@HOST'."),
    Target("ext2", "DEVICE", "Fedora ext2",
           "Fedora's way to write 'destination DEVICE fstype=ext2'."),
    Target("ext3", "DEVICE", "Fedora ext3",
           "Fedora's way to write 'destination DEVICE fstype=ext3'."),
    Target("ext4", "DEVICE", "Fedora ext4",
           "Fedora's way to write 'destination DEVICE fstype=ext4'."),
    Target("xfs", "DEVICE", "Fedora xfs", "Fedora's way to write 'destination DEVICE fstype=xfs'."),
    Target("btrfs", "DEVICE", "Fedora btrfs",
           "Fedora's way to write 'destination DEVICE fstype=btrfs'."),
    Target("minix", "DEVICE", "Fedora minix",
           "Fedora's way to write 'destination DEVICE fstype=minix'."),
    Target("virtiofs", "TAG", "Fedora virtiofs",
           "Fedora's way to write 'destination virtiofs:TAG'."),

    // What is saved.
    {.name = "level",
     .group = Group::kWhat,
     .argument = "LEVEL",
     .field = &Config::level,
     .high = 31,
     .capture = true,
     .incumbents = "Fedora core_collector -d, Debian MAKEDUMP_ARGS -d, openSUSE KDUMP_DUMPLEVEL",
     .help = "The pages left out: the sum of 1 zero, 2 cache, 4 cache with private data, 8 user, "
             "16 free."},
    {.name = "compression",
     .group = Group::kWhat,
     .argument = "none|zlib|lzo|snappy|zstd",
     .field = &Config::compression,
     .capture = true,
     .incumbents = "Fedora core_collector -c -l -p -z, openSUSE KDUMP_DUMPFORMAT",
     .help = "How each page is compressed."},
    {.name = "threads",
     .group = Group::kWhat,
     .argument = "NUMBER|auto",
     .field = &Config::threads,
     .zero = "auto",
     .low = 1,
     .high = 1024,
     .capture = true,
     .incumbents = "Fedora core_collector --num-threads, openSUSE KDUMP_CPUS",
     .help = "How many threads compress; auto: one for each CPU the capture kernel has."},
    {.name = "flattened",
     .group = Group::kWhat,
     .argument = "yes|no",
     .field = &Config::flattened,
     .capture = true,
     .incumbents = "Fedora core_collector -F, Debian MAKEDUMP_ARGS -F",
     .help = "Whether a file is written in the flattened format too; what is streamed to a server "
             "or a raw device is written as that needs."},
    {.name = "message_level",
     .group = Group::kWhat,
     .argument = "BITS",
     .field = &Config::message_level,
     .high = 31,
     .capture = true,
     .incumbents = "Fedora core_collector --message-level, openSUSE KDUMP_VERBOSE",
     .help =
         "What the filter says: the sum of 1 progress, 2 common, 4 errors, 8 debug, 16 report."},
    {.name = "core_collector",
     .group = Group::kWhat,
     .role = Role::kCollector,
     .argument = "COMMAND",
     .capture = true,
     .incumbents = "Fedora core_collector, Debian MAKEDUMP_ARGS, openSUSE MAKEDUMPFILE_OPTIONS",
     .help = "Fedora's way to write level, compression, threads and message_level as a "
             "makedumpfile command; another program is run as it stands."},
    {.name = "dmesg_only",
     .group = Group::kWhat,
     .argument = "yes|no",
     .field = &Config::dmesg_only,
     .capture = true,
     .incumbents = "openSUSE KDUMP_DUMPFORMAT=none, SteamOS FULL_COREDUMP=0",
     .help = "Whether only the dead kernel's log is saved."},

    // Space.
    {.name = "min_free",
     .group = Group::kSpace,
     .argument = "SIZE",
     .field = &Config::min_free,
     .capture = true,
     .incumbents = "openSUSE KDUMP_FREE_DISK_SIZE",
     .help = "Room that a dump must leave free on its destination."},
    {.name = "keep_count",
     .group = Group::kSpace,
     .argument = "NUMBER|all",
     .field = &Config::keep_count,
     .zero = "all",
     .low = 1,
     .high = kMany,
     .incumbents = "Debian KDUMP_NUM_DUMPS, openSUSE KDUMP_KEEP_OLD_DUMPS",
     .help = "How many dumps are kept on this machine; older ones are deleted, the newest never."},
    {.name = "keep_bytes",
     .group = Group::kSpace,
     .argument = "SIZE|unlimited",
     .field = &Config::keep_bytes,
     .zero = "unlimited",
     .help = "How much room the dumps on this machine may take together."},
    {.name = "keep_age",
     .group = Group::kSpace,
     .argument = "DURATION|forever",
     .field = &Config::keep_age,
     .zero = "forever",
     .low = kHour,
     .high = kLongest,
     .help = "How long a dump on this machine is kept."},

    // Time.
    {.name = "device_timeout",
     .group = Group::kTime,
     .argument = "DURATION",
     .field = &Config::device_timeout,
     .high = kDay,
     .capture = true,
     .help = "How long to wait for a destination's device to appear."},
    {.name = "network_timeout",
     .group = Group::kTime,
     .argument = "DURATION",
     .field = &Config::network_timeout,
     .high = kDay,
     .capture = true,
     .incumbents = "openSUSE KDUMP_NET_TIMEOUT, Debian SSH_KDUMP_RETRY",
     .help = "How long to wait for a route to a destination's server."},
    {.name = "mount_timeout",
     .group = Group::kTime,
     .argument = "DURATION",
     .field = &Config::mount_timeout,
     .low = 1,
     .high = kDay,
     .capture = true,
     .incumbents = "Debian NFS_MOUNT_RETRY",
     .help = "How long mounting a destination may take, with all attempts."},
    {.name = "connect_timeout",
     .group = Group::kTime,
     .argument = "DURATION",
     .field = &Config::connect_timeout,
     .low = 1,
     .high = kDay,
     .capture = true,
     .help = "How long one attempt to log in at an ssh server may take."},
    {.name = "stall_timeout",
     .group = Group::kTime,
     .argument = "DURATION",
     .field = &Config::stall_timeout,
     .low = 1,
     .high = kDay,
     .capture = true,
     .help = "How long a step may go on without a byte of progress before it is given up."},
    {.name = "hook_timeout",
     .group = Group::kTime,
     .argument = "DURATION",
     .field = &Config::hook_timeout,
     .low = 1,
     .high = kDay,
     .capture = true,
     .help = "How long one hook may run before it is killed."},
    {.name = "total_timeout",
     .group = Group::kTime,
     .argument = "DURATION|none",
     .field = &Config::total_timeout,
     .zero = "none",
     .low = 60,
     .high = 30 * kDay,
     .capture = true,
     .help = "How long the whole capture may take before the final action is forced."},

    // The end.
    {.name = "failure_action",
     .group = Group::kEnd,
     .argument = "reboot|halt|poweroff|shell|dump_to_rootfs",
     .field = &Config::failure_action,
     .capture = true,
     .incumbents = "Fedora failure_action, Debian KDUMP_FAIL_CMD, openSUSE KDUMP_CONTINUE_ON_ERROR",
     .help = "What to do when no destination got a dump."},
    {.name = "final_action",
     .group = Group::kEnd,
     .argument = "reboot|halt|poweroff|shell",
     .field = &Config::final_action,
     .capture = true,
     .incumbents = "Fedora final_action, openSUSE KDUMP_IMMEDIATE_REBOOT",
     .help = "What to do after a dump, and after the failure actions shell and dump_to_rootfs."},
    {.name = "crash_loop_count",
     .group = Group::kEnd,
     .argument = "NUMBER|off",
     .field = &Config::crash_loop_count,
     .zero = "off",
     .low = 1,
     .high = kMany,
     .capture = true,
     .help = "After so many dumps within crash_loop_window only the log is saved."},
    {.name = "crash_loop_window",
     .group = Group::kEnd,
     .argument = "DURATION",
     .field = &Config::crash_loop_window,
     .low = 60,
     .high = 366 * kDay,
     .capture = true,
     .help = "The time in which crash_loop_count counts dumps."},
    {.name = "watchdog",
     .group = Group::kEnd,
     .argument = "yes|no",
     .field = &Config::watchdog,
     .capture = true,
     .help = "Whether a hardware watchdog, if there is one, resets a capture that hangs."},
    {.name = "watchdog_timeout",
     .group = Group::kEnd,
     .argument = "DURATION",
     .field = &Config::watchdog_timeout,
     .low = 5,
     .high = kHour,
     .capture = true,
     .help = "How long after the capture last showed life the watchdog resets the machine."},

    // Hooks.
    {.name = "kdump_pre",
     .group = Group::kHooks,
     .argument = "PROGRAM|none",
     .field = &Config::pre_hook,
     .zero = "none",
     .check = CheckAbsolute,
     .capture = true,
     .incumbents = "Fedora kdump_pre, openSUSE KDUMP_PRESCRIPT",
     .help = "Run before the dump, and before the programs in /etc/kdump/pre.d."},
    {.name = "kdump_post",
     .group = Group::kHooks,
     .argument = "PROGRAM|none",
     .field = &Config::post_hook,
     .zero = "none",
     .check = CheckAbsolute,
     .capture = true,
     .incumbents = "Fedora kdump_post, openSUSE KDUMP_POSTSCRIPT",
     .help = "Run after the dump and the programs in /etc/kdump/post.d."},
    {.name = "kdump_emergency",
     .group = Group::kHooks,
     .argument = "PROGRAM|none",
     .field = &Config::emergency_hook,
     .zero = "none",
     .check = CheckAbsolute,
     .capture = true,
     .incumbents = "Fedora kdump_emergency",
     .help = "Run when the capture failed, after the programs in /etc/kdump/emergency.d."},
    {.name = "pre_failure",
     .group = Group::kHooks,
     .argument = "dump|skip",
     .field = &Config::pre_failure,
     .capture = true,
     .incumbents = "Fedora always skips",
     .help = "What a kdump_pre that fails means: dump all the same, or skip the dump and go to the "
             "final action."},
    {.name = "fence_kdump_nodes",
     .group = Group::kHooks,
     .argument = "HOST...|none",
     .field = &Config::fence_nodes,
     .zero = "none",
     .check = CheckName,
     .capture = true,
     .incumbents = "Fedora fence_kdump_nodes",
     .help = "Nodes of the cluster, without this one, that fence_kdump_send tells of the crash."},
    {.name = "fence_kdump_args",
     .group = Group::kHooks,
     .argument = "ARGUMENT...|none",
     .field = &Config::fence_args,
     .zero = "none",
     .capture = true,
     .incumbents = "Fedora fence_kdump_args",
     .help = "Arguments of fence_kdump_send, without the nodes."},

    // The capture kernel.
    {.name = "kernel_version",
     .group = Group::kKernel,
     .argument = "RELEASE|running",
     .field = &Config::kernel_version,
     .zero = "running",
     .check = CheckName,
     .incumbents = "Fedora KDUMP_KERNELVER, openSUSE KDUMP_KERNELVER",
     .help = "The release of the capture kernel."},
    {.name = "kernel_image",
     .group = Group::kKernel,
     .argument = "FILE|auto",
     .field = &Config::kernel_image,
     .zero = "auto",
     .check = CheckAbsolute,
     .incumbents = "Debian KDUMP_KERNEL, Fedora KDUMP_BOOTDIR KDUMP_IMG, openSUSE KDUMP_KERNELVER",
     .help = "The file of the capture kernel; auto: found by its release."},
    {.name = "command_line",
     .group = Group::kKernel,
     .argument = "WORD...|running",
     .field = &Config::command_line,
     .zero = "running",
     .check = CheckKernelWord,
     .incumbents = "Fedora KDUMP_COMMANDLINE, Debian KDUMP_CMDLINE, openSUSE KDUMP_COMMANDLINE",
     .help = "The command line that the capture kernel's is made from; running: /proc/cmdline."},
    {.name = "command_line_append",
     .group = Group::kKernel,
     .argument = "WORD...|none",
     .field = &Config::command_line_append,
     .zero = "none",
     .check = CheckKernelWord,
     .incumbents = "Fedora KDUMP_COMMANDLINE_APPEND, Debian KDUMP_CMDLINE_APPEND, openSUSE "
                   "KDUMP_COMMANDLINE_APPEND",
     .help = "Words put behind the capture kernel's command line."},
    {.name = "command_line_remove",
     .group = Group::kKernel,
     .argument = "NAME...|none",
     .field = &Config::command_line_remove,
     .zero = "none",
     .check = CheckKernelWord,
     .incumbents = "Fedora KDUMP_COMMANDLINE_REMOVE",
     .help = "Parameters taken off the capture kernel's command line, whatever their value."},
    {.name = "cpus",
     .group = Group::kKernel,
     .argument = "NUMBER|all",
     .field = &Config::cpus,
     .zero = "all",
     .low = 1,
     .high = 8192,
     .incumbents = "openSUSE KDUMP_CPUS",
     .help = "How many CPUs the capture kernel starts; each one takes memory of the reservation."},
    {.name = "kexec_args",
     .group = Group::kKernel,
     .argument = "ARGUMENT...|none",
     .field = &Config::kexec_args,
     .zero = "none",
     .incumbents = "Fedora KEXEC_ARGS, Debian KDUMP_KEXEC_ARGS, openSUSE KEXEC_OPTIONS",
     .help = "Arguments for kexec when it loads the capture kernel."},
    {.name = "crashkernel",
     .group = Group::kKernel,
     .argument = "VALUE...|auto",
     .field = &Config::crashkernel,
     .zero = "auto",
     .check = CheckReservation,
     .incumbents = "openSUSE KDUMP_CRASHKERNEL",
     .help =
         "The reservation that kdumpctl writes into the boot loader; auto: what it recommends."},
    {.name = "auto_reset_crashkernel",
     .group = Group::kKernel,
     .argument = "yes|no",
     .field = &Config::auto_reset_crashkernel,
     .incumbents = "Fedora auto_reset_crashkernel, openSUSE KDUMP_UPDATE_BOOTLOADER",
     .help = "Whether an update may change the crashkernel= of the boot loader to a new default."},

    // The capture image.
    {.name = "image_builder",
     .group = Group::kImage,
     .argument = "auto|kdumpkit|dracut|initramfs-tools",
     .field = &Config::image_builder,
     .help = "Who builds the capture image; auto: kdumpkit where the destinations allow it."},
    {.name = "extra_bins",
     .group = Group::kImage,
     .argument = "FILE...|none",
     .field = &Config::extra_bins,
     .zero = "none",
     .check = CheckAbsolute,
     .incumbents = "Fedora extra_bins, openSUSE KDUMP_REQUIRED_PROGRAMS",
     .help = "Programs that hooks need, put into the image with their libraries."},
    {.name = "extra_modules",
     .group = Group::kImage,
     .argument = "MODULE...|none",
     .field = &Config::extra_modules,
     .zero = "none",
     .check = CheckName,
     .incumbents = "Fedora extra_modules",
     .help = "Kernel modules put into the image, with what they need, and loaded."},
    {.name = "dracut_args",
     .group = Group::kImage,
     .argument = "ARGUMENT...|none",
     .field = &Config::dracut_args,
     .zero = "none",
     .incumbents = "Fedora dracut_args",
     .help =
         "Arguments for dracut when it builds the image; a --mount in them is the destination."},
    {.name = "force_rebuild",
     .group = Group::kImage,
     .argument = "yes|no",
     .field = &Config::force_rebuild,
     .incumbents = "Fedora force_rebuild",
     .help = "Whether the image is built anew at each start."},
    {.name = "force_no_rebuild",
     .group = Group::kImage,
     .argument = "yes|no",
     .field = &Config::force_no_rebuild,
     .incumbents = "Fedora force_no_rebuild",
     .help = "Whether the image is never built anew by itself."},

    // What files of old have.
    {.name = "default",
     .group = Group::kObsolete,
     .role = Role::kRenamed,
     .argument = "ACTION",
     .incumbents = "Fedora default",
     .help = "failure_action"},
    Removed("net", "write 'nfs HOST:/EXPORT' or 'ssh USER@HOST'"),
    Removed("options", "write 'command_line_append MODULE.OPTION=VALUE'"),
    Removed("link_delay", "write 'network_timeout DURATION'"),
    Removed("disk_timeout", "write 'device_timeout DURATION'"),
    Removed("debug_mem_level",
            "write 'command_line_append rd.memdebug=LEVEL' for an image of dracut"),
    Removed("blacklist", "write 'command_line_append module_blacklist=MODULE'"),
    Removed("override_resettable",
            "remove the line: no device is refused because it cannot be reset"),
};

}  // namespace

std::string_view GroupTitle(Group group) {
  switch (group) {
    case Group::kWhere:
      return "Where dumps go";
    case Group::kTarget:
      return "Where dumps go, as Fedora writes it";
    case Group::kWhat:
      return "What is saved";
    case Group::kSpace:
      return "Space";
    case Group::kTime:
      return "Time limits";
    case Group::kEnd:
      return "The end, and guards";
    case Group::kHooks:
      return "Hooks";
    case Group::kKernel:
      return "The capture kernel";
    case Group::kImage:
      return "The capture image";
    case Group::kObsolete:
      return "Obsolete directives";
  }
  CHECK(false);
}

std::span<const Directive> Directives() { return kDirectives; }

const Directive* FindDirective(std::string_view name) {
  for (const Directive& directive : kDirectives)
    if (directive.name == name) return &directive;
  return nullptr;
}

}  // namespace kdumpkit
