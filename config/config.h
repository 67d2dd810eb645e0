// SPDX-License-Identifier: GPL-2.0-or-later
// The settings of kdump.conf(5) as values. The initial value of a member is the default of its
// directive; config/directives.cc says which directive that is, and what it means.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "config/collector.h"
#include "config/destination.h"

namespace kdumpkit {

enum class EndAction { kReboot, kHalt, kPowerOff, kShell };
enum class FailureAction { kReboot, kHalt, kPowerOff, kShell, kDumpToRootfs };
// What the name of a dump's folder begins with.
enum class HostTag { kIp, kHostName };
// What a failing kdump_pre means.
enum class PreFailure { kDump, kSkip };
enum class ImageBuilder { kAuto, kKdumpkit, kDracut, kInitramfsTools };

struct Config {
  // Where dumps go.
  std::vector<Destination> destinations;  // in the order to try; ParseConfig leaves at least one
  std::string path = "/var/crash";        // has gone into destinations that name no folder
  HostTag host_tag = HostTag::kIp;
  std::vector<std::string> ssh_identities = {"/root/.ssh/kdump_id_rsa"};
  std::string ssh_known_hosts = "/root/.ssh/known_hosts";
  std::vector<std::string> ssh_host_keys;  // "ssh-ed25519 AAAA..."; empty: ssh_known_hosts

  // What is saved.
  unsigned level = 31;
  DumpCompression compression = DumpCompression::kLzo;
  unsigned threads = 0;  // 0: as many as there are CPUs
  bool flattened = false;
  unsigned message_level = 7;
  // A command that is run instead of kdump-filter, without file names; empty: none. The settings
  // above have their defaults then.
  std::vector<std::string> collector;
  bool dmesg_only = false;

  // Space; 0: no limit.
  uint64_t min_free = uint64_t{64} << 20;  // bytes to leave free on a destination
  unsigned keep_count = 0;
  uint64_t keep_bytes = 0;
  std::chrono::seconds keep_age{0};

  // The longest a step may take.
  std::chrono::seconds device_timeout{60};
  std::chrono::seconds network_timeout{180};
  std::chrono::seconds mount_timeout{90};
  std::chrono::seconds connect_timeout{30};
  std::chrono::seconds stall_timeout{600};
  std::chrono::seconds hook_timeout{300};
  std::chrono::seconds total_timeout{86400};  // 0: no limit

  // Afterwards, and what prevents the worst.
  FailureAction failure_action = FailureAction::kReboot;
  EndAction final_action = EndAction::kReboot;
  unsigned crash_loop_count = 5;  // dumps in crash_loop_window; 0: no guard
  std::chrono::seconds crash_loop_window{3600};
  bool watchdog = true;
  std::chrono::seconds watchdog_timeout{60};

  // Programs around the dump; an empty path: none.
  std::string pre_hook;
  std::string post_hook;
  std::string emergency_hook;
  PreFailure pre_failure = PreFailure::kDump;
  std::vector<std::string> fence_nodes;
  std::vector<std::string> fence_args;

  // The capture kernel. Command lines are words; one with blanks needs quotes again.
  std::string kernel_version;             // empty: the running one
  std::string kernel_image;               // empty: found by its version
  std::vector<std::string> command_line;  // empty: the running kernel's
  std::vector<std::string> command_line_append;
  std::vector<std::string> command_line_remove;
  unsigned cpus = 1;  // 0: all
  std::vector<std::string> kexec_args;
  std::vector<std::string> crashkernel;  // values of crashkernel=; empty: what is recommended
  bool auto_reset_crashkernel = true;

  // The capture image.
  ImageBuilder image_builder = ImageBuilder::kAuto;
  std::vector<std::string> extra_bins;
  std::vector<std::string> extra_modules;
  std::vector<std::string> dracut_args;
  bool force_rebuild = false;
  bool force_no_rebuild = false;

  bool operator==(const Config&) const = default;
};

}  // namespace kdumpkit
