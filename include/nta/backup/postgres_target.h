// PostgresTarget: a store in PostgreSQL as the target of backups, by PostgreSQL's own pg_dump and
// pg_restore.
//
//   auto target = nta::PostgresTarget::Create({.url = "postgresql://nta@db/traffic",
//                                              .schema = "nta", .staging_directory = "backups"});
#ifndef NTA_BACKUP_POSTGRES_TARGET_H_
#define NTA_BACKUP_POSTGRES_TARGET_H_

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "nta/backup/backup_target.h"

namespace nta {

struct PostgresTargetOptions {
  // As libpq takes it; a password in it is given to the programs by their environment only.
  std::string url{};
  // All that is backed up is in it. Lower-case letters, digits and "_".
  std::string schema{};
  // A query for one number, run in a restored scratch database and in the live one: the version of
  // the schema.
  std::string version_query{};
  std::int64_t application_id = 0;
  std::int64_t max_schema_version = 0;
  // Also a schema with tables that `version_query` says nothing of gives way to a restore.
  bool replace_foreign = false;
  // Where a backup is unpacked to before it is restored: exists, for its owner only.
  std::string staging_directory{};
  // Where pg_dump, pg_restore and psql are; empty: the newest in the system's directories.
  std::string program_directory{};
  // As SqliteTargetOptions, with the URL of a scratch database in place of a path.
  std::function<absl::Status(const std::string& url)> check{};
  std::function<absl::Status(const std::string& url)> prepare{};
  std::function<absl::Status(const std::function<absl::Status()>& swap,
                             const std::function<absl::Status()>& undo)>
      while_closed{};
};

// Backups are checked in a database of their own, "nta_scratch_...", which is gone afterwards: the
// user must be allowed to create databases (CREATEDB). A restore is brought into the live database
// beside what is there, and takes its place in one transaction; what was there before stays as
// "SCHEMA_previous" until the next one.
class PostgresTarget final : public BackupTarget {
 public:
  // InvalidArgument for a URL or a schema that cannot be; NotFound without the programs.
  static absl::StatusOr<PostgresTarget> Create(PostgresTargetOptions options);

  std::string_view kind() const override { return "postgresql"; }
  absl::StatusOr<std::uint64_t> EstimateBytes() const override;
  absl::StatusOr<SnapshotSummary> Snapshot(const std::string& path,
                                           const BackupControl& control) const override;
  absl::StatusOr<SnapshotSummary> Check(const std::string& path,
                                        const BackupControl& control) const override;
  absl::Status CheckReplaceable() const override;
  std::string StagingPath(std::string_view token) const override;
  absl::StatusOr<std::string> Replace(const std::string& staged,
                                      const BackupControl& control) const override;

 private:
  explicit PostgresTarget(PostgresTargetOptions options) : options_(std::move(options)) {}

  PostgresTargetOptions options_;
};

}  // namespace nta

#endif  // NTA_BACKUP_POSTGRES_TARGET_H_
