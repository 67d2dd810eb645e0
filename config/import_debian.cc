// SPDX-License-Identifier: GPL-2.0-or-later
// Debian's kdump-tools 1.8: /etc/default/kdump-tools.
#include <fmt/format.h>

#include <charconv>

#include "config/destination.h"
#include "config/import_writer.h"
#include "config/statement.h"

namespace kdumpkit {
namespace {

constexpr std::string_view kCoreFolder = "/var/crash";

bool HasRemote(const ImportWriter& writer) {
  for (std::string_view name : {"SSH", "NFS", "FTP"})
    if (writer.Find(name) != nullptr) return true;
  return false;
}

void UseKdump(ImportWriter& writer, const ShellAssignment& from) {
  if (ImportedFlag(from.value) == false)
    return writer.Note(from, "the service is switched off by 'systemctl disable kdump'");
  writer.Note(from, "the service is switched on by 'systemctl enable kdump'");
}

void Kernel(ImportWriter& writer, const ShellAssignment& from) {
  if (from.value == "/var/lib/kdump/vmlinuz")
    return writer.Note(from, "Debian's link to the running kernel, which is the default here");
  writer.SetText(from, "kernel_image", from.value);
}

// A remote destination has the folder in its own line.
void CoreFolder(ImportWriter& writer, const ShellAssignment& from) {
  if (!HasRemote(writer)) return writer.SetText(from, "path", from.value);
  writer.Note(from, "is the folder on the server for SSH, and the mount point for NFS");
}

// The commands that people write; anything else is a script that nothing here would run.
void FailCommand(ImportWriter& writer, const ShellAssignment& from) {
  struct Row {
    std::string_view command;
    std::string_view action;
  };
  static constexpr Row kRows[] = {
      {"reboot", "reboot"},     {"reboot -f", "reboot"},
      {"poweroff", "poweroff"}, {"poweroff -f", "poweroff"},
      {"halt", "halt"},         {"halt -f", "halt"},
      {"/bin/bash", "shell"},   {"/bin/sh", "shell"},
      {"bash", "shell"},        {"sh", "shell"},
  };
  for (const Row& row : kRows)
    if (row.command == from.value) return writer.SetText(from, "failure_action", row.action);
  writer.Refuse(
      from, "commands are not run",
      "write failure_action reboot, poweroff, halt or shell, or a kdump_emergency program");
}

void DumpDmesg(ImportWriter& writer, const ShellAssignment& from) {
  writer.Note(from, ImportedFlag(from.value) == false ? "the log is saved always"
                                                      : "the log is saved always, as here");
}

void Compression(ImportWriter& writer, const ShellAssignment& from) {
  if (from.value == "none") return writer.Note(from, "a dump is not compressed once more, as here");
  writer.Note(from,
              "a dump is compressed page by page, so that it can be read as it is; "
              "'compression zstd' makes the smallest");
}

void MakedumpArguments(ImportWriter& writer, const ShellAssignment& from) {
  SetMakedumpfile(writer, from, ImportedWords(writer, from));
}

void Append(ImportWriter& writer, const ShellAssignment& from) {
  SetCommandLine(writer, from, "command_line_append", "systemd.unit=kdump-tools-dump.service");
}

void Nfs(ImportWriter& writer, const ShellAssignment& from) {
  Result<Destination> target = ParseFedoraTarget("nfs", from.value);
  if (!target)
    return writer.Refuse(from, target.error().message(), "write 'destination nfs://...'");
  target->path.assign(1, '/');
  for (std::string_view name : {"NFS_TIMEO", "NFS_RETRANS"}) {
    const ShellAssignment* option = writer.Find(name);
    if (option == nullptr) continue;
    target->mount_options += fmt::format("{}{}={}", target->mount_options.empty() ? "" : ",",
                                         name == "NFS_TIMEO" ? "timeo" : "retrans", option->value);
  }
  writer.SetWords(from, "destination", DestinationWords(*target));
}

void Ssh(ImportWriter& writer, const ShellAssignment& from) {
  bool user = from.value.find('@') != std::string::npos;
  Result<Destination> target =
      ParseFedoraTarget("ssh", fmt::format("{}{}", user ? "" : "root@", from.value));
  if (!target)
    return writer.Refuse(from, target.error().message(), "write 'destination ssh://...'");
  target->path = writer.Value("KDUMP_COREDIR", kCoreFolder);
  if (writer.Find("NFS") != nullptr)
    writer.Note(from, "there SSH and NFS both get a dump, here the first one that succeeds");
  writer.SetWords(from, "destination", DestinationWords(*target));
}

void Ftp(ImportWriter& writer, const ShellAssignment& from) {
  writer.Refuse(from, "FTP is not supported", "write 'destination ssh://...' or nfs://...");
}

// Debian tries so many times, with three seconds between.
void SshRetry(ImportWriter& writer, const ShellAssignment& from) {
  unsigned tries = 0;
  const char* end = from.value.data() + from.value.size();
  auto [at, error] = std::from_chars(from.value.data(), end, tries);
  if (error != std::errc() || at != end || tries > 10000)
    return writer.Refuse(from, "it is no number of attempts", "write 'network_timeout DURATION'");
  writer.SetText(from, "network_timeout", fmt::format("{}s", tries * 3));
}

constexpr ImportRule kRules[] = {
    {"USE_KDUMP", ImportAs::kRule, {}, UseKdump},
    {"KDUMP_KERNEL", ImportAs::kRule, {}, Kernel},
    {"KDUMP_INITRD", ImportAs::kNote, "kdumpctl builds the capture image and knows where it is"},
    {"KDUMP_COREDIR", ImportAs::kRule, {}, CoreFolder},
    {"KDUMP_FAIL_CMD", ImportAs::kRule, {}, FailCommand},
    {"KDUMP_DUMP_DMESG", ImportAs::kRule, {}, DumpDmesg},
    {"KDUMP_NUM_DUMPS", ImportAs::kText, "keep_count"},
    {"KDUMP_COMPRESSION", ImportAs::kRule, {}, Compression},
    {"MAKEDUMP_ARGS", ImportAs::kRule, {}, MakedumpArguments},
    {"KDUMP_KEXEC_ARGS", ImportAs::kWords, "kexec_args"},
    {"KDUMP_CMDLINE", ImportAs::kCommandLine, "command_line"},
    {"KDUMP_CMDLINE_APPEND", ImportAs::kRule, {}, Append},
    {"KDUMP_CONFIG", ImportAs::kNote, "only kernels that cannot be relocated need it"},
    {"HOSTTAG", ImportAs::kText, "host_tag"},
    {"NFS", ImportAs::kRule, {}, Nfs},
    {"NFS_TIMEO", ImportAs::kNote, "is a mount option of the NFS destination"},
    {"NFS_RETRANS", ImportAs::kNote, "is a mount option of the NFS destination"},
    {"NFS_MOUNT_RETRY", ImportAs::kNote, "mount_timeout bounds all attempts together"},
    {"SSH", ImportAs::kRule, {}, Ssh},
    {"SSH_KEY", ImportAs::kText, "sshkey"},
    {"SSH_KDUMP_RETRY", ImportAs::kRule, {}, SshRetry},
    {"FTP", ImportAs::kRule, {}, Ftp},
    {"FTP_USER", ImportAs::kNote, "FTP is not supported"},
    {"FTP_PASSWORD", ImportAs::kNote, "FTP is not supported"},
    {"FTP_PORT", ImportAs::kNote, "FTP is not supported"},
};

}  // namespace

Import ImportDebian(const std::string& file, std::string_view text) {
  return ApplyRules(ImportWriter(file, text, "kdump.conf made by 'kdumpctl import debian'."),
                    kRules);
}

}  // namespace kdumpkit
