// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"

namespace kdumpkit {

// A small 64-bit little-endian ELF file made of sections.
class ElfFileBuilder {
 public:
  ElfFileBuilder(uint16_t type, uint16_t machine) : type_(type), machine_(machine) {}

  // The last section added is at this address of memory.
  void SetAddress(uint64_t address) { sections_.back().address = address; }
  // Returns the section's index. `link`: index of the section with its names, if it has any.
  unsigned AddSection(std::string name, uint32_t section_type, std::string data, unsigned link = 0,
                      uint64_t entry_size = 0);
  // A program header PT_INTERP that names the interpreter.
  void SetInterpreter(std::string path) { interpreter_ = std::move(path); }
  std::string Build() const;

 private:
  struct Section {
    std::string name;
    uint32_t type = 0;
    std::string data;
    unsigned link = 0;
    uint64_t entry_size = 0;
    uint64_t address = 0;  // 0: not in memory
    uint32_t name_offset = 0;
    uint64_t offset = 0;
  };

  void PutInterpreter(ByteWriter& out) const;
  static void PutSectionHeader(ByteWriter& out, const Section& section);
  ByteBuffer Header(uint64_t section_table, size_t section_count) const;

  uint16_t type_;
  uint16_t machine_;
  std::string interpreter_;
  std::vector<Section> sections_;
};

struct FakeLibrary {
  std::vector<std::string> needed;
  std::string rpath;
  std::string runpath;
  std::string interpreter;  // makes it a program
  uint16_t machine = 62;    // EM_X86_64
};

// A shared library or program with that dynamic section and nothing else.
std::string BuildLibrary(const FakeLibrary& library);

struct FakeModule {
  std::vector<std::string> exports;  // symbols that other modules use
  std::vector<std::string> imports;  // symbols of other modules
  std::vector<std::string> info;     // of .modinfo: "alias=…", "softdep=pre: …"
};

// A kernel module as far as depmod looks at it.
std::string BuildModule(const FakeModule& module);

struct FakeVmlinux {
  static constexpr uint64_t kText = 0xffffffff81000000;  // _text and _stext
  std::string release = "6.1.0";
  std::string build_id = "\x01\xab";
  ByteBuffer btf;  // empty: no section .BTF
  // Name and address, besides _text, _stext and linux_banner.
  std::vector<std::pair<std::string, uint64_t>> symbols;
};

// A kernel of x86_64 as it was linked.
std::string BuildVmlinux(const FakeVmlinux& vmlinux);

}  // namespace kdumpkit
