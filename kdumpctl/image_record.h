// SPDX-License-Identifier: GPL-2.0-or-later
// What stands beside a capture image as JSON: all that went into it, so that it can be told
// whether it would be the same if it were built now.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/file.h"
#include "initramfs/image.h"
#include "kdumpctl/capture_plan.h"
#include "kdumpctl/fingerprint.h"

namespace kdumpkit {

// What an image is made of, found without building it.
struct ImageContents {
  ImageList list;                  // of the small image; of a full one what we put in
  std::vector<std::string> other;  // files that are no part of it, but decide about it
};

struct ImageRecord {
  std::string release;  // of the capture kernel
  std::string builder;  // see BuilderName
  std::string built;    // when, ISO 8601 UTC
  std::string version;  // of kdumpctl
  EarlierNetwork network;
  // "TYPE PERMISSIONS DESTINATION SOURCE-OR-DIGEST" of each thing in it, sorted.
  std::vector<std::string> items;
  std::vector<Fingerprint> files;  // all that was read
  Fingerprint image;               // the image itself
  uint64_t unpacked_size = 0;      // bytes; 0: not known
};

std::string RecordToJson(const ImageRecord& record);
Result<ImageRecord> RecordFromJson(const std::string& text);

// Reads every file. The image has been written already.
Result<ImageRecord> MakeRecord(const CapturePlan& plan, const ImageContents& contents,
                               const std::string& image, uint64_t unpacked_size);

struct Freshness {
  std::vector<std::string> reasons;  // why the image is stale, sentences; none: it is not
  bool touched = false;              // `record` has newer hints and is worth writing
};
Freshness CheckFreshness(const CapturePlan& plan, const ImageContents& contents,
                         ImageRecord& record);

}  // namespace kdumpkit
