#include "operations/backups.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <utility>

#include "app.h"
#include "base/status.h"
#include "http/json_text.h"
#include "logging/audit_trail.h"
#include "nta/backup/postgres_target.h"
#include "nta/backup/sqlite_target.h"
#include "operations/live_restore.h"

namespace nta::server {
namespace {

constexpr std::string_view kPolicySetting = "server.backup_policy";

bool IsUrl(std::string_view database) { return database.find("://") != std::string_view::npos; }

// Whether there is something that a restore would put aside.
absl::StatusOr<bool> IsThere(const BackupsOptions& options, const BackupTarget& target) {
  if (IsUrl(options.database)) {
    NTA_ASSIGN_OR_RETURN(const std::uint64_t bytes, target.EstimateBytes());
    return bytes > 0;
  }
  struct stat status {};
  return stat(options.database.c_str(), &status) == 0 && status.st_size > 0;
}

// The lock of an act that cannot go on beside another one; released at the end of the scope.
class OnlyOne {
 public:
  explicit OnlyOne(absl::Mutex& mutex) : mutex_(mutex), taken_(mutex.TryLock()) {}
  ~OnlyOne() {
    if (taken_) mutex_.Unlock();
  }
  OnlyOne(const OnlyOne&) = delete;
  OnlyOne& operator=(const OnlyOne&) = delete;
  absl::Status status() const {
    if (taken_) return absl::OkStatus();
    return base::MakeStatus(absl::StatusCode::kFailedPrecondition,
                            "a backup is being made or restored: try again when that has ended");
  }

 private:
  absl::Mutex& mutex_;
  const bool taken_;
};

// Prunes by the policy; an act of the server's own when there is something to delete.
absl::Status PruneRecorded(Services& services, const BackupRepository& repository,
                           const PrunePolicy& policy) {
  NTA_ASSIGN_OR_RETURN(const PruneResult plan, repository.PlanPrune(policy));
  if (plan.removed.empty()) return absl::OkStatus();
  return DoRecorded(services, "system", "backup.prune", "",
                    [&]() -> absl::StatusOr<std::string> {
                      NTA_ASSIGN_OR_RETURN(const PruneResult pruned, repository.Prune(policy));
                      std::string names;
                      for (const BackupInfo& info : pruned.removed) {
                        names += (names.empty() ? "removed " : ", ") + info.name;
                      }
                      return names;
                    })
      .status();
}

std::string RestoredText(const BackupInfo& backup) {
  return "The backup of " + Moment(backup.time) +
         " was restored. What was there before is kept beside the database until the next restore.";
}

}  // namespace

absl::StatusOr<std::string> ReadPassphraseFile(const std::string& path) {
  constexpr std::size_t kMostBytes = 1024;
  if (access(path.c_str(), R_OK) != 0)
    return base::ErrnoStatus(errno, "cannot open \"" + path + "\"");
  NTA_ASSIGN_OR_RETURN(const BodyFile file, BodyFile::Open(path));
  struct stat status {};
  if (fstat(file.descriptor(), &status) != 0 || (status.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return base::MakeStatus(
        absl::StatusCode::kFailedPrecondition,
        "will not use the passphrase in \"" + path + "\": others may read it (chmod 600 it)");
  }
  NTA_ASSIGN_OR_RETURN(std::string text, file.Read(0, kMostBytes));
  text.resize(std::min(text.size(), text.find_first_of("\r\n")));
  if (text.empty()) return base::InvalidArgument("\"" + path + "\" has no passphrase");
  if (const absl::Status fits = CheckNewPassphrase(text); !fits.ok()) {
    return base::InvalidArgument("\"" + path + "\": " + std::string(fits.message()));
  }
  return text;
}

absl::StatusOr<std::unique_ptr<BackupTarget>> StoreTarget(const BackupsOptions& options,
                                                          RestoreHooks hooks) {
  const StoreFormat format = Store::Format();
  const auto check = [](const std::string& staged) { return OpenStaged(staged).status(); };
  // What this server has open is its own, whatever became of the file since.
  const bool is_open = hooks.while_closed != nullptr;
  if (!IsUrl(options.database)) {
    return std::make_unique<SqliteTarget>(
        SqliteTargetOptions{.path = options.database,
                            .application_id = format.application_id,
                            .max_schema_version = format.schema_version,
                            .check = check,
                            .prepare = std::move(hooks.prepare),
                            .while_closed = std::move(hooks.while_closed),
                            .replace_foreign = is_open});
  }
  NTA_ASSIGN_OR_RETURN(
      PostgresTarget target,
      PostgresTarget::Create(
          {.url = options.database,
           .schema = "nta",
           .version_query = "SELECT value FROM nta.meta WHERE name = 'schema_version'",
           .application_id = format.application_id,
           // `check` refuses newer ones.
           .max_schema_version = std::numeric_limits<std::int64_t>::max(),
           .replace_foreign = is_open,
           .staging_directory = options.directory,
           .check = check,
           .prepare = std::move(hooks.prepare),
           .while_closed = std::move(hooks.while_closed)}));
  return std::make_unique<PostgresTarget>(std::move(target));
}

absl::StatusOr<RestoreResult> RestoreAtStart(const BackupsOptions& options, std::string_view what,
                                             BackupTime now) {
  NTA_ASSIGN_OR_RETURN(const auto target, StoreTarget(options));
  NTA_ASSIGN_OR_RETURN(const bool is_there, IsThere(options, *target));
  if (is_there) {
    // A URL may hold a password.
    const std::string name = IsUrl(options.database) ? "" : " \"" + options.database + "\"";
    return base::MakeStatus(absl::StatusCode::kFailedPrecondition,
                            "--restore is for an empty machine, and the database" + name +
                                " is there already: start without it, and restore in the "
                                "dashboard or with `nta backup restore`");
  }
  NTA_ASSIGN_OR_RETURN(const BackupRepository repository,
                       BackupRepository::Open(options.directory));
  std::string name(what);
  if (name.find('/') != std::string::npos || !repository.Get(name).ok()) {
    NTA_ASSIGN_OR_RETURN(const BackupInfo imported, repository.Import(name));
    name = imported.name;
  }
  NTA_ASSIGN_OR_RETURN(const BackupInfo info, repository.Get(name));
  ReadBackupOptions read{.time = now};
  if (info.is_encrypted) read.passphrase = options.passphrase;
  return repository.Restore(name, *target, read);
}

absl::StatusOr<std::unique_ptr<Backups>> Backups::Open(BackupsOptions options) {
  NTA_ASSIGN_OR_RETURN(BackupRepository repository, BackupRepository::Open(options.directory));
  return std::unique_ptr<Backups>(new Backups(std::move(repository), std::move(options)));
}

std::string Backups::Passphrase(std::string_view name, std::string given) const {
  if (!given.empty()) return given;
  // Ours is for those that are encrypted; the others may be used, too.
  const absl::StatusOr<BackupInfo> info = repository_.Get(name);
  return info.ok() && info->is_encrypted ? options_.passphrase : std::string();
}

absl::StatusOr<BackupInfo> Backups::Create(CreateBackupOptions options,
                                           const BackupControl& control) const {
  if (options.passphrase.empty()) options.passphrase = options_.passphrase;
  options.extras = options_.extras;
  NTA_ASSIGN_OR_RETURN(const auto target, StoreTarget(options_));
  return repository_.Create(*target, options, control);
}

absl::StatusOr<BackupContents> Backups::Verify(std::string_view name, ReadBackupOptions options,
                                               const BackupControl& control) const {
  options.passphrase = Passphrase(name, std::move(options.passphrase));
  NTA_ASSIGN_OR_RETURN(const auto target, StoreTarget(options_));
  return repository_.Verify(name, *target, options, control);
}

absl::StatusOr<BackupInfo> Backups::Make(Services& services, const CreateBackupOptions& options,
                                         bool verifies, const MakeControl& control) const {
  const OnlyOne only(one_at_a_time_);
  NTA_RETURN_IF_ERROR(only.status());
  NTA_ASSIGN_OR_RETURN(const BackupInfo made, Create(options, control.create));
  if (!verifies) return made;
  const auto verified = Verify(
      made.name, {.time = services.clock.wall(), .passphrase = options.passphrase}, control.verify);
  if (absl::IsCancelled(verified.status())) repository_.Remove(made.name).IgnoreError();
  NTA_RETURN_IF_ERROR(verified.status());
  // Only after one that is proven is there more than before.
  NTA_ASSIGN_OR_RETURN(const PrunePolicy policy, LoadPolicy(services));
  NTA_RETURN_IF_ERROR(PruneRecorded(services, repository_, policy));
  return repository_.Get(made.name);
}

absl::Status Backups::CheckFree() const { return OnlyOne(one_at_a_time_).status(); }

absl::StatusOr<RestoreResult> Backups::Restore(Services& services, std::string_view name,
                                               ReadBackupOptions options,
                                               const BackupControl& control) const {
  const OnlyOne only(one_at_a_time_);
  NTA_RETURN_IF_ERROR(only.status());
  options.passphrase = Passphrase(name, std::move(options.passphrase));
  LiveRestore live(services);
  NTA_ASSIGN_OR_RETURN(
      const auto target,
      StoreTarget(
          options_,
          {.prepare = [&](const std::string& staged) { return live.Prepare(staged); },
           .while_closed = [&](const auto& swap,
                               const auto& undo) { return services.store.Exchange(swap, undo); }}));
  NTA_ASSIGN_OR_RETURN(RestoreResult result, repository_.Restore(name, *target, options, control));
  live.Finish();
  services.notices.Add("backup.restored", RestoredText(result.backup), services.clock.wall());
  services.streams.Publish("restored", ToJson(result.backup));
  return result;
}

absl::StatusOr<PrunePolicy> Backups::LoadPolicy(Services& services) {
  const absl::StatusOr<std::string> text = services.store.GetSetting(kPolicySetting);
  if (absl::IsNotFound(text.status())) return PrunePolicy{};
  NTA_RETURN_IF_ERROR(text.status());
  return ParsePolicy(*text);
}

absl::Status Backups::SavePolicy(Services& services, const PrunePolicy& policy) {
  return services.store.PutSetting(kPolicySetting, ToJson(policy));
}

}  // namespace nta::server
