// SPDX-License-Identifier: GPL-2.0-or-later
// kdump-mkinitramfs: builds the capture kernel's initramfs. See kdump-mkinitramfs(8).
#include <getopt.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <optional>

#include "base/file.h"
#include "initramfs/image.h"
#include "initramfs/kernel_modules.h"
#include "initramfs/newc.h"

namespace kdumpkit {
namespace {

constexpr const char kInit[] = "/init";
constexpr const char kFilter[] = "/usr/bin/kdump-filter";

struct Options {
  std::string release;
  std::string root = "/";
  ImagePlan plan;
  std::optional<ImageCompression> compression;
  std::string output;
  bool list = false;
};

struct OptionRow {
  option entry;
  const char* argument;  // nullptr: takes none
  const char* help;
};

constexpr OptionRow kRows[] = {
    {{"output", required_argument, nullptr, 'o'}, "FILE", "write the image to FILE"},
    {{"kernel-release", required_argument, nullptr, 'k'}, "R", "the capture kernel's release"},
    {{"modules-dir", required_argument, nullptr, 'd'}, "DIR", "modules are in DIR/lib/modules/R"},
    {{"module", required_argument, nullptr, 'm'}, "NAME", "add a module and what it needs"},
    {{"program", required_argument, nullptr, 'p'},
     "PATH[=DEST]",
     "add a program and its libraries"},
    {{"file", required_argument, nullptr, 'f'}, "SRC=DEST", "add a file"},
    {{"init", required_argument, nullptr, 'i'}, "PROGRAM", "the program to start as /init"},
    {{"compress", required_argument, nullptr, 'c'}, "none|gzip|zstd", "pack the image so"},
    {{"list", no_argument, nullptr, 'l'}, nullptr, "print what is in the image"},
    {{"help", no_argument, nullptr, 'h'}, nullptr, "show this text"},
    {{"version", no_argument, nullptr, 'v'}, nullptr, "show the version"},
};

void PrintHelp() {
  std::printf(
      "Usage: kdump-mkinitramfs --output FILE [OPTION]...\n"
      "Builds the initramfs of a capture kernel; see kdump-mkinitramfs(8).\n\n");
  for (const OptionRow& row : kRows) {
    std::string name = fmt::format("--{}{}{}", row.entry.name, row.argument != nullptr ? " " : "",
                                   row.argument != nullptr ? row.argument : "");
    std::printf("  -%c, %-28s %s\n", row.entry.val, name.c_str(), row.help);
  }
}

// The program of that name beside this one, else in PATH or where administrators' programs are.
std::string FindProgram(const std::string& name) {
  const char* search = std::getenv("PATH");
  std::error_code error;
  std::string own = std::filesystem::read_symlink("/proc/self/exe", error).parent_path();
  std::string folders =
      fmt::format("{}:{}:/usr/sbin:/usr/bin", own, search != nullptr ? search : "");
  for (size_t at = 0; at < folders.size();) {
    size_t end = std::min(folders.find(':', at), folders.size());
    std::string path = fmt::format("{}/{}", folders.substr(at, end - at), name);
    if (end > at && access(path.c_str(), X_OK) == 0) return path;
    at = end + 1;
  }
  return name;
}

// "PATH=DEST", or "PATH" with the default's folder and its own name.
FileRequest ParsePair(const std::string& text, const std::string& default_folder) {
  size_t equals = text.rfind('=');
  if (equals != std::string::npos) return {text.substr(0, equals), text.substr(equals + 1)};
  return {text, default_folder + std::filesystem::path(text).filename().string()};
}

Result<ImageCompression> ParseCompression(const std::string& text) {
  if (text == "none") return ImageCompression::kNone;
  if (text == "gzip") return ImageCompression::kGzip;
  if (text == "zstd") return ImageCompression::kZstd;
  return UsageError("--compress {}: use none, gzip or zstd", text);
}

Status ApplyOption(int letter, const std::string& value, Options& options) {
  switch (letter) {
    case 'o':
      options.output = value;
      return {};
    case 'k':
      options.release = value;
      return {};
    case 'd':
      options.root = value;
      return {};
    case 'm':
      options.plan.modules.push_back(value);
      return {};
    case 'p':
      options.plan.programs.push_back(ParsePair(value, "/usr/bin/"));
      return {};
    case 'f':
      if (value.find('=') == std::string::npos) return UsageError("--file {}: use SRC=DEST", value);
      options.plan.files.push_back(ParsePair(value, ""));
      return {};
    case 'i':
      options.plan.programs.push_back({value, kInit});
      return {};
    case 'c':
      options.compression = TRY(ParseCompression(value));
      return {};
    case 'l':
      options.list = true;
      return {};
    default:
      return UsageError("see --help");
  }
}

// Empty: --help or --version was served.
Result<std::optional<Options>> ReadOptions(int argc, char** argv) {
  option table[std::size(kRows) + 1] = {};
  std::string letters;
  for (size_t i = 0; i < std::size(kRows); ++i) {
    table[i] = kRows[i].entry;
    letters += static_cast<char>(kRows[i].entry.val);
    if (kRows[i].argument != nullptr) letters += ':';
  }
  Options options;
  for (int c; (c = getopt_long(argc, argv, letters.c_str(), table, nullptr)) != -1;) {
    if (c == 'h') PrintHelp();
    if (c == 'v') std::printf("kdump-mkinitramfs %s\n", KDUMPKIT_VERSION);
    if (c == 'h' || c == 'v') return std::optional<Options>();
    TRY(ApplyOption(c, optarg != nullptr ? optarg : "", options));
  }
  if (optind < argc) return UsageError("unexpected argument '{}'", argv[optind]);
  if (options.output.empty() && !options.list) return UsageError("--output is missing");
  return std::optional<Options>(std::move(options));
}

bool HasDestination(const ImagePlan& plan, std::string_view destination) {
  for (const FileRequest& program : plan.programs)
    if (program.destination == destination) return true;
  return false;
}

// The capture's own programs are in every image, unless others were named for their places.
Status FillDefaults(Options& options) {
  ImagePlan& plan = options.plan;
  if (!HasDestination(plan, kInit)) plan.programs.push_back({FindProgram("kdump-capture"), kInit});
  if (!HasDestination(plan, kFilter))
    plan.programs.push_back({FindProgram("kdump-filter"), kFilter});
  if (options.release.empty() && options.root == "/") {
    RootDir live = TRY(RootDir::Open());
    options.release = live.ReadLine("/proc/sys/kernel/osrelease").value_or("");
  }
  if (plan.modules.empty()) return {};
  plan.module_folder = TRY(FindModuleFolder(options.root, options.release));
  return {};
}

void PrintList(const FileTree& tree) {
  for (const auto& [path, entry] : tree.entries()) {
    char kind = entry.kind == TreeEntry::Kind::kFolder ? 'd'
                : entry.kind == TreeEntry::Kind::kFile ? '-'
                                                       : 'c';
    std::printf("%c%04o %9zu /%s\n", kind, entry.permissions, entry.data.size(), path.c_str());
  }
}

const char* Name(ImageCompression compression) {
  static constexpr const char* kNames[] = {"not compressed", "gzip", "zstd"};
  return kNames[static_cast<size_t>(compression)];
}

Status Build(Options options) {
  TRY(FillDefaults(options));
  ImageContent content = TRY(CollectImage(options.plan));
  if (options.list) PrintList(content.tree);
  if (options.output.empty()) return {};
  ImageCompression compression =
      options.compression.value_or(ChooseCompression(options.root, options.plan.module_folder));
  ByteBuffer archive = TRY(WriteNewc(content.tree));
  ByteBuffer packed = TRY(CompressImage(archive, compression));
  TRY(WriteImage(options.output, packed));
  std::printf("'%s': %zu bytes (%zu unpacked, %s), %zu kernel modules, %zu libraries\n",
              options.output.c_str(), packed.size(), archive.size(), Name(compression),
              content.modules, content.libraries);
  return {};
}

int Fail(const Error& error) {
  std::fprintf(stderr, "kdump-mkinitramfs: %s\n", error.message().c_str());
  return error.kind() == ErrorKind::kUsage ? 2 : 1;
}

int Main(int argc, char** argv) {
  Result<std::optional<Options>> options = ReadOptions(argc, argv);
  if (!options) return Fail(options.error());
  if (!*options) return 0;
  Status built = Build(std::move(**options));
  return built ? 0 : Fail(built.error());
}

}  // namespace
}  // namespace kdumpkit

int main(int argc, char** argv) { return kdumpkit::Main(argc, argv); }
