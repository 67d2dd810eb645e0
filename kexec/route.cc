// SPDX-License-Identifier: GPL-2.0-or-later
#include "kexec/route.h"

#include <cerrno>

#include "kexec/elf_kernel.h"

namespace kdumpkit {
namespace {

constexpr uint16_t kEmX86_64 = 62;

// Messages name what the file is on the outside, too.
KernelImage Described(const KernelFile& kernel) {
  KernelImage image = kernel.image;
  image.description = kernel.Description();
  return image;
}

Status CheckElf(const KernelFile& kernel) {
  ElfKernel elf = TRY(ParseElfKernel(kernel.contents).In(fmt::format("'{}'", kernel.path)));
  if (elf.machine == kEmX86_64) return {};
  return Unsupported("'{}' is {}, this machine is x86_64", kernel.path, kernel.Description());
}

Status CheckForSegments(const KernelFile& kernel, std::string_view machine) {
  if (machine != "x86_64")
    return Unsupported("kexec_load is served on x86_64 only, this machine is {}: leave -c out",
                       machine);
  if (kernel.image.kind == ImageKind::kElf) return CheckElf(kernel);
  return CheckLoadable(Described(kernel), kernel.path, machine);
}

// A kind that kexec_file_load does not know, however sound the file.
bool NeedsSegments(const KernelFile& kernel, std::string_view machine) {
  return kernel.image.kind == ImageKind::kElf && machine == "x86_64";
}

Status CheckForFile(const KernelFile& kernel, std::string_view machine) {
  if (NeedsSegments(kernel, machine))
    return Unsupported("'{}' is {}, which kexec_file_load does not take: leave -s out", kernel.path,
                       kernel.Description());
  return CheckLoadable(Described(kernel), kernel.path, machine);
}

// The names that kexec-tools gives to the types of images.
struct TypeName {
  std::string_view name;
  ImageKind kind;
};
constexpr TypeName kTypeNames[] = {
    {"bzImage64", ImageKind::kBzImage}, {"bzImage", ImageKind::kBzImage},
    {"elf-x86_64", ImageKind::kElf},    {"vmlinux", ImageKind::kElf},
    {"Image", ImageKind::kArm64Image},
};

// Wrappers are types, too ("uki", "vmlinuz" for zboot).
bool HasType(const KernelFile& kernel, std::string_view type) {
  for (const TypeName& row : kTypeNames)
    if (row.name == type && row.kind == kernel.image.kind) return true;
  return !kernel.wrappers.empty() && (type == "uki" || type == "vmlinuz");
}

Status CheckType(const Options& options, const KernelFile& kernel) {
  if (!options.type || HasType(kernel, *options.type)) return {};
  return UsageError("--type: '{}' is {}, not of type '{}'", kernel.path, kernel.Description(),
                    *options.type);
}

Route Segments(std::string reason) { return {KexecCall::kSegments, false, std::move(reason)}; }

}  // namespace

Result<Route> ChooseRoute(const Options& options, const KernelFile& kernel,
                          std::string_view machine) {
  TRY(CheckType(options, kernel));
  Status file = CheckForFile(kernel, machine);
  Status segments = CheckForSegments(kernel, machine);
  if (options.call == CallChoice::kSegments) {
    TRY(std::move(segments));
    return Segments("-c was given");
  }
  // With -a it is not the other call's refusal that matters.
  if (options.call == CallChoice::kAuto && NeedsSegments(kernel, machine)) TRY(Status(segments));
  bool allowed = options.call == CallChoice::kAuto && segments.has_value();
  if (allowed && options.segments.Bounded())
    return Segments("kexec_file_load cannot be told --mem-min and --mem-max");
  if (allowed && !file)
    return Segments(fmt::format("kexec_file_load does not take {}", kernel.Description()));
  TRY(std::move(file));
  return Route{KexecCall::kFile, allowed, ""};
}

std::string_view CallName(KexecCall call) {
  return call == KexecCall::kFile ? "kexec_file_load" : "kexec_load";
}

bool FallsBack(int error) {
  return error == ENOSYS || error == EINVAL || error == ENOEXEC || error == EOPNOTSUPP;
}

}  // namespace kdumpkit
