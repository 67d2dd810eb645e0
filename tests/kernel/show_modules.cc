// SPDX-License-Identifier: GPL-2.0-or-later
// For tests on real kernels: prints the modules of a vmcore, a line each: name, number of symbols,
// number of types of its own, and its symbols with -v.
#include <cstdio>
#include <cstring>

#include "elf/vmcore.h"
#include "kernel/kernel_modules.h"

using namespace kdumpkit;

namespace {

void PrintSymbols(const ModuleSymbols& symbols) {
  symbols.ForEach([](const KernelSymbol& symbol) {
    std::printf("  %016llx %.*s\n", static_cast<unsigned long long>(symbol.address.value),
                static_cast<int>(symbol.name.size()), symbol.name.data());
    return true;
  });
}

Status Show(const char* path, bool verbose) {
  std::unique_ptr<Vmcore> vmcore = TRY(Vmcore::Open(path));
  const Note* note = vmcore->vmcoreinfo();
  if (note == nullptr) return Unsupported("no VMCOREINFO");
  auto kernel = TRY(CrashedKernel::Open(
      *vmcore, {vmcore->machine(), vmcore->order(), vmcore->word_size()}, AsText(note->desc)));
  KernelNames names = KernelNames::Learn(*kernel);
  for (const KernelModule& module : TRY(ReadModules(*kernel, names))) {
    ModuleSymbols symbols = TRY(ModuleSymbols::Read(*kernel, names, module));
    size_t count = 0;
    symbols.ForEach([&](const KernelSymbol&) { return ++count > 0; });
    Result<ModuleTypes> types = ReadModuleTypes(*kernel, names, module);
    size_t own = types ? types->types.type_count() - names.types()->type_count() : 0;
    std::printf("%s %zu %zu%s%s\n", module.name.c_str(), count, own, types ? "" : " ",
                types ? "" : types.error().message().c_str());
    if (verbose) PrintSymbols(symbols);
  }
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  bool verbose = argc == 3 && std::strcmp(argv[1], "-v") == 0;
  if (argc != 2 && !verbose) return 2;
  Status status = Show(argv[argc - 1], verbose);
  if (!status) std::fprintf(stderr, "show_modules: %s\n", status.error().message().c_str());
  return status ? 0 : 1;
}
