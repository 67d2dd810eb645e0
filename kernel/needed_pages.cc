// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/needed_pages.h"

#include <algorithm>
#include <map>

#include "kernel/arch.h"
#include "kernel/printk_ring.h"
#include "kernel/struct_field.h"
#include "kernel/vmcoreinfo_keys.h"

namespace kdumpkit {
namespace {

constexpr uint64_t kMaxCpus = 1 << 16;  // NR_CPUS is 8192 at most
// Nothing here is larger than the largest printk ring; garbage is.
constexpr uint64_t kMaxSize = uint64_t{2} << 30;
constexpr uint64_t kMaxStack = uint64_t{1} << 20;

// Symbols that are looked for in one walk over the table.
constexpr std::string_view kSymbols[] = {"_stext",
                                         "_etext",
                                         "__start_rodata",
                                         "__end_rodata",
                                         "_sdata",
                                         "_edata",
                                         "__bss_start",
                                         "__bss_stop",
                                         "__start_bss_decrypted_unused",
                                         "__end_bss_decrypted",
                                         "__brk_base",
                                         "_brk_end",
                                         "__per_cpu_start",
                                         "__per_cpu_end",
                                         "__per_cpu_load",
                                         "__per_cpu_offset",
                                         "nr_cpu_ids",
                                         "pcpu_first_chunk",
                                         "pcpu_unit_offsets",
                                         "pcpu_hot",
                                         "current_task",
                                         "runqueues",
                                         "vmcoreinfo_data",
                                         "vmcoreinfo_note",
                                         "crash_notes"};

class Finder {
 public:
  Finder(const CrashedKernel& kernel, const KernelNames& names, const Paging& paging)
      : kernel_(kernel),
        names_(names),
        paging_(paging),
        memory_(kernel.NewMemory()),
        reader_(kernel.source().NewReader()) {
    std::vector<std::string_view> wanted(std::begin(kSymbols), std::end(kSymbols));
    auto found = names.Symbols(wanted);
    for (size_t i = 0; i < wanted.size(); ++i)
      if (found[i]) symbols_.emplace(wanted[i], *found[i]);
  }

  NeededPages Run() {
    Find(NeededKind::kImage, &Finder::Image);
    Find(NeededKind::kPerCpu, &Finder::PerCpu);
    Find(NeededKind::kTask, &Finder::Tasks);
    Find(NeededKind::kLog, &Finder::Log);
    Find(NeededKind::kCrashInfo, &Finder::CrashInfo);
    return std::move(result_);
  }

 private:
  void Find(NeededKind kind, Status (Finder::*find)()) {
    kind_ = kind;
    if (Status status = (this->*find)(); !status)
      result_.unknown.push_back(
          fmt::format("{}: {}", NeededKindName(kind), status.error().message()));
  }

  Result<VirtAddr> Symbol(std::string_view name) const {
    if (auto symbol = symbols_.find(name); symbol != symbols_.end()) return symbol->second;
    return names_.without_symbols().empty()
               ? Unsupported("the kernel has no symbol {}", name)
               : Unsupported("symbol {} is not known: {}", name, names_.without_symbols());
  }
  Result<const Btf*> Types() const {
    if (names_.types() != nullptr) return names_.types();
    return Unsupported("the kernel's types are not known: {}", names_.without_types());
  }
  Result<uint64_t> Member(VirtAddr object, std::string_view type, std::string_view member) {
    StructField field = TRY(FindField(*TRY(Types()), type, member));
    return ReadField(kernel_, *memory_, object, field);
  }
  Result<VirtAddr> Pointer(std::string_view symbol) {
    return VirtAddr(TRY(memory_->ReadWord(TRY(Symbol(symbol)))));
  }

  void Add(VirtAddr address, uint64_t size) {
    VisitMappings(paging_, kernel_.machine().order, *reader_, address, std::min(size, kMaxSize),
                  [this](const PhysRange& range) { AddPhysical(range); });
  }
  void AddPhysical(const PhysRange& range) {
    if (!result_.ranges.empty()) {
      NeededRange& last = result_.ranges.back();
      if (last.kind == kind_ && last.range.end() == range.base) {
        last.range.size += range.size;
        return;
      }
    }
    result_.ranges.push_back({kind_, range});
  }
  Status AddBetween(std::string_view begin, std::string_view end) {
    VirtAddr from = TRY(Symbol(begin));
    VirtAddr to = TRY(Symbol(end));
    if (to < from) return Malformed("{} is behind {}", begin, end);
    Add(from, to - from);
    return {};
  }

  // What lies between these parts is freed after boot, as the init section is.
  Status Image() {
    Status text = AddBetween("_stext", "_etext");
    Status rodata = AddBetween("__start_rodata", "__end_rodata");
    Status data = AddBetween("_sdata", "_edata");
    Status bss = Bss();
    // Memory from the end of the image that was taken at boot, for page tables among others.
    if (auto brk_end = Pointer("_brk_end"); brk_end && Symbol("__brk_base")) {
      VirtAddr base = *Symbol("__brk_base");
      if (*brk_end > base) Add(base, *brk_end - base);
    }
    for (Status* status : {&text, &rodata, &data, &bss}) TRY(std::move(*status));
    return {};
  }
  // Linux commit b3f0907c71e0 ("x86/mm: Add .bss..decrypted section to hold shared variables") (in
  // v4.19): a part of it is freed where memory is not encrypted.
  Status Bss() {
    if (!Symbol("__start_bss_decrypted_unused") || !Symbol("__end_bss_decrypted"))
      return AddBetween("__bss_start", "__bss_stop");
    TRY(AddBetween("__bss_start", "__start_bss_decrypted_unused"));
    return AddBetween("__end_bss_decrypted", "__bss_stop");
  }

  // What is added to the address of a per-cpu variable, for each CPU that the machine can have.
  Result<std::vector<uint64_t>> CpuOffsets() {
    uint64_t count = TRY(memory_->ReadU32(TRY(Symbol("nr_cpu_ids"))));
    if (count > kMaxCpus) return Malformed("nr_cpu_ids is {}", count);
    VirtAddr table = TRY(Symbol("__per_cpu_offset"));
    uint64_t start = TRY(Symbol("__per_cpu_start")).value;
    Result<VirtAddr> load = Symbol("__per_cpu_load");
    std::vector<uint64_t> offsets;
    for (uint64_t cpu = 0; cpu < count; ++cpu) {
      uint64_t word = static_cast<uint64_t>(kernel_.machine().word_size);
      uint64_t offset = TRY(memory_->ReadWord(table + cpu * word));
      // A number without a CPU keeps what the image has, where the init section was.
      if (!load || start + offset != load->value) offsets.push_back(offset);
    }
    return offsets;
  }

  Status PerCpu() {
    VirtAddr start = TRY(Symbol("__per_cpu_start"));
    VirtAddr end = TRY(Symbol("__per_cpu_end"));
    for (uint64_t offset : TRY(CpuOffsets())) Add(start + offset, end - start);
    return FirstChunk();
  }
  // Dynamic per-cpu variables (Linux mm/percpu.c) of the chunk that is there from boot on.
  Status FirstChunk() {
    VirtAddr chunk = TRY(Pointer("pcpu_first_chunk"));
    VirtAddr base(TRY(Member(chunk, "pcpu_chunk", "base_addr")));
    uint64_t pages = TRY(Member(chunk, "pcpu_chunk", "nr_pages"));
    VirtAddr units = TRY(Pointer("pcpu_unit_offsets"));
    size_t cpus = TRY(CpuOffsets()).size();
    for (size_t cpu = 0; cpu < cpus; ++cpu) {
      uint64_t word = static_cast<uint64_t>(kernel_.machine().word_size);
      uint64_t offset = TRY(memory_->ReadWord(units + cpu * word));
      Add(base + offset, std::min(pages, kMaxSize) * kernel_.page_size());
    }
    return {};
  }

  // The per-cpu variable that points to the running task: current_task before Linux 6.2 and since
  // 6.15, in between a member of pcpu_hot (commit e57ef2ed97c1, "x86: Put hot per CPU variables
  // into a struct").
  Result<VirtAddr> CurrentTask() {
    if (auto symbol = Symbol("current_task")) return symbol;
    if (auto symbol = Symbol("pcpu_hot"))
      return *symbol + TRY(FindField(*TRY(Types()), "pcpu_hot", "current_task")).offset;
    return TRY(Symbol("runqueues")) + TRY(FindField(*TRY(Types()), "rq", "curr")).offset;
  }
  Status Tasks() {
    VirtAddr variable = TRY(CurrentTask());
    const Btf* types = TRY(Types());
    uint64_t size = types->SizeOf(types->FindType(Btf::kStruct, "task_struct")).value_or(0);
    Status stacks;
    for (uint64_t offset : TRY(CpuOffsets())) {
      Result<uint64_t> task = memory_->ReadWord(variable + offset);
      if (!task || *task == 0) continue;
      Add(VirtAddr(*task), size);
      if (Status stack = Stack(VirtAddr(*task)); !stack) stacks = std::move(stack);
    }
    return stacks;
  }
  // Types seldom tell THREAD_SIZE; a stack in vmalloc memory (CONFIG_VMAP_STACK) has an area.
  Status Stack(VirtAddr task) {
    const Btf* types = TRY(Types());
    VirtAddr stack(TRY(Member(task, "task_struct", "stack")));
    auto size = types->SizeOf(types->FindType(Btf::kUnion, "thread_union"));
    if (!size) {
      VirtAddr area(TRY(Member(task, "task_struct", "stack_vm_area")));
      if (area.value == 0) return {};  // that of init, which is in the image
      size = TRY(Member(area, "vm_struct", "nr_pages")) * kernel_.page_size();
    }
    Add(stack, std::min(*size, kMaxStack));
    return {};
  }

  Status Log() {
    const Vmcoreinfo& info = kernel_.info();
    if (!info.Symbol("prb")) return OldLog();
    TargetWord word{kernel_.machine().word_size, kernel_.machine().order};
    PrintkLayout layout = TRY(PrintkLayout::Find(info, word));
    PrintkRing ring = TRY(PrintkRing::Read(*memory_, info, layout, word));
    Add(VirtAddr(TRY(memory_->ReadWord(*info.Symbol("prb")))), layout.ring_size);
    Add(ring.descs, ring.count * layout.desc_size);
    Add(ring.infos, ring.count * layout.info_size);
    Add(ring.data, ring.data_size());
    return {};
  }
  Status OldLog() {
    VirtAddr buffer(TRY(memory_->ReadWord(TRY(kernel_.info().RequireSymbol("log_buf")))));
    Add(buffer, TRY(memory_->ReadU32(TRY(kernel_.info().RequireSymbol("log_buf_len")))));
    return {};
  }

  Status CrashInfo() {
    for (const VmcoreinfoKey& row : kVmcoreinfoKeys) {
      if (!row.key.starts_with("SYMBOL(")) continue;
      if (auto symbol = kernel_.info().Symbol(row.key.substr(7, row.key.size() - 8)))
        Add(*symbol, 1);
    }
    // The text has a page, the note a little more.
    if (auto data = Pointer("vmcoreinfo_data")) Add(*data, kernel_.page_size());
    if (auto note = Pointer("vmcoreinfo_note")) Add(*note, kernel_.page_size() + 1);
    VirtAddr notes = TRY(Pointer("crash_notes"));
    const Btf* types = TRY(Types());
    uint64_t size = types->SizeOf(types->FindType(Btf::kTypedef, "note_buf_t")).value_or(1);
    for (uint64_t offset : TRY(CpuOffsets())) Add(notes + offset, size);
    return {};
  }

  const CrashedKernel& kernel_;
  const KernelNames& names_;
  const Paging& paging_;
  std::unique_ptr<KernelMemory> memory_;
  std::unique_ptr<MemoryReader> reader_;
  std::map<std::string_view, VirtAddr> symbols_;
  NeededKind kind_ = NeededKind::kImage;  // of what is added
  NeededPages result_;
};

}  // namespace

std::string_view NeededKindName(NeededKind kind) {
  constexpr std::string_view kNames[kNeededKindCount] = {
      "the kernel image", "per-cpu data", "running tasks", "the printk ring",
      "VMCOREINFO",       "page tables",  "the memory map"};
  return kNames[static_cast<size_t>(kind)];
}

NeededPages FindNeededPages(const CrashedKernel& kernel, const KernelNames& names) {
  Result<Paging> paging = kernel.arch().FindPaging(kernel.info(), kernel.machine());
  if (!paging) return {.ranges = {}, .unknown = {paging.error().message()}};
  return Finder(kernel, names, *paging).Run();
}

void VisitNeededTables(const CrashedKernel& kernel, const NeededVisitor& visit) {
  Result<Paging> paging = kernel.arch().FindPaging(kernel.info(), kernel.machine());
  if (!paging) return;
  VisitTables(*paging, kernel.machine().order, *kernel.source().NewReader(),
              [&](const PhysRange& range) {
                visit({NeededKind::kTables, range});
              });
}

void VisitNeededMemoryMap(const CrashedKernel& kernel, const MemoryMap& map,
                          uint64_t page_struct_size, const NeededVisitor& visit) {
  Result<Paging> paging = kernel.arch().FindPaging(kernel.info(), kernel.machine());
  if (!paging) return;
  std::unique_ptr<MemoryReader> reader = kernel.source().NewReader();
  auto add = [&](const PhysRange& range) { visit({NeededKind::kMemoryMap, range}); };
  for (const MapSection& section : map.sections) {
    VisitMappings(*paging, kernel.machine().order, *reader, section.mem_map,
                  section.pages * page_struct_size, add);
    if (section.entry.value != 0)
      VisitMappings(*paging, kernel.machine().order, *reader, section.entry, 1, add);
  }
}

}  // namespace kdumpkit
