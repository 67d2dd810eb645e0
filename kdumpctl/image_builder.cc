// SPDX-License-Identifier: GPL-2.0-or-later
#include "kdumpctl/image_builder.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <filesystem>

#include "initramfs/newc.h"
#include "kdumpctl/full_image.h"
#include "kdumpctl/state_files.h"

namespace kdumpkit {
namespace {

namespace fs = std::filesystem;

struct PackedImage {
  ByteBuffer bytes;
  uint64_t unpacked_size = 0;
};

Result<PackedImage> PackSmallImage(const CapturePlan& plan, const ImageList& list,
                                   const RootDir& root) {
  ImageContent content = TRY(ReadImage(list));
  ByteBuffer archive = TRY(WriteNewc(content.tree));
  ImageCompression compression = ChooseCompression(root.HostPath("/"), plan.image.module_folder);
  PackedImage packed;
  packed.unpacked_size = archive.size();
  packed.bytes = TRY(CompressImage(archive, compression));
  return packed;
}

Status WriteInto(const std::string& folder, const std::string& destination, ByteView bytes,
                 unsigned permissions) {
  std::string path = fmt::format("{}/{}", folder, destination);
  std::error_code error;
  fs::create_directories(fs::path(path).parent_path(), error);
  Result<UniqueFd> fd = OpenFile(path, O_WRONLY | O_CREAT | O_EXCL, permissions);
  if (!fd && fd.error().error_number() == EEXIST) return {};
  if (!fd) return fd.error();
  if (fchmod(fd->get(), permissions) != 0) return SystemError(errno, fmt::format("'{}'", path));
  return WriteFully(fd->get(), bytes).In(fmt::format("cannot write '{}'", path));
}

}  // namespace

Result<ImageContents> ListContents(const CapturePlan& plan, const RootDir& root) {
  ImageContents contents;
  contents.list = TRY(ListImage(plan.image));
  contents.other.push_back(root.HostPath(plan.kernel.file));
  if (plan.builder == ImageBuilder::kKdumpkit) return contents;
  for (const std::string& file : BuilderFiles(plan, root))
    contents.other.push_back(root.HostPath(file));
  return contents;
}

Result<ImageRecord> BuildImage(const CapturePlan& plan, const ImageContents& contents,
                               const RootDir& root, LiveSystem& system) {
  TRY(MakeStateFolder(root));
  std::string path = root.HostPath(ImagePath(plan.kernel.release));
  uint64_t unpacked_size = 0;
  if (plan.builder == ImageBuilder::kKdumpkit) {
    PackedImage packed = TRY(PackSmallImage(plan, contents.list, root));
    unpacked_size = packed.unpacked_size;
    TRY(WriteImage(path, packed.bytes));
  } else {
    TRY(BuildFullImage(plan, path, root, system));
  }
  ImageRecord record = TRY(MakeRecord(plan, contents, path, unpacked_size));
  TRY(WriteStateFile(root, RecordPath(plan.kernel.release), RecordToJson(record)));
  return record;
}

Status WriteImageFiles(const ImageContents& contents, const std::string& folder) {
  ImageContent content = TRY(ReadImage(contents.list));
  for (const auto& [destination, entry] : content.tree.entries())
    if (entry.kind == TreeEntry::Kind::kFile)
      TRY(WriteInto(folder, destination, entry.data, entry.permissions));
  return {};
}

std::optional<ImageRecord> ReadRecord(const RootDir& root, const std::string& release) {
  Result<std::string> text = root.ReadText(RecordPath(release), size_t{16} << 20);
  if (!text) return std::nullopt;
  Result<ImageRecord> record = RecordFromJson(*text);
  if (!record) return std::nullopt;
  return std::move(*record);
}

}  // namespace kdumpkit
