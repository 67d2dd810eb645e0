// SPDX-License-Identifier: GPL-2.0-or-later
// All that a capture image has to have: from kdump.conf(5) and the running system, before anything
// is built.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "config/config.h"
#include "initramfs/image.h"
#include "kdumpctl/kernel_choice.h"
#include "kdumpctl/network_facts.h"
#include "kdumpctl/resolve.h"

namespace kdumpkit {

struct CapturePlan {
  Config config;  // as the image is told: destinations are resolved, keys are there
  KernelChoice kernel;
  ImageBuilder builder = ImageBuilder::kKdumpkit;  // never kAuto
  std::string builder_reason;                      // why it is not kdumpkit; empty: it is
  std::vector<ResolvedDestination> destinations;
  // The root file system, where failure_action dump_to_rootfs makes it the last resort.
  std::optional<ResolvedDestination> root;
  NetworkFacts network;
  std::vector<std::string> watchdog_modules;  // drivers of this machine's hardware watchdogs
  // The small image. A full one gets the same texts, programs and files, but kdump-capture is no
  // /init there, and the builder finds the modules of what it brings up by itself.
  ImagePlan image;
  std::vector<std::string> warnings;  // sentences; the plan is good for a dump all the same

  // All that has to be brought up: the destinations and the root.
  std::vector<const ResolvedDestination*> All() const;
  // The LUKS volumes among them, each once, in the order in which they are opened.
  std::vector<LuksVolume> Volumes() const;
};

// What an earlier image had, and keeps as long as it holds; see FindNetworkFacts. All of it serves
// when the network is not up yet, and the drivers of watchdogs are not loaded: the service starts
// early in the boot, and an image that changes with the hour would be built twice each time.
struct EarlierNetwork {
  std::map<std::string, std::string> addresses;
  std::string network;
  std::string hosts;
  std::string local_address;
  std::vector<std::string> watchdog_modules;
};

// Errors: no destination can be served, a needed file is missing, no builder can do it.
Result<CapturePlan> MakeCapturePlan(const Config& config, const EarlierNetwork& earlier,
                                    const RootDir& root, LiveSystem& system);

// "kdumpkit", "dracut", "initramfs-tools".
std::string_view BuilderName(ImageBuilder builder);

// What the name of a dump's folder begins with (host_tag). `local_address`: towards the servers;
// empty when there are none.
std::string HostTagOf(const Config& config, const std::string& local_address, const RootDir& root);

}  // namespace kdumpkit
