// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/struct_field.h"

#include <algorithm>
#include <array>

namespace kdumpkit {

Result<StructField> FindField(const Btf& types, std::string_view type, std::string_view path) {
  StructField field{.offset = 0, .size = 0, .type = types.FindType(type)};
  for (std::string_view rest = path; !rest.empty();) {
    std::string_view name = rest.substr(0, rest.find('.'));
    rest.remove_prefix(std::min(name.size() + 1, rest.size()));
    std::optional<BtfMember> member = types.FindMember(field.type, name);
    if (!member || member->bit_size != 0 || member->bit_offset % 8 != 0) {
      return Unsupported("the kernel has no {}.{}", type, path);
    }
    field.offset += member->bit_offset / 8;
    field.type = member->type;
  }
  std::optional<uint64_t> size = types.SizeOf(field.type);
  if (!size) return Unsupported("the kernel has no {}.{}", type, path);
  field.size = *size;
  return field;
}

Result<uint64_t> ReadField(const CrashedKernel& kernel, KernelMemory& memory, VirtAddr object,
                           const StructField& field) {
  std::array<std::byte, 8> bytes;
  if (field.size > bytes.size()) return Unsupported("a member of {} bytes", field.size);
  TRY(memory.Read(object + field.offset, ByteSpan(bytes).first(field.size)));
  ByteOrder order = kernel.machine().order;
  switch (field.size) {
    case 1:
      return uint64_t{LoadUnchecked<uint8_t>(bytes.data(), order)};
    case 2:
      return uint64_t{LoadUnchecked<uint16_t>(bytes.data(), order)};
    case 4:
      return uint64_t{LoadUnchecked<uint32_t>(bytes.data(), order)};
    case 8:
      return LoadUnchecked<uint64_t>(bytes.data(), order);
    default:
      return Unsupported("a member of {} bytes", field.size);
  }
}

}  // namespace kdumpkit
