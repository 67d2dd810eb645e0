// SPDX-License-Identifier: GPL-2.0-or-later
// Every key of VMCOREINFO that this room uses: in which kernels it is, what for, and what happens
// without it. A test compares this table with the sources. Most keys are older than Linux 5.10, the
// oldest kernel we read; the kernel's own list is Documentation/admin-guide/kdump/vmcoreinfo.rst.
#pragma once

#include <string_view>

namespace kdumpkit {

struct VmcoreinfoKey {
  std::string_view key;
  std::string_view kernels;  // of 5.10 to 7.3, for older ones where it says so
  std::string_view purpose;
  std::string_view without_it;
};

inline constexpr VmcoreinfoKey kVmcoreinfoKeys[] = {
    // The kernel.
    {"OSRELEASE", "all", "confirms a guessed place of utsname", "utsname is empty on 5.10"},
    {"PAGESIZE", "all", "must be that of the page tables", "the kernel cannot be opened"},
    {"SYMBOL(init_uts_ns)", "all", "utsname", "utsname is empty"},
    {"OFFSET(uts_namespace.name)", "5.11 on (ca4a9241cc5e)", "utsname",
     "4 is tried and must give OSRELEASE"},

    // Address translation, x86_64.
    {"SYMBOL(init_top_pgt)", "all", "the top page table", "SYMBOL(init_level4_pgt)"},
    {"SYMBOL(init_level4_pgt)", "none (4.12 and before)", "the top page table",
     "SYMBOL(swapper_pg_dir)"},
    {"SYMBOL(swapper_pg_dir)", "all", "the top page table", "the kernel cannot be opened"},
    {"NUMBER(phys_base)", "4.10 on", "where the kernel image is",
     "what the segments or the header of the dump say"},
    {"KERNELOFFSET", "all", "where the symbols of a given vmlinux are",
     "they are taken to be where they were linked"},
    {"NUMBER(KERNEL_IMAGE_SIZE)", "all", "the top page table must lie in the image", "1 GiB"},
    {"NUMBER(pgtable_l5_enabled)", "all", "five levels instead of four", "four levels"},
    {"NUMBER(sme_mask)", "all", "the encryption bit of table entries", "no such bit"},

    // The memory map.
    {"SYMBOL(mem_section)", "all with SPARSEMEM", "the sections", "FLATMEM is tried"},
    {"LENGTH(mem_section)", "all with SPARSEMEM", "tells SPARSEMEM_EXTREME", "it is assumed"},
    {"SIZE(mem_section)", "all with SPARSEMEM", "the sections", "every page is kept"},
    {"OFFSET(mem_section.section_mem_map)", "all with SPARSEMEM", "the sections",
     "every page is kept"},
    {"NUMBER(SECTION_SIZE_BITS)", "5.14 on, backported (4f5aecdff25f)", "size of a section",
     "the machine's usual value"},
    {"NUMBER(MAX_PHYSMEM_BITS)", "all with SPARSEMEM", "number of sections",
     "the machine's usual value"},
    {"SYMBOL(mem_map)", "without NUMA", "FLATMEM", "every page is kept if there is no mem_section"},

    // struct page. Rules: docs/page-classes.md.
    {"SIZE(page)", "all", "every rule", "every page is kept"},
    {"OFFSET(page.flags)", "all", "every rule", "every page is kept"},
    {"OFFSET(page.compound_head)", "before 7.1", "tails", "OFFSET(page.compound_info)"},
    {"OFFSET(page.compound_info)", "7.1 on", "tails", "OFFSET(page.compound_head)"},
    {"OFFSET(page._mapcount)", "all", "page types", "rules by page type are off"},
    {"OFFSET(page.mapping)", "all", "user memory", "user memory and page cache are kept"},
    {"OFFSET(page.private)", "all", "order of free blocks", "free pages are kept"},
    {"OFFSET(page.compound_order)", "before 6.3", "order of compound pages",
     "OFFSET(folio._folio_order)"},
    {"OFFSET(page.compound_dtor)", "before 6.3", "hugetlb", "OFFSET(folio._folio_dtor)"},
    {"OFFSET(folio._folio_order)", "6.3 to 6.5", "order of compound pages",
     "lowest byte of the second page's flags"},
    {"OFFSET(folio._folio_dtor)", "6.3 to 6.5", "hugetlb", "OFFSET(page.compound_dtor)"},
    {"NUMBER(HUGETLB_PAGE_DTOR)", "before 6.6, with hugetlb", "hugetlb", "no hugetlb pages"},
    {"NUMBER(PG_hugetlb)", "6.6 to 6.8, with hugetlb", "hugetlb", "NUMBER(HUGETLB_PAGE_DTOR)"},
    {"NUMBER(PAGE_HUGETLB_MAPCOUNT_VALUE)", "6.9 on, backported (d99e3140a4d3)", "hugetlb",
     "NUMBER(PG_hugetlb)"},
    {"NUMBER(PG_head_mask)", "all", "compound pages", "they are judged page by page"},
    {"NUMBER(PG_lru)", "all", "page cache", "page cache is kept"},
    {"NUMBER(PG_swapcache)", "all", "swap cache", "swap cache is kept"},
    {"NUMBER(PG_swapbacked)", "all", "swap cache", "PG_swapcache alone decides"},
    {"NUMBER(PG_private)", "all", "private data", "all page cache counts as having some"},
    {"NUMBER(PG_slab)", "before 6.10", "slab", "user memory and page cache are kept"},
    {"NUMBER(PAGE_SLAB_MAPCOUNT_VALUE)", "6.10 on (46df8e73a4a3)", "slab", "NUMBER(PG_slab)"},
    {"NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)", "all", "free pages", "free pages are kept"},
    {"NUMBER(PAGE_OFFLINE_MAPCOUNT_VALUE)", "all", "offline pages", "offline pages are kept"},
    {"NUMBER(PAGE_UNACCEPTED_MAPCOUNT_VALUE)", "6.16 on, for confidential guests", "free pages",
     "no unaccepted memory"},
    {"NUMBER(PG_hwpoison)", "all with CONFIG_MEMORY_FAILURE", "failed memory", "no failed memory"},
    {"LENGTH(zone.free_area)", "all", "highest order of free blocks",
     "any order that the address space has"},

    // The kernel's own count of free pages. Without any of these it is not compared.
    {"SYMBOL(contig_page_data)", "without NUMA", "the only node", "SYMBOL(node_data)"},
    {"SYMBOL(node_data)", "with NUMA", "the nodes", "no comparison"},
    {"LENGTH(node_data)", "with NUMA", "the nodes", "no comparison"},
    {"OFFSET(pglist_data.node_zones)", "all", "the zones", "no comparison"},
    {"OFFSET(pglist_data.nr_zones)", "all", "the zones", "no comparison"},
    {"SIZE(zone)", "all", "the zones", "no comparison"},
    {"OFFSET(zone.vm_stat)", "all", "the counter", "no comparison"},
    {"NUMBER(NR_FREE_PAGES)", "all", "the counter", "no comparison"},

    // The table of symbols. Without it, what VMCOREINFO lacks is not looked for in BTF.
    {"SYMBOL(_stext)", "all", "proves the table right; a search begins there", "no symbols"},
    {"SYMBOL(kallsyms_names)", "6.0 on (5fd8fea935a1)", "the names",
     "the tables are found by their shape"},
    {"SYMBOL(kallsyms_num_syms)", "6.0 on", "the names", "no symbols"},
    {"SYMBOL(kallsyms_token_table)", "6.0 on", "the names", "no symbols"},
    {"SYMBOL(kallsyms_token_index)", "6.0 on", "the names", "no symbols"},
    {"SYMBOL(kallsyms_offsets)", "6.0 on", "addresses", "no symbols"},
    {"SYMBOL(kallsyms_addresses)", "without KALLSYMS_BASE_RELATIVE", "addresses",
     "SYMBOL(kallsyms_offsets)"},
    {"SYMBOL(kallsyms_relative_base)", "6.0 to 6.19", "addresses", "place-relative ones only"},

    // The log: the lockless ring, in all kernels from 5.10 on. Without any of these
    // there is no log, but for those that say so.
    {"SYMBOL(prb)", "all", "the ring", "no log"},
    {"SIZE(printk_ringbuffer)", "all", "the ring", "no log"},
    {"OFFSET(printk_ringbuffer.desc_ring)", "all", "descriptors", "no log"},
    {"OFFSET(printk_ringbuffer.text_data_ring)", "all", "text", "no log"},
    {"OFFSET(prb_desc_ring.count_bits)", "all", "number of descriptors", "no log"},
    {"OFFSET(prb_desc_ring.descs)", "all", "descriptors", "no log"},
    {"OFFSET(prb_desc_ring.infos)", "all", "what goes with each descriptor", "no log"},
    {"OFFSET(prb_desc_ring.head_id)", "all", "newest record", "no log"},
    {"OFFSET(prb_desc_ring.tail_id)", "all", "oldest record", "no log"},
    {"SIZE(prb_desc)", "all", "descriptors", "no log"},
    {"OFFSET(prb_desc.state_var)", "all", "state of a record", "no log"},
    {"OFFSET(prb_desc.text_blk_lpos)", "all", "place of a record's text", "no log"},
    {"OFFSET(prb_data_blk_lpos.begin)", "all", "place of a record's text", "no log"},
    {"OFFSET(prb_data_blk_lpos.next)", "all", "end of a record's text", "no log"},
    {"OFFSET(prb_data_ring.size_bits)", "all", "size of the text", "no log"},
    {"OFFSET(prb_data_ring.data)", "all", "text", "no log"},
    {"SIZE(printk_info)", "all", "what goes with each descriptor", "no log"},
    {"OFFSET(printk_info.seq)", "all", "number of a record", "no log"},
    {"OFFSET(printk_info.ts_nsec)", "all", "time of a record", "no log"},
    {"OFFSET(printk_info.text_len)", "all", "length of a record", "no log"},
    {"OFFSET(atomic_long_t.counter)", "all", "the value in head_id, tail_id, state_var", "no log"},
    {"OFFSET(printk_info.caller_id)", "all", "who wrote a record; level and facility before it",
     "a log without them"},
    {"OFFSET(printk_info.dev_info)", "all", "device of a record", "a log without it"},
    {"OFFSET(dev_printk_info.subsystem)", "all", "device of a record", "a log without it"},
    {"OFFSET(dev_printk_info.device)", "all", "device of a record", "a log without it"},
    {"LENGTH(printk_info_subsystem)", "all", "device of a record", "a log without it"},
    {"LENGTH(printk_info_device)", "all", "device of a record", "a log without it"},
    {"SYMBOL(clear_seq)", "all", "--partial-dmesg", "no partial log"},
    {"SIZE(latched_seq)", "5.12 on", "clear_seq is kept twice", "it is a plain number"},
    {"OFFSET(latched_seq.val)", "5.12 on", "clear_seq", "no partial log"},

    // The log of Linux 3.5 to 5.9, records in a buffer.
    {"SYMBOL(log_first_idx)", "3.5 to 5.9", "the oldest record", "the log before 3.5 is tried"},
    {"SYMBOL(log_next_idx)", "3.5 to 5.9", "the end of the log", "no log"},
    {"SYMBOL(clear_idx)", "3.5 to 5.9", "--partial-dmesg", "no partial log"},
    {"SYMBOL(log_buf)", "before 5.10", "the buffer", "no log"},
    {"SYMBOL(log_buf_len)", "before 5.10", "its size", "no log"},
    {"SIZE(printk_log)", "3.11 to 5.9", "head of a record", "SIZE(log)"},
    {"OFFSET(printk_log.ts_nsec)", "3.11 to 5.9", "time of a record", "no log"},
    {"OFFSET(printk_log.len)", "3.11 to 5.9", "the next record", "no log"},
    {"OFFSET(printk_log.text_len)", "3.11 to 5.9", "text of a record", "no log"},
    {"OFFSET(printk_log.dict_len)", "3.11 to 5.9", "device of a record", "no log"},
    {"OFFSET(printk_log.caller_id)", "5.1 to 5.9, with CONFIG_PRINTK_CALLER", "who wrote a record",
     "a log without it"},
    {"SIZE(log)", "3.6 to 3.10", "head of a record", "no log"},
    {"OFFSET(log.ts_nsec)", "3.6 to 3.10", "time of a record", "no log"},
    {"OFFSET(log.len)", "3.6 to 3.10", "the next record", "no log"},
    {"OFFSET(log.text_len)", "3.6 to 3.10", "text of a record", "no log"},
    {"OFFSET(log.dict_len)", "3.6 to 3.10", "device of a record", "no log"},

    // The log before Linux 3.5, text in a ring.
    {"SYMBOL(log_end)", "before 3.5", "the end of the log", "no log"},
    {"SYMBOL(logged_chars)", "before 3.5", "--partial-dmesg", "no partial log"},
};

}  // namespace kdumpkit
