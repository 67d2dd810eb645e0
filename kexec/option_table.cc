// SPDX-License-Identifier: GPL-2.0-or-later
#include "kexec/option_table.h"

#include <fmt/format.h>

namespace kdumpkit {
namespace {

using enum OptionId;

constexpr const char* kNoDtb =
    "a device tree of your own is not passed on this machine; --force-dtb hands on that of this "
    "boot";
constexpr const char* kOnly64Bit = "kernels are started at their 64-bit entry only";
constexpr const char* kNoJump =
    "coming back from the new kernel (kexec jump) is not served; use hibernation";
constexpr const char* kNoXen = "Xen hosts are not served: use the kexec of kexec-tools there";

constexpr OptionRow kTable[] = {
    {"load-panic", 'p', nullptr, kLoadPanic, "load KERNEL to be started by a panic"},
    {"load", 'l', nullptr, kLoad, "load KERNEL to be started by --exec or a reboot"},
    {"unload", 'u', nullptr, kUnload, "unload; with -p the crash kernel"},
    {"exec", 'e', nullptr, kExec, "start the loaded kernel now, without shutdown(8)"},
    {"force", 'f', nullptr, kForce, "load KERNEL and start it now, without shutdown(8)"},
    {"status", 'S', nullptr, kStatus,
     "exit with 1 if a crash kernel (with -l: a kernel)\nis loaded, with 0 if not"},
    {"initrd", 0, "FILE", kInitrd, "the initramfs of the kernel"},
    {"ramdisk", 0, "FILE", kInitrd, "the same as --initrd"},
    {"append", 0, "TEXT", kAppend, "the command line of the kernel"},
    {"command-line", 0, "TEXT", kAppend, "the same as --append; the last one counts"},
    {"reuse-cmdline", 0, nullptr, kReuseCommandLine,
     "begin the command line with the running kernel's"},
    {"plan", 0, nullptr, kDryRun, "print what would be done and every check, do nothing"},
    {"dry-run", 0, nullptr, kDryRun, "the same as --plan"},
    {"json", 0, nullptr, kJson, "with --plan or --status: print a JSON object"},
    {"print-ckr-size", 0, nullptr, kPrintReservation,
     "print the bytes reserved for a crash kernel"},
    {"kexec-file-syscall", 's', nullptr, kFileSyscall, "use kexec_file_load(2) only"},
    {"kexec-syscall", 'c', nullptr, kLoadSyscall, "use kexec_load(2) only"},
    {"kexec-syscall-auto", 'a', nullptr, kAutoSyscall,
     "use the first, and the second where the first\ncannot do it (default)"},
    {"no-sync", 'y', nullptr, kNoSync, "do not sync file systems before --exec or --force"},
    {"no-ifdown", 'x', nullptr, kNoIfdown, "leave network interfaces up before --exec or --force"},
    {"no-cma", 0, nullptr, kNoCma, "keep a kernel loaded with -l out of CMA memory"},
    {"force-dtb", 0, nullptr, kForceDtb, "hand the device tree of this boot on (x86)"},
    {"hotplug", 0, nullptr, kHotplug,
     "demand that the running kernel keeps the list of\nmemory up to date (done where it can)"},
    {"no-checks", 'i', nullptr, kNoChecks, "kexec_load: start the kernel without verifying it"},
    {"mem-min", 0, "ADDRESS", kMemMin, "kexec_load: lowest physical address to use"},
    {"mem-max", 0, "ADDRESS", kMemMax, "kexec_load: highest physical address to use"},
    {"noefi", 0, nullptr, kNoEfi, "kexec_load: do not hand EFI runtime services on"},
    {"serial", 0, "PORT", kSerial,
     "kexec_load: ttyS0 to ttyS3 or an I/O port for the\nmessage that an image was damaged"},
    {"type", 't', "TYPE", kType, "refuse KERNEL if it is of another type"},
    {"debug", 'd', nullptr, kDebug, "say on stderr what is done; the kernel logs more"},
    {"version", 'v', nullptr, kVersion, "print the version"},
    {"help", 'h', nullptr, kHelp, "print this text"},

    {"args-linux", 0, nullptr, kIgnored, nullptr},
    {"args-elf", 0, nullptr, kIgnored, nullptr},
    {"args-none", 0, nullptr, kIgnored, nullptr},
    {"elf32-core-headers", 0, nullptr, kIgnored, nullptr},
    {"elf64-core-headers", 0, nullptr, kIgnored, nullptr},
    {"dt-no-old-root", 0, nullptr, kIgnored, nullptr},
    {"reset-vga", 0, nullptr, kIgnored, nullptr},
    {"console-vga", 0, nullptr, kIgnored, nullptr},
    {"console-serial", 0, nullptr, kIgnored, nullptr},
    {"serial-baud", 0, "RATE", kIgnored, nullptr},
    {"reuse-video-type", 0, nullptr, kIgnored, nullptr},
    {"pass-memmap-cmdline", 0, nullptr, kIgnored, nullptr},

    {"dtb", 0, "FILE", kRefused, kNoDtb},
    {"devicetreeblob", 0, "FILE", kRefused, kNoDtb},
    {"reuseinitrd", 0, nullptr, kRefused,
     "the running kernel does not keep its initramfs: give the file with --initrd"},
    {"real-mode", 0, nullptr, kRefused, kOnly64Bit},
    {"entry-32bit", 0, nullptr, kRefused, kOnly64Bit},
    {"entry", 0, "ADDRESS", kRefused, "a kernel is entered where its own header says"},
    {"module", 0, "FILE", kRefused, "multiboot kernels are not served"},
    {"load-preserve-context", 0, nullptr, kRefused, kNoJump},
    {"load-jump-back-helper", 0, nullptr, kRefused, kNoJump},
    {"load-live-update", 0, nullptr, kRefused, kNoXen},
    {"exec-live-update", 0, nullptr, kRefused, kNoXen},
};

constexpr size_t kHelpColumn = 28;

std::string HelpLines(const OptionRow& row) {
  std::string left = row.letter != 0 ? fmt::format("  -{}, --{}", row.letter, row.name)
                                     : fmt::format("      --{}", row.name);
  if (row.argument != nullptr) left += fmt::format("={}", row.argument);
  std::string lines = fmt::format("{:<{}}", left, kHelpColumn);
  for (const char* c = row.help; *c != 0; ++c) {
    lines += *c;
    if (*c == '\n') lines += std::string(kHelpColumn, ' ');
  }
  return lines + "\n";
}

std::string IgnoredNames() {
  std::string names;
  size_t column = 0;
  for (const OptionRow& row : kTable) {
    if (row.id != kIgnored) continue;
    std::string name = fmt::format(" --{}", row.name);
    if (column + name.size() > 78) {
      names += "\n ";
      column = 1;
    }
    names += name;
    column += name.size();
  }
  return names;
}

}  // namespace

std::span<const OptionRow> OptionTable() { return kTable; }

std::string HelpText() {
  std::string text =
      "usage: kexec -p KERNEL [--initrd=FILE] [--append=TEXT]   load a crash kernel\n"
      "       kexec -p -u                                       unload it\n"
      "       kexec -l KERNEL [--initrd=FILE] [--append=TEXT]   load a kernel\n"
      "       kexec -e                                          start it\n\n";
  for (const OptionRow& row : kTable)
    if (row.help != nullptr && row.id != kRefused) text += HelpLines(row);
  text += "\naccepted for scripts written for kexec-tools, without effect:\n ";
  text += IgnoredNames();
  return text + "\n\nFull description: man 8 kexec\n";
}

}  // namespace kdumpkit
