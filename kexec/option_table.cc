// SPDX-License-Identifier: GPL-2.0-or-later
#include "kexec/option_table.h"

#include <fmt/format.h>

namespace kdumpkit {
namespace {

using enum OptionId;

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
    {"dry-run", 0, nullptr, kDryRun, "print what would be done and every check, do nothing"},
    {"print-ckr-size", 0, nullptr, kPrintReservation,
     "print the bytes reserved for a crash kernel"},
    {"no-sync", 'y', nullptr, kNoSync, "do not sync file systems before --exec or --force"},
    {"no-cma", 0, nullptr, kNoCma, "keep a kernel loaded with -l out of CMA memory"},
    {"force-dtb", 0, nullptr, kForceDtb, "hand the device tree of this boot on (x86)"},
    {"kexec-file-syscall", 's', nullptr, kFileSyscall, "use kexec_file_load(2): always so"},
    {"kexec-syscall-auto", 'a', nullptr, kFileSyscall, "the same"},
    {"kexec-syscall", 'c', nullptr, kLoadSyscall, "use kexec_load(2): not in this version"},
    {"debug", 'd', nullptr, kDebug, "say on stderr what is done; the kernel logs more"},
    {"version", 'v', nullptr, kVersion, "print the version"},
    {"help", 'h', nullptr, kHelp, "print this text"},

    {"no-checks", 'i', nullptr, kIgnored, nullptr},
    {"no-ifdown", 'x', nullptr, kIgnored, nullptr},
    {"type", 't', "TYPE", kIgnored, nullptr},
    {"hotplug", 0, nullptr, kIgnored, nullptr},
    {"args-linux", 0, nullptr, kIgnored, nullptr},
    {"args-elf", 0, nullptr, kIgnored, nullptr},
    {"args-none", 0, nullptr, kIgnored, nullptr},
    {"elf32-core-headers", 0, nullptr, kIgnored, nullptr},
    {"elf64-core-headers", 0, nullptr, kIgnored, nullptr},
    {"dt-no-old-root", 0, nullptr, kIgnored, nullptr},
    {"reset-vga", 0, nullptr, kIgnored, nullptr},
    {"console-vga", 0, nullptr, kIgnored, nullptr},
    {"console-serial", 0, nullptr, kIgnored, nullptr},
    {"serial", 0, "PORT", kIgnored, nullptr},
    {"serial-baud", 0, "RATE", kIgnored, nullptr},
    {"noefi", 0, nullptr, kIgnored, nullptr},
    {"reuse-video-type", 0, nullptr, kIgnored, nullptr},
    {"pass-memmap-cmdline", 0, nullptr, kIgnored, nullptr},

    {"mem-min", 0, "ADDRESS", kNoEffect, nullptr},
    {"mem-max", 0, "ADDRESS", kNoEffect, nullptr},

    {"dtb", 0, "FILE", kNeedsKexecLoad, nullptr},
    {"devicetreeblob", 0, "FILE", kNeedsKexecLoad, nullptr},
    {"reuseinitrd", 0, nullptr, kNeedsKexecLoad, nullptr},
    {"real-mode", 0, nullptr, kNeedsKexecLoad, nullptr},
    {"entry-32bit", 0, nullptr, kNeedsKexecLoad, nullptr},
    {"entry", 0, "ADDRESS", kNeedsKexecLoad, nullptr},
    {"module", 0, "FILE", kNeedsKexecLoad, nullptr},
    {"load-preserve-context", 0, nullptr, kNeedsKexecLoad, nullptr},
    {"load-jump-back-helper", 0, nullptr, kNeedsKexecLoad, nullptr},
    {"load-live-update", 0, nullptr, kXen, nullptr},
    {"exec-live-update", 0, nullptr, kXen, nullptr},
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
    if (row.help != nullptr) text += HelpLines(row);
  text += "\naccepted for scripts written for kexec-tools, without effect:\n ";
  text += IgnoredNames();
  return text + "\n\nFull description: man 8 kexec\n";
}

}  // namespace kdumpkit
