// SPDX-License-Identifier: GPL-2.0-or-later
#include "erase/erasure.h"

#include <algorithm>
#include <map>

#include "erase/evaluator.h"

namespace kdumpkit {
namespace {

constexpr uint64_t kMaxNodes = uint64_t{1} << 20;   // of one list
constexpr uint64_t kMaxSteps = uint64_t{1} << 22;   // of all loops together
constexpr uint64_t kMaxPages = uint64_t{1} << 22;   // that are translated, of all commands together
constexpr uint64_t kMaxString = uint64_t{1} << 16;  // with its NUL

using Variables = std::map<std::string, DataPlace>;

// Tells that a list runs in a circle without coming back to where it should (Brent: compares each
// node with one that is moved up at every power of two).
class CircleCheck {
 public:
  // False on a node that was there before, soon after it comes again.
  bool IsNew(VirtAddr node) {
    if (steps_ > 0 && node == kept_) return false;
    if (++steps_ > limit_) {
      limit_ *= 2;
      kept_ = node;
    } else if (steps_ == 1) {
      kept_ = node;
    }
    return true;
  }
  uint64_t steps() const { return steps_; }

 private:
  VirtAddr kept_;
  uint64_t steps_ = 0;
  uint64_t limit_ = 1;
};

class Runner {
 public:
  Runner(const CrashedKernel& kernel, const KernelNames& names)
      : kernel_(kernel), memory_(kernel.NewMemory()), scopes_(kernel, names) {}

  Erasure Run(const EraseScript& script) {
    erasure_.problems = script.problems;
    Result<PerCpuAreas> cpus =
        PerCpuAreas::Read(scopes_.kernel_scope(), *memory_, static_cast<uint64_t>(word_size()));
    if (cpus) cpus_ = std::move(*cpus);
    if (!cpus) erasure_.problems.push_back({{1, 1}, cpus.error().message()});
    erasure_.results.resize(script.command_count);
    Variables variables;
    RunAll(script.statements, variables);
    // Commands of a loop that was not understood are none.
    std::erase_if(erasure_.results, [](const EraseResult& result) { return result.text.empty(); });
    erasure_.plan = ErasePlan(pieces_);
    return std::move(erasure_);
  }

 private:
  size_t word_size() const { return static_cast<size_t>(kernel_.machine().word_size); }

  // Each problem once, however often a loop comes by.
  void Complain(ScriptPlace place, const std::string& text) {
    for (const ScriptProblem& problem : erasure_.problems) {
      bool same = problem.place.line == place.line && problem.place.column == place.column;
      if (same) return;
    }
    erasure_.problems.push_back({place, text});
  }

  void RunAll(const std::vector<EraseStatement>& statements, Variables& variables) {
    for (const EraseStatement& statement : statements) {
      Result<Evaluator*> evaluator = EvaluatorOf(statement.module);
      if (!evaluator) {
        Complain(statement.place, evaluator.error().message());
        continue;
      }
      if (const auto* command = std::get_if<EraseCommand>(&statement.what)) {
        Status erased = RunCommand(*command, **evaluator, variables);
        if (!erased) {
          erasure_.results[command->number].failed = true;
          Complain(command->target.place, erased.error().message());
        }
      } else {
        const EraseLoop& loop = *std::get<std::unique_ptr<EraseLoop>>(statement.what);
        Status walked = RunLoop(loop, **evaluator, variables);
        if (!walked) Complain(loop.source.place, walked.error().message());
      }
    }
  }

  Result<Evaluator*> EvaluatorOf(const std::string& module) {
    auto found = evaluators_.find(module);
    if (found != evaluators_.end()) return found->second.get();
    const NameScope* scope = TRY(scopes_.Of(module));
    auto evaluator = std::make_unique<Evaluator>(*scope, cpus_, *memory_, kernel_.machine());
    return evaluators_.emplace(module, std::move(evaluator)).first->second.get();
  }

  Status RunCommand(const EraseCommand& command, Evaluator& evaluator, Variables& variables) {
    EraseResult& result = erasure_.results[command.number];
    result.text = command.target.Text();
    result.place = command.place;
    result.nullify = command.nullify;
    for (const DataPlace& place : TRY(evaluator.Evaluate(command.target, variables))) {
      if (command.nullify) {
        TRY(Nullify(command, place, evaluator, result));
      } else {
        TRY(EraseData(command, place, evaluator, variables, result));
      }
    }
    return {};
  }

  Status Nullify(const EraseCommand& command, const DataPlace& place, Evaluator& evaluator,
                 EraseResult& result) {
    CType type = TRY(evaluator.TypeOf(place, command.target.Text()));
    if (!evaluator.types().IsPointer(type))
      return UsageError("'nullify' is for pointers, and '{}' is {}", command.target.Text(),
                        evaluator.types().Name(type));
    return Add(place.address, word_size(), EraseFill::kNul, result);
  }

  Status EraseData(const EraseCommand& command, DataPlace place, Evaluator& evaluator,
                   Variables& variables, EraseResult& result) {
    if (!place.type) TRY(CheckUntyped(command, place, evaluator));
    bool pointer = place.type && evaluator.types().IsPointer(*place.type);
    if (pointer) {
      std::optional<DataPlace> target = TRY(evaluator.Follow(place));
      if (!target) return {};
      place = *target;
    }
    uint64_t size = TRY(SizeOf(command, place, pointer, evaluator, variables));
    if (size == 0) return {};
    return Add(place.address, size, EraseFill::kX, result);
  }

  // With a type the data behind a pointer would be erased: what may be one must not be taken for
  // the data themselves.
  Status CheckUntyped(const EraseCommand& command, const DataPlace& place, Evaluator& evaluator) {
    if (!command.bytes && !command.size_from) {
      TRY(evaluator.TypeOf(place, command.target.Text()));
      return {};
    }
    uint64_t value = TRY(memory_->ReadWord(place.address));
    bool aligned = place.address.value % word_size() == 0;
    if (!aligned || value == 0 || !memory_->Translate(VirtAddr(value))) return {};
    return UsageError(
        "the type of '{0}' is not known, and it may be a pointer: write (char *){0} for the data "
        "that it points to, or (char[N]){0} for an array",
        command.target.Text());
  }

  Result<uint64_t> SizeOf(const EraseCommand& command, const DataPlace& place, bool pointer,
                          Evaluator& evaluator, Variables& variables) {
    if (command.bytes) return *command.bytes;
    if (command.size_from) return SizeFrom(*command.size_from, evaluator, variables);
    const CTypes& types = evaluator.types();
    if (pointer && types.IsCharacter(*place.type)) return StringSize(place.address);
    std::optional<uint64_t> size = types.SizeOf(*place.type);
    if (!size || *size == 0)
      return UsageError("'{}': {} has no size of its own; write 'size N'{}", command.target.Text(),
                        types.Name(*place.type), pointer ? " or 'nullify'" : "");
    if (*size > kMaxEraseBytes)
      return UsageError("{} has {} bytes", types.Name(*place.type), *size);
    return *size;
  }

  Result<uint64_t> SizeFrom(const EraseExpression& expression, Evaluator& evaluator,
                            Variables& variables) {
    std::vector<DataPlace> places = TRY(evaluator.Evaluate(expression, variables));
    if (places.size() != 1)
      return UsageError("the size '{}' is {} values, not one", expression.Text(), places.size());
    uint64_t size = TRY(evaluator.Number(places[0]));
    if (size > kMaxEraseBytes)
      return UsageError("the size '{}' is 0x{:x} in this kernel, which cannot be right",
                        expression.Text(), size);
    return size;
  }

  // Up to the NUL, which stays.
  Result<uint64_t> StringSize(VirtAddr address) {
    for (uint64_t size = 0; size < kMaxString;) {
      size_t rest = static_cast<size_t>(4096 - (address.value + size) % 4096);
      ByteView view = TRY(memory_->View(address + size, rest));
      size_t end = AsText(view).find('\0');
      if (end != std::string_view::npos) return size + end;
      size += view.size();
    }
    return UsageError("the string at 0x{:x} has no end within {} bytes; write 'size N'",
                      address.value, kMaxString);
  }

  // Page by page: what is adjacent by virtual address need not be so in memory.
  Status Add(VirtAddr address, uint64_t size, EraseFill fill, EraseResult& result) {
    if (address.value + size < address.value)
      return Malformed("data at 0x{:x} run beyond the end of memory", address.value);
    uint64_t page_size = kernel_.page_size();
    size_t before = pieces_.size();
    for (uint64_t at = 0; at < size;) {
      Result<PhysAddr> physical = memory_->Translate(address + at);
      if (!physical || ++pages_ > kMaxPages) {
        pieces_.resize(before);
        if (!physical) return std::move(physical.error());
        return UsageError("more than {} pages to erase", kMaxPages);
      }
      uint64_t piece = std::min(size - at, page_size - (address.value + at) % page_size);
      pieces_.push_back({{*physical, piece}, fill});
      at += piece;
    }
    ++result.count;
    result.bytes += size;
    return {};
  }

  Status RunLoop(const EraseLoop& loop, Evaluator& evaluator, Variables& variables) {
    for (const DataPlace& source : TRY(evaluator.Evaluate(loop.source, variables))) {
      TRY(evaluator.TypeOf(source, loop.source.Text()));
      switch (loop.walk) {
        case EraseLoop::Walk::kArray:
          TRY(WalkArray(loop, source, evaluator, variables));
          break;
        case EraseLoop::Walk::kVia:
          TRY(WalkVia(loop, source, evaluator, variables));
          break;
        case EraseLoop::Walk::kWithin:
          TRY(WalkList(loop, source, evaluator, variables));
          break;
      }
    }
    return {};
  }

  Status RunBody(const EraseLoop& loop, const DataPlace& element, Variables& variables) {
    if (++steps_ > kMaxSteps) return UsageError("the loops go round more than {} times", kMaxSteps);
    variables[loop.variable] = element;
    RunAll(loop.body, variables);
    variables.erase(loop.variable);
    return {};
  }

  Status WalkArray(const EraseLoop& loop, const DataPlace& source, Evaluator& evaluator,
                   Variables& variables) {
    const CTypes& types = evaluator.types();
    std::optional<CType> element = types.ElementOf(*source.type);
    if (!element)
      return UsageError("'{}' is {}, not an array; to follow a list write 'via' or 'within'",
                        loop.source.Text(), types.Name(*source.type));
    uint64_t size = types.SizeOf(*element).value_or(0);
    uint64_t length = types.LengthOf(*source.type).value_or(0);
    if (size == 0 || length == 0)
      return UsageError(
          "'{}' is an array of unknown length; write its type before it, as in "
          "(struct NAME[8])",
          loop.source.Text());
    for (uint64_t i = 0; i < length; ++i)
      TRY(RunBody(loop, {source.address + i * size, *element, std::nullopt}, variables));
    return {};
  }

  // From a struct on, or from where a pointer to one leads.
  Status WalkVia(const EraseLoop& loop, const DataPlace& source, Evaluator& evaluator,
                 Variables& variables) {
    std::optional<DataPlace> node = source;
    if (evaluator.types().IsPointer(*source.type)) node = TRY(evaluator.Follow(source));
    if (!node) return {};
    VirtAddr first = node->address;
    CType type = *node->type;
    CircleCheck check;
    while (node) {
      TRY(CheckNode(check, node->address));
      TRY(RunBody(loop, *node, variables));
      node = TRY(NextVia(loop, *node, evaluator));
      if (!node || node->address == first) break;
      node->type = type;
    }
    return {};
  }

  Result<std::optional<DataPlace>> NextVia(const EraseLoop& loop, const DataPlace& node,
                                           Evaluator& evaluator) {
    std::optional<DataPlace> link = TRY(evaluator.Members(node, loop.next));
    if (!link) return link;
    const CTypes& types = evaluator.types();
    std::string name = fmt::format("{}", fmt::join(loop.next, "."));
    if (!types.IsPointer(*link->type))
      return UsageError("'{}' is {}, not a pointer; a list_head wants 'within STRUCT:MEMBER'", name,
                        types.Name(*link->type));
    CType target = *types.TargetOf(*link->type);
    if (!types.IsVoid(target) && types.Name(target) != types.Name(*node.type))
      return UsageError("'{}' points to {}, not to {}", name, types.Name(target),
                        types.Name(*node.type));
    return evaluator.Follow(*link);
  }

  Status CheckNode(CircleCheck& check, VirtAddr node) {
    if (!check.IsNew(node))
      return Malformed("the list runs in a circle at 0x{:x}, away from its beginning", node.value);
    if (check.steps() > kMaxNodes)
      return Malformed("the list has more than {} elements", kMaxNodes);
    return {};
  }

  // The list_head that `source` is, or leads to: LIST.next speaks of LIST.
  Result<std::optional<VirtAddr>> ListHead(const EraseLoop& loop, const DataPlace& source,
                                           Evaluator& evaluator) {
    const CTypes& types = evaluator.types();
    if (source.list) return source.list;
    std::optional<DataPlace> head = source;
    if (types.IsPointer(*source.type)) head = TRY(evaluator.Follow(source));
    if (!head) return std::optional<VirtAddr>();
    if (!types.IsNamed(*head->type, "list_head"))
      return UsageError("'{}' is {}, not struct list_head", loop.source.Text(),
                        types.Name(*source.type));
    return std::optional(head->address);
  }

  Status WalkList(const EraseLoop& loop, const DataPlace& source, Evaluator& evaluator,
                  Variables& variables) {
    std::optional<VirtAddr> head = TRY(ListHead(loop, source, evaluator));
    if (!head) return {};
    CType container = TRY(evaluator.types().Parse("struct " + loop.container));
    uint64_t link = TRY(LinkOffset(loop, container, evaluator));
    CircleCheck check;
    // `next` is the first member of struct list_head.
    for (VirtAddr node(TRY(memory_->ReadWord(*head))); node != *head;) {
      if (node.value == 0) return Malformed("the list at 0x{:x} ends in NULL", head->value);
      TRY(CheckNode(check, node));
      VirtAddr next(TRY(memory_->ReadWord(node)));
      TRY(RunBody(loop, {node - link, container, std::nullopt}, variables));
      node = next;
    }
    return {};
  }

  Result<uint64_t> LinkOffset(const EraseLoop& loop, CType type, Evaluator& evaluator) {
    const CTypes& types = evaluator.types();
    uint64_t offset = 0;
    for (const std::string& name : loop.link) {
      std::optional<CMember> member = types.FindMember(type, name);
      if (!member)
        return UsageError("{} has no member '{}'; did you mean '{}'?", types.Name(type), name,
                          types.NearestMember(type, name));
      offset += member->offset;
      type = member->type;
    }
    if (!types.IsNamed(type, "list_head"))
      return UsageError("'{}:{}' is {}, not struct list_head", loop.container,
                        fmt::join(loop.link, "."), types.Name(type));
    return offset;
  }

  const CrashedKernel& kernel_;
  std::unique_ptr<KernelMemory> memory_;
  NameScopes scopes_;
  PerCpuAreas cpus_;
  std::map<std::string, std::unique_ptr<Evaluator>> evaluators_;
  std::vector<ErasePiece> pieces_;
  uint64_t pages_ = 0;
  uint64_t steps_ = 0;
  Erasure erasure_;
};

}  // namespace

std::string Erasure::Record() const {
  std::string record;
  for (const EraseResult& result : results) {
    if (result.count == 0) continue;
    record += fmt::format("erase {} {}\n", result.text,
                          result.nullify ? "nullify" : fmt::format("size {}", result.bytes));
  }
  return record;
}

Erasure FindErasedData(const EraseScript& script, const CrashedKernel& kernel,
                       const KernelNames& names) {
  return Runner(kernel, names).Run(script);
}

std::string ProblemText(std::string_view file, const ScriptProblem& problem) {
  return fmt::format("{}:{}:{}: {}", file, problem.place.line, problem.place.column, problem.text);
}

}  // namespace kdumpkit
