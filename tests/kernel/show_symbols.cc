// SPDX-License-Identifier: GPL-2.0-or-later
// For tests on real kernels: prints the symbols of a vmcore as /proc/kallsyms has them.
// --by-signature leaves the keys that lead to the tables out of VMCOREINFO.
#include <cstdio>
#include <cstring>

#include "elf/vmcore.h"
#include "kernel/kallsyms.h"

using namespace kdumpkit;

namespace {

std::string WithoutKeys(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    std::string_view line = text.substr(0, std::min(text.find('\n'), text.size() - 1) + 1);
    text.remove_prefix(line.size());
    if (!line.starts_with("SYMBOL(kallsyms_")) result += line;
  }
  return result;
}

Status Show(const char* path, bool by_signature) {
  std::unique_ptr<Vmcore> vmcore = TRY(Vmcore::Open(path));
  const Note* note = vmcore->vmcoreinfo();
  if (note == nullptr) return Unsupported("no VMCOREINFO");
  std::string text(AsText(note->desc));
  auto kernel =
      TRY(CrashedKernel::Open(*vmcore, {vmcore->machine(), vmcore->order(), vmcore->word_size()},
                              by_signature ? WithoutKeys(text) : text));
  Kallsyms symbols = TRY(Kallsyms::Read(*kernel));
  symbols.ForEach([](const KernelSymbol& symbol) {
    std::printf("%016llx %c %.*s\n", static_cast<unsigned long long>(symbol.address.value),
                symbol.type, static_cast<int>(symbol.name.size()), symbol.name.data());
    return true;
  });
  std::fprintf(stderr, "%u symbols, %s\n", symbols.size(),
               std::string(KallsymsAddressName(symbols.address_kind())).c_str());
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  bool by_signature = argc == 3 && std::strcmp(argv[1], "--by-signature") == 0;
  if (argc != 2 && !by_signature) return 2;
  Status status = Show(argv[argc - 1], by_signature);
  if (!status) std::fprintf(stderr, "show_symbols: %s\n", status.error().message().c_str());
  return status ? 0 : 1;
}
