// SPDX-License-Identifier: GPL-2.0-or-later
#include "kdumpctl/kernel_choice.h"

#include <algorithm>
#include <array>
#include <optional>

#include "kdumpctl/text.h"

namespace kdumpkit {
namespace {

std::optional<std::string> FirstExisting(const RootDir& root,
                                         const std::vector<std::string>& files) {
  for (const std::string& file : files)
    if (root.Exists(file)) return file;
  return std::nullopt;
}

std::vector<std::string> UsualPlaces(const std::string& release, const std::string& machine_id) {
  std::vector<std::string> places = {
      fmt::format("/boot/vmlinuz-{}", release),
      fmt::format("/lib/modules/{}/vmlinuz", release),
      fmt::format("/usr/lib/modules/{}/vmlinuz", release),
  };
  // Of kernel-install(8), layout "bls".
  for (const char* top : {"/boot", "/efi", "/boot/efi"})
    if (!machine_id.empty())
      places.push_back(fmt::format("{}/{}/{}/linux", top, machine_id, release));
  for (const char* name : {"Image", "vmlinux", "kernel"})
    places.push_back(fmt::format("/boot/{}-{}", name, release));
  return places;
}

// Of an entry "loader/entries/*.conf": the value of a key.
std::string EntryValue(std::string_view text, std::string_view key) {
  for (std::string_view line : Lines(text)) {
    std::vector<std::string> words = Words(line);
    if (words.size() >= 2 && words[0] == key) return words[1];
  }
  return "";
}

// The Boot Loader Specification: "linux" is a path on the partition of the entries.
std::optional<std::string> FromEntries(const RootDir& root, const std::string& release) {
  for (const char* top : {"/boot", "/efi", "/boot/efi"}) {
    std::string folder = fmt::format("{}/loader/entries", top);
    for (const std::string& name : root.List(folder)) {
      std::string text = root.ReadText(fmt::format("{}/{}", folder, name)).value_or("");
      std::string linux_path = EntryValue(text, "linux");
      if (!name.ends_with(".conf") || EntryValue(text, "version") != release) continue;
      if (linux_path.empty()) continue;
      if (auto file = FirstExisting(root, {top + linux_path, linux_path})) return file;
    }
  }
  return std::nullopt;
}

// Unified kernel images, layout "uki": EFI/Linux/ID-RELEASE.efi.
std::optional<std::string> Unified(const RootDir& root, const std::string& release) {
  for (const char* top : {"/efi", "/boot/efi", "/boot"}) {
    std::string folder = fmt::format("{}/EFI/Linux", top);
    for (const std::string& name : root.List(folder))
      if (name == release + ".efi" || name.ends_with("-" + release + ".efi"))
        return fmt::format("{}/{}", folder, name);
  }
  return std::nullopt;
}

Result<std::string> FindKernelFile(const RootDir& root, const std::string& release) {
  std::string machine_id = root.ReadLine("/etc/machine-id").value_or("");
  std::vector<std::string> places = UsualPlaces(release, machine_id);
  if (auto file = FirstExisting(root, places)) return *file;
  if (auto file = FromEntries(root, release)) return *file;
  if (auto file = Unified(root, release)) return *file;
  return UsageError(
      "no file of kernel {}: looked for '{}', '{}', other names in '/boot', entries of the boot "
      "loader and '*-{}.efi'; say kernel_image FILE in kdump.conf",
      release, places[0], places[1], release);
}

// Taken off by their names. What they mean to the dying system means nothing, or harm, in a
// reservation of some 100 MiB.
constexpr std::string_view kRemoved[] = {
    "BOOT_IMAGE",
    "initrd",
    "elfcorehdr",
    "dmcryptkeys",  // of the load itself
    "crashkernel",
    "hugepages",
    "hugepagesz",
    "hugetlb_cma",
    "cma",  // memory set aside
    "log_buf_len",
    "swiotlb",
    "slub_debug",
    "quiet",
    "panic_on_warn",
    "ignition.firstboot",
    // The way to the root file system; the image knows the way to the destination.
    "root",
    "rootflags",
    "rootfstype",
    "ro",
    "rw",
    "resume",
    "netroot",
    "fcoe",
    "rd.lvm.lv",
    "rd.lvm.vg",
    "rd.luks.uuid",
    "rd.luks.name",
    "rd.dm.uuid",
    "rd.md.uuid",
    "rd.iscsi.initiator",
    "iscsi_initiator",
    "nr_cpus",
    "maxcpus",
    "panic",
    "systemd.unit",
    "init",
};
// Once the root file system is a destination of last resort, the way to it stays.
constexpr std::string_view kRootWords[] = {"root",         "rootflags",  "rootfstype", "rd.lvm.lv",
                                           "rd.luks.uuid", "rd.md.uuid", "rd.dm.uuid"};

constexpr std::string_view kAdded[] = {
    "reset_devices",
    "cgroup_disable=memory",
    "transparent_hugepage=never",
    "panic=10",
    "novmcoredd",
    "hugetlb_cma=0",
    "cma=0",
    "kfence.sample_interval=0",
    // The files of every trace event, 8 MiB that nobody looks at: docs/performance.md.
    "initcall_blacklist=tracer_init_tracefs",
#if defined(__x86_64__)
    "irqpoll",
    "mce=off",
    "numa=off",
    "nokaslr",
    "acpi_no_memhotplug",
    "hest_disable",
    "pcie_ports=compat",
#elif defined(__aarch64__)
    "irqpoll",
    "swiotlb=noforce",
#endif
};
constexpr std::string_view kAddedForFullImage[] = {"udev.children-max=2", "rd.systemd.gpt_auto=no",
                                                   "initramfs_options=size=90%"};

// The kernel's own rules (lib/cmdline.c, next_arg): blanks part words unless between quotes.
std::vector<std::string> KernelWords(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  bool quoted = false;
  for (char c : text) {
    if (c == '"') quoted = !quoted;
    bool blank = c == ' ' || (c >= '\t' && c <= '\r');
    if (!blank || quoted) {
      word += c;
    } else if (!word.empty()) {
      words.push_back(std::exchange(word, {}));
    }
  }
  if (!word.empty()) words.push_back(word);
  return words;
}

// '-' and '_' are the same in names of parameters.
std::string ParameterName(std::string_view word) {
  if (word.starts_with('"')) word.remove_prefix(1);
  std::string name(word.substr(0, word.find('=')));
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

template <typename List>
bool Contains(const List& list, std::string_view name) {
  return std::any_of(std::begin(list), std::end(list),
                     [&](const auto& entry) { return ParameterName(entry) == name; });
}

bool IsKept(const Config& config, const std::string& word) {
  std::string name = ParameterName(word);
  if (word.ends_with('=') || name.starts_with("kdump.")) return false;
  if (Contains(config.command_line_remove, name)) return false;
  bool wants_root = config.failure_action == FailureAction::kDumpToRootfs;
  if (wants_root && Contains(kRootWords, name)) return true;
  return !Contains(kRemoved, name);
}

// A word of kdump.conf that has a blank gets quotes, as the kernel reads them.
std::string Quoted(const std::string& word) {
  if (word.find_first_of(" \t") == std::string::npos) return word;
  size_t equals = word.find('=');
  if (equals == std::string::npos) return fmt::format("\"{}\"", word);
  return fmt::format("{}=\"{}\"", word.substr(0, equals), word.substr(equals + 1));
}

std::vector<std::string> BaseWords(const Config& config, const RootDir& root) {
  std::vector<std::string> words;
  if (config.command_line.empty()) {
    words = KernelWords(root.ReadLine("/proc/cmdline").value_or(""));
    // What follows is for the first process of the running system.
    words.erase(std::find(words.begin(), words.end(), "--"), words.end());
  }
  for (const std::string& word : config.command_line) words.push_back(Quoted(word));
  std::erase_if(words, [&](const std::string& word) { return !IsKept(config, word); });
  return words;
}

// The capture kernel may run on any CPU; starting the first one anew would reset the machine
// (Documentation/admin-guide/kernel-parameters.txt, disable_cpu_apicid).
std::string FirstApic(const RootDir& root) {
  std::string text = root.ReadText("/proc/cpuinfo", size_t{64} << 20).value_or("");
  for (std::string_view line : Lines(text)) {
    if (!line.starts_with("initial apicid")) continue;
    std::vector<std::string> words = Words(line);
    return words.back() == ":" ? "" : words.back();
  }
  return "";
}

// A watchdog must not bark (raise an interrupt before it bites) in the capture kernel.
std::vector<std::string> WatchdogWords(const RootDir& root) {
  std::vector<std::string> words;
  for (const std::string& name : root.List("/sys/class/watchdog")) {
    auto module = RealPath(root, fmt::format("/sys/class/watchdog/{}/device/driver/module", name));
    if (!module) continue;
    std::string driver = BaseName(*module);
    words.push_back(driver + ".pretimeout=0");
    if (driver == "hpwdt") words.push_back("hpwdt.kdumptimeout=0");
  }
  std::sort(words.begin(), words.end());
  words.erase(std::unique(words.begin(), words.end()), words.end());
  return words;
}

std::vector<std::string> DefaultWords(const Config& config, const BootFacts& facts,
                                      const RootDir& root) {
  std::vector<std::string> words(std::begin(kAdded), std::end(kAdded));
  if (config.cpus != 0) words.push_back(fmt::format("nr_cpus={}", config.cpus));
  if (std::string apic = FirstApic(root); !apic.empty())
    words.push_back("disable_cpu_apicid=" + apic);
  for (const std::string& word : WatchdogWords(root)) words.push_back(word);
  if (facts.full_image)
    words.insert(words.end(), std::begin(kAddedForFullImage), std::end(kAddedForFullImage));
  words.insert(words.end(), facts.words.begin(), facts.words.end());
  std::erase_if(words, [&](const std::string& word) {
    return Contains(config.command_line_remove, ParameterName(word));
  });
  return words;
}

}  // namespace

Result<KernelChoice> ChooseKernel(const Config& config, const RootDir& root) {
  KernelChoice kernel;
  kernel.release = config.kernel_version;
  if (kernel.release.empty())
    kernel.release = root.ReadLine("/proc/sys/kernel/osrelease").value_or("");
  if (kernel.release.empty()) return UsageError("'/proc/sys/kernel/osrelease' cannot be read");
  kernel.file = config.kernel_image;
  if (kernel.file.empty()) kernel.file = TRY(FindKernelFile(root, kernel.release));
  if (!root.Exists(kernel.file)) return UsageError("there is no kernel_image '{}'", kernel.file);
  for (const char* top : {"/lib/modules", "/usr/lib/modules"}) {
    std::string folder = fmt::format("{}/{}", top, kernel.release);
    if (kernel.module_folder.empty() && root.Exists(folder)) kernel.module_folder = folder;
  }
  return kernel;
}

std::string CaptureCommandLine(const Config& config, const BootFacts& facts, const RootDir& root) {
  std::vector<std::string> words = BaseWords(config, root);
  for (std::string& word : DefaultWords(config, facts, root)) words.push_back(std::move(word));
  for (const std::string& word : config.command_line_append) words.push_back(Quoted(word));
  words.push_back("kdump.host=" + facts.host);
  if (!facts.boot_id.empty()) words.push_back("kdump.boot-id=" + facts.boot_id);
  if (!facts.test_id.empty()) words.push_back("kdump.test-id=" + facts.test_id);
  return fmt::format("{}", fmt::join(words, " "));
}

}  // namespace kdumpkit
