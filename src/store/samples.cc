#include <algorithm>
#include <chrono>
#include <cmath>
#include <string>

#include "base/status.h"
#include "store/operations.h"
#include "store/rows.h"

namespace nta::store {
namespace {

constexpr std::size_t kMaxNames = 256;
constexpr std::int64_t kMaxSteps = 10'000;

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

absl::Status CheckSample(const Sample& sample) {
  NTA_RETURN_IF_ERROR(CheckName("the name of a sample", sample.name));
  if (std::isfinite(sample.value)) return absl::OkStatus();
  return base::InvalidArgument("the sample \"" + sample.name + "\" is not a finite number");
}

absl::Status CheckQuery(const SampleQuery& query) {
  NTA_RETURN_IF_ERROR(CheckInterval({query.since, query.until}));
  if (query.names.empty() || query.names.size() > kMaxNames) {
    return base::InvalidArgument("samples are asked for by 1 to 256 names");
  }
  if (query.step < std::chrono::seconds(1) || query.step > std::chrono::days(366)) {
    return base::InvalidArgument("the step of samples must be from a second to a year");
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<SamplePoint>> ReadPoints(Connection& connection, std::int64_t name,
                                                    const SampleQuery& query) {
  NTA_ASSIGN_OR_RETURN(Statement * read,
                       connection.Cached("SELECT time, value FROM sample WHERE name_id = ?1 AND "
                                         "time >= ?2 AND time < ?3 ORDER BY time"));
  const Duration step = query.step;
  const auto floor = [step](Timestamp time) {
    const Duration since_1970 = time.time_since_epoch();
    const Duration over = (since_1970 % step + step) % step;
    return since_1970 < Duration::min() + over ? Timestamp::min() : time - over;
  };
  const Timestamp until = query.until > Timestamp::max() - step
                              ? Timestamp::max()
                              : floor(query.until - Duration(1)) + step;
  read->BindAll(name, ToInteger(floor(query.since)), ToInteger(until));
  std::vector<SamplePoint> points;
  while (true) {
    NTA_ASSIGN_OR_RETURN(const bool row, read->Step());
    if (!row) break;
    const Timestamp time = floor(ToTimestamp(read->Integer(0)));
    const double value = read->Real(1);
    if (points.empty() || points.back().time != time) {
      if (points.size() == kMaxSteps) {
        read->Reset();
        return base::InvalidArgument("more than 10,000 steps: ask for a longer step");
      }
      points.push_back({.time = time, .count = 0, .minimum = value, .mean = 0, .maximum = value});
    }
    SamplePoint& point = points.back();
    ++point.count;
    point.minimum = std::min(point.minimum, value);
    point.maximum = std::max(point.maximum, value);
    point.mean += (value - point.mean) / static_cast<double>(point.count);
  }
  read->Reset();
  return points;
}

}  // namespace

absl::Status InsertSamples(Connection& connection, std::span<const Sample> samples) {
  for (const Sample& sample : samples) NTA_RETURN_IF_ERROR(CheckSample(sample));
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
  NTA_RETURN_IF_ERROR(CheckQuery(query));
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
