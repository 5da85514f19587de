// ArchiveReader: a file that may come from anywhere in, its contents out.
#ifndef NTA_BACKUP_ARCHIVE_READER_H_
#define NTA_BACKUP_ARCHIVE_READER_H_

#include <cstdint>
#include <memory>
#include <stop_token>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "backup/cipher.h"
#include "backup/file.h"
#include "backup/manifest.h"

namespace nta::backup {

// A header, and the digest that names it.
struct Beginning {
  Header header;
  Digest digest{};
  std::vector<std::uint8_t> bytes;  // all of it, digest included
};

// Reads it from where `file` stands. InvalidArgument for a file of another kind,
// FailedPrecondition for a newer format, DataLoss for a damaged one.
absl::StatusOr<Beginning> ReadBeginning(int file);

// Reads on to the end of the file and answers its final digest: that it is there, is that of all
// before it, and that nothing follows. DataLoss otherwise; what is inside is not looked at.
absl::StatusOr<Digest> CheckStored(int file, const Beginning& beginning,
                                   const std::stop_token& stop);

// Every error is one of ours: nothing is read, allocated or computed beyond the caps of format.h.
class ArchiveReader {
 public:
  // `file` stands after the beginning and is borrowed. Unauthenticated when a passphrase is
  // missing, wrong, or given for a file that is in clear.
  static absl::StatusOr<ArchiveReader> Start(int file, const Beginning& beginning,
                                             std::string_view passphrase);
  ArchiveReader(ArchiveReader&&) noexcept;
  ~ArchiveReader();

  absl::StatusOr<Manifest> ReadManifest();
  // Fills `bytes`; DataLoss when there are no more contents.
  absl::Status Read(std::span<std::uint8_t> bytes);
  // DataLoss unless the contents and the file end here.
  absl::Status Finish();

 private:
  struct Decompressor;
  ArchiveReader(int file, std::unique_ptr<Cipher> cipher,
                std::unique_ptr<Decompressor> decompressor);
  // Brings something into frame_; false after the last frame.
  absl::StatusOr<bool> NextFrame();
  // Some bytes, none only at the end of the contents.
  absl::StatusOr<std::size_t> ReadSome(std::span<std::uint8_t> bytes);
  absl::StatusOr<std::size_t> Decompress(std::span<std::uint8_t> bytes);

  int file_;
  std::unique_ptr<Hasher> stored_ = std::make_unique<Hasher>();
  std::unique_ptr<Cipher> cipher_;
  std::unique_ptr<Decompressor> decompressor_;
  std::vector<std::uint8_t> frame_;
  std::vector<std::uint8_t> sealed_;
  std::size_t used_ = 0;  // of frame_
  bool last_was_read_ = false;
  std::uint64_t frames_ = 0;
  std::uint64_t stored_bytes_ = 0;
  std::uint64_t content_bytes_ = 0;
};

}  // namespace nta::backup

#endif  // NTA_BACKUP_ARCHIVE_READER_H_
