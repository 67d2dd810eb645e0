// SPDX-License-Identifier: GPL-2.0-or-later
// kexec: loads, unloads and starts kernels.
#include <cstdio>

#include "kexec/host.h"
#include "kexec/run.h"

namespace kdumpkit {
namespace {

class Terminal : public Console {
 public:
  void Out(std::string_view text) override { Print(stdout, text); }
  void Err(std::string_view text) override { Print(stderr, text); }

 private:
  static void Print(FILE* stream, std::string_view text) {
    // At once: -e and the default action never come back to a destructor.
    std::fwrite(text.data(), 1, text.size(), stream);
    std::fflush(stream);
  }
};

int Main(const std::vector<std::string>& args) {
  Terminal terminal;
  Result<RootDir> root = RootDir::Open("/");
  if (!root) {
    terminal.Err(fmt::format("kexec: {}\n", root.error().message()));
    return kExitFailed;
  }
  return Run(args, *root, HostMachine(), *HostSyscalls(), terminal);
}

}  // namespace
}  // namespace kdumpkit

int main(int argc, char** argv) { return kdumpkit::Main({argv + (argc > 0 ? 1 : 0), argv + argc}); }
