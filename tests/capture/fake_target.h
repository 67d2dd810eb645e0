// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <map>

#include "capture/target.h"

namespace kdumpkit {

// A destination in memory that everything is streamed to, and that fails where a test says so.
class FakeTarget : public Target {
 public:
  std::string Describe(std::string_view name) const override {
    return fmt::format("fake:/{}", name);
  }
  Result<std::optional<uint64_t>> Room() override { return room; }
  std::vector<std::string> DumpNames() override { return names; }
  Status MakeFolder(const std::string& name) override {
    folder_name = name;
    return {};
  }
  Status Begin(const std::string& name) override {
    CHECK(current_.empty());
    current_ = name;
    files[name + "-incomplete"].clear();
    return {};
  }
  Status Write(ByteView bytes) override {
    std::string& file = files[current_ + "-incomplete"];
    if (file.size() + bytes.size() > limit) return SystemError(28, "cannot write");
    file += AsText(bytes);
    return {};
  }
  Result<Verified> End(const Digest& written) override {
    std::string name = std::exchange(current_, {});
    if (damages) return Malformed("'{}' has another digest", name);
    CHECK(written.size == files[name + "-incomplete"].size());
    files[name] = std::move(files[name + "-incomplete"]);
    files.erase(name + "-incomplete");
    return Verified::kYes;
  }
  void Abandon() override { current_.clear(); }
  void SetAside(const std::string& name) override {
    auto node = files.extract(name + "-incomplete");
    if (node.empty()) return;
    node.key() += "-1";
    files.insert(std::move(node));
  }
  void DropAside(const std::string& name) override { files.erase(name + "-incomplete-1"); }
  Status RemoveFolder() override {
    files.clear();
    return {};
  }
  Status Close() override { return {}; }

  std::map<std::string, std::string> files;
  std::vector<std::string> names;
  std::string folder_name;
  std::optional<uint64_t> room = uint64_t{1} << 40;
  size_t limit = size_t{1} << 30;  // of one file
  bool damages = false;            // what is read back differs

 private:
  std::string current_;
};

}  // namespace kdumpkit
