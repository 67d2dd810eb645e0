// SPDX-License-Identifier: GPL-2.0-or-later
// openSUSE's kdump 2.1: /etc/sysconfig/kdump.
#include <fmt/format.h>

#include <charconv>

#include "config/destination.h"
#include "config/import_writer.h"

namespace kdumpkit {
namespace {

std::optional<int> Number(std::string_view text) {
  int number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

void BadNumber(ImportWriter& writer, const ShellAssignment& from) {
  writer.Refuse(from, "a whole number is wanted", "write the setting by hand");
}

void Reservation(ImportWriter& writer, const ShellAssignment& from) {
  constexpr std::string_view kName = "crashkernel=";
  std::vector<std::string> words = ImportedWords(writer, from);
  for (std::string& word : words)
    if (word.starts_with(kName)) word.erase(0, kName.size());
  writer.SetWords(from, "crashkernel", words);
}

void KernelVersion(ImportWriter& writer, const ShellAssignment& from) {
  bool is_path = from.value.starts_with('/');
  writer.SetText(from, is_path ? "kernel_image" : "kernel_version", from.value);
}

void ImmediateReboot(ImportWriter& writer, const ShellAssignment& from) {
  std::optional<bool> reboot = ImportedFlag(from.value);
  if (!reboot) return writer.Refuse(from, "true or false is wanted", "write final_action");
  writer.SetText(from, "final_action", *reboot ? "reboot" : "shell");
}

void ContinueOnError(ImportWriter& writer, const ShellAssignment& from) {
  std::optional<bool> go_on = ImportedFlag(from.value);
  if (!go_on) return writer.Refuse(from, "true or false is wanted", "write failure_action");
  writer.SetText(from, "failure_action", *go_on ? "reboot" : "shell");
}

void Transfer(ImportWriter& writer, const ShellAssignment& from) {
  writer.Refuse(from, "a program that does the whole capture has no equivalent",
                "write core_collector, or a kdump_pre or kdump_post program");
}

// "sftp://" means a server that ssh can reach as well, if it has a shell.
void SaveFolder(ImportWriter& writer, const ShellAssignment& from) {
  std::string uri = from.value;
  for (std::string_view scheme : {"sftp://", "scp://"}) {
    if (!uri.starts_with(scheme)) continue;
    uri.replace(0, scheme.size(), "ssh://");
    writer.Note(from, "the user on the server needs a shell: the dump is sent by ssh");
  }
  if (uri.starts_with('/')) return writer.SetText(from, "path", uri);
  if (HasPassword(from))
    return writer.Refuse(from, "a password cannot be given",
                         "write 'destination ssh://USER@HOST/PATH' and a key with sshkey");
  writer.SetText(from, "destination", uri);
}

// Here the new dump is one of those kept, there it comes on top of them.
void KeepDumps(ImportWriter& writer, const ShellAssignment& from) {
  std::optional<int> number = Number(from.value);
  if (!number || *number < -1 || *number >= 1000000) return BadNumber(writer, from);
  if (*number == 0) return writer.SetText(from, "keep_count", "all");
  writer.SetText(from, "keep_count", fmt::format("{}", *number == -1 ? 1 : *number + 1));
}

void FreeDisk(ImportWriter& writer, const ShellAssignment& from) {
  std::optional<int> number = Number(from.value);
  if (!number || *number < 0) return BadNumber(writer, from);
  writer.SetText(from, "min_free", fmt::format("{}M", *number));
}

void Cpus(ImportWriter& writer, const ShellAssignment& from) {
  writer.SetText(from, "cpus", from.value == "0" ? "all" : from.value);
}

// makedumpfile's options stand in three variables; with MAKEDUMPFILE_OPTIONS they are one command.
void DumpOptions(ImportWriter& writer, const ShellAssignment& from) {
  std::vector<std::string> arguments = ImportedWords(writer, from);
  if (arguments.empty()) return;
  arguments.insert(arguments.end(), {"-d", writer.Value("KDUMP_DUMPLEVEL", "31")});
  std::string format = writer.Value("KDUMP_DUMPFORMAT", "compressed");
  if (format == "ELF") arguments.emplace_back("-E");
  if (format == "compressed") arguments.emplace_back("-c");
  if (format == "lzo") arguments.emplace_back("-l");
  if (format == "snappy") arguments.emplace_back("-p");
  if (format == "zstd") arguments.emplace_back("-z");
  SetMakedumpfile(writer, from, arguments);
}

bool IsInCollector(ImportWriter& writer, const ShellAssignment& from) {
  bool elf = writer.Value("KDUMP_DUMPFORMAT", "") == "ELF";
  if (writer.Find("MAKEDUMPFILE_OPTIONS") == nullptr && !elf) return false;
  writer.Note(from, "is part of core_collector");
  return true;
}

void Level(ImportWriter& writer, const ShellAssignment& from) {
  if (!IsInCollector(writer, from)) writer.SetText(from, "level", from.value);
}

void Format(ImportWriter& writer, const ShellAssignment& from) {
  if (from.value == "none") return writer.SetText(from, "dmesg_only", "yes");
  if (writer.Find("MAKEDUMPFILE_OPTIONS") != nullptr)
    return writer.Note(from, "is part of core_collector");
  if (from.value == "ELF")
    return SetMakedumpfile(writer, from, {"-E", "-d", writer.Value("KDUMP_DUMPLEVEL", "31")});
  if (from.value == "raw") {
    writer.Note(from,
                "an exact copy has no equivalent; 'level 0' with 'compression none' keeps "
                "every page, too");
    return writer.SetText(from, "compression", "none");
  }
  writer.SetText(from, "compression", from.value == "compressed" ? "zlib" : from.value);
}

// A program with arguments would need a shell.
void Hook(ImportWriter& writer, const ShellAssignment& from, std::string_view directive) {
  if (from.value.find("fence_kdump_send") != std::string::npos)
    return writer.Refuse(from, "fence_kdump_send is run before the dump, not by a hook",
                         "write fence_kdump_nodes and fence_kdump_args");
  if (from.value.find_first_of(" \t") != std::string::npos)
    return writer.Refuse(from, "a hook is one program, without arguments and without a shell",
                         "put the command in a script, and write its path");
  writer.SetText(from, directive, from.value);
}
void PreScript(ImportWriter& writer, const ShellAssignment& from) {
  Hook(writer, from, "kdump_pre");
}
void PostScript(ImportWriter& writer, const ShellAssignment& from) {
  Hook(writer, from, "kdump_post");
}

void Network(ImportWriter& writer, const ShellAssignment& from) {
  if (from.value == "auto")
    return writer.Note(from, "the interfaces that the destinations need are found, as here");
  writer.Refuse(from, "the network is set up as the running system has it",
                "write 'command_line_append ip=...' for an image that dracut builds");
}

void HostKey(ImportWriter& writer, const ShellAssignment& from) {
  if (from.value == "*")
    return writer.Refuse(from, "an unknown server is never trusted",
                         "get its key with ssh-keyscan, check it, and write ssh_host_key");
  writer.SetText(from, "ssh_host_key", from.value);
}

// Names without a folder are those in root's .ssh.
void Identities(ImportWriter& writer, const ShellAssignment& from) {
  for (const std::string& word : ImportedWords(writer, from))
    writer.SetText(from, "sshkey", word.starts_with('/') ? word : "/root/.ssh/" + word);
}

constexpr std::string_view kFadump = "firmware-assisted dump is not supported";
constexpr std::string_view kMail = "no mail is sent; every dump is logged in the journal";

constexpr ImportRule kRules[] = {
    {"KDUMP_CRASHKERNEL", ImportAs::kRule, {}, Reservation},
    {"KDUMP_UPDATE_BOOTLOADER", ImportAs::kText, "auto_reset_crashkernel"},
    {"KDUMP_KERNELVER", ImportAs::kRule, {}, KernelVersion},
    {"KDUMP_CPUS", ImportAs::kRule, {}, Cpus},
    {"KDUMP_COMMANDLINE", ImportAs::kCommandLine, "command_line"},
    {"KDUMP_COMMANDLINE_APPEND", ImportAs::kCommandLine, "command_line_append"},
    {"KDUMP_AUTO_RESIZE", ImportAs::kNote, "a reservation is not made smaller at boot"},
    {"KDUMP_FADUMP", ImportAs::kNote, kFadump},
    {"KDUMP_FADUMP_SHELL", ImportAs::kNote, kFadump},
    {"FADUMP_COMMANDLINE_APPEND", ImportAs::kNote, kFadump},
    {"KEXEC_OPTIONS", ImportAs::kWords, "kexec_args"},
    {"MAKEDUMPFILE_OPTIONS", ImportAs::kRule, {}, DumpOptions},
    {"KDUMP_IMMEDIATE_REBOOT", ImportAs::kRule, {}, ImmediateReboot},
    {"KDUMP_TRANSFER", ImportAs::kRule, {}, Transfer},
    {"KDUMP_SAVEDIR", ImportAs::kRule, {}, SaveFolder},
    {"KDUMP_KEEP_OLD_DUMPS", ImportAs::kRule, {}, KeepDumps},
    {"KDUMP_FREE_DISK_SIZE", ImportAs::kRule, {}, FreeDisk},
    {"KDUMP_VERBOSE", ImportAs::kNote,
     "progress is always shown; 'message_level' chooses what the filter says"},
    {"KDUMP_DUMPLEVEL", ImportAs::kRule, {}, Level},
    {"KDUMP_DUMPFORMAT", ImportAs::kRule, {}, Format},
    {"KDUMP_CONTINUE_ON_ERROR", ImportAs::kRule, {}, ContinueOnError},
    {"KDUMP_REQUIRED_PROGRAMS", ImportAs::kWords, "extra_bins"},
    {"KDUMP_PRESCRIPT", ImportAs::kRule, {}, PreScript},
    {"KDUMP_POSTSCRIPT", ImportAs::kRule, {}, PostScript},
    {"KDUMP_NETCONFIG", ImportAs::kRule, {}, Network},
    {"KDUMP_NET_TIMEOUT", ImportAs::kText, "network_timeout"},
    {"KDUMP_SMTP_SERVER", ImportAs::kNote, kMail},
    {"KDUMP_SMTP_USER", ImportAs::kNote, kMail},
    {"KDUMP_SMTP_PASSWORD", ImportAs::kNote, kMail},
    {"KDUMP_NOTIFICATION_TO", ImportAs::kNote, kMail},
    {"KDUMP_NOTIFICATION_CC", ImportAs::kNote, kMail},
    {"KDUMP_HOST_KEY", ImportAs::kRule, {}, HostKey},
    {"KDUMP_SSH_IDENTITY", ImportAs::kRule, {}, Identities},
    {"KDUMPTOOL_FLAGS", ImportAs::kNote, "has no meaning there either"},
    {"KDUMP_COPY_KERNEL", ImportAs::kNote, "has no meaning there either"},
};

}  // namespace

Import ImportSuse(const std::string& file, std::string_view text) {
  return ApplyRules(ImportWriter(file, text, "kdump.conf made by 'kdumpctl import suse'."), kRules);
}

}  // namespace kdumpkit
