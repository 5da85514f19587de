#include <string>

#include "base/status.h"
#include "store/checks.h"
#include "store/operations.h"
#include "store/rows.h"

namespace nta::store {
namespace {

absl::StatusOr<std::optional<std::int64_t>> FindName(Connection& connection,
                                                     std::string_view name) {
  NTA_ASSIGN_OR_RETURN(Statement * find,
                       connection.Cached("SELECT id FROM sample_name WHERE name = ?"));
  find->Bind(name);
  NTA_ASSIGN_OR_RETURN(const bool found, find->Step());
  const auto id = found ? std::optional(find->Integer(0)) : std::nullopt;
  find->Reset();
  return id;
}

// In the caller's transaction.
absl::StatusOr<std::int64_t> FindOrAddName(Connection& connection, std::string_view name) {
  NTA_ASSIGN_OR_RETURN(const std::optional<std::int64_t> known, FindName(connection, name));
  if (known) return *known;
  NTA_ASSIGN_OR_RETURN(Statement * add,
                       connection.Cached("INSERT INTO sample_name(name) VALUES(?)"));
  NTA_RETURN_IF_ERROR(add->Bind(name).Run());
  return sqlite3_last_insert_rowid(connection.get());
}

absl::StatusOr<std::vector<SamplePoint>> ReadPoints(Connection& connection, std::int64_t name,
                                                    const SampleQuery& query) {
  NTA_ASSIGN_OR_RETURN(Statement * read,
                       connection.Cached("SELECT time, value FROM sample WHERE name_id = ?1 AND "
                                         "time >= ?2 AND time < ?3 ORDER BY time"));
  SampleSteps steps(query);
  read->BindAll(name, ToInteger(steps.since()), ToInteger(steps.until()));
  while (true) {
    NTA_ASSIGN_OR_RETURN(const bool row, read->Step());
    if (!row) break;
    if (!steps.Add(ToTimestamp(read->Integer(0)), read->Real(1))) {
      read->Reset();
      return TooManySteps();
    }
  }
  read->Reset();
  return steps.Take();
}

}  // namespace

absl::Status InsertSamples(Connection& connection, std::span<const Sample> samples) {
  NTA_RETURN_IF_ERROR(CheckSamples(samples));
  NTA_ASSIGN_OR_RETURN(Transaction transaction, Transaction::BeginWrite(connection));
  NTA_ASSIGN_OR_RETURN(Statement * put,
                       connection.Cached("INSERT OR REPLACE INTO sample VALUES(?, ?, ?)"));
  for (const Sample& sample : samples) {
    NTA_ASSIGN_OR_RETURN(const std::int64_t name, FindOrAddName(connection, sample.name));
    NTA_RETURN_IF_ERROR(put->BindAll(name, ToInteger(sample.time), sample.value).Run());
  }
  return transaction.Commit();
}

absl::StatusOr<std::vector<SampleLine>> QuerySamples(Connection& connection,
                                                     const SampleQuery& query) {
  NTA_RETURN_IF_ERROR(CheckSampleQuery(query));
  NTA_ASSIGN_OR_RETURN(Transaction transaction, Transaction::BeginRead(connection));
  std::vector<SampleLine> lines;
  for (const std::string& name : query.names) {
    SampleLine& line = lines.emplace_back();
    line.name = name;
    NTA_ASSIGN_OR_RETURN(const std::optional<std::int64_t> id, FindName(connection, name));
    if (!id) continue;
    NTA_ASSIGN_OR_RETURN(line.points, ReadPoints(connection, *id, query));
  }
  return lines;
}

absl::StatusOr<std::vector<std::string>> ListSampleNames(Connection& connection) {
  NTA_ASSIGN_OR_RETURN(
      Statement statement,
      connection.Prepare("SELECT name FROM sample_name WHERE EXISTS(SELECT 1 FROM sample WHERE "
                         "name_id = sample_name.id) ORDER BY name"));
  std::vector<std::string> names;
  while (true) {
    NTA_ASSIGN_OR_RETURN(const bool row, statement.Step());
    if (!row) return names;
    names.emplace_back(statement.Text(0));
  }
}

absl::StatusOr<std::uint64_t> DeleteSamplesBefore(Connection& connection, Timestamp time) {
  NTA_ASSIGN_OR_RETURN(Transaction transaction, Transaction::BeginWrite(connection));
  // By name, because the key begins with it.
  NTA_ASSIGN_OR_RETURN(Statement * remove,
                       connection.Cached("DELETE FROM sample WHERE name_id = ? AND time < ?"));
  NTA_ASSIGN_OR_RETURN(Statement names, connection.Prepare("SELECT id FROM sample_name"));
  std::uint64_t deleted = 0;
  while (true) {
    NTA_ASSIGN_OR_RETURN(const bool row, names.Step());
    if (!row) break;
    NTA_RETURN_IF_ERROR(remove->BindAll(names.Integer(0), ToInteger(time)).Run());
    deleted += static_cast<std::uint64_t>(sqlite3_changes64(connection.get()));
  }
  names.Reset();
  NTA_RETURN_IF_ERROR(transaction.Commit());
  return deleted;
}

}  // namespace nta::store
