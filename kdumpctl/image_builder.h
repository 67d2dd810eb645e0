// SPDX-License-Identifier: GPL-2.0-or-later
// Builds the capture image that a plan describes, by our own means or through dracut or
// initramfs-tools.
#pragma once

#include <string>

#include "kdumpctl/capture_plan.h"
#include "kdumpctl/image_record.h"

namespace kdumpkit {

// What the image is made of; nothing is read but headers and indexes.
Result<ImageContents> ListContents(const CapturePlan& plan, const RootDir& root);

// Writes the image and the record beside it. A failure leaves both as they were.
Result<ImageRecord> BuildImage(const CapturePlan& plan, const ImageContents& contents,
                               const RootDir& root, LiveSystem& system);

// Writes what a full image needs of us into its folder; what is there already stays.
Status WriteImageFiles(const ImageContents& contents, const std::string& folder);

// The record of the image for a kernel; absent: there is none, or it is damaged.
std::optional<ImageRecord> ReadRecord(const RootDir& root, const std::string& release);

}  // namespace kdumpkit
