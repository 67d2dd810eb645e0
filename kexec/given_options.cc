// SPDX-License-Identifier: GPL-2.0-or-later
#include "kexec/given_options.h"

#include <getopt.h>

#include "kexec/serial_port.h"
#include "kexec/text.h"

namespace kdumpkit {
namespace {

// Values getopt_long returns for rows of the table: above every character and '?', ':'.
constexpr int kFirstValue = 1000;

std::vector<option> LongOptions() {
  std::vector<option> options;
  int value = kFirstValue;
  for (const OptionRow& row : OptionTable())
    options.push_back({row.name, row.argument != nullptr ? 1 : 0, nullptr, value++});
  options.push_back({nullptr, 0, nullptr, 0});
  return options;
}

std::string ShortOptions() {
  std::string text = ":";  // a missing argument is told from an unknown option
  for (const OptionRow& row : OptionTable()) {
    if (row.letter == 0) continue;
    text += row.letter;
    if (row.argument != nullptr) text += ':';
  }
  return text;
}

const OptionRow* FindRow(int value) {
  for (const OptionRow& row : OptionTable())
    if (row.letter != 0 && row.letter == value) return &row;
  size_t index = static_cast<size_t>(value - kFirstValue);
  return value >= kFirstValue && index < OptionTable().size() ? &OptionTable()[index] : nullptr;
}

Error UnknownLongOption(std::string_view word) {
  std::string_view name = word.substr(2, word.find('=') - 2);
  std::string candidates;
  for (const OptionRow& row : OptionTable())
    if (std::string_view(row.name).starts_with(name)) candidates += fmt::format(" --{}", row.name);
  if (!candidates.empty()) return UsageError("option '--{}' is ambiguous:{}", name, candidates);
  return UsageError("unknown option '--{}'; see 'kexec --help'", name);
}

// Why getopt_long answered '?' or ':'. `value` is its optopt, `word` the word it looked at last,
// which is the faulty one if that is a long option.
Error BadOption(int answer, int value, std::string_view word) {
  if (answer == ':') return UsageError("option '--{}' needs an argument", FindRow(value)->name);
  if (value >= kFirstValue)
    return UsageError("option '--{}' takes no argument", FindRow(value)->name);
  if (value != 0) return UsageError("unknown option '-{}'; see 'kexec --help'", char(value));
  return UnknownLongOption(word);
}

// As C writes numbers: 0x for hexadecimal.
Result<uint64_t> ReadAddress(const OptionRow& row, std::string_view text) {
  bool hexadecimal = text.starts_with("0x") || text.starts_with("0X");
  std::optional<uint64_t> number =
      hexadecimal ? ParseNumber(text.substr(2), 16) : ParseNumber(text);
  if (!number)
    return UsageError("--{}: '{}' is not an address, such as 0x10000000", row.name, text);
  return *number;
}

Result<uint16_t> ReadSerialPort(const OptionRow& row, std::string_view text) {
  if (std::optional<uint16_t> port = LegacySerialPort(text)) return *port;
  Result<uint64_t> number = ReadAddress(row, text);
  if (!number || *number == 0 || *number > UINT16_MAX - 7)
    return UsageError("--{}: '{}' is neither one of ttyS0 to ttyS3 nor an I/O port, such as 0x3f8",
                      row.name, text);
  return static_cast<uint16_t>(*number);
}

Status Take(const OptionRow& row, const char* argument, Given& given) {
  given.ids.insert(row.id);
  switch (row.id) {
    case OptionId::kAppend:
      given.append = argument;
      return {};
    case OptionId::kInitrd:
      given.initrd = argument;
      return {};
    case OptionId::kType:
      given.type = argument;
      return {};
    case OptionId::kFileSyscall:
      given.call = CallChoice::kFile;
      return {};
    case OptionId::kLoadSyscall:
      given.call = CallChoice::kSegments;
      return {};
    case OptionId::kAutoSyscall:
      given.call = CallChoice::kAuto;
      return {};
    case OptionId::kMemMin:
      given.segments.mem_min = TRY(ReadAddress(row, argument));
      return {};
    case OptionId::kMemMax:
      given.segments.mem_max = TRY(ReadAddress(row, argument));
      return {};
    case OptionId::kSerial:
      given.segments.serial_port = TRY(ReadSerialPort(row, argument));
      return {};
    case OptionId::kRefused:
      return UsageError("--{}: {}", row.name, row.help);
    default:
      return {};
  }
}

}  // namespace

Result<Given> ReadArguments(std::vector<std::string> args) {
  args.insert(args.begin(), "kexec");
  std::vector<char*> argv;
  for (std::string& arg : args) argv.push_back(arg.data());
  argv.push_back(nullptr);
  std::vector<option> long_options = LongOptions();
  std::string short_options = ShortOptions();
  int argc = static_cast<int>(args.size());
  Given given;
  optind = 0;  // makes glibc's getopt begin anew
  opterr = 0;
  for (;;) {
    int value = getopt_long(argc, argv.data(), short_options.c_str(), long_options.data(), nullptr);
    if (value == -1) break;
    // "-?" is an old spelling of help; getopt answers a bad option with '?' too.
    if (value == '?' && optopt == '?') {
      given.ids.insert(OptionId::kHelp);
      continue;
    }
    if (value == '?' || value == ':') return BadOption(value, optopt, argv[size_t(optind) - 1]);
    TRY(Take(*FindRow(value), optarg, given));
  }
  for (size_t i = static_cast<size_t>(optind); i < args.size(); ++i)
    given.operands.push_back(argv[i]);
  return given;
}

}  // namespace kdumpkit
