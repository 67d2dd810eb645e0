// SPDX-License-Identifier: GPL-2.0-or-later
#include "initramfs/image.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>

#include "base/file.h"
#include "initramfs/kernel_modules.h"
#include "initramfs/libraries.h"

namespace kdumpkit {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMaxFile = size_t{1} << 30;
constexpr size_t kMaxConfig = size_t{4} << 20;
constexpr const char* kModuleList = "etc/kdumpkit/modules";

Result<ByteBuffer> ReadWhole(const std::string& path) {
  UniqueFd fd = TRY(OpenFile(path, O_RDONLY));
  return ReadToEnd(fd.get(), kMaxFile).In(fmt::format("cannot read '{}'", path));
}

std::string_view Relative(std::string_view path) {
  path.remove_prefix(std::min(path.find_first_not_of('/'), path.size()));
  return path;
}

Status AddSkeleton(FileTree& tree) {
  for (const char* folder : {"dev", "proc", "run", "sys", "tmp"}) TRY(tree.AddFolder(folder));
  // The kernel opens it for process 1 before anything is mounted: Linux init/main.c,
  // console_on_rootfs(). Numbers: Documentation/admin-guide/devices.txt.
  return tree.AddCharDevice("dev/console", 0600, 5, 1);
}

void AddFile(const FileRequest& file, unsigned permissions, ImageList& list) {
  list.files.push_back({file.source, file.destination, permissions, false});
}

bool HasDestination(const ImageList& list, const std::string& destination) {
  auto same = [&](const auto& file) { return Relative(file.destination) == Relative(destination); };
  return std::any_of(list.files.begin(), list.files.end(), same) ||
         std::any_of(list.texts.begin(), list.texts.end(), same);
}

Status AddPrograms(const ImagePlan& plan, ImageList& list) {
  LibrarySet libraries(SystemLibraryFolders());
  for (const FileRequest& program : plan.programs) {
    TRY(libraries.AddProgram(program.source));
    AddFile(program, 0755, list);
  }
  for (const auto& [destination, source] : libraries.Files()) {
    // A library may have been named as a file too.
    if (HasDestination(list, destination)) continue;
    AddFile({source, destination}, 0755, list);
    ++list.libraries;
  }
  return {};
}

Status AddFiles(const ImagePlan& plan, ImageList& list) {
  for (const FileRequest& file : plan.files) {
    struct stat info = {};
    if (stat(file.source.c_str(), &info) != 0)
      return SystemError(errno, fmt::format("cannot open '{}'", file.source));
    AddFile(file, info.st_mode & 0777, list);
  }
  return {};
}

// ".../kernel/fs/ext4/ext4.ko.xz" -> "lib/modules/R/kernel/fs/ext4/ext4.ko"
std::string ModuleDestination(const std::string& file, const std::string& module_folder) {
  fs::path folder(module_folder);
  fs::path inside = fs::path(file).lexically_relative(folder);
  if (inside.extension() != ".ko") inside.replace_extension();
  return fs::path("lib/modules") / folder.filename() / inside;
}

// The places and forms that the kernel tries, in its order (drivers/base/firmware_loader/main.c in
// Linux); a compressed file stays as it is. Most drivers ask for more than there is.
void AddFirmware(const ImagePlan& plan, const std::string& name, ImageList& list) {
  std::string release = fs::path(plan.module_folder).filename();
  for (const std::string& place :
       {"updates/" + release, std::string("updates"), release, std::string()}) {
    for (const char* suffix : {"", ".zst", ".xz"}) {
      fs::path inside = fs::path(place) / (name + suffix);
      std::error_code error;
      if (!fs::is_regular_file(plan.firmware_folder / inside, error)) continue;
      FileRequest file{plan.firmware_folder / inside, "/lib/firmware" / inside};
      if (!HasDestination(list, file.destination)) AddFile(file, 0644, list);
      return;
    }
  }
}

Status AddModules(const ImagePlan& plan, ImageList& list) {
  if (plan.modules.empty() && plan.optional_modules.empty()) return {};
  ModuleTree modules = TRY(ModuleTree::Open(plan.module_folder));
  std::vector<std::string> names = plan.modules;
  for (const std::string& name : plan.optional_modules)
    if (modules.Knows(name)) names.push_back(name);
  std::string text;
  std::vector<std::string> files = TRY(modules.Closure(names));
  for (const std::string& file : files) {
    std::string destination = ModuleDestination(file, plan.module_folder);
    list.files.push_back({file, destination, 0644, true});
    text += fmt::format("/{}\n", destination);
    ++list.modules;
  }
  list.texts.push_back({kModuleList, std::move(text), 0644});
  if (plan.firmware_folder.empty()) return {};
  for (const std::string& name : modules.Firmware(files)) AddFirmware(plan, name, list);
  return {};
}

bool ConfigSaysZstd(const std::string& path) {
  Result<UniqueFd> fd = OpenFile(path, O_RDONLY);
  if (!fd) return false;
  Result<ByteBuffer> text = ReadToEnd(fd->get(), kMaxConfig);
  return text && AsText(*text).find("\nCONFIG_RD_ZSTD=y\n") != std::string_view::npos;
}

Status WriteAndSync(const std::string& path, ByteView bytes) {
  constexpr int kFlags = O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW;
  UniqueFd fd = TRY(OpenFile(path, kFlags, 0600));
  if (fchmod(fd.get(), 0600) != 0) return SystemError(errno, fmt::format("'{}'", path));
  TRY(WriteFully(fd.get(), bytes).In(fmt::format("cannot write '{}'", path)));
  if (fsync(fd.get()) != 0) return SystemError(errno, fmt::format("cannot sync '{}'", path));
  return {};
}

}  // namespace

Result<ImageList> ListImage(const ImagePlan& plan) {
  ImageList list;
  list.texts = plan.texts;
  TRY(AddFiles(plan, list));
  TRY(AddPrograms(plan, list));
  TRY(AddModules(plan, list));
  return list;
}

Result<ImageContent> ReadImage(const ImageList& list) {
  ImageContent content;
  content.modules = list.modules;
  content.libraries = list.libraries;
  TRY(AddSkeleton(content.tree));
  for (const ImageText& text : list.texts) {
    ByteView bytes = AsBytes(text.text);
    TRY(content.tree.AddFile(text.destination, ByteBuffer(bytes.begin(), bytes.end()),
                             text.permissions));
  }
  for (const ImageFile& file : list.files) {
    ByteBuffer bytes = TRY(ReadWhole(file.source));
    if (file.module) bytes = TRY(UnpackModule(bytes, file.source));
    TRY(content.tree.AddFile(file.destination, std::move(bytes), file.permissions));
  }
  return content;
}

Result<ImageContent> CollectImage(const ImagePlan& plan) { return ReadImage(TRY(ListImage(plan))); }

ImageCompression ChooseCompression(const std::string& root, const std::string& module_folder) {
  std::string release = fs::path(module_folder).filename();
  bool zstd = ConfigSaysZstd(fs::path(root) / "boot" / ("config-" + release)) ||
              ConfigSaysZstd(module_folder + "/config");
  return zstd ? ImageCompression::kZstd : ImageCompression::kGzip;
}

Status WriteImage(const std::string& path, ByteView bytes) {
  std::string incomplete = path + "-incomplete";
  Status written = WriteAndSync(incomplete, bytes);
  if (!written) {
    (void)unlink(incomplete.c_str());
    return written;
  }
  if (rename(incomplete.c_str(), path.c_str()) != 0)
    return SystemError(errno, fmt::format("cannot rename '{}' to '{}'", incomplete, path));
  return SyncDirectory(fs::absolute(path).parent_path());
}

}  // namespace kdumpkit
