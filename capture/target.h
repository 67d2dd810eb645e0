// SPDX-License-Identifier: GPL-2.0-or-later
// A destination that was opened: a mounted file system, a server behind ssh, a raw device. It gets
// a folder for the dump, and files in it, each written from its beginning to its end.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/sha256.h"

namespace kdumpkit {

// What a file has behind its name as long as it may be half of one.
inline constexpr std::string_view kIncomplete = "-incomplete";
// What the leftover of an earlier try has behind that.
inline constexpr std::string_view kAside = "-1";

enum class Verified {
  kNo,
  kSample,  // all of the structure, and some of the pages
  kYes,     // every byte was read back, or the other side computed the same digest
};

struct Digest {
  uint64_t size = 0;
  std::string sha256;  // hexadecimal
};

struct StoredFile {
  std::string name;
  Digest digest;
  Verified verified = Verified::kNo;
};

class Target {
 public:
  virtual ~Target() = default;

  // Where a file of the dump is, for people: "/dev/vda:/var/crash/db1-.../vmcore".
  virtual std::string Describe(std::string_view name) const = 0;
  // The dump's folder as this process sees it. Empty: there is none, all has to be streamed.
  virtual std::string folder() const { return {}; }
  // Bytes that can still be written; absent when nobody can tell.
  virtual Result<std::optional<uint64_t>> Room() = 0;
  // Whether others need room there, too (min_free).
  virtual bool IsShared() const { return true; }
  // Names of the folders beside the dump's own; none when they cannot be listed.
  virtual std::vector<std::string> DumpNames() = 0;
  // Makes the dump's folder; one that exists is left alone, and a number is added to the name.
  virtual Status MakeFolder(const std::string& name) = 0;

  // Begins a file, named NAME-incomplete until End. One at a time.
  virtual Status Begin(const std::string& name) = 0;
  virtual Status Write(ByteView bytes) = 0;
  // The file is complete: waits until all of it is on the other side's device, compares it with
  // what was written, and gives it its name. After a failure it stays NAME-incomplete.
  virtual Result<Verified> End(const Digest& written) = 0;
  // Nothing more comes; what there is stays NAME-incomplete.
  virtual void Abandon() = 0;

  // Moves NAME-incomplete of an earlier try out of the way of the next one.
  virtual void SetAside(const std::string& name) = 0;
  // Removes what was set aside, as there is a whole file now.
  virtual void DropAside(const std::string& name) = 0;

  // Removes the dump's folder with all that is in it: what is left of a dry run.
  virtual Status RemoveFolder() = 0;

  // Writes everything to the device. The error tells that data may be lost.
  virtual Status Close() = 0;
};

// Writes a file to a target, and knows what was written.
class PartWriter {
 public:
  // `target` is borrowed.
  static Result<PartWriter> Begin(Target& target, std::string name);
  Status Write(ByteView bytes);
  Result<StoredFile> End();
  void Abandon() { target_->Abandon(); }
  uint64_t size() const { return size_; }

 private:
  PartWriter(Target& target, std::string name) : target_(&target), name_(std::move(name)) {}

  Target* target_;
  std::string name_;
  Sha256 hash_;
  uint64_t size_ = 0;
};

// A whole small file.
Result<StoredFile> StoreText(Target& target, const std::string& name, std::string_view text);

}  // namespace kdumpkit
