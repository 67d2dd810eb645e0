// SPDX-License-Identifier: GPL-2.0-or-later
// Capture images by dracut and initramfs-tools, which bring up what the small image cannot. Their
// hooks (dracut/, initramfs-tools/) call "kdumpctl image-files" for all that is ours.
#pragma once

#include <string>
#include <vector>

#include "kdumpctl/capture_plan.h"

namespace kdumpkit {

// Files that decide about such an image and are no part of our plan: the builder's own, and the
// configuration of storage. Those that exist, as in a live system.
std::vector<std::string> BuilderFiles(const CapturePlan& plan, const RootDir& root);

// The builder's command line, for an image that is written to `output`.
std::vector<std::string> BuilderCommand(const CapturePlan& plan, const std::string& output);

// Adds what the hooks read: /etc/kdumpkit/devices and device-timeout (seconds).
void AddFullImageTexts(CapturePlan& plan);

// Words of the capture kernel's command line that such an image needs.
std::vector<std::string> BuilderWords(std::string_view builder, const Config& config);

// Writes `path` through `path`-incomplete, mode 0600. The error has the builder's last line.
Status BuildFullImage(const CapturePlan& plan, const std::string& path, const RootDir& root,
                      LiveSystem& system);

}  // namespace kdumpkit
