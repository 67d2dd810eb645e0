// SPDX-License-Identifier: GPL-2.0-or-later
#include "kexec/kernel_file.h"

#include "kexec/pe_image.h"
#include "kexec/uki.h"
#include "kexec/zboot.h"

namespace kdumpkit {
namespace {

// A compressed UKI with a compressed zboot kernel is the worst that makes sense.
constexpr size_t kMaxWrappers = 4;

// What the wrapper holds; absent when `file` has none that can be taken off.
using Inside = std::optional<ByteBuffer>;

Result<Inside> OpenCompressed(const KernelFile& file, size_t limit) {
  // lzop is known by name only.
  std::optional<Compression> compression = DetectCompression(file.contents);
  if (!compression) return Inside();
  return Inside(TRY(Decompress(file.contents, *compression, limit)));
}

// Where one UKI is inside another, the outer one's initrd and command line count.
Result<Inside> OpenUnifiedImage(KernelFile& file) {
  std::optional<PeImage> pe = ParsePeImage(file.contents);
  CHECK(pe);
  UnifiedImage unified = TRY(ReadUnifiedImage(*pe, file.contents));
  if (!file.initrd) file.initrd = std::move(unified.initrd);
  if (!file.command_line) file.command_line = std::move(unified.command_line);
  return Inside(ByteBuffer(unified.kernel.begin(), unified.kernel.end()));
}

Result<Inside> OpenWrapper(KernelFile& file, size_t limit) {
  switch (file.image.kind) {
    case ImageKind::kCompressed:
      return OpenCompressed(file, limit);
    case ImageKind::kZboot:
      return Inside(TRY(UnpackZbootImage(file.contents, limit)));
    case ImageKind::kUnifiedImage:
      return OpenUnifiedImage(file);
    default:
      return Inside();
  }
}

std::string PlaceText(const KernelFile& file) {
  return fmt::format("'{}': {}", file.path, file.Description());
}

}  // namespace

std::string KernelFile::Description() const {
  std::string text = image.description;
  for (auto wrapper = wrappers.rbegin(); wrapper != wrappers.rend(); ++wrapper)
    text += " inside " + *wrapper;
  return text;
}

Result<KernelFile> ReadKernelFile(const std::string& path, ByteBuffer file_bytes, size_t limit) {
  KernelFile file;
  file.path = path;
  file.contents = std::move(file_bytes);
  file.image = DetectKernelImage(file.contents, file.contents.size());
  file.is_signed = file.image.is_signed;
  while (Inside inside = TRY(OpenWrapper(file, limit).In(PlaceText(file)))) {
    if (file.wrappers.size() == kMaxWrappers)
      return Unsupported("{}: more than {} wrappers around the kernel", PlaceText(file),
                         kMaxWrappers);
    file.wrappers.push_back(file.image.description);
    file.contents = *std::move(inside);
    file.image = DetectKernelImage(file.contents, file.contents.size());
  }
  return file;
}

}  // namespace kdumpkit
