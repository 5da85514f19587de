// ArchiveWriter: contents in, a backup file out.
#ifndef NTA_BACKUP_ARCHIVE_WRITER_H_
#define NTA_BACKUP_ARCHIVE_WRITER_H_

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "backup/cipher.h"
#include "backup/file.h"
#include "backup/manifest.h"

namespace nta::backup {

class ArchiveWriter {
 public:
  // Writes the header to `file`, which is borrowed. Fills in `header.encryption` unless the
  // passphrase is empty.
  static absl::StatusOr<ArchiveWriter> Start(int file, Header header, std::string_view passphrase);
  ArchiveWriter(ArchiveWriter&&) noexcept;
  ~ArchiveWriter();

  absl::Status Write(Bytes contents);
  // After the last of the contents.
  absl::Status Finish();
  std::uint64_t stored_bytes() const { return stored_bytes_; }
  // True when a reader would take what was written for a bomb: it must be stored in another way.
  bool Swells() const;

 private:
  struct Compressor;
  ArchiveWriter(int file, std::unique_ptr<Cipher> cipher, std::unique_ptr<Compressor> compressor);
  absl::Status WriteStored(Bytes bytes);

  absl::Status AddToFrame(Bytes bytes);
  absl::Status WriteFrame(FrameKind kind);

  int file_;
  WriteOut write_out_;
  std::unique_ptr<Hasher> stored_ = std::make_unique<Hasher>();
  std::unique_ptr<Cipher> cipher_;          // null: in clear
  std::unique_ptr<Compressor> compressor_;  // null: not compressed
  std::vector<std::uint8_t> frame_;
  std::vector<std::uint8_t> sealed_;
  std::uint64_t stored_bytes_ = 0;
  std::uint64_t content_bytes_ = 0;
};

}  // namespace nta::backup

#endif  // NTA_BACKUP_ARCHIVE_WRITER_H_
