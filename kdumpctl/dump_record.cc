// SPDX-License-Identifier: GPL-2.0-or-later
#include "kdumpctl/dump_record.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>

#include "kdumpctl/panic_line.h"
#include "kdumpctl/text.h"

namespace kdumpkit {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kLogLimit = size_t{32} << 20;

// What a file of a dump's folder is, by its name.
enum class FileRole { kNone, kVmcore, kUnfinished, kDmesg };

FileRole RoleOf(std::string_view name) {
  if (name.starts_with("vmcore-dmesg") || name.starts_with("dmesg")) return FileRole::kDmesg;
  if (name == "vmcore-incomplete" || name == "vmcore.flat-incomplete" ||
      name.starts_with("dump-incomplete"))
    return FileRole::kUnfinished;
  if (name == "vmcore" || name == "vmcore.flat" || name.starts_with("dump.") ||
      name == "vmcore.compressed")
    return FileRole::kVmcore;
  return FileRole::kNone;
}

const DumpFile* Find(const DumpRecord& dump, FileRole role) {
  for (const DumpFile& file : dump.files)
    if (RoleOf(file.name) == role) return &file;
  return nullptr;
}

void ListFiles(const RootDir& root, DumpRecord& dump) {
  for (const std::string& name : root.List(dump.folder)) {
    struct stat info = {};
    std::string path = root.HostPath(dump.folder + "/" + name);
    if (lstat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) continue;
    dump.files.push_back({name, static_cast<uint64_t>(info.st_size)});
    dump.size += static_cast<uint64_t>(info.st_size);
    dump.changed = std::max(dump.changed, info.st_mtime);
  }
}

// The parts of a kdump file's header that matter here: docs/dump-formats.md.
struct KdumpHeader {
  std::string release;
  bool incomplete = false;
};

std::optional<KdumpHeader> ReadHeader(const RootDir& root, const std::string& path) {
  constexpr size_t kRelease = 12 + 65 + 65;
  constexpr size_t kStatus = 424;
  constexpr uint32_t kIncomplete = 0x8;
  Result<UniqueFd> fd = root.OpenAt(path, O_RDONLY | O_NOFOLLOW);
  if (!fd) return std::nullopt;
  ByteBuffer bytes(kStatus + 4);
  if (!ReadFullyAt(fd->get(), FileOffset{0}, bytes)) return std::nullopt;
  std::string_view text = AsText(bytes);
  if (!text.starts_with("KDUMP   ")) return std::nullopt;
  // The version is a small number, which tells the byte order.
  bool little = LoadUnchecked<uint32_t>(bytes.data() + 8, ByteOrder::kLittle) < 0x10000;
  uint32_t status = LoadUnchecked<uint32_t>(bytes.data() + kStatus,
                                            little ? ByteOrder::kLittle : ByteOrder::kBig);
  std::string_view release = text.substr(kRelease, 65);
  return KdumpHeader{std::string(release.substr(0, release.find('\0'))),
                     (status & kIncomplete) != 0};
}

// What the files alone tell.
void JudgeFiles(const RootDir& root, DumpRecord& dump) {
  const DumpFile* vmcore = Find(dump, FileRole::kVmcore);
  const DumpFile* unfinished = Find(dump, FileRole::kUnfinished);
  if (vmcore == nullptr && unfinished == nullptr) {
    dump.outcome = "dmesg-only";
    dump.reason = "there is only a log";
    return;
  }
  const DumpFile& file = vmcore != nullptr ? *vmcore : *unfinished;
  std::optional<KdumpHeader> header = ReadHeader(root, dump.folder + "/" + file.name);
  if (header) dump.kernel = header->release;
  dump.outcome = "partial";
  if (vmcore == nullptr) {
    dump.reason = fmt::format("the capture did not come to its end: '{}'", file.name);
  } else if (file.size == 0) {
    dump.reason = fmt::format("'{}' is empty", file.name);
  } else if (header && header->incomplete) {
    dump.reason = fmt::format("the header of '{}' says that it is incomplete", file.name);
  } else {
    dump.outcome = "complete";
  }
}

void ReadLog(const RootDir& root, DumpRecord& dump) {
  const DumpFile* log = Find(dump, FileRole::kDmesg);
  if (log == nullptr) return;
  Result<std::string> text = root.ReadText(dump.folder + "/" + log->name, kLogLimit);
  if (!text) return;
  PanicLine found = FindPanic(*text);
  dump.panic = found.reason;
  if (dump.kernel.empty()) dump.kernel = found.kernel;
}

Json ReadManifest(const RootDir& root, const std::string& folder) {
  Result<std::string> text = root.ReadText(folder + "/manifest.json");
  if (!text) return nullptr;
  Json json = Json::parse(*text, nullptr, false);
  return json.is_object() && JsonNumber(json, "format") == 1 ? json : Json(nullptr);
}

void TakeManifest(DumpRecord& dump) {
  const Json& json = dump.manifest;
  dump.host = JsonText(json, "host");
  dump.kernel = JsonText(json, "kernel");
  dump.panic = JsonText(json, "panic");
  dump.machine_id = JsonText(json, "machine_id");
  dump.boot_id = JsonText(json, "boot_id");
  dump.outcome = JsonText(json, "outcome");
  dump.reason = JsonText(json, "reason");
  if (json.contains("test_id")) dump.test_id = JsonText(json, "test_id");
  if (time_t time = ParseTimeText(JsonText(json, "time")); time != 0) dump.time = time;
}

bool IsFolder(const RootDir& root, const std::string& path) {
  struct stat info = {};
  return lstat(root.HostPath(path).c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

}  // namespace

std::string DumpRecord::Name() const { return BaseName(folder); }

std::optional<DumpRecord> ReadDump(const RootDir& root, const std::string& folder) {
  if (!IsFolder(root, folder)) return std::nullopt;
  DumpRecord dump;
  dump.folder = folder;
  dump.manifest = ReadManifest(root, folder);
  std::optional<DumpName> name = ParseDumpName(BaseName(folder));
  if (!name && dump.manifest.is_null()) return std::nullopt;
  ListFiles(root, dump);
  bool any = std::any_of(dump.files.begin(), dump.files.end(),
                         [](const DumpFile& file) { return RoleOf(file.name) != FileRole::kNone; });
  if (!any && dump.manifest.is_null()) return std::nullopt;
  if (name) {
    dump.layout = name->layout;
    dump.host = name->host;
    dump.test_id = name->test_id;
    dump.time = name->time;
  }
  if (dump.time == 0) dump.time = dump.changed;
  if (dump.manifest.is_null()) {
    JudgeFiles(root, dump);
    ReadLog(root, dump);
  } else {
    TakeManifest(dump);
  }
  return dump;
}

Json DumpJson(const DumpRecord& dump) {
  return {{"name", dump.Name()},
          {"folder", dump.folder},
          {"destination", dump.destination},
          {"layout", LayoutName(dump.layout)},
          {"own", dump.own},
          {"time", TimeText(dump.time)},
          {"host", dump.host},
          {"kernel", dump.kernel},
          {"size", dump.size},
          {"outcome", dump.outcome},
          {"reason", dump.reason},
          {"panic", dump.panic},
          {"test_id", dump.test_id}};
}

}  // namespace kdumpkit
