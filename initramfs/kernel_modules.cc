// SPDX-License-Identifier: GPL-2.0-or-later
#include "initramfs/kernel_modules.h"

#include <libkmod.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <set>

namespace kdumpkit {
namespace {

struct FreeModule {
  void operator()(kmod_module* module) const { kmod_module_unref(module); }
};
using Module = std::unique_ptr<kmod_module, FreeModule>;

// Owns the list's modules from here on.
std::vector<Module> TakeModules(kmod_list* list) {
  std::vector<Module> modules;
  for (kmod_list* entry = list; entry != nullptr; entry = kmod_list_next(list, entry))
    modules.emplace_back(kmod_module_get_module(entry));
  kmod_module_unref_list(list);
  return modules;
}

std::vector<Module> LookUp(kmod_ctx* context, const std::string& name) {
  kmod_list* list = nullptr;
  if (kmod_module_new_from_lookup(context, name.c_str(), &list) < 0) return {};
  return TakeModules(list);
}

struct SoftNeeds {
  std::vector<Module> before;
  std::vector<Module> after;
};

SoftNeeds GetSoftNeeds(kmod_module* module) {
  kmod_list* before = nullptr;
  kmod_list* after = nullptr;
  if (kmod_module_get_softdeps(module, &before, &after) < 0) return {};
  return {TakeModules(before), TakeModules(after)};
}

// Adds files in loading order: what a module needs, the module, what it likes to have after it.
class Collector {
 public:
  void Visit(kmod_module* module) {
    if (!seen_.insert(kmod_module_get_name(module)).second) return;
    SoftNeeds soft = GetSoftNeeds(module);
    VisitAll(soft.before);
    // Already the whole closure, the last one first needed.
    VisitAll(TakeModules(kmod_module_get_dependencies(module)));
    // Built-in modules have no file.
    if (const char* path = kmod_module_get_path(module); path != nullptr) files_.push_back(path);
    VisitAll(soft.after);
  }
  void VisitAll(const std::vector<Module>& modules) {
    for (const Module& module : modules) Visit(module.get());
  }
  std::vector<std::string> Take() && { return std::move(files_); }

 private:
  std::set<std::string> seen_;
  std::vector<std::string> files_;
};

// Of one module's section .modinfo.
void AddFirmware(kmod_module* module, std::set<std::string>& names) {
  kmod_list* list = nullptr;
  if (kmod_module_get_info(module, &list) < 0) return;
  for (kmod_list* entry = list; entry != nullptr; entry = kmod_list_next(list, entry))
    if (std::string_view(kmod_module_info_get_key(entry)) == "firmware")
      names.insert(kmod_module_info_get_value(entry));
  kmod_module_info_free_list(list);
}

void IgnoreLog(void*, int, const char*, int, const char*, const char*, va_list) {}

}  // namespace

void ModuleTree::FreeContext::operator()(kmod_ctx* context) const { kmod_unref(context); }

Result<ModuleTree> ModuleTree::Open(const std::string& folder) {
  std::error_code error;
  if (!std::filesystem::exists(folder + "/modules.dep.bin", error))
    return UsageError(
        "'{}' has no modules.dep.bin; run depmod for it first (depmod -b DIR RELEASE)", folder);
  const char* no_configuration = nullptr;
  kmod_ctx* context = kmod_new(folder.c_str(), &no_configuration);
  if (context == nullptr) return SystemError(ENOMEM, "libkmod");
  ModuleTree tree(context, folder);
  kmod_set_log_fn(context, IgnoreLog, nullptr);
  if (int status = kmod_load_resources(context); status < 0)
    return SystemError(-status, fmt::format("cannot read the module indexes of '{}'", folder));
  return tree;
}

bool ModuleTree::Knows(const std::string& name) const {
  return !LookUp(context_.get(), name).empty();
}

Result<std::vector<std::string>> ModuleTree::Closure(const std::vector<std::string>& names) const {
  Collector collector;
  for (const std::string& name : names) {
    std::vector<Module> modules = LookUp(context_.get(), name);
    if (modules.empty()) return UsageError("no module '{}' in '{}'", name, folder_);
    collector.VisitAll(modules);
  }
  return std::move(collector).Take();
}

std::vector<std::string> ModuleTree::Firmware(const std::vector<std::string>& files) const {
  std::set<std::string> names;
  for (const std::string& file : files) {
    kmod_module* found = nullptr;
    if (kmod_module_new_from_path(context_.get(), file.c_str(), &found) < 0) continue;
    Module module(found);
    AddFirmware(module.get(), names);
  }
  return {names.begin(), names.end()};
}

Result<std::string> FindModuleFolder(const std::string& root, const std::string& release) {
  std::vector<std::string> found;
  for (const char* place : {"lib/modules", "usr/lib/modules"}) {
    std::error_code error;
    for (std::filesystem::directory_iterator entry(std::filesystem::path(root) / place, error), end;
         !error && entry != end; entry.increment(error)) {
      if (release.empty() || entry->path().filename() == release) found.push_back(entry->path());
    }
    // The two are one folder on most systems, and if not, the first one is depmod's.
    if (!found.empty()) break;
  }
  if (found.size() == 1) return found.front();
  if (!found.empty())
    return UsageError("several kernels have modules in '{}'; name one with --kernel-release", root);
  return UsageError("no modules of {} in '{}'",
                    release.empty() ? "any kernel" : fmt::format("kernel '{}'", release), root);
}

}  // namespace kdumpkit
