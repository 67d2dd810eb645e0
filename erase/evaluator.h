// SPDX-License-Identifier: GPL-2.0-or-later
// From an expression of a script to data in the dead kernel's memory.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "erase/name_scopes.h"
#include "erase/script.h"

namespace kdumpkit {

struct DataPlace {
  VirtAddr address;
  std::optional<CType> type;  // absent when nothing says it
  // The list_head whose `next` or `prev` this is.
  std::optional<VirtAddr> list;
};

// Where each CPU has its copy of a per-CPU variable: at the symbol's address plus an offset
// (Linux include/asm-generic/percpu.h). CPUs that cannot exist have none.
struct PerCpuAreas {
  VirtAddr begin, end;  // of the symbols
  std::vector<uint64_t> offsets;

  // Empty areas for a kernel without them (not SMP).
  static Result<PerCpuAreas> Read(const NameScope& names, KernelMemory& memory, uint64_t word_size);
};

class Evaluator {
 public:
  // All must outlive this object.
  Evaluator(const NameScope& names, const PerCpuAreas& cpus, KernelMemory& memory,
            const MachineId& machine)
      : names_(names),
        cpus_(cpus),
        memory_(memory),
        order_(machine.order),
        types_(names.types(), static_cast<uint32_t>(machine.word_size)) {}

  const CTypes& types() const { return types_; }

  // Every place that the expression stands for: one for each CPU if it begins with a per-CPU
  // variable, none where a pointer on the way is NULL.
  Result<std::vector<DataPlace>> Evaluate(const EraseExpression& expression,
                                          const std::map<std::string, DataPlace>& variables);
  // A member, behind a pointer if `place` is one; absent behind NULL.
  Result<std::optional<DataPlace>> Member(const DataPlace& place, const std::string& name);
  Result<std::optional<DataPlace>> Members(std::optional<DataPlace> place,
                                           const std::vector<std::string>& names);
  // What a pointer at `place` points to; absent for NULL.
  Result<std::optional<DataPlace>> Follow(const DataPlace& place);
  // The value of a number.
  Result<uint64_t> Number(const DataPlace& place);
  // The type must be known: fails with what to write.
  Result<CType> TypeOf(const DataPlace& place, std::string_view name) const;

 private:
  Result<std::vector<DataPlace>> Start(const EraseExpression& expression,
                                       const std::map<std::string, DataPlace>& variables);
  Result<VirtAddr> Symbol(const std::string& name);

  const NameScope& names_;
  const PerCpuAreas& cpus_;
  KernelMemory& memory_;
  ByteOrder order_;
  CTypes types_;
  std::map<std::string, VirtAddr> symbols_;  // looking one up takes milliseconds
};

}  // namespace kdumpkit
