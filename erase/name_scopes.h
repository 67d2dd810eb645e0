// SPDX-License-Identifier: GPL-2.0-or-later
// Where the names of a section of a script are looked up: in the kernel, or in one of its modules.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "erase/c_type.h"
#include "kernel/kernel_modules.h"

namespace kdumpkit {

class NameScope {
 public:
  virtual ~NameScope() = default;
  virtual Result<VirtAddr> Symbol(std::string_view name) const = 0;
  // The name that was probably meant; empty without one.
  virtual std::string NearestSymbol(std::string_view name) const = 0;
  // Null when none are known; `without_types` says why.
  virtual const Btf* types() const = 0;
  virtual std::string without_types() const = 0;
  // Why types() may lack the type of a variable.
  virtual std::string without_variables() const {
    return "the kernel itself has the types of per-CPU variables only; give -x VMLINUX for others";
  }
};

class NameScopes {
 public:
  // Both must outlive this object.
  NameScopes(const CrashedKernel& kernel, const KernelNames& names);

  const NameScope& kernel_scope() const { return *kernel_scope_; }
  // Of "vmlinux" or a module; read once. kUsage when no such module is loaded.
  Result<const NameScope*> Of(const std::string& module);

 private:
  Result<std::unique_ptr<NameScope>> Open(const std::string& module) const;

  const CrashedKernel& kernel_;
  const KernelNames& names_;
  std::unique_ptr<NameScope> kernel_scope_;
  std::map<std::string, std::unique_ptr<NameScope>> modules_;
};

}  // namespace kdumpkit
