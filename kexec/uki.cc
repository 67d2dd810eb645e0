// SPDX-License-Identifier: GPL-2.0-or-later
#include "kexec/uki.h"

#include <algorithm>

#include "kexec/text.h"

namespace kdumpkit {
namespace {

constexpr std::string_view kProfile = ".profile";

bool HasSection(const PeImage& pe, std::string_view name) {
  return std::any_of(pe.sections.begin(), pe.sections.end(),
                     [&](const PeSection& section) { return section.name == name; });
}

// The section of that name that counts: the first one of the profile, else of the base. Null when
// there is none, or it is empty.
const PeSection* FindSection(const PeImage& pe, std::string_view name) {
  const PeSection* found = nullptr;
  int profile = 0;  // 0 is the base
  int found_in = -1;
  for (const PeSection& section : pe.sections) {
    if (section.name == kProfile) ++profile;
    if (profile > 1) break;
    if (section.name != name || found_in == profile) continue;
    found = &section;
    found_in = profile;
  }
  return found != nullptr && found->DataSize() != 0 ? found : nullptr;
}

// Contents of a section, absent when it is not there.
Result<std::optional<ByteView>> Contents(const PeImage& pe, std::string_view name, ByteView file) {
  const PeSection* section = FindSection(pe, name);
  if (section == nullptr) return std::optional<ByteView>();
  return std::optional<ByteView>(TRY(SectionData(*section, file)));
}

// Text up to the first NUL byte on one line: what is not printable becomes a space.
std::string OneLine(ByteView bytes) {
  std::string_view text = AsText(bytes);
  std::string line(text.substr(0, text.find('\0')));
  auto is_control = [](char c) { return (c >= 0 && c < ' ') || c == '\x7f'; };
  std::replace_if(line.begin(), line.end(), is_control, ' ');
  return std::string(Trim(line));
}

// The kernel unpacks cpio archives that follow each other at multiples of four bytes (Linux
// Documentation/driver-api/early-userspace/buffer-format.rst).
void AppendArchive(std::optional<ByteBuffer>& initrd, ByteView archive) {
  if (!initrd) initrd.emplace();
  initrd->resize((initrd->size() + 3) / 4 * 4);
  initrd->insert(initrd->end(), archive.begin(), archive.end());
}

// The value of PRETTY_NAME= in an os-release file, without its quotes.
std::string PrettyName(ByteView os_release) {
  constexpr std::string_view kKey = "PRETTY_NAME=";
  for (std::string_view line : SplitLines(AsText(os_release))) {
    if (!line.starts_with(kKey)) continue;
    std::string_view value = Trim(line.substr(kKey.size()));
    if (value.size() >= 2 && (value.front() == '"' || value.front() == '\''))
      value = value.substr(1, value.size() - 2);
    return OneLine(AsBytes(value));
  }
  return "";
}

// The beginning of the section's contents, empty where `head` does not have them.
ByteView BeginningOf(std::string_view name, const PeImage& pe, ByteView head) {
  constexpr size_t kEnough = 4096;
  ByteView contents = Contents(pe, name, head).value_or(std::nullopt).value_or(ByteView());
  return contents.first(std::min(contents.size(), kEnough));
}

}  // namespace

bool IsUnifiedImage(const PeImage& pe) { return HasSection(pe, ".linux"); }

Result<UnifiedImage> ReadUnifiedImage(const PeImage& pe, ByteView file) {
  UnifiedImage image;
  std::optional<ByteView> kernel = TRY(Contents(pe, ".linux", file));
  if (!kernel) return Malformed("its section '.linux' is empty or not in the first profile");
  image.kernel = *kernel;
  for (const char* name : {".ucode", ".initrd"})
    if (std::optional<ByteView> archive = TRY(Contents(pe, name, file)))
      AppendArchive(image.initrd, *archive);
  if (std::optional<ByteView> text = TRY(Contents(pe, ".cmdline", file)))
    image.command_line = OneLine(*text);
  return image;
}

std::string DescribeUnifiedImage(const PeImage& pe, ByteView head) {
  std::string text = "a unified kernel image (UKI";
  constexpr size_t kMaxName = 80;
  std::string release = OneLine(BeginningOf(".uname", pe, head)).substr(0, kMaxName);
  std::string system = PrettyName(BeginningOf(".osrel", pe, head)).substr(0, kMaxName);
  if (!release.empty()) text += ", Linux " + release;
  if (!system.empty()) text += ", " + system;
  if (HasSection(pe, kProfile)) text += ", the first of its profiles";
  return text + ")";
}

}  // namespace kdumpkit
