#include "nta/backup/postgres_target.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "backup/file.h"
#include "backup/postgres_programs.h"
#include "base/status.h"

namespace nta {
namespace {

using backup::PostgresPrograms;
using backup::PostgresUrl;

constexpr std::string_view kScratch = "nta_scratch_";
constexpr std::string_view kStaged = "postgres-restore-";

absl::Status Refuse(absl::StatusCode code, std::string_view reason) {
  return base::MakeStatus(code, "the database in it " + std::string(reason));
}

absl::StatusOr<PostgresPrograms> ProgramsOf(const PostgresTargetOptions& options,
                                            std::string_view database = {}) {
  NTA_ASSIGN_OR_RETURN(PostgresUrl url, backup::ParsePostgresUrl(options.url));
  NTA_ASSIGN_OR_RETURN(std::string directory,
                       backup::FindPostgresPrograms(options.program_directory));
  std::string name = database.empty() ? url.database : std::string(database);
  return PostgresPrograms(std::move(directory), std::move(url), std::move(name));
}

// A database of our own, gone at the end of its life.
class ScratchDatabase {
 public:
  static absl::StatusOr<ScratchDatabase> Make(const PostgresPrograms& live,
                                              const PostgresTargetOptions& options,
                                              const std::stop_token& stop) {
    RemoveAbandoned(live, stop);
    NTA_ASSIGN_OR_RETURN(const std::int64_t now,
                         live.Integer("SELECT floor(extract(epoch FROM now()))::bigint", stop));
    const std::string name =
        std::string(kScratch) + std::to_string(now) + "_" + backup::RandomHex(6);
    NTA_RETURN_IF_ERROR(live.Ask("CREATE DATABASE " + name + " TEMPLATE template0", stop).status());
    NTA_ASSIGN_OR_RETURN(PostgresPrograms programs, ProgramsOf(options, name));
    return ScratchDatabase(live, std::move(programs), name);
  }
  ScratchDatabase(ScratchDatabase&& other) noexcept
      : live_(other.live_),
        programs_(std::move(other.programs_)),
        name_(std::exchange(other.name_, {})) {}
  ScratchDatabase& operator=(ScratchDatabase&&) = delete;
  ~ScratchDatabase() {
    if (!name_.empty()) live_.Ask("DROP DATABASE IF EXISTS " + name_, {}).status().IgnoreError();
  }

  const PostgresPrograms& programs() const { return programs_; }
  std::string url() const { return programs_.url().Full(name_); }

 private:
  ScratchDatabase(const PostgresPrograms& live, PostgresPrograms programs, std::string name)
      : live_(live), programs_(std::move(programs)), name_(std::move(name)) {}

  // What the killed left a day ago.
  static void RemoveAbandoned(const PostgresPrograms& live, const std::stop_token& stop) {
    const auto names = live.Ask(
        "SELECT datname FROM pg_database d WHERE datname ~ '^nta_scratch_[0-9]{1,12}_[0-9a-f]+$' "
        "AND split_part(datname, '_', 3)::bigint < extract(epoch FROM now()) - 86400 AND NOT "
        "EXISTS (SELECT FROM pg_stat_activity a WHERE a.datname = d.datname)",
        stop);
    if (!names.ok()) return;
    for (const std::string& name : *names) {
      live.Ask("DROP DATABASE IF EXISTS " + name, stop).status().IgnoreError();
    }
  }

  const PostgresPrograms& live_;
  PostgresPrograms programs_;
  std::string name_;
};

// Tables and what belongs to them, of our schema: functions, triggers, views and the like could act
// on our behalf.
absl::Status CheckEntries(const std::vector<std::string>& entries, const std::string& schema) {
  static constexpr std::string_view kKnown[] = {
      "TABLE ",       "TABLE ATTACH ", "TABLE DATA ", "CONSTRAINT ", "FK CONSTRAINT ",
      "INDEX ",       "INDEX ATTACH ", "DEFAULT ",    "SEQUENCE ",   "SEQUENCE OWNED BY ",
      "SEQUENCE SET "};
  for (const std::string& entry : entries) {
    if (entry.starts_with("SCHEMA - " + schema + " ")) continue;
    const bool known = std::any_of(
        std::begin(kKnown), std::end(kKnown),
        [&](std::string_view kind) { return entry.starts_with(std::string(kind) + schema + " "); });
    if (!known) {
      return Refuse(absl::StatusCode::kFailedPrecondition,
                    "has a " + entry.substr(0, 80) + " that does not belong there");
    }
  }
  if (!entries.empty()) return absl::OkStatus();
  return Refuse(absl::StatusCode::kDataLoss, "is empty");
}

absl::StatusOr<std::map<std::string, std::uint64_t>> CountRows(const PostgresPrograms& programs,
                                                               const std::string& schema,
                                                               const std::stop_token& stop) {
  NTA_ASSIGN_OR_RETURN(
      const std::vector<std::string> tables,
      programs.Ask("SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = "
                   "c.relnamespace WHERE n.nspname = '" +
                       schema + "' AND c.relkind = 'r' ORDER BY 1",
                   stop));
  std::map<std::string, std::uint64_t> rows;
  for (const std::string& table : tables) {
    std::string quoted = table;
    for (std::size_t at = 0; (at = quoted.find('"', at)) != std::string::npos; at += 2) {
      quoted.insert(at, 1, '"');
    }
    NTA_ASSIGN_OR_RETURN(
        const std::int64_t count,
        programs.Integer("SELECT count(*) FROM " + schema + ".\"" + quoted + "\"", stop));
    rows[table] = static_cast<std::uint64_t>(count);
  }
  return rows;
}

absl::Status CheckVersion(const PostgresTargetOptions& options, std::int64_t version) {
  if (version < 1) return Refuse(absl::StatusCode::kDataLoss, "has no version");
  if (version <= options.max_schema_version) return absl::OkStatus();
  return Refuse(absl::StatusCode::kFailedPrecondition,
                "was made by a newer version (schema " + std::to_string(version) +
                    ", this one knows up to " + std::to_string(options.max_schema_version) + ")");
}

// What a backup cannot be restored for, in the words of a damaged one: pg_restore has refused it.
absl::Status AsDamage(const absl::Status& status) {
  if (!absl::IsFailedPrecondition(status)) return status;
  return Refuse(absl::StatusCode::kDataLoss, "is damaged: " + std::string(status.message()));
}

// Staged files of restores that were killed.
void RemoveAbandonedStages(const std::string& path) {
  const auto directory = backup::OpenDirectory(path);
  if (!directory.ok()) return;
  for (const std::string& name : backup::NamesIn(directory->get())) {
    if (!name.starts_with(kStaged)) continue;
    const std::string file = name.substr(0, name.find('.'));
    const backup::Descriptor staged(
        openat(directory->get(), file.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
    if (!staged.valid() || flock(staged.get(), LOCK_EX | LOCK_NB) == 0) {
      unlinkat(directory->get(), name.c_str(), 0);
    }
  }
}

bool IsSchemaName(std::string_view name) {
  return !name.empty() && name.size() <= 40 &&
         name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == std::string_view::npos;
}

void Tell(const BackupControl& control, BackupPhase phase) {
  if (control.progress) control.progress({phase, 0, 1});
}

}  // namespace

absl::StatusOr<PostgresTarget> PostgresTarget::Create(PostgresTargetOptions options) {
  if (!IsSchemaName(options.schema)) return base::InvalidArgument("that is no name of a schema");
  NTA_RETURN_IF_ERROR(ProgramsOf(options).status());
  return PostgresTarget(std::move(options));
}

absl::StatusOr<std::uint64_t> PostgresTarget::EstimateBytes() const {
  NTA_ASSIGN_OR_RETURN(const PostgresPrograms live, ProgramsOf(options_));
  NTA_ASSIGN_OR_RETURN(
      const std::int64_t bytes,
      live.Integer("SELECT coalesce(sum(pg_table_size(c.oid)), 0)::bigint FROM pg_class c JOIN "
                   "pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = '" +
                       options_.schema + "' AND c.relkind = 'r'",
                   {}));
  return static_cast<std::uint64_t>(bytes);
}

absl::StatusOr<SnapshotSummary> PostgresTarget::Snapshot(const std::string& path,
                                                         const BackupControl& control) const {
  NTA_ASSIGN_OR_RETURN(const PostgresPrograms live, ProgramsOf(options_));
  SnapshotSummary summary{
      .application_id = options_.application_id, .schema_version = 0, .rows = {}};
  NTA_ASSIGN_OR_RETURN(summary.schema_version, live.Integer(options_.version_query, control.stop));
  NTA_RETURN_IF_ERROR(CheckVersion(options_, summary.schema_version));
  Tell(control, BackupPhase::kSnapshot);
  NTA_RETURN_IF_ERROR(live.Dump(options_.schema, path, control.stop));
  // Counted in the dump: that is the one moment that all of it is of.
  NTA_ASSIGN_OR_RETURN(summary.rows, live.Rows(path, control.stop));
  return summary;
}

absl::StatusOr<SnapshotSummary> PostgresTarget::Check(const std::string& path,
                                                      const BackupControl& control) const {
  NTA_ASSIGN_OR_RETURN(const PostgresPrograms live, ProgramsOf(options_));
  const auto entries = live.Entries(path, control.stop);
  if (!entries.ok()) return AsDamage(entries.status());
  NTA_RETURN_IF_ERROR(CheckEntries(*entries, options_.schema));
  NTA_ASSIGN_OR_RETURN(const ScratchDatabase scratch,
                       ScratchDatabase::Make(live, options_, control.stop));
  NTA_RETURN_IF_ERROR(AsDamage(scratch.programs().Restore(path, control.stop)));
  SnapshotSummary summary{
      .application_id = options_.application_id, .schema_version = 0, .rows = {}};
  const auto version = scratch.programs().Integer(options_.version_query, control.stop);
  if (!version.ok()) return AsDamage(version.status());
  summary.schema_version = *version;
  NTA_RETURN_IF_ERROR(CheckVersion(options_, *version));
  NTA_ASSIGN_OR_RETURN(summary.rows, CountRows(scratch.programs(), options_.schema, control.stop));
  if (options_.check) NTA_RETURN_IF_ERROR(options_.check(scratch.url()));
  return summary;
}

absl::Status PostgresTarget::CheckReplaceable() const {
  if (options_.replace_foreign) return absl::OkStatus();
  NTA_ASSIGN_OR_RETURN(const PostgresPrograms live, ProgramsOf(options_));
  NTA_ASSIGN_OR_RETURN(
      const std::int64_t tables,
      live.Integer("SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
                   "WHERE n.nspname = '" +
                       options_.schema + "' AND c.relkind IN ('r', 'p', 'v', 'm', 'f')",
                   {}));
  if (tables == 0 || live.Integer(options_.version_query, {}).ok()) return absl::OkStatus();
  return base::MakeStatus(absl::StatusCode::kFailedPrecondition,
                          "will not replace the schema \"" + options_.schema +
                              "\": what is in it is no store of ours (if it is one that is "
                              "damaged, say replace_foreign)");
}

std::string PostgresTarget::StagingPath(std::string_view token) const {
  RemoveAbandonedStages(options_.staging_directory);
  return options_.staging_directory + "/" + std::string(kStaged) + std::string(token);
}

absl::StatusOr<std::string> PostgresTarget::Replace(const std::string& staged,
                                                    const BackupControl& control) const {
  const std::string& schema = options_.schema;
  const std::string incoming = schema + "_restored";
  const std::string previous = schema + "_previous";
  const std::string renamed = staged + ".renamed";
  NTA_ASSIGN_OR_RETURN(const PostgresPrograms live, ProgramsOf(options_));
  {
    NTA_ASSIGN_OR_RETURN(const ScratchDatabase scratch,
                         ScratchDatabase::Make(live, options_, control.stop));
    NTA_RETURN_IF_ERROR(AsDamage(scratch.programs().Restore(staged, control.stop)));
    if (options_.prepare) NTA_RETURN_IF_ERROR(options_.prepare(scratch.url()));
    NTA_RETURN_IF_ERROR(scratch.programs()
                            .Ask("ALTER SCHEMA " + schema + " RENAME TO " + incoming, control.stop)
                            .status());
    NTA_RETURN_IF_ERROR(scratch.programs().Dump(incoming, renamed, control.stop));
  }
  NTA_RETURN_IF_ERROR(
      live.Ask("DROP SCHEMA IF EXISTS " + incoming + " CASCADE", control.stop).status());
  const absl::Status brought = live.Restore(renamed, control.stop);
  unlink(renamed.c_str());
  NTA_RETURN_IF_ERROR(brought);
  Tell(control, BackupPhase::kSwap);
  NTA_ASSIGN_OR_RETURN(
      const std::int64_t had,
      live.Integer("SELECT count(*) FROM pg_namespace WHERE nspname = '" + schema + "'", {}));
  // One transaction: killed before its end it never was.
  const auto swap = [&] {
    const std::string away =
        had == 0 ? "" : "ALTER SCHEMA " + schema + " RENAME TO " + previous + ";";
    return live
        .Ask("SET lock_timeout = '30s'; DROP SCHEMA IF EXISTS " + previous + " CASCADE; " + away +
                 "ALTER SCHEMA " + incoming + " RENAME TO " + schema,
             {})
        .status();
  };
  const auto undo = [&] {
    const std::string back = had == 0 ? "" : "ALTER SCHEMA " + previous + " RENAME TO " + schema;
    return live.Ask("ALTER SCHEMA " + schema + " RENAME TO " + incoming + "; " + back, {}).status();
  };
  NTA_RETURN_IF_ERROR(options_.while_closed ? options_.while_closed(swap, undo) : swap());
  return had == 0 ? std::string() : "schema " + previous;
}

}  // namespace nta
