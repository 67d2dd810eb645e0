// SPDX-License-Identifier: GPL-2.0-or-later
#include "initramfs/libraries.h"

#include <fcntl.h>
#include <glob.h>

#include <filesystem>
#include <optional>
#include <sstream>

#include "base/file.h"

namespace kdumpkit {
namespace {

namespace fs = std::filesystem;

// Includes that include each other must end.
constexpr int kMaxIncludeDepth = 8;
constexpr size_t kMaxConfSize = size_t{1} << 20;
// The loader's own, of the distributions with and without folders for each machine.
constexpr const char* kBuiltInFolders[] = {"/lib64", "/usr/lib64", "/lib", "/usr/lib"};

std::vector<std::string> Glob(const std::string& pattern) {
  glob_t found = {};
  std::vector<std::string> paths;
  if (glob(pattern.c_str(), 0, nullptr, &found) == 0)
    paths.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  globfree(&found);
  return paths;
}

std::string ReadConf(const std::string& path) {
  Result<UniqueFd> fd = OpenFile(path, O_RDONLY);
  if (!fd) return {};
  Result<ByteBuffer> bytes = ReadToEnd(fd->get(), kMaxConfSize);
  return bytes ? std::string(AsText(*bytes)) : std::string();
}

void AddConfFolders(const std::string& path, int depth, std::vector<std::string>& folders) {
  if (depth > kMaxIncludeDepth) return;
  std::istringstream lines(ReadConf(path));
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line.substr(0, line.find('#')));
    std::string word, pattern;
    if (!(words >> word)) continue;
    if (word != "include") {
      folders.push_back(word);
      continue;
    }
    while (words >> pattern) {
      if (!pattern.starts_with('/')) pattern = (fs::path(path).parent_path() / pattern).string();
      for (const std::string& included : Glob(pattern))
        AddConfFolders(included, depth + 1, folders);
    }
  }
}

// $ORIGIN is the folder of the object that has the path.
std::string ExpandOrigin(std::string path, const std::string& object) {
  std::error_code error;
  std::string origin = fs::canonical(object, error).parent_path();
  for (std::string_view token : {"${ORIGIN}", "$ORIGIN"}) {
    for (size_t at; (at = path.find(token)) != std::string::npos;)
      path.replace(at, token.size(), origin);
  }
  return path;
}

void Append(const std::vector<std::string>& paths, const std::string& object,
            std::vector<std::string>& out) {
  for (const std::string& path : paths) out.push_back(ExpandOrigin(path, object));
}

bool SameMachine(const DynamicNeeds& a, const DynamicNeeds& b) {
  return a.elf_class == b.elf_class && a.machine == b.machine;
}

struct Found {
  std::string path;
  DynamicNeeds needs;
};

std::optional<Found> Find(const std::string& name, const DynamicNeeds& user,
                          const std::vector<std::string>& search) {
  for (const std::string& folder : search) {
    std::string path = fmt::format("{}/{}", folder, name);
    Result<DynamicNeeds> needs = ReadDynamicNeeds(path);
    if (needs && SameMachine(*needs, user)) return Found{path, *needs};
  }
  return std::nullopt;
}

}  // namespace

std::vector<std::string> SystemLibraryFolders(const std::string& ld_so_conf) {
  std::vector<std::string> folders;
  AddConfFolders(ld_so_conf, 0, folders);
  folders.insert(folders.end(), std::begin(kBuiltInFolders), std::end(kBuiltInFolders));
  return folders;
}

Status LibrarySet::AddProgram(const std::string& path) {
  DynamicNeeds needs = TRY(ReadDynamicNeeds(path));
  if (!needs.interpreter.empty()) interpreters_.emplace(needs.interpreter, needs.interpreter);
  return AddObject(path, needs, {});
}

// An object's DT_RPATH holds for all that it brings in, its DT_RUNPATH for its own needs only.
Status LibrarySet::AddObject(const std::string& path, const DynamicNeeds& needs,
                             const std::vector<std::string>& inherited_rpaths) {
  std::vector<std::string> rpaths;
  if (needs.runpaths.empty()) Append(needs.rpaths, path, rpaths);
  rpaths.insert(rpaths.end(), inherited_rpaths.begin(), inherited_rpaths.end());
  std::vector<std::string> search;
  if (needs.runpaths.empty()) search = rpaths;
  Append(needs.runpaths, path, search);
  search.insert(search.end(), folders_.begin(), folders_.end());
  for (const std::string& name : needs.needed) {
    // The loader takes a library that is there already, wherever it came from.
    if (libraries_.contains(name)) continue;
    std::optional<Found> library = Find(name, needs, search);
    if (!library) return UsageError("'{}' needs library '{}', which is not there", path, name);
    libraries_[name] = library->path;
    TRY(AddObject(library->path, library->needs, rpaths));
  }
  return {};
}

std::map<std::string, std::string> LibrarySet::Files() const {
  std::map<std::string, std::string> files = interpreters_;
  auto c_library = libraries_.find("libc.so.6");
  std::string folder = c_library == libraries_.end()
                           ? "/usr/lib"
                           : fs::path(c_library->second).parent_path().string();
  for (const auto& [name, file] : libraries_) {
    bool is_interpreter = false;
    for (const auto& [place, source] : interpreters_)
      is_interpreter |= fs::path(place).filename() == name;
    if (!is_interpreter) files[fmt::format("{}/{}", folder, name)] = file;
  }
  return files;
}

}  // namespace kdumpkit
