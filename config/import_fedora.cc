// SPDX-License-Identifier: GPL-2.0-or-later
// Fedora's and RHEL's /etc/sysconfig/kdump. Their /etc/kdump.conf is read as it is.
#include <iterator>

#include "config/import_writer.h"

namespace kdumpkit {
namespace {

void CommandLine(ImportWriter& writer, const ShellAssignment& from) {
  SetCommandLine(writer, from, "command_line");
}
void Append(ImportWriter& writer, const ShellAssignment& from) {
  SetCommandLine(writer, from, "command_line_append");
}
void Remove(ImportWriter& writer, const ShellAssignment& from) {
  writer.SetWords(from, "command_line_remove", ImportedWords(writer, from));
}
void KexecArguments(ImportWriter& writer, const ShellAssignment& from) {
  writer.SetWords(from, "kexec_args", ImportedWords(writer, from));
}

// Only the default name is found without being told.
void KernelName(ImportWriter& writer, const ShellAssignment& from) {
  if (from.value == "vmlinuz" || from.value == "/boot")
    return writer.Note(from, "kernels are looked for there by default");
  writer.Refuse(from, "the parts of a kernel's path are not put together",
                "write 'kernel_image FILE'");
}

constexpr std::string_view kLog = "what is logged is up to the journal";

constexpr ImportRule kRules[] = {
    {.variable = "KDUMP_KERNELVER", .directive = "kernel_version"},
    {"KDUMP_COMMANDLINE", CommandLine},
    {"KDUMP_COMMANDLINE_REMOVE", Remove},
    {"KDUMP_COMMANDLINE_APPEND", Append},
    {.variable = "FADUMP_COMMANDLINE_APPEND", .note = "firmware-assisted dump is not supported"},
    {"KEXEC_ARGS", KexecArguments},
    {"KDUMP_BOOTDIR", KernelName},
    {"KDUMP_IMG", KernelName},
    {"KDUMP_IMG_EXT", KernelName},
    {.variable = "VMCORE_CREATION_NOTIFICATION", .note = "'kdumpctl status' tells the last test"},
    {.variable = "KDUMP_STDLOGLVL", .note = kLog},
    {.variable = "KDUMP_SYSLOGLVL", .note = kLog},
    {.variable = "KDUMP_KMSGLOGLVL", .note = kLog},
};

constexpr ImportSource kSources[] = {
    {"debian", "/etc/default/kdump-tools", "Debian and Ubuntu", ImportDebian},
    {"suse", "/etc/sysconfig/kdump", "openSUSE and SLES", ImportSuse},
    {"fedora", "/etc/sysconfig/kdump", "Fedora and RHEL, beside their kdump.conf", ImportFedora},
};

}  // namespace

Import ImportFedora(const std::string& file, std::string_view text) {
  return ApplyRules(ImportWriter(file, text, "kdump.conf made by 'kdumpctl import fedora'."),
                    kRules);
}

std::span<const ImportSource> ImportSources() { return kSources; }

}  // namespace kdumpkit
