// BackupRepository: a directory of backups, each one file that can be proven.
//
//   auto repository = nta::BackupRepository::Open("backups");
//   auto backup = repository->Create(target, {.time = now});
//   auto proof = repository->Verify(backup->name, target, {.time = now});
#ifndef NTA_BACKUP_BACKUP_REPOSITORY_H_
#define NTA_BACKUP_BACKUP_REPOSITORY_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "nta/backup/backup_target.h"
#include "nta/backup/prune.h"

namespace nta {

// A small text that is kept beside the data: a configuration, rules, keys.
struct BackupExtra {
  std::string name;  // 1 to 64 letters, digits, "._-", not beginning with "."
  std::string content;

  friend bool operator==(const BackupExtra&, const BackupExtra&) = default;
};

enum class BackupCompression : std::uint8_t { kZstd, kNone };
std::string_view ToString(BackupCompression compression);  // "zstd", "none"

// InvalidArgument for one that is too short to keep anybody out: it has at least 8 characters.
absl::Status CheckNewPassphrase(std::string_view passphrase);

struct CreateBackupOptions {
  BackupTime time{};  // the present
  BackupCompression compression = BackupCompression::kZstd;
  // Encrypts and authenticates all of it (XChaCha20-Poly1305, key by Argon2id). Empty: it does not,
  // and hashes only tell damage. As CheckNewPassphrase.
  std::string passphrase{};
  std::vector<BackupExtra> extras{};  // 64 MiB in all
  // As SqliteTargetOptions::duty, for packing.
  double duty = 0.25;
};

struct ReadBackupOptions {
  BackupTime time{};  // the present
  // Of an encrypted backup. One that is not encrypted is refused when this is given: somebody may
  // have put it in the place of one that was.
  std::string passphrase{};
  // Larger contents are refused before they take the disk.
  std::uint64_t max_content_bytes = std::uint64_t{1} << 40;
};

struct BackupInfo {
  std::string name{};  // "20261122T080000Z-0123456789ab"
  BackupTime time{};
  std::uint64_t stored_bytes = 0;   // of the file
  std::uint64_t content_bytes = 0;  // unpacked
  std::string kind{};
  std::string tool{};  // that made it, with its version
  std::int64_t application_id = 0;
  std::int64_t schema_version = 0;
  BackupCompression compression = BackupCompression::kZstd;
  bool is_encrypted = false;
  // When it was last restored into a scratch place and found to be what the manifest says.
  std::optional<BackupTime> verified{};
  // Why it is not to be relied on: it cannot be read, or failed its last verification. Empty: no
  // reason is known.
  std::string problem{};
};

// What a backup was found to hold.
struct BackupContents {
  SnapshotSummary summary;
  std::vector<BackupExtra> extras;
};

struct RestoreResult {
  BackupInfo backup;
  BackupContents contents;
  std::string previous;  // where the data from before is kept; empty when there was none
};

struct PruneResult {
  std::vector<BackupInfo> removed;
  std::vector<BackupInfo> kept;
};

// Thread-safe; several processes may use one directory. Whatever is killed or given up leaves no
// backup behind, and its scratch files are removed when the directory is next opened.
class BackupRepository {
 public:
  // Makes the directory when it is missing, for its owner only. FailedPrecondition when others may
  // write to it or it is a symbolic link.
  static absl::StatusOr<BackupRepository> Open(const std::string& directory);
  BackupRepository(BackupRepository&&) noexcept;
  BackupRepository& operator=(BackupRepository&&) noexcept;
  ~BackupRepository();

  // ResourceExhausted when there is not enough space: about twice the data. The backup appears when
  // it is complete.
  absl::StatusOr<BackupInfo> Create(const BackupTarget& target, const CreateBackupOptions& options,
                                    const BackupControl& control = {}) const;

  // Newest first. What looks like a backup and cannot be read is listed with its problem.
  absl::StatusOr<std::vector<BackupInfo>> List() const;
  // NotFound; InvalidArgument for what cannot be the name of a backup.
  absl::StatusOr<BackupInfo> Get(std::string_view name) const;

  // Restores it into a scratch place, examines it, compares it with its manifest, and only then
  // marks it as verified. DataLoss when it is damaged, which is noted as its problem;
  // Unauthenticated for a wrong or missing passphrase, which is not.
  absl::StatusOr<BackupContents> Verify(std::string_view name, const BackupTarget& target,
                                        const ReadBackupOptions& options,
                                        const BackupControl& control = {}) const;

  // As Verify, beside the live data, and then lets it take the place of the live data. Until the
  // last step the live data is untouched. FailedPrecondition, before anything is read, when the
  // target has something there that was never its own.
  absl::StatusOr<RestoreResult> Restore(std::string_view name, const BackupTarget& target,
                                        const ReadBackupOptions& options,
                                        const BackupControl& control = {}) const;

  // Takes a copy of a file that another repository made, under a new name and not yet verified;
  // answers the one that is here when it is here already. Refuses what is no backup, or is not
  // whole to its last byte. Symbolic links are not followed.
  absl::StatusOr<BackupInfo> Import(const std::string& path,
                                    const BackupControl& control = {}) const;
  // The same of an open file, which is borrowed: an upload may have no name.
  absl::StatusOr<BackupInfo> ImportOpened(int file, const BackupControl& control = {}) const;
  // The path of the file, to be copied elsewhere.
  absl::StatusOr<std::string> PathOf(std::string_view name) const;

  absl::Status Remove(std::string_view name) const;
  // What the policy would do, and doing it.
  absl::StatusOr<PruneResult> PlanPrune(const PrunePolicy& policy) const;
  absl::StatusOr<PruneResult> Prune(const PrunePolicy& policy) const;

  const std::string& directory() const;

 private:
  class Impl;
  explicit BackupRepository(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace nta

#endif  // NTA_BACKUP_BACKUP_REPOSITORY_H_
