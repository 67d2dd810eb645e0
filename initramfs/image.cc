// SPDX-License-Identifier: GPL-2.0-or-later
#include "initramfs/image.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

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

Status AddSkeleton(FileTree& tree) {
  for (const char* folder : {"dev", "proc", "run", "sys", "tmp"}) TRY(tree.AddFolder(folder));
  // The kernel opens it for process 1 before anything is mounted: Linux init/main.c,
  // console_on_rootfs(). Numbers: Documentation/admin-guide/devices.txt.
  return tree.AddCharDevice("dev/console", 0600, 5, 1);
}

Status AddPrograms(const ImagePlan& plan, ImageContent& content) {
  LibrarySet libraries(SystemLibraryFolders());
  for (const FileRequest& program : plan.programs) {
    TRY(libraries.AddProgram(program.source));
    TRY(content.tree.AddFile(program.destination, TRY(ReadWhole(program.source)), 0755));
  }
  for (const auto& [destination, source] : libraries.Files()) {
    // A library may have been named as a file too.
    if (content.tree.Has(destination)) continue;
    TRY(content.tree.AddFile(destination, TRY(ReadWhole(source)), 0755));
    ++content.libraries;
  }
  return {};
}

Status AddFiles(const ImagePlan& plan, FileTree& tree) {
  for (const FileRequest& file : plan.files) {
    struct stat info = {};
    if (stat(file.source.c_str(), &info) != 0)
      return SystemError(errno, fmt::format("cannot open '{}'", file.source));
    TRY(tree.AddFile(file.destination, TRY(ReadWhole(file.source)), info.st_mode & 0777));
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

Status AddModules(const ImagePlan& plan, ImageContent& content) {
  if (plan.modules.empty()) return {};
  ModuleTree modules = TRY(ModuleTree::Open(plan.module_folder));
  std::string list;
  for (const std::string& file : TRY(modules.Closure(plan.modules))) {
    std::string destination = ModuleDestination(file, plan.module_folder);
    ByteBuffer bytes = TRY(UnpackModule(TRY(ReadWhole(file)), file));
    TRY(content.tree.AddFile(destination, std::move(bytes), 0644));
    list += fmt::format("/{}\n", destination);
    ++content.modules;
  }
  ByteView bytes = AsBytes(list);
  return content.tree.AddFile(kModuleList, ByteBuffer(bytes.begin(), bytes.end()), 0644);
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

Result<ImageContent> CollectImage(const ImagePlan& plan) {
  ImageContent content;
  TRY(AddSkeleton(content.tree));
  TRY(AddFiles(plan, content.tree));
  TRY(AddPrograms(plan, content));
  TRY(AddModules(plan, content));
  return content;
}

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
