// SPDX-License-Identifier: GPL-2.0-or-later
// Brings the log and the dump to the first destination that takes them.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "capture/dump.h"
#include "capture/manifest.h"

namespace kdumpkit {

enum class CaptureOutcome {
  kSaved,
  kPartial,    // there is a dump, but not all that was asked for
  kDmesgOnly,  // no dump, as it was told, or because of a crash loop
  kSkipped,    // nothing was saved: kdump_pre failed, and pre_failure is "skip"
  kFailed,     // there is no dump that is worth its name
  kNoVmcore,   // this kernel is not a capture kernel; nothing was done
};

// "complete", "partial", "dmesg-only", "failed": of manifest.json.
std::string_view OutcomeName(CaptureOutcome outcome);

// What a destination got.
struct Delivered {
  CaptureOutcome outcome = CaptureOutcome::kFailed;
  std::string reason;  // why it is not kSaved
  // Another destination may get a better dump.
  bool blames_destination = true;
  bool has_dmesg = false;
  std::string uri;
  std::string folder;  // as this process sees it; empty for what is streamed, or after a failure
  std::string file;    // of the dump, in that folder; may be empty
  std::string where;   // the file, or else the folder, for people; empty: nothing is there
  uint64_t size = 0;
};

class Delivery {
 public:
  // Runs while a destination that has got all it will get is still open. It returns warnings.
  using DoneHook = std::function<std::vector<std::string>(const Delivered&)>;
  using Network = std::function<Status()>;

  // `context` is borrowed. `network` makes sure that the network is up; it is called before each
  // destination that needs it.
  Delivery(const CaptureContext& context, Network network, DoneHook done);

  // Tries them in their order; the first one that gets all there is to get ends it. The result is
  // that one's, or the best of the others'.
  Delivered Run(std::span<const Destination> destinations);
  // Goes into every manifest from now on.
  void Warn(std::string warning) { warnings_.push_back(std::move(warning)); }
  // The log of the dead kernel, as far as it was read.
  const DmesgReader& dmesg() const { return dmesg_; }
  // Reads the log when no destination took it.
  Status ReadDmesg();

 private:
  Delivered Try(const Destination& destination);
  Result<std::unique_ptr<Target>> Open(const Destination& destination);
  void Fill(Target& target, Delivered& delivered);
  void SaveDmesg(Target& target, Delivered& delivered);
  // Why only the log is saved; empty: there is no such reason.
  std::string LogOnly(const std::vector<std::string>& names) const;
  void SaveDump(Target& target, Delivered& delivered);
  std::optional<DumpChoice> Choose(Target& target, std::string& reason);
  std::optional<uint64_t> Usable(Target& target);
  bool Fits(const DumpChoice& choice, uint64_t usable);
  void TakeResult(Target& target, DumpResult result, Delivered& delivered);
  void WriteManifest(Target& target, const Delivered& delivered);
  void WriteReport(std::string_view text);
  void SaveLog(Target& target);
  void RemoveTest(Target& target);
  void Close(Target& target, Delivered& delivered);
  double SecondsSince(std::chrono::milliseconds begin) const;
  uint64_t MemorySize() const;

  const CaptureContext& context_;
  Network network_;
  DoneHook done_;
  Dumper dumper_;
  time_t start_;
  std::chrono::milliseconds begin_;
  DmesgReader dmesg_;
  std::vector<std::string> warnings_;
  std::vector<DestinationRecord> records_;
  std::span<const Destination> rest_;  // behind the one at hand
  // Of the destination at hand.
  std::vector<StoredFile> files_;
  std::string filter_json_;
  DumpChoice choice_;
};

}  // namespace kdumpkit
