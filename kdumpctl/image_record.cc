// SPDX-License-Identifier: GPL-2.0-or-later
#include "kdumpctl/image_record.h"

#include <fmt/chrono.h>

#include <algorithm>
#include <ctime>
#include <nlohmann/json.hpp>
#include <set>

#include "base/sha256.h"
#include "kdumpctl/json_read.h"
#include "kdumpctl/text.h"

namespace kdumpkit {
namespace {

using Json = nlohmann::ordered_json;

// More than these are told as a number.
constexpr size_t kMostReasons = 8;

std::string DigestOf(std::string_view text) {
  Sha256 digest;
  digest.Update(AsBytes(text));
  auto bytes = digest.Finish();
  return HexText(bytes);
}

std::vector<std::string> Items(const ImageList& list) {
  std::vector<std::string> items;
  for (const ImageFile& file : list.files)
    items.push_back(
        fmt::format("file {:o} {} {}", file.permissions, file.destination, file.source));
  for (const ImageText& text : list.texts)
    items.push_back(
        fmt::format("text {:o} {} {}", text.permissions, text.destination, DigestOf(text.text)));
  std::sort(items.begin(), items.end());
  return items;
}

std::vector<std::string> Sources(const ImageContents& contents) {
  std::set<std::string> paths(contents.other.begin(), contents.other.end());
  for (const ImageFile& file : contents.list.files) paths.insert(file.source);
  return {paths.begin(), paths.end()};
}

Json StateToJson(const Fingerprint& print) {
  return {{"path", print.path},           {"sha256", print.sha256},
          {"size", print.state.size},     {"mtime", print.state.mtime},
          {"ctime", print.state.ctime},   {"inode", print.state.inode},
          {"device", print.state.device}, {"taken", print.taken}};
}

Fingerprint StateFromJson(const Json& json) {
  Fingerprint print;
  print.path = JsonText(json, "path");
  print.sha256 = JsonText(json, "sha256");
  print.taken = JsonInteger(json, "taken");
  print.state = {JsonNumber(json, "device"), JsonNumber(json, "inode"), JsonNumber(json, "size"),
                 JsonInteger(json, "mtime"), JsonInteger(json, "ctime")};
  return print;
}

Json NetworkToJson(const EarlierNetwork& network) {
  return {{"addresses", network.addresses},
          {"network", network.network},
          {"hosts", network.hosts},
          {"local_address", network.local_address},
          {"watchdog_modules", network.watchdog_modules}};
}

EarlierNetwork NetworkFromJson(const Json& json) {
  EarlierNetwork network;
  network.network = JsonText(json, "network");
  network.hosts = JsonText(json, "hosts");
  network.local_address = JsonText(json, "local_address");
  if (auto found = json.find("addresses"); found != json.end() && found->is_object())
    for (const auto& [host, address] : found->items())
      if (address.is_string()) network.addresses[host] = address.get<std::string>();
  for (const Json& module : JsonMember(json, "watchdog_modules"))
    if (module.is_string()) network.watchdog_modules.push_back(module.get<std::string>());
  return network;
}

std::string NameOfItem(const std::string& item) {
  std::vector<std::string> words = Words(item);
  return words.size() > 2 ? words[2] : item;
}

// Names of what only one of the two sorted lists has.
void CompareItems(const std::vector<std::string>& then, const std::vector<std::string>& now,
                  std::vector<std::string>& reasons) {
  std::vector<std::string> gone;
  std::vector<std::string> added;
  std::set_difference(then.begin(), then.end(), now.begin(), now.end(), std::back_inserter(gone));
  std::set_difference(now.begin(), now.end(), then.begin(), then.end(), std::back_inserter(added));
  std::set<std::string> old_names;
  std::set<std::string> new_names;
  for (const std::string& item : gone) old_names.insert(NameOfItem(item));
  for (const std::string& item : added) new_names.insert(NameOfItem(item));
  for (const std::string& name : old_names)
    reasons.push_back(new_names.contains(name)
                          ? fmt::format("'{}' in it would be another one", name)
                          : fmt::format("'{}' is no longer needed in it", name));
  for (const std::string& name : new_names)
    if (!old_names.contains(name)) reasons.push_back(fmt::format("'{}' is not in it", name));
}

void CompareFiles(ImageRecord& record, Freshness& freshness) {
  for (Fingerprint& print : record.files) {
    Result<Sameness> same = CompareFile(print);
    if (!same)
      freshness.reasons.push_back(same.error().message());
    else if (*same == Sameness::kChanged)
      freshness.reasons.push_back(fmt::format("'{}' has changed", print.path));
    else
      freshness.touched |= *same == Sameness::kSameButTouched;
  }
}

void CompareImage(ImageRecord& record, Freshness& freshness) {
  Result<Sameness> same = CompareFile(record.image);
  if (!same)
    freshness.reasons.push_back(same.error().message());
  else if (*same == Sameness::kChanged)
    freshness.reasons.push_back(fmt::format("'{}' is not what was built", record.image.path));
  else
    freshness.touched |= *same == Sameness::kSameButTouched;
}

void Shorten(std::vector<std::string>& reasons) {
  if (reasons.size() <= kMostReasons) return;
  size_t more = reasons.size() - kMostReasons;
  reasons.resize(kMostReasons);
  reasons.push_back(fmt::format("and {} more", more));
}

}  // namespace

std::string RecordToJson(const ImageRecord& record) {
  Json files = Json::array();
  for (const Fingerprint& print : record.files) files.push_back(StateToJson(print));
  Json json = {{"format", 1},
               {"release", record.release},
               {"builder", record.builder},
               {"built", record.built},
               {"version", record.version},
               {"unpacked_size", record.unpacked_size},
               {"image", StateToJson(record.image)},
               {"network", NetworkToJson(record.network)},
               {"items", record.items},
               {"files", files}};
  return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

Result<ImageRecord> RecordFromJson(const std::string& text) {
  Json json = Json::parse(text, nullptr, false);
  if (!json.is_object() || JsonNumber(json, "format") != 1)
    return Malformed("the record of the image is no record of this version");
  ImageRecord record;
  record.release = JsonText(json, "release");
  record.builder = JsonText(json, "builder");
  record.built = JsonText(json, "built");
  record.version = JsonText(json, "version");
  record.unpacked_size = JsonNumber(json, "unpacked_size");
  record.image = StateFromJson(JsonMember(json, "image"));
  record.network = NetworkFromJson(JsonMember(json, "network"));
  for (const Json& item : JsonMember(json, "items"))
    if (item.is_string()) record.items.push_back(item.get<std::string>());
  for (const Json& file : JsonMember(json, "files")) record.files.push_back(StateFromJson(file));
  return record;
}

Result<ImageRecord> MakeRecord(const CapturePlan& plan, const ImageContents& contents,
                               const std::string& image, uint64_t unpacked_size) {
  ImageRecord record;
  record.release = plan.kernel.release;
  record.builder = BuilderName(plan.builder);
  record.built = fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr)));
  record.version = KDUMPKIT_VERSION;
  record.network = {plan.network.addresses, plan.network.network, plan.network.hosts,
                    plan.network.local_address, plan.watchdog_modules};
  record.items = Items(contents.list);
  for (const std::string& path : Sources(contents))
    record.files.push_back(TRY(TakeFingerprint(path)));
  record.image = TRY(TakeFingerprint(image));
  record.unpacked_size = unpacked_size;
  return record;
}

Freshness CheckFreshness(const CapturePlan& plan, const ImageContents& contents,
                         ImageRecord& record) {
  Freshness freshness;
  if (record.release != plan.kernel.release)
    freshness.reasons.push_back(fmt::format("it is for kernel {}", record.release));
  if (record.builder != BuilderName(plan.builder))
    freshness.reasons.push_back(
        fmt::format("{} built it, and {} would now", record.builder, BuilderName(plan.builder)));
  if (record.version != KDUMPKIT_VERSION)
    freshness.reasons.push_back(fmt::format("kdumpctl {} built it", record.version));
  CompareItems(record.items, Items(contents.list), freshness.reasons);
  CompareImage(record, freshness);
  CompareFiles(record, freshness);
  Shorten(freshness.reasons);
  return freshness;
}

}  // namespace kdumpkit
