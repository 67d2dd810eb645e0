// SPDX-License-Identifier: GPL-2.0-or-later
#include "erase/evaluator.h"

#include <algorithm>
#include <array>

namespace kdumpkit {
namespace {

constexpr uint32_t kMaxCpus = 8192;  // NR_CPUS of every distribution is at most this

std::string DidYouMean(const std::string& name) {
  return name.empty() ? "" : fmt::format("; did you mean '{}'?", name);
}

}  // namespace

Result<PerCpuAreas> PerCpuAreas::Read(const NameScope& names, KernelMemory& memory,
                                      uint64_t word_size) {
  PerCpuAreas areas;
  Result<VirtAddr> table = names.Symbol("__per_cpu_offset");
  Result<VirtAddr> begin = names.Symbol("__per_cpu_start");
  Result<VirtAddr> end = names.Symbol("__per_cpu_end");
  if (!table || !begin || !end) return areas;
  areas.begin = *begin;
  areas.end = *end;
  VirtAddr mask = TRY(names.Symbol("__cpu_possible_mask").In("per-CPU variables"));
  Result<VirtAddr> count_at = names.Symbol("nr_cpu_ids");
  uint64_t bits = word_size * 8;
  uint32_t count = count_at ? TRY(memory.ReadU32(*count_at)) : static_cast<uint32_t>(bits);
  for (uint32_t cpu = 0; cpu < std::min(count, kMaxCpus); ++cpu) {
    uint64_t word = TRY(memory.ReadWord(mask + cpu / bits * word_size));
    if ((word >> (cpu % bits) & 1) == 0) continue;
    areas.offsets.push_back(TRY(memory.ReadWord(*table + cpu * word_size)));
  }
  return areas;
}

Result<VirtAddr> Evaluator::Symbol(const std::string& name) {
  auto found = symbols_.find(name);
  if (found != symbols_.end()) return found->second;
  Result<VirtAddr> address = names_.Symbol(name);
  if (!address)
    return UsageError("{}{}", address.error().message(), DidYouMean(names_.NearestSymbol(name)));
  symbols_.emplace(name, *address);
  return *address;
}

Result<std::vector<DataPlace>> Evaluator::Start(const EraseExpression& expression,
                                                const std::map<std::string, DataPlace>& variables) {
  const std::string& name = expression.names[0];
  DataPlace place;
  auto variable = variables.find(name);
  if (variable != variables.end()) {
    place = variable->second;
  } else {
    place = {TRY(Symbol(name)), types_.OfVariable(name), std::nullopt};
  }
  if (!expression.cast.empty()) place.type = TRY(types_.Parse(expression.cast));
  bool per_cpu =
      variable == variables.end() && place.address >= cpus_.begin && place.address < cpus_.end;
  if (!per_cpu) return std::vector<DataPlace>{place};
  std::vector<DataPlace> copies;
  for (uint64_t offset : cpus_.offsets) {
    copies.push_back(place);
    copies.back().address = place.address + offset;
  }
  return copies;
}

Result<std::vector<DataPlace>> Evaluator::Evaluate(
    const EraseExpression& expression, const std::map<std::string, DataPlace>& variables) {
  std::vector<DataPlace> places;
  std::vector<std::string> members(expression.names.begin() + 1, expression.names.end());
  for (const DataPlace& start : TRY(Start(expression, variables))) {
    if (!members.empty()) TRY(TypeOf(start, expression.names[0]));
    std::optional<DataPlace> place = TRY(Members(start, members));
    if (place) places.push_back(*place);
  }
  return places;
}

Result<CType> Evaluator::TypeOf(const DataPlace& place, std::string_view name) const {
  if (place.type) return *place.type;
  if (!types_.known())
    return UsageError("the type of '{}' is not known: {}; give -x VMLINUX", name,
                      names_.without_types());
  return UsageError(
      "the type of '{}' is not known ({}): write it before the name, as in "
      "(struct task_struct)init_task.comm",
      name, names_.without_variables());
}

Result<std::optional<DataPlace>> Evaluator::Members(std::optional<DataPlace> place,
                                                    const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    if (!place) break;
    place = TRY(Member(*place, name));
  }
  return place;
}

Result<std::optional<DataPlace>> Evaluator::Member(const DataPlace& place,
                                                   const std::string& name) {
  CType type = TRY(TypeOf(place, name));
  std::optional<DataPlace> target = place;
  if (types_.IsPointer(type)) target = TRY(Follow(place));
  if (!target) return target;
  type = *target->type;
  if (types_.ElementOf(type))
    return UsageError("'.{}' of an array ({}): go through it with 'for'", name, types_.Name(type));
  if (!types_.IsStruct(type)) return UsageError("{} has no members", types_.Name(type));
  std::optional<CMember> member = types_.FindMember(type, name);
  if (!member)
    return UsageError("{} has no member '{}'{}", types_.Name(type), name,
                      DidYouMean(types_.NearestMember(type, name)));
  if (member->bitfield) return UsageError("'{}' is a bit field, which cannot be erased", name);
  DataPlace found{target->address + member->offset, member->type, std::nullopt};
  bool of_list = types_.IsNamed(type, "list_head") && (name == "next" || name == "prev");
  if (of_list) found.list = target->address;
  return std::optional(found);
}

Result<std::optional<DataPlace>> Evaluator::Follow(const DataPlace& place) {
  std::optional<CType> target = types_.TargetOf(*place.type);
  CHECK(target.has_value());
  uint64_t address = TRY(memory_.ReadWord(place.address));
  if (address == 0) return std::optional<DataPlace>();
  return std::optional(DataPlace{VirtAddr(address), *target, std::nullopt});
}

Result<uint64_t> Evaluator::Number(const DataPlace& place) {
  CType type = TRY(TypeOf(place, "size"));
  uint64_t size = types_.SizeOf(type).value_or(0);
  if (!types_.IsNumber(type) || size == 0 || size > 8)
    return UsageError("{} is not a number that could be a size", types_.Name(type));
  std::array<std::byte, 8> bytes = {};
  TRY(memory_.Read(place.address, ByteSpan(bytes).first(static_cast<size_t>(size))));
  uint64_t value = 0;
  for (uint64_t i = 0; i < size; ++i) {
    uint64_t at = order_ == ByteOrder::kBig ? i : size - 1 - i;
    value = value << 8 | std::to_integer<uint64_t>(bytes[static_cast<size_t>(at)]);
  }
  return value;
}

}  // namespace kdumpkit
