// Header and Manifest: what a backup says about itself, as JSON.
#ifndef NTA_BACKUP_MANIFEST_H_
#define NTA_BACKUP_MANIFEST_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "backup/digest.h"
#include "nta/backup/backup_repository.h"

namespace nta::backup {

// How the key comes from a passphrase: Argon2id.
struct Encryption {
  std::uint64_t operations = 0;
  std::uint64_t memory_bytes = 0;
  std::vector<std::uint8_t> salt;           // 16 bytes
  std::vector<std::uint8_t> stream_header;  // 24 bytes
};

// In clear at the beginning of the file, so that backups can be listed without a passphrase.
struct Header {
  BackupTime time{};
  std::string tool;
  std::string kind;
  std::int64_t application_id = 0;
  std::int64_t schema_version = 0;
  std::uint64_t content_bytes = 0;  // manifest and parts
  BackupCompression compression = BackupCompression::kZstd;
  std::optional<Encryption> encryption;
};

struct Part {
  std::string name;
  std::uint64_t bytes = 0;
  Digest sha256{};
};

// Inside, encrypted when the backup is. The first part is the data, the others are the extras.
struct Manifest {
  BackupTime time{};
  SnapshotSummary summary;
  std::vector<Part> parts;
};

// The verdict of the last verification, in a file beside the backup.
struct Verdict {
  BackupTime time{};
  Digest header{};  // of the backup that it is about
  std::uint64_t stored_bytes = 0;
  std::string problem;  // empty: it was verified
};

std::string ToText(const Header& header);
std::string ToText(const Manifest& manifest);
std::string ToText(const Verdict& verdict);
// DataLoss for anything that we would not have written.
absl::StatusOr<Header> ParseHeader(std::string_view text);
absl::StatusOr<Manifest> ParseManifest(std::string_view text);
absl::StatusOr<Verdict> ParseVerdict(std::string_view text);

bool IsExtraName(std::string_view name);

}  // namespace nta::backup

#endif  // NTA_BACKUP_MANIFEST_H_
