// SPDX-License-Identifier: GPL-2.0-or-later
// Saves the dead kernel's log and memory through the dump filter.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "capture/context.h"
#include "capture/dmesg.h"
#include "capture/filter_child.h"
#include "capture/room.h"
#include "capture/target.h"

namespace kdumpkit {

inline constexpr std::string_view kDmesgName = "vmcore-dmesg.txt";
inline constexpr std::string_view kVmcoreName = "vmcore";
inline constexpr std::string_view kFlatName = "vmcore.flat";

enum class DumpState { kComplete, kPartial, kFailed };

struct DumpResult {
  DumpState state = DumpState::kFailed;
  StoredFile file;     // without a name when there is none
  std::string reason;  // why it is not complete
  // The destination is to blame: another one may get a better dump.
  bool blames_destination = false;
  // It is to blame because it is full: a smaller dump may do.
  bool full = false;
  std::string filter_json;  // what kdump-filter says of it; may be empty
  std::vector<std::string> warnings;
};

class Dumper {
 public:
  // `context` is borrowed.
  explicit Dumper(const CaptureContext& context);

  // Writes the dead kernel's log to `target`; `reader` reads along.
  Result<StoredFile> SaveDmesg(Target& target, DmesgReader& reader);
  // Only lets `reader` read it.
  Status ReadDmesg(DmesgReader& reader);

  // How large the dump would be; absent when the filter cannot tell. It takes about as long as the
  // dump itself.
  std::optional<uint64_t> Measure(const DumpChoice& choice);

  // Writes the dump and verifies it. A filter that fails is run once more with one thread, unless
  // the destination is full; what the first try left is kept until there is a whole dump.
  DumpResult SaveVmcore(Target& target, const DumpChoice& choice);
  // Removes what an unfinished dump left, to make room for a smaller one.
  void Discard(Target& target) const;

 private:
  enum class Attempt { kFirst, kSecond };

  bool Streams(const Target& target) const;
  std::string NameFor(const Target& target) const;
  std::vector<std::string> FilterWords(const DumpChoice& choice, Attempt attempt) const;
  std::vector<std::string> Arguments(const Target& target, const DumpChoice& choice,
                                     Attempt attempt) const;
  DumpResult TryOnce(Target& target, const DumpChoice& choice, Attempt attempt);
  DumpResult TryFile(Target& target, std::vector<std::string> argv);
  DumpResult TryStream(Target& target, std::vector<std::string> argv);
  Result<FilterEnd> CopyVmcore(const std::function<Status(ByteView)>& sink);
  void FinishFileDump(Target& target, DumpResult& result);
  void FinishStreamDump(PartWriter& part, Status whole, DumpResult& result);
  // False when the file on the destination is not what was written.
  bool VerifyFile(const std::string& path, DumpResult& result);
  void TakeEnd(const Result<FilterEnd>& end, Target& target, DumpResult& result);
  void ForgetReport() const;
  std::string ReadReport() const;
  bool IsFull(Target& target, const Result<FilterEnd>& end) const;

  const CaptureContext& context_;
  std::string vmcore_;
  std::string report_;            // where the filter writes its JSON
  bool options_refused_ = false;  // the filter called the first attempt a usage error
};

}  // namespace kdumpkit
