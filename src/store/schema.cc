#include "store/schema.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <map>
#include <utility>
#include <vector>

#include "base/status.h"
#include "store/blocks.h"
#include "store/file.h"
#include "store/flow_columns.h"
#include "store/flows_table.h"
#include "store/operations.h"
#include "store/rows.h"

namespace nta::store {
namespace {

// Migration i leads from version i to version i + 1. Never change one that was released: add
// another.
constexpr std::array<const char*, kSchemaVersion> kMigrations{R"sql(
CREATE TABLE meta(
  name TEXT PRIMARY KEY,
  value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO meta(name, value) VALUES('next_flow_id', 1), ('longest_flow', 0);

CREATE TABLE flows(
  id INTEGER PRIMARY KEY,
  first_seen INTEGER NOT NULL,
  last_seen INTEGER NOT NULL,
  protocol INTEGER NOT NULL,
  source_address BLOB NOT NULL,
  source_port INTEGER NOT NULL,
  destination_address BLOB NOT NULL,
  destination_port INTEGER NOT NULL,
  vlan INTEGER,
  forward_packets INTEGER NOT NULL,
  forward_wire_bytes INTEGER NOT NULL,
  forward_ip_bytes INTEGER NOT NULL,
  forward_payload_bytes INTEGER NOT NULL,
  reverse_packets INTEGER NOT NULL,
  reverse_wire_bytes INTEGER NOT NULL,
  reverse_ip_bytes INTEGER NOT NULL,
  reverse_payload_bytes INTEGER NOT NULL,
  forward_tcp_flags INTEGER NOT NULL,
  reverse_tcp_flags INTEGER NOT NULL,
  outcome INTEGER NOT NULL,
  end_reason INTEGER NOT NULL
) STRICT;
CREATE INDEX flows_last_seen ON flows(last_seen);

CREATE TABLE rollup_protocol(
  minute INTEGER NOT NULL,
  protocol INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  packets INTEGER NOT NULL,
  flows INTEGER NOT NULL,
  PRIMARY KEY(minute, protocol)
) STRICT, WITHOUT ROWID;

CREATE TABLE rollup_address(
  minute INTEGER NOT NULL,
  address BLOB NOT NULL,
  protocol INTEGER NOT NULL,
  sent_as_source INTEGER NOT NULL,
  received_as_source INTEGER NOT NULL,
  packets_as_source INTEGER NOT NULL,
  flows_as_source INTEGER NOT NULL,
  sent_as_destination INTEGER NOT NULL,
  received_as_destination INTEGER NOT NULL,
  packets_as_destination INTEGER NOT NULL,
  flows_as_destination INTEGER NOT NULL,
  bytes_to_itself INTEGER NOT NULL,
  packets_to_itself INTEGER NOT NULL,
  flows_to_itself INTEGER NOT NULL,
  PRIMARY KEY(minute, address, protocol)
) STRICT, WITHOUT ROWID;

CREATE TABLE rollup_port(
  minute INTEGER NOT NULL,
  port INTEGER NOT NULL,
  protocol INTEGER NOT NULL,
  bytes_as_source INTEGER NOT NULL,
  packets_as_source INTEGER NOT NULL,
  flows_as_source INTEGER NOT NULL,
  bytes_as_destination INTEGER NOT NULL,
  packets_as_destination INTEGER NOT NULL,
  flows_as_destination INTEGER NOT NULL,
  PRIMARY KEY(minute, port, protocol)
) STRICT, WITHOUT ROWID;

CREATE TABLE captured(
  since_minute INTEGER PRIMARY KEY,
  until_minute INTEGER NOT NULL
) STRICT;

CREATE TABLE alerts(
  id TEXT PRIMARY KEY,
  time INTEGER NOT NULL,
  detector TEXT NOT NULL,
  class TEXT NOT NULL,
  severity INTEGER NOT NULL,
  score REAL,
  observed REAL,
  expected REAL,
  unit TEXT NOT NULL,
  source BLOB,
  destination BLOB,
  service TEXT,
  window INTEGER NOT NULL,
  technique TEXT NOT NULL,
  state INTEGER NOT NULL,
  count INTEGER NOT NULL,
  summary TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX alerts_time ON alerts(time, id);

CREATE TABLE alert_evidence(
  alert_id TEXT NOT NULL,
  name TEXT NOT NULL,
  position INTEGER NOT NULL,
  kind TEXT NOT NULL,
  value ANY,
  PRIMARY KEY(alert_id, name, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE users(
  username TEXT PRIMARY KEY,
  password_hash TEXT NOT NULL,
  role TEXT NOT NULL,
  created INTEGER NOT NULL,
  generation INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE settings(
  name TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
)sql",
                                                              R"sql(
CREATE TABLE flow_column(
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  type INTEGER NOT NULL
) STRICT;

CREATE TABLE flow_block(
  id INTEGER PRIMARY KEY,
  flows INTEGER NOT NULL,
  first_id INTEGER NOT NULL,
  last_id INTEGER NOT NULL,
  min_first_seen INTEGER NOT NULL,
  min_last_seen INTEGER NOT NULL,
  max_last_seen INTEGER NOT NULL,
  max_bytes INTEGER NOT NULL,
  max_packets INTEGER NOT NULL,
  rollups INTEGER NOT NULL
) STRICT;

CREATE TABLE flow_summary(
  block INTEGER PRIMARY KEY,
  data BLOB NOT NULL
) STRICT;

CREATE TABLE flow_data(
  id INTEGER PRIMARY KEY,
  data BLOB NOT NULL
) STRICT;

CREATE TABLE flow_tail(
  id INTEGER PRIMARY KEY,
  flows INTEGER NOT NULL,
  first_id INTEGER NOT NULL,
  last_id INTEGER NOT NULL,
  min_first_seen INTEGER NOT NULL,
  min_last_seen INTEGER NOT NULL,
  max_last_seen INTEGER NOT NULL,
  max_bytes INTEGER NOT NULL,
  max_packets INTEGER NOT NULL,
  data BLOB NOT NULL
) STRICT;

CREATE TABLE capture_counts(
  minute INTEGER PRIMARY KEY,
  packets_seen INTEGER NOT NULL,
  packets_dropped INTEGER NOT NULL,
  flows_evicted INTEGER NOT NULL,
  flows_dropped INTEGER NOT NULL
) STRICT;

CREATE TABLE rollup_minute(
  id INTEGER PRIMARY KEY,
  traffic BLOB NOT NULL,
  addresses BLOB
) STRICT;

CREATE TABLE rollup_hour(
  id INTEGER PRIMARY KEY,
  traffic BLOB NOT NULL,
  addresses BLOB
) STRICT;

CREATE TABLE rollup_quarter(
  id INTEGER PRIMARY KEY,
  traffic BLOB NOT NULL,
  addresses BLOB
) STRICT;

CREATE TABLE rollup_day(
  id INTEGER PRIMARY KEY,
  traffic BLOB NOT NULL,
  addresses BLOB
) STRICT;
)sql",
                                                              R"sql(
CREATE TABLE document(
  kind TEXT NOT NULL,
  id TEXT NOT NULL,
  version INTEGER NOT NULL,
  updated INTEGER NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY(kind, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE sample_name(
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE sample(
  name_id INTEGER NOT NULL,
  time INTEGER NOT NULL,
  value REAL NOT NULL,
  PRIMARY KEY(name_id, time)
) STRICT, WITHOUT ROWID;
)sql",
                                                              // Totals by category: no table
                                                              // changes, the totals are made anew.
                                                              ""};

// What is done to the rows between the two halves of migration 2, and what becomes of them.
constexpr const char* kDropRows = R"sql(
DROP TABLE flows;
DROP TABLE rollup_protocol;
DROP TABLE rollup_address;
DROP TABLE rollup_port;
DELETE FROM meta WHERE name = 'longest_flow';
)sql";

absl::Status Refuse(absl::StatusCode code, const std::string& path, const std::string& reason) {
  return base::MakeStatus(code, "store \"" + path + "\" " + reason + "; it was left as it is");
}

// What a store takes from a file, and what it does not let a file do to it.
absl::Status Harden(Connection& connection) {
  for (const auto& [option, value] :
       {std::pair{SQLITE_DBCONFIG_DEFENSIVE, 1}, std::pair{SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
        std::pair{SQLITE_DBCONFIG_ENABLE_TRIGGER, 0}, std::pair{SQLITE_DBCONFIG_ENABLE_VIEW, 0}}) {
    NTA_RETURN_IF_ERROR(SqliteStatus(connection.get(),
                                     sqlite3_db_config(connection.get(), option, value, nullptr)));
  }
  sqlite3_limit(connection.get(), SQLITE_LIMIT_ATTACHED, 0);
  sqlite3_busy_timeout(connection.get(), kBusyMilliseconds);
  NTA_RETURN_IF_ERROR(SqliteStatus(connection.get(), RegisterFlowsTable(connection.get())));
  return connection.Execute("PRAGMA cell_size_check=ON; PRAGMA foreign_keys=OFF");
}

using SchemaObjects = std::map<std::pair<std::string, std::string>, std::string>;

// (type, name) -> SQL, without what SQLite makes by itself.
absl::StatusOr<SchemaObjects> ReadSchema(Connection& connection) {
  NTA_ASSIGN_OR_RETURN(
      Statement statement,
      connection.Prepare(
          "SELECT type, name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%'"));
  SchemaObjects objects;
  while (true) {
    NTA_ASSIGN_OR_RETURN(const bool row, statement.Step());
    if (!row) return objects;
    objects[{std::string(statement.Text(0)), std::string(statement.Text(1))}] = statement.Text(2);
  }
}

absl::Status CreateTables(Connection& connection) {
  for (std::size_t i = 0; i < kMigrations.size(); ++i) {
    NTA_RETURN_IF_ERROR(connection.Execute(kMigrations[i]));
    if (i == 1) NTA_RETURN_IF_ERROR(connection.Execute(kDropRows));
  }
  return absl::OkStatus();
}

absl::StatusOr<SchemaObjects> ExpectedSchema() {
  NTA_ASSIGN_OR_RETURN(const auto connection,
                       Connection::Open(":memory:", SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE));
  NTA_RETURN_IF_ERROR(CreateTables(*connection));
  return ReadSchema(*connection);
}

// Tables of others' making are left alone; triggers and views could act on our behalf and are
// refused.
absl::Status CheckSchema(Connection& connection, const std::string& path) {
  NTA_ASSIGN_OR_RETURN(const SchemaObjects expected, ExpectedSchema());
  NTA_ASSIGN_OR_RETURN(const SchemaObjects found, ReadSchema(connection));
  for (const auto& [key, sql] : expected) {
    const auto object = found.find(key);
    if (object == found.end() || object->second != sql) {
      return Refuse(absl::StatusCode::kDataLoss, path,
                    "is damaged: " + key.first + " \"" + key.second + "\" is missing or altered");
    }
  }
  for (const auto& [key, sql] : found) {
    if (key.first == "trigger" || key.first == "view") {
      return Refuse(absl::StatusCode::kFailedPrecondition, path,
                    "has a " + key.first + " \"" + key.second + "\" that libnta did not create");
    }
  }
  return absl::OkStatus();
}

// As much of the file as can be checked in half a second: all of a small one.
// What quick_check says in lines, the first of which only names the database.
std::string OneLine(std::string text) {
  constexpr std::string_view kHeading = "*** in database main ***\n";
  if (text.starts_with(kHeading)) text.erase(0, kHeading.size());
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

absl::Status CheckPages(Connection& connection, const std::string& path) {
  connection.SetDeadline(std::chrono::steady_clock::now() + std::chrono::milliseconds(500));
  const auto check = [&]() -> absl::StatusOr<std::string> {
    NTA_ASSIGN_OR_RETURN(Statement statement, connection.Prepare("PRAGMA quick_check(1)"));
    NTA_ASSIGN_OR_RETURN(const bool row, statement.Step());
    return row ? std::string(statement.Text(0)) : std::string("ok");
  };
  const absl::StatusOr<std::string> result = check();
  connection.ClearDeadline();
  if (absl::IsDeadlineExceeded(result.status())) return absl::OkStatus();
  if (!result.ok()) return result.status();
  if (*result == "ok") return absl::OkStatus();
  return Refuse(absl::StatusCode::kDataLoss, path, "is damaged: " + OneLine(*result));
}

// The version of the schema; 0 for an empty file. Writes nothing.
absl::StatusOr<std::int64_t> CheckOwner(Connection& connection, const std::string& path) {
  const absl::StatusOr<std::int64_t> id = connection.QueryInteger("PRAGMA application_id");
  if (absl::IsDataLoss(id.status())) {
    return Refuse(absl::StatusCode::kDataLoss, path,
                  "is not a SQLite database or its beginning is damaged");
  }
  NTA_RETURN_IF_ERROR(id.status());
  NTA_ASSIGN_OR_RETURN(const std::int64_t version, connection.QueryInteger("PRAGMA user_version"));
  NTA_ASSIGN_OR_RETURN(const std::int64_t objects,
                       connection.QueryInteger("SELECT count(*) FROM sqlite_schema"));
  if (*id == 0 && version == 0 && objects == 0) return 0;
  if (*id != kApplicationId) {
    return Refuse(absl::StatusCode::kFailedPrecondition, path, "belongs to another program");
  }
  if (version > kSchemaVersion) {
    return Refuse(absl::StatusCode::kFailedPrecondition, path,
                  "was written by a newer libnta (format " + std::to_string(version) +
                      ", this one knows up to " + std::to_string(kSchemaVersion) + ")");
  }
  if (version < 1)
    return Refuse(absl::StatusCode::kDataLoss, path, "is damaged: it has no version");
  return version;
}

// Those that are not named yet.
absl::Status NameColumns(Connection& connection) {
  for (const FlowColumn& column : FlowColumns()) {
    NTA_ASSIGN_OR_RETURN(Statement * insert,
                         connection.Cached("INSERT OR IGNORE INTO flow_column VALUES(?, ?, ?)"));
    insert->BindAll(static_cast<std::int64_t>(column.id), column.name,
                    static_cast<std::int64_t>(column.type));
    NTA_RETURN_IF_ERROR(insert->Run());
  }
  return absl::OkStatus();
}

// Version 1 had each flow in a row of its own.
absl::Status PackRows(Connection& connection) {
  constexpr std::size_t kFlowsAtOnce = 32'768;
  NTA_ASSIGN_OR_RETURN(
      Statement rows,
      connection.Prepare("SELECT id, " + std::string(kFlowColumns) + " FROM flows ORDER BY id"));
  BlockWriter writer(connection);
  std::vector<FlowRecord> flows;
  std::int64_t first_id = 0;
  for (bool more = true; more;) {
    NTA_ASSIGN_OR_RETURN(more, rows.Step());
    const std::int64_t id = more ? rows.Integer(0) : 0;
    const bool gap = id != first_id + static_cast<std::int64_t>(flows.size());
    if (!flows.empty() && (!more || gap || flows.size() == kFlowsAtOnce)) {
      NTA_RETURN_IF_ERROR(writer.Write(flows, first_id));
      flows.clear();
    }
    if (!more) break;
    if (flows.empty()) first_id = id;
    NTA_ASSIGN_OR_RETURN(FlowRecord flow, ReadFlow(rows, 1));
    flows.push_back(std::move(flow));
  }
  rows.Reset();
  return connection.Execute(kDropRows);
}

absl::Status Migrate(Connection& connection) {
  NTA_ASSIGN_OR_RETURN(Transaction transaction, Transaction::BeginWrite(connection));
  // Asked again under the lock: another process may have been faster.
  NTA_ASSIGN_OR_RETURN(std::int64_t version, connection.QueryInteger("PRAGMA user_version"));
  for (; version < kSchemaVersion; ++version) {
    NTA_RETURN_IF_ERROR(connection.Execute(kMigrations[static_cast<std::size_t>(version)]));
    if (version == 1) NTA_RETURN_IF_ERROR(PackRows(connection));
    if (version == 3) NTA_RETURN_IF_ERROR(MakeRollupsAnew(connection));
  }
  NTA_RETURN_IF_ERROR(NameColumns(connection));
  NTA_RETURN_IF_ERROR(
      connection.Execute("PRAGMA application_id=" + std::to_string(kApplicationId)));
  NTA_RETURN_IF_ERROR(connection.Execute("PRAGMA user_version=" + std::to_string(kSchemaVersion)));
  return transaction.Commit();
}

absl::Status UseWriteAheadLog(Connection& connection, const std::string& path) {
  NTA_ASSIGN_OR_RETURN(Statement statement, connection.Prepare("PRAGMA journal_mode=WAL"));
  NTA_ASSIGN_OR_RETURN(const bool row, statement.Step());
  if (row && statement.Text(0) == "wal") return absl::OkStatus();
  return base::MakeStatus(
      absl::StatusCode::kUnavailable,
      "store \"" + path + "\": the file system does not support a write-ahead log (shared memory)");
}

// Lets a refused file with a write-ahead log stay as it is when the connection closes.
absl::Status SetCheckpointOnClose(Connection& connection, bool enabled) {
  return SqliteStatus(connection.get(),
                      sqlite3_db_config(connection.get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE,
                                        enabled ? 0 : 1, nullptr));
}

absl::Status Prepare(Connection& connection, const std::string& path) {
  NTA_RETURN_IF_ERROR(SetCheckpointOnClose(connection, false));
  NTA_RETURN_IF_ERROR(Harden(connection));
  NTA_ASSIGN_OR_RETURN(const std::int64_t version, CheckOwner(connection, path));
  if (version > 0) NTA_RETURN_IF_ERROR(CheckPages(connection, path));
  if (version == kSchemaVersion) NTA_RETURN_IF_ERROR(CheckSchema(connection, path));
  if (version == 0) NTA_RETURN_IF_ERROR(connection.Execute("PRAGMA auto_vacuum=INCREMENTAL"));
  if (!IsInMemory(path)) NTA_RETURN_IF_ERROR(UseWriteAheadLog(connection, path));
  if (version < kSchemaVersion) NTA_RETURN_IF_ERROR(Migrate(connection));
  NTA_RETURN_IF_ERROR(SetCheckpointOnClose(connection, true));
  // Debian compiles SQLite to overwrite what it deletes, which doubles the work. A checkpoint every
  // 6 MiB writes pages that change often less often, and fits into the reserve on a full disk.
  // What is committed survives a power failure.
  return connection.Execute(
      "PRAGMA secure_delete=OFF; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=1500;"
      "PRAGMA journal_size_limit=67108864; PRAGMA cache_size=-32768");
}

}  // namespace

bool IsInMemory(const std::string& path) { return path == ":memory:"; }

absl::StatusOr<std::unique_ptr<Connection>> OpenForWriting(const std::string& path, bool create) {
  if (!IsInMemory(path)) NTA_RETURN_IF_ERROR(CreateOrCheckFile(path, create));
  NTA_ASSIGN_OR_RETURN(
      auto connection,
      Connection::Open(SqlitePath(path),
                       SQLITE_OPEN_READWRITE | (IsInMemory(path) ? SQLITE_OPEN_CREATE : 0)));
  NTA_RETURN_IF_ERROR(Prepare(*connection, path));
  return connection;
}

absl::StatusOr<std::unique_ptr<Connection>> OpenScratch(const std::string& path) {
  std::string name = path;
  if (!IsInMemory(path)) {
    NTA_ASSIGN_OR_RETURN(name, MakeTemporaryFile(path));
  }
  absl::StatusOr<std::unique_ptr<Connection>> connection =
      Connection::Open(SqlitePath(name), SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
  // Gone from the directory already, so that it ends with the process, too.
  if (!IsInMemory(name)) unlink(name.c_str());
  NTA_RETURN_IF_ERROR(connection.status());
  NTA_RETURN_IF_ERROR(
      (*connection)
          ->Execute(
              "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA locking_mode=EXCLUSIVE;"
              "PRAGMA cache_size=-32768"));
  NTA_RETURN_IF_ERROR(CreateTables(**connection));
  return connection;
}

absl::StatusOr<std::unique_ptr<Connection>> OpenForReading(const std::string& path) {
  NTA_ASSIGN_OR_RETURN(auto connection, Connection::Open(SqlitePath(path), SQLITE_OPEN_READONLY));
  NTA_RETURN_IF_ERROR(Harden(*connection));
  NTA_RETURN_IF_ERROR(connection->Execute("PRAGMA query_only=ON; PRAGMA cache_size=-8192"));
  return connection;
}

}  // namespace nta::store
