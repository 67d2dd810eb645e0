// SPDX-License-Identifier: GPL-2.0-or-later
// Stands for the generated file where purgatory cannot be built.
#include "kexec/purgatory/built_image.h"

namespace kdumpkit::purgatory {

std::optional<BuiltImage> X86Image() { return std::nullopt; }

}  // namespace kdumpkit::purgatory
