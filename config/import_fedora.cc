// SPDX-License-Identifier: GPL-2.0-or-later
// Fedora's and RHEL's /etc/sysconfig/kdump. Their /etc/kdump.conf is read as it is.
#include <iterator>

#include "config/import_writer.h"

namespace kdumpkit {
namespace {

// Only the default name is found without being told.
void KernelName(ImportWriter& writer, const ShellAssignment& from) {
  if (from.value == "vmlinuz" || from.value == "/boot")
    return writer.Note(from, "kernels are looked for there by default");
  writer.Refuse(from, "the parts of a kernel's path are not put together",
                "write 'kernel_image FILE'");
}

constexpr std::string_view kLog = "what is logged is up to the journal";

constexpr ImportRule kRules[] = {
    {"KDUMP_KERNELVER", ImportAs::kText, "kernel_version"},
    {"KDUMP_COMMANDLINE", ImportAs::kCommandLine, "command_line"},
    {"KDUMP_COMMANDLINE_REMOVE", ImportAs::kWords, "command_line_remove"},
    {"KDUMP_COMMANDLINE_APPEND", ImportAs::kCommandLine, "command_line_append"},
    {"FADUMP_COMMANDLINE_APPEND", ImportAs::kNote, "firmware-assisted dump is not supported"},
    {"KEXEC_ARGS", ImportAs::kWords, "kexec_args"},
    {"KDUMP_BOOTDIR", ImportAs::kRule, {}, KernelName},
    {"KDUMP_IMG", ImportAs::kRule, {}, KernelName},
    {"KDUMP_IMG_EXT", ImportAs::kRule, {}, KernelName},
    {"VMCORE_CREATION_NOTIFICATION", ImportAs::kNote, "'kdumpctl status' tells the last test"},
    {"KDUMP_STDLOGLVL", ImportAs::kNote, kLog},
    {"KDUMP_SYSLOGLVL", ImportAs::kNote, kLog},
    {"KDUMP_KMSGLOGLVL", ImportAs::kNote, kLog},
};

}  // namespace

Import ImportFedora(const std::string& file, std::string_view text) {
  return ApplyRules(ImportWriter(file, text, "kdump.conf made by 'kdumpctl import fedora'."),
                    kRules);
}

}  // namespace kdumpkit
