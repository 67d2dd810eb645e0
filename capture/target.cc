// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/target.h"

namespace kdumpkit {

Result<PartWriter> PartWriter::Begin(Target& target, std::string name) {
  TRY(target.Begin(name));
  return PartWriter(target, std::move(name));
}

Status PartWriter::Write(ByteView bytes) {
  hash_.Update(bytes);
  size_ += bytes.size();
  return target_->Write(bytes);
}

Result<StoredFile> PartWriter::End() {
  StoredFile file{name_, {size_, HexText(hash_.Finish())}, Verified::kNo};
  file.verified = TRY(target_->End(file.digest));
  return file;
}

Result<StoredFile> StoreText(Target& target, const std::string& name, std::string_view text) {
  PartWriter part = TRY(PartWriter::Begin(target, name));
  Status written = part.Write(AsBytes(text));
  if (written) return part.End();
  part.Abandon();
  return written.error();
}

}  // namespace kdumpkit
