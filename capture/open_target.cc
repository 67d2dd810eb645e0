// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/open_target.h"

#include "capture/mounted_target.h"
#include "capture/raw_target.h"
#include "capture/ssh_target.h"
#include "capture/volume_keys.h"

namespace kdumpkit {

using Kind = Destination::Kind;

bool NeedsNetwork(const Destination& destination) {
  return destination.kind == Kind::kNfs || destination.kind == Kind::kSsh;
}

Result<std::unique_ptr<Target>> OpenTarget(const Destination& destination,
                                           std::chrono::seconds patience,
                                           const CaptureContext& context) {
  if (destination.kind == Kind::kDevice || destination.kind == Kind::kRaw) {
    context.Begin("opening encrypted volumes", context.config.device_timeout);
    (void)OpenVolumes(context.root, context.config.device_timeout, context.system, context.log);
  }
  switch (destination.kind) {
    case Kind::kDevice:
    case Kind::kNfs:
    case Kind::kVirtiofs:
      return MountedTarget::Open(destination, context);
    case Kind::kRaw:
      return RawTarget::Open(destination, context);
    case Kind::kSsh:
      return SshTarget::Open(SshTarget::AccessOf(destination, context.config), destination.path,
                             patience, context);
    case Kind::kFolder:
      return Unsupported(
          "'{}' is a folder of the running system; kdumpctl writes which device it is on",
          destination.path);
  }
  CHECK(false);
}

}  // namespace kdumpkit
