// SPDX-License-Identifier: GPL-2.0-or-later
#include "kdumpctl/boot_loader.h"

#include <fcntl.h>
#include <fmt/ranges.h>
#include <fnmatch.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include "kdumpctl/text.h"

namespace kdumpkit {
namespace {

constexpr const char kAll[] = "ALL";
constexpr const char kDefault[] = "DEFAULT";
constexpr const char kGrubDefaults[] = "/etc/default/grub";
constexpr const char kGrubDropIn[] = "/etc/default/grub.d/kdumpkit.cfg";
constexpr const char kKernelCmdline[] = "/etc/kernel/cmdline";
// Where the boot partition and the EFI partition are mounted.
constexpr const char* kBootFolders[] = {"/boot", "/efi", "/boot/efi"};

using Finder = Reservation (*)(std::string_view);
using Setter = std::string (*)(std::string_view, const Reservation&);

class Planner {
 public:
  Planner(const Reservation& values, const std::string& kernel, const RootDir& root,
          LiveSystem& system)
      : values_(values), kernel_(kernel), root_(root), system_(system) {}

  Result<BootLoaderPlan> Plan() {
    bool debian = IsDebianGrub();
    if (debian) TRY(PlanDebianGrub());
    if (!debian) TRY(PlanGrubDefaults());
    TRY(PlanEntries());
    TRY(PlanKernelCmdline());
    PlanUnifiedImages();
    PlanZipl();
    if (kernel_ != kAll && !matched_ && !EntryFiles().empty())
      return UsageError("no entry of the boot loader is for the kernel '{}'", kernel_);
    if (plan_.edits.empty() && plan_.commands.empty() && plan_.notes.empty())
      return UsageError(
          "no boot loader configuration is known here ('{}', 'loader/entries' in /boot, /efi and "
          "/boot/efi, '{}'); put crashkernel={} on the kernel's command line by hand",
          kGrubDefaults, kKernelCmdline, fmt::join(values_, " crashkernel="));
    return std::move(plan_);
  }

 private:
  bool IsDebianGrub() {
    return root_.Exists("/boot/grub/grub.cfg") && root_.Exists(kGrubDefaults) &&
           system_.FindProgram("update-grub").has_value();
  }

  Status Edit(const std::string& path, Finder find, Setter set) {
    // Of a link, what it leads to is replaced.
    std::string file = RealPath(root_, path).value_or(path);
    std::string text = TRY(root_.ReadText(file));
    std::string after = set(text, values_);
    plan_.edits.push_back({file, false, text, after, find(text)});
    return {};
  }

  // One configuration is for all kernels there.
  Status PlanDebianGrub() {
    if (kernel_ != kAll)
      return UsageError("GRUB has one command line for all kernels here; use --kernel=ALL");
    Result<std::string> text = root_.ReadText(kGrubDropIn);
    FileEdit edit{kGrubDropIn, !text.has_value(), text.value_or(""), GrubDropIn(values_), {}};
    edit.old_values = FindInGrubDefaults(edit.before);
    plan_.edits.push_back(std::move(edit));
    for (const std::string& path : OtherGrubFiles()) NoteOther(path);
    if (plan_.changes()) plan_.commands.push_back({"update-grub"});
    return {};
  }

  std::vector<std::string> OtherGrubFiles() {
    std::vector<std::string> paths = {kGrubDefaults};
    for (const std::string& name : root_.List("/etc/default/grub.d"))
      if (name.ends_with(".cfg") && name != BaseName(kGrubDropIn))
        paths.push_back("/etc/default/grub.d/" + name);
    return paths;
  }

  // A value of the user, or of another package.
  void NoteOther(const std::string& path) {
    Reservation found = FindInGrubDefaults(root_.ReadText(path).value_or(""));
    if (found.empty()) return;
    bool later = path > kGrubDropIn;
    plan_.notes.push_back(fmt::format("'{}' has crashkernel={}, too; {}", path, found[0],
                                      later ? "it is read later and counts; remove it"
                                            : "the one of kdumpkit is read later and counts"));
    plan_.other_values.insert(plan_.other_values.end(), found.begin(), found.end());
  }

  // Fedora's tools make entries from it; for others it is all there is.
  Status PlanGrubDefaults() {
    if (!root_.Exists(kGrubDefaults) || kernel_ != kAll) return {};
    TRY(Edit(kGrubDefaults, FindInGrubDefaults, SetInGrubDefaults));
    if (!EntryFiles().empty() || plan_.edits.back().before == plan_.edits.back().after) return {};
    for (const char* folder : {"/boot/grub2", "/boot/grub"}) {
      std::string config = fmt::format("{}/grub.cfg", folder);
      std::string program = fmt::format("{}-mkconfig", BaseName(folder));
      if (!root_.Exists(config)) continue;
      plan_.commands.push_back({program, "-o", config});
      return {};
    }
    plan_.notes.push_back("GRUB's grub.cfg was not found; make it anew by hand");
    return {};
  }

  // One may be a link to another.
  std::vector<std::string> BootFolders() {
    std::vector<std::string> folders;
    for (const char* folder : kBootFolders) {
      std::optional<std::string> real = RealPath(root_, folder);
      if (real && std::find(folders.begin(), folders.end(), *real) == folders.end())
        folders.push_back(*real);
    }
    return folders;
  }

  std::vector<std::string> EntryFiles() {
    std::vector<std::string> files;
    for (const std::string& folder : BootFolders()) {
      std::string entries = fmt::format("{}/loader/entries", folder);
      for (const std::string& name : root_.List(entries))
        if (name.ends_with(".conf")) files.push_back(entries + "/" + name);
    }
    return files;
  }

  Status PlanEntries() {
    std::string wanted = kernel_ == kDefault ? TRY(DefaultEntry()) : kernel_;
    for (const std::string& path : EntryFiles()) {
      std::string text = TRY(root_.ReadText(path));
      if (!IsWanted(path, text, wanted)) continue;
      matched_ = true;
      if (text.find("$kernelopts") != std::string::npos && system_.FindProgram("grubby")) {
        AddGrubby(EntryValue(text, "linux"));
      } else {
        TRY(Edit(path, FindInEntry, SetInEntry));
      }
    }
    return {};
  }

  bool IsWanted(const std::string& path, const std::string& text, const std::string& wanted) const {
    if (kernel_ == kAll) return true;
    std::string id = BaseName(path);
    id.resize(id.size() - std::string_view(".conf").size());
    if (kernel_ == kDefault)
      return fnmatch(wanted.c_str(), id.c_str(), 0) == 0 ||
             fnmatch(wanted.c_str(), BaseName(path).c_str(), 0) == 0;
    std::string file = EntryValue(text, "linux");
    return wanted == file || wanted == "/boot" + file || wanted == EntryValue(text, "version");
  }

  // The entry's name, as a pattern.
  Result<std::string> DefaultEntry() {
    for (const char* path : {"/boot/grub2/grubenv", "/boot/grub/grubenv"}) {
      std::string text = root_.ReadText(path).value_or("");
      constexpr std::string_view kSaved = "saved_entry=";
      for (std::string_view line : Lines(text))
        if (line.starts_with(kSaved) && line.size() > kSaved.size())
          return std::string(line.substr(kSaved.size()));
    }
    for (const std::string& folder : BootFolders()) {
      std::string text = root_.ReadText(folder + "/loader/loader.conf").value_or("");
      for (std::string_view line : Lines(text))
        if (std::vector<std::string> words = Words(line);
            words.size() == 2 && words[0] == "default")
          return words[1];
    }
    return UsageError(
        "which entry of the boot loader is the default cannot be told; use "
        "--kernel=FILE or --kernel=ALL");
  }

  void AddGrubby(const std::string& kernel) {
    std::string arguments;
    for (const std::string& value : values_)
      arguments += fmt::format("{}crashkernel={}", arguments.empty() ? "" : " ", value);
    std::string file = root_.Exists("/boot" + kernel) ? "/boot" + kernel : kernel;
    plan_.commands.push_back(
        {"grubby", "--update-kernel=" + file, "--remove-args=crashkernel", "--args=" + arguments});
  }

  Status PlanKernelCmdline() {
    if (!root_.Exists(kKernelCmdline) || kernel_ != kAll) return {};
    return Edit(kKernelCmdline, FindInCmdlineFile, SetInCmdlineFile);
  }

  void PlanUnifiedImages() {
    for (const std::string& folder : BootFolders()) {
      for (const std::string& name : root_.List(fmt::format("{}/EFI/Linux", folder))) {
        if (!name.ends_with(".efi")) continue;
        std::string path = fmt::format("{}/EFI/Linux/{}", folder, name);
        std::string release = ReleaseIn(name);
        if (kernel_ != kAll && kernel_ != release) continue;
        matched_ |= kernel_ == release;
        // kernel-install takes the command line from the file.
        bool can = kernel_ == kAll && root_.Exists(kKernelCmdline) && !release.empty() &&
                   system_.FindProgram("kernel-install");
        if (!can) {
          plan_.notes.push_back(
              fmt::format("'{}' has its command line inside, and has to be made anew", path));
        } else if (plan_.changes()) {
          plan_.commands.push_back({"kernel-install", "add", release,
                                    fmt::format("/usr/lib/modules/{}/vmlinuz", release)});
        }
      }
    }
  }

  // kernel-install calls them TOKEN-RELEASE.efi, perhaps with "+TRIES" before the dot.
  std::string ReleaseIn(const std::string& name) const {
    for (const std::string& release : root_.List("/usr/lib/modules"))
      if (name.find("-" + release + ".") != std::string::npos ||
          name.find("-" + release + "+") != std::string::npos)
        if (root_.Exists(fmt::format("/usr/lib/modules/{}/vmlinuz", release))) return release;
    return "";
  }

  void PlanZipl() {
    if (plan_.changes() && root_.Exists("/etc/zipl.conf") && system_.FindProgram("zipl"))
      plan_.commands.push_back({"zipl"});
  }

  const Reservation& values_;
  const std::string& kernel_;
  const RootDir& root_;
  LiveSystem& system_;
  BootLoaderPlan plan_;
  bool matched_ = false;
};

Status KeepAttributes(int fd, const struct stat& old, const std::string& path) {
  struct stat now = {};
  if (fstat(fd, &now) != 0) return SystemError(errno, fmt::format("'{}'", path));
  bool same_owner = now.st_uid == old.st_uid && now.st_gid == old.st_gid;
  if (!same_owner && fchown(fd, old.st_uid, old.st_gid) != 0)
    return SystemError(errno, fmt::format("cannot give '{}' its owner", path));
  // VFAT has one mode for all files, and refuses others.
  if ((now.st_mode & 07777) != (old.st_mode & 07777) && fchmod(fd, old.st_mode & 07777) != 0)
    return SystemError(errno, fmt::format("cannot give '{}' its permissions", path));
  return {};
}

Status WriteBeside(const std::string& path, const std::string& beside, const FileEdit& edit) {
  (void)unlink(beside.c_str());
  UniqueFd fd = TRY(OpenFile(beside, O_WRONLY | O_CREAT | O_EXCL, 0644));
  struct stat old = {};
  if (!edit.created) {
    if (stat(path.c_str(), &old) != 0) return SystemError(errno, fmt::format("'{}'", path));
    TRY(KeepAttributes(fd.get(), old, path));
  }
  TRY(WriteFully(fd.get(), AsBytes(edit.after)).In(fmt::format("cannot write '{}'", beside)));
  if (fsync(fd.get()) != 0) return SystemError(errno, fmt::format("cannot sync '{}'", beside));
  return {};
}

}  // namespace

bool BootLoaderPlan::changes() const {
  return std::any_of(edits.begin(), edits.end(),
                     [](const FileEdit& edit) { return edit.before != edit.after; });
}

Reservation BootLoaderPlan::old_values() const {
  Reservation all = other_values;
  for (const FileEdit& edit : edits)
    all.insert(all.end(), edit.old_values.begin(), edit.old_values.end());
  return all;
}

Result<BootLoaderPlan> PlanReservation(const Reservation& values, const std::string& kernel,
                                       const RootDir& root, LiveSystem& system) {
  return Planner(values, kernel, root, system).Plan();
}

Status ApplyEdit(const FileEdit& edit, const RootDir& root) {
  std::string path = root.HostPath(edit.path);
  // No boot loader and no update-grub takes a file of this name for configuration.
  std::string beside = path + ".kdumpkit-new";
  Status written = WriteBeside(path, beside, edit);
  if (written && rename(beside.c_str(), path.c_str()) != 0)
    written = SystemError(errno, fmt::format("cannot rename '{}' to '{}'", beside, path));
  if (!written) {
    (void)unlink(beside.c_str());
    return written;
  }
  return SyncDirectory(path.substr(0, path.rfind('/')));
}

}  // namespace kdumpkit
