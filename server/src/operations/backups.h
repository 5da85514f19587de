// Backups: the server's store and configuration as the target of backups, and a restore under
// everybody's feet.
#ifndef NTA_SERVER_OPERATIONS_BACKUPS_H_
#define NTA_SERVER_OPERATIONS_BACKUPS_H_

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "nta/backup/backup_repository.h"
#include "nta/backup/backup_target.h"

namespace nta::server {

struct Services;

struct BackupsOptions {
  std::string directory{};
  std::string database{};  // a path, or a URL
  // Used when a request names no other. Empty: backups are not encrypted unless one asks for it.
  std::string passphrase{};
  std::vector<BackupExtra> extras{};  // the configuration
};

// The first line of a file that only its owner may read. FailedPrecondition when others may.
absl::StatusOr<std::string> ReadPassphraseFile(const std::string& path);

// What acts on a store while it is restored.
struct RestoreHooks {
  std::function<absl::Status(const std::string& staged)> prepare{};
  std::function<absl::Status(const std::function<absl::Status()>& swap,
                             const std::function<absl::Status()>& undo)>
      while_closed{};
};

// The store as the target of backups: a file, or a database in PostgreSQL by its URL. What is
// restored must be of a libnta, not newer, and open as a store. NotFound without pg_dump.
absl::StatusOr<std::unique_ptr<BackupTarget>> StoreTarget(const BackupsOptions& options,
                                                          RestoreHooks hooks = {});

// Restores where there is no database yet: before anything is opened. `what` is the name of a
// backup or the path of a file. FailedPrecondition when there is a database.
absl::StatusOr<RestoreResult> RestoreAtStart(const BackupsOptions& options, std::string_view what,
                                             BackupTime now);

// How far each of the two parts is.
struct MakeControl {
  BackupControl create{};
  BackupControl verify{};
};

// Thread-safe.
class Backups {
 public:
  // The directory is made when it is missing.
  static absl::StatusOr<std::unique_ptr<Backups>> Open(BackupsOptions options);

  const BackupRepository& repository() const { return repository_; }

  // `passphrase` empty: that of the options.
  absl::StatusOr<BackupInfo> Create(CreateBackupOptions options,
                                    const BackupControl& control) const;
  absl::StatusOr<BackupContents> Verify(std::string_view name, ReadBackupOptions options,
                                        const BackupControl& control) const;
  // Creates one, verifies it when that is asked for, and then prunes by the policy. One that could
  // not be verified because of a stop is removed. FailedPrecondition while another is made or
  // restored. The progress of both is told as that of one work.
  absl::StatusOr<BackupInfo> Make(Services& services, const CreateBackupOptions& options,
                                  bool verifies, const MakeControl& control) const;
  // FailedPrecondition, with a text for people, while a backup is made or restored.
  absl::Status CheckFree() const;
  // Sessions go on whose user is the same before and after; all others end. Capture goes on: what
  // ends meanwhile is written to the restored store. What the server remembers of the store is read
  // anew. Refused when it has no administrator; FailedPrecondition while a backup is made.
  absl::StatusOr<RestoreResult> Restore(Services& services, std::string_view name,
                                        ReadBackupOptions options,
                                        const BackupControl& control) const;

  // What to prune by after each backup; kept in the store.
  static absl::StatusOr<PrunePolicy> LoadPolicy(Services& services);
  static absl::Status SavePolicy(Services& services, const PrunePolicy& policy);

 private:
  Backups(BackupRepository repository, BackupsOptions options)
      : repository_(std::move(repository)), options_(std::move(options)) {}
  std::string Passphrase(std::string_view name, std::string given) const;

  const BackupRepository repository_;
  const BackupsOptions options_;
  // Of one backup or restore at a time.
  mutable absl::Mutex one_at_a_time_;
};

// "2026-11-22 08:00:00 UTC", for people.
std::string Moment(BackupTime time);

std::string ToJson(const BackupInfo& info);
std::string ToJson(const PrunePolicy& policy);
// Members as ToJson writes them; absent ones are 0. InvalidArgument.
absl::StatusOr<PrunePolicy> ParsePolicy(std::string_view json);

}  // namespace nta::server

#endif  // NTA_SERVER_OPERATIONS_BACKUPS_H_
