#include "store/backend.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "base/status.h"
#include "store/checks.h"
#include "store/postgres/connection.h"
#include "store/postgres/flows.h"
#include "store/postgres/pages.h"
#include "store/postgres/records.h"
#include "store/postgres/schema.h"
#include "store/postgres/traffic.h"
#include "store/postgres/usage.h"
#include "store/rows.h"
#include "store/usage.h"

namespace nta::store {
namespace {

// The connections that nobody uses at the moment. Thread-safe.
class PgPool {
 public:
  PgPool(std::string url, std::unique_ptr<PgConnection> first) : url_(std::move(url)) {
    free_.push_back(std::move(first));
  }

  // Waits when all are in use.
  absl::StatusOr<std::unique_ptr<PgConnection>> Take() {
    {
      absl::MutexLock lock(&mutex_);
      mutex_.Await(absl::Condition(this, &PgPool::MayTake));
      ++in_use_;
      if (!free_.empty()) {
        std::unique_ptr<PgConnection> connection = std::move(free_.back());
        free_.pop_back();
        return connection;
      }
    }
    absl::StatusOr<std::unique_ptr<PgConnection>> opened = PgConnection::Open(url_);
    if (!opened.ok()) Give(nullptr);
    return opened;
  }
  void Give(std::unique_ptr<PgConnection> connection) {
    if (connection != nullptr) connection->RollBack();
    absl::MutexLock lock(&mutex_);
    --in_use_;
    // One that was lost is made anew when it is needed.
    if (connection != nullptr && connection->IsAlive()) free_.push_back(std::move(connection));
  }

  // Calls `act` while no connection is open; all others wait meanwhile.
  absl::Status WhileClosed(std::chrono::milliseconds patience,
                           const std::function<absl::Status()>& act) {
    {
      absl::MutexLock lock(&mutex_);
      mutex_.Await(absl::Condition(this, &PgPool::IsOpen));
      is_closed_ = true;
      if (!mutex_.AwaitWithTimeout(absl::Condition(this, &PgPool::IsIdle),
                                   absl::FromChrono(patience))) {
        is_closed_ = false;
        return base::MakeStatus(absl::StatusCode::kUnavailable, "queries are still running");
      }
      free_.clear();
    }
    const absl::Status status = act();
    absl::MutexLock lock(&mutex_);
    is_closed_ = false;
    return status;
  }
  const std::string& url() const { return url_; }

 private:
  static constexpr std::size_t kMost = 6;
  bool MayTake() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return !is_closed_ && in_use_ < kMost;
  }
  bool IsOpen() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return !is_closed_; }
  bool IsIdle() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return in_use_ == 0; }

  const std::string url_;
  absl::Mutex mutex_;
  bool is_closed_ ABSL_GUARDED_BY(mutex_) = false;
  std::size_t in_use_ ABSL_GUARDED_BY(mutex_) = 0;
  std::vector<std::unique_ptr<PgConnection>> free_ ABSL_GUARDED_BY(mutex_);
};

class PgBackend final : public Backend {
 public:
  PgBackend(const StoreOptions& options, std::unique_ptr<PgConnection> connection)
      : query_timeout_(options.query_timeout),
        flows_per_part_(options.flows_per_block),
        pool_(options.path, std::move(connection)) {}

  absl::Status Write(std::span<const FlowRecord> flows, std::span<const Alert> alerts) override;
  absl::StatusOr<std::uint64_t> Import(
      absl::FunctionRef<absl::StatusOr<std::vector<FlowRecord>>()> next) override;
  absl::Status MarkCaptured(const TimeInterval& interval) override;
  absl::Status RecordCapture(Timestamp time, const CaptureCounts& counts) override;
  absl::StatusOr<FlowPage> Flows(const FlowQuery& query, const QueryControl& control) override {
    return Under(control, QueryPgFlows, query);
  }
  absl::Status ScanFlows(const TimeInterval& interval, const FlowFilter& filter,
                         absl::FunctionRef<absl::Status(const StoredColumns&)> visit,
                         const QueryControl& control) override {
    return Under(control, [&](PgConnection& connection) {
      return ScanPgFlows(connection, interval, filter, visit);
    });
  }
  absl::StatusOr<AlertPage> Alerts(const AlertQuery& query) override {
    return Under({}, QueryPgAlerts, query);
  }
  absl::StatusOr<Alert> GetAlert(std::string_view id) override {
    return Under({}, FindPgAlert, id);
  }
  absl::StatusOr<TopResult> Top(const TopQuery& query, const QueryControl& control) override {
    return Query(control, QueryTop, query);
  }
  absl::StatusOr<SeriesResult> Series(const SeriesQuery& query,
                                      const QueryControl& control) override {
    return Query(control, QuerySeries, query);
  }
  absl::StatusOr<ConversationResult> Conversations(const ConversationQuery& query,
                                                   const QueryControl& control) override {
    return Query(control, QueryConversations, query);
  }
  absl::StatusOr<TrafficSummary> Summary(const TimeInterval& interval,
                                         const QueryControl& control) override {
    return Query(control, QuerySummary, interval);
  }
  absl::StatusOr<NameResult> Names(const NameQuery& query, const QueryControl& control) override {
    return Query(control, QueryNames, query);
  }
  absl::StatusOr<std::vector<User>> Users() override { return Under({}, ListPgUsers); }
  absl::StatusOr<User> GetUser(std::string_view username) override {
    return Under({}, FindPgUser, username);
  }
  absl::Status AddUser(const User& user) override { return With(InsertPgUser, user); }
  absl::Status UpdateUser(const User& user) override { return With(ChangePgUser, user); }
  absl::Status RemoveUser(std::string_view username) override {
    return With(DeletePgUser, username);
  }
  absl::StatusOr<std::string> GetSetting(std::string_view name) override {
    return Under({}, FindPgSetting, name);
  }
  absl::Status PutSetting(std::string_view name, std::string_view value) override {
    return With(ChangePgSetting, name, value);
  }
  absl::StatusOr<Document> PutDocument(const Document& document) override {
    return With(ChangePgDocument, document);
  }
  absl::StatusOr<Document> GetDocument(std::string_view kind, std::string_view id) override {
    return Under({}, FindPgDocument, kind, id);
  }
  absl::StatusOr<DocumentPage> Documents(const DocumentQuery& query) override {
    return Under({}, QueryPgDocuments, query);
  }
  absl::Status RemoveDocument(std::string_view kind, std::string_view id) override {
    return With(DeletePgDocument, kind, id);
  }
  absl::Status WriteSamples(std::span<const Sample> samples) override {
    return With(InsertPgSamples, samples);
  }
  absl::StatusOr<std::vector<SampleLine>> Samples(const SampleQuery& query,
                                                  const QueryControl& control) override {
    return Under(control, QueryPgSamples, query);
  }
  absl::StatusOr<std::vector<std::string>> SampleNames() override {
    return Under({}, ListPgSampleNames);
  }
  absl::StatusOr<std::uint64_t> DeleteBefore(Timestamp time) override;
  absl::StatusOr<RetentionResult> Retain(const RetentionPolicy& policy, Timestamp now) override;
  absl::StatusOr<StoreSize> Size() override;
  absl::StatusOr<StoreUsage> Usage() override { return Under({}, MeasurePgUsage); }
  absl::StatusOr<std::uint64_t> CountBefore(RowKind kind, Timestamp time) override {
    return Under({}, CountPgRowsBefore, kind, time);
  }
  absl::Status Exchange(const std::function<absl::Status()>& swap,
                        const std::function<absl::Status()>& undo) override {
    return pool_.WhileClosed(3 * query_timeout_, [&]() -> absl::Status {
      NTA_RETURN_IF_ERROR(swap());
      const absl::Status fits = OpensAsOurs();
      if (fits.ok()) return fits;
      NTA_RETURN_IF_ERROR(undo());
      return fits;
    });
  }

 private:
  absl::Status OpensAsOurs() const {
    NTA_ASSIGN_OR_RETURN(const auto connection, PgConnection::Open(pool_.url()));
    return PreparePgSchema(*connection);
  }
  // Calls operation(connection, arguments...); what it says goes on without end.
  template <typename Operation, typename... Arguments>
  auto With(Operation operation, const Arguments&... arguments)
      -> decltype(operation(std::declval<PgConnection&>(), arguments...)) {
    NTA_ASSIGN_OR_RETURN(std::unique_ptr<PgConnection> connection, pool_.Take());
    auto result = operation(*connection, arguments...);
    pool_.Give(std::move(connection));
    return result;
  }
  // The same with the query's limits.
  template <typename Operation, typename... Arguments>
  auto Under(const QueryControl& control, Operation operation, const Arguments&... arguments)
      -> decltype(operation(std::declval<PgConnection&>(), arguments...)) {
    const auto deadline =
        std::chrono::steady_clock::now() + control.timeout.value_or(query_timeout_);
    return With([&](PgConnection& connection) -> decltype(operation(std::declval<PgConnection&>(),
                                                                    arguments...)) {
      connection.SetLimits(deadline, control.stop);
      NTA_RETURN_IF_ERROR(connection.CheckLimits());
      return operation(connection, arguments...);
    });
  }
  template <typename Result, typename Argument>
  absl::StatusOr<Result> Query(const QueryControl& control,
                               absl::StatusOr<Result> (*query)(TrafficSource&, const Argument&),
                               const Argument& argument) {
    return Under(control, [&](PgConnection& connection) -> absl::StatusOr<Result> {
      NTA_ASSIGN_OR_RETURN(const auto traffic, PgTraffic::Begin(connection, control));
      return query(*traffic, argument);
    });
  }

  absl::StatusOr<std::uint64_t> DeleteFlowsBefore(Timestamp time);
  using BytesUsed = absl::FunctionRef<absl::StatusOr<std::uint64_t>()>;
  // Deletes the oldest flows until no more than `most` bytes are used.
  absl::Status ShrinkFlows(std::uint64_t most, BytesUsed used, RetentionResult& result);
  // The same of rows; adds how many went to `deleted`.
  absl::Status ShrinkRows(RowKind kind, std::uint64_t most, std::uint64_t& deleted);
  absl::Status ShrinkKinds(const RetentionPolicy& policy, RetentionResult& result);

  const std::chrono::milliseconds query_timeout_;
  const std::size_t flows_per_part_;
  PgPool pool_;
};

void NoteDays(std::span<const FlowRecord> flows, std::set<Day>& days) {
  for (const FlowRecord& flow : flows) days.insert(DayOf(flow.last_seen));
}

// Gives away the ids of `count` new flows, for which `bring` brings them from the first on.
absl::Status AddFlows(PgConnection& connection, std::int64_t count, const std::set<Day>& days,
                      std::size_t flows_per_part,
                      absl::FunctionRef<absl::Status(std::int64_t)> bring) {
  for (const Day day : days) NTA_RETURN_IF_ERROR(AddDay(connection, day));
  NTA_ASSIGN_OR_RETURN(const std::int64_t id, ReadPgMeta(connection, "next_flow_id"));
  NTA_ASSIGN_OR_RETURN(const std::int64_t kept, ReadPgMeta(connection, "flows"));
  NTA_RETURN_IF_ERROR(bring(id));
  NTA_RETURN_IF_ERROR(WritePgMeta(connection, "next_flow_id", id + count));
  NTA_RETURN_IF_ERROR(WritePgMeta(connection, "flows", kept + count));
  return RollUpNewest(connection, flows_per_part);
}

absl::Status PgBackend::Write(std::span<const FlowRecord> flows, std::span<const Alert> alerts) {
  NTA_RETURN_IF_ERROR(CheckFlows(flows));
  if (flows.empty() && alerts.empty()) return absl::OkStatus();
  return With([&](PgConnection& connection) -> absl::Status {
    NTA_ASSIGN_OR_RETURN(PgTransaction transaction, PgTransaction::BeginWrite(connection));
    if (!flows.empty()) {
      std::set<Day> days;
      NoteDays(flows, days);
      const auto copy = [&](std::int64_t id) { return CopyFlowsIn(connection, flows, id); };
      NTA_RETURN_IF_ERROR(AddFlows(connection, std::ssize(flows), days, flows_per_part_, copy));
    }
    NTA_RETURN_IF_ERROR(WritePgAlerts(connection, alerts));
    return transaction.Commit();
  });
}

// Flows on their way into the store, in a table that only this connection sees; ends with it.
class PgImportStage {
 public:
  explicit PgImportStage(PgConnection& connection) : connection_(connection) {}
  ~PgImportStage() {
    // Not in a transaction that has failed: that one took the table along.
    connection_.RollBack();
    if (created_) connection_.Execute("DROP TABLE IF EXISTS pg_temp.import_stage").IgnoreError();
  }
  PgImportStage(const PgImportStage&) = delete;
  PgImportStage& operator=(const PgImportStage&) = delete;

  absl::Status Add(std::span<const FlowRecord> flows) {
    if (!created_) {
      NTA_RETURN_IF_ERROR(connection_.Execute("CREATE TEMP TABLE import_stage(LIKE flows)"));
      created_ = true;
    }
    NoteDays(flows, days_);
    NTA_RETURN_IF_ERROR(CopyFlowsIn(connection_, flows, count_, "pg_temp.import_stage"));
    count_ += std::ssize(flows);
    return absl::OkStatus();
  }

  // Everything at once, in a transaction of its own; answers how many.
  absl::StatusOr<std::uint64_t> MoveIn(std::size_t flows_per_part) {
    if (count_ == 0) return std::uint64_t{0};
    NTA_ASSIGN_OR_RETURN(PgTransaction transaction, PgTransaction::BeginWrite(connection_));
    const auto move = [&](std::int64_t first_id) {
      std::string names;
      std::string values;
      for (const FlowColumn& column : FlowColumns()) {
        names.append(names.empty() ? "" : ", ").append(column.name);
        values.append(values.empty() ? "" : ", ").append(column.name);
        if (column.id == ColumnId::kId) values += " + " + std::to_string(first_id);
      }
      return connection_.Execute("INSERT INTO flows(" + names + ") SELECT " + values +
                                 " FROM pg_temp.import_stage ORDER BY id");
    };
    NTA_RETURN_IF_ERROR(AddFlows(connection_, count_, days_, flows_per_part, move));
    NTA_RETURN_IF_ERROR(transaction.Commit());
    return static_cast<std::uint64_t>(count_);
  }

 private:
  PgConnection& connection_;
  bool created_ = false;
  std::int64_t count_ = 0;
  std::set<Day> days_;
};

absl::StatusOr<std::uint64_t> PgBackend::Import(
    absl::FunctionRef<absl::StatusOr<std::vector<FlowRecord>>()> next) {
  return With([&](PgConnection& connection) -> absl::StatusOr<std::uint64_t> {
    PgImportStage stage(connection);
    while (true) {
      NTA_ASSIGN_OR_RETURN(const std::vector<FlowRecord> flows, next());
      if (flows.empty()) return stage.MoveIn(flows_per_part_);
      NTA_RETURN_IF_ERROR(CheckFlows(flows));
      NTA_RETURN_IF_ERROR(stage.Add(flows));
    }
  });
}

absl::Status PgBackend::MarkCaptured(const TimeInterval& interval) {
  NTA_RETURN_IF_ERROR(CheckInterval(interval));
  const MinuteRange range = Covering(interval);
  if (range.since == range.until) return absl::OkStatus();
  return With([&](PgConnection& connection) -> absl::Status {
    NTA_ASSIGN_OR_RETURN(PgTransaction transaction, PgTransaction::BeginWrite(connection));
    // Ranges are kept apart by at least one minute: those that touch the new one become part of it.
    NTA_RETURN_IF_ERROR(connection.Run(
        "WITH touching AS (DELETE FROM captured WHERE since_minute <= $2 AND until_minute >= $1 "
        "RETURNING since_minute, until_minute) INSERT INTO captured SELECT "
        "least($1, coalesce(min(since_minute), $1)), greatest($2, coalesce(max(until_minute), $2)) "
        "FROM touching ON CONFLICT(since_minute) DO UPDATE SET until_minute = "
        "excluded.until_minute",
        PgList(range.since, range.until)));
    return transaction.Commit();
  });
}

absl::Status PgBackend::RecordCapture(Timestamp time, const CaptureCounts& counts) {
  NTA_RETURN_IF_ERROR(CheckCounts(counts));
  if (counts == CaptureCounts()) return absl::OkStatus();
  return With([&](PgConnection& connection) {
    return connection.Run(
        "INSERT INTO capture_counts AS kept VALUES($1, $2, $3, $4, $5) ON CONFLICT(minute) DO "
        "UPDATE SET packets_seen = kept.packets_seen + excluded.packets_seen, "
        "packets_dropped = kept.packets_dropped + excluded.packets_dropped, "
        "flows_evicted = kept.flows_evicted + excluded.flows_evicted, "
        "flows_dropped = kept.flows_dropped + excluded.flows_dropped",
        PgList(FloorMinute(time), counts.packets_seen, counts.packets_dropped, counts.flows_evicted,
               counts.flows_dropped));
  });
}

// What is gone must not look like silence.
absl::Status TrimCaptured(PgConnection& connection, Timestamp time) {
  const PgValues before = PgList(FloorMinute(time));
  for (const char* sql : {"UPDATE captured SET since_minute = $1 WHERE since_minute < $1 AND "
                          "until_minute > $1",
                          "DELETE FROM captured WHERE since_minute < $1",
                          "DELETE FROM capture_counts WHERE minute < $1"}) {
    NTA_RETURN_IF_ERROR(connection.Run(sql, before));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::uint64_t> PgBackend::DeleteFlowsBefore(Timestamp time) {
  return With([&](PgConnection& connection) -> absl::StatusOr<std::uint64_t> {
    NTA_ASSIGN_OR_RETURN(PgTransaction transaction, PgTransaction::BeginWrite(connection));
    std::int64_t deleted = 0;
    // Whole days go with their tables, which gives their space back at once.
    NTA_ASSIGN_OR_RETURN(const std::vector<Day> days, ListDays(connection));
    for (const Day day : days) {
      if (StartOfDay(day + 1) > time) break;
      NTA_ASSIGN_OR_RETURN(const std::int64_t flows,
                           connection.QueryInteger(
                               "SELECT count(*) FROM flows WHERE last_seen >= $1 AND "
                               "last_seen < $2",
                               PgList(ToInteger(StartOfDay(day)), ToInteger(StartOfDay(day + 1)))));
      deleted += flows;
      NTA_RETURN_IF_ERROR(DropDay(connection, day));
    }
    NTA_ASSIGN_OR_RETURN(
        const PgRows rest,
        connection.Query("DELETE FROM flows WHERE last_seen < $1", PgList(ToInteger(time))));
    deleted += static_cast<std::int64_t>(rest.touched());
    if (deleted > 0) {
      NTA_ASSIGN_OR_RETURN(const std::int64_t kept, ReadPgMeta(connection, "flows"));
      NTA_RETURN_IF_ERROR(WritePgMeta(connection, "flows", kept - deleted));
      NTA_RETURN_IF_ERROR(RebuildPgRollups(connection, time));
    }
    NTA_RETURN_IF_ERROR(TrimCaptured(connection, time));
    NTA_RETURN_IF_ERROR(transaction.Commit());
    return static_cast<std::uint64_t>(deleted);
  });
}

absl::StatusOr<std::uint64_t> PgBackend::DeleteBefore(Timestamp time) {
  NTA_ASSIGN_OR_RETURN(const std::uint64_t flows, DeleteFlowsBefore(time));
  NTA_RETURN_IF_ERROR(With(DeletePgRowsBefore, RowKind::kAlerts, time).status());
  return flows;
}

// The present as retention may see it, which is kept for the next run.
absl::StatusOr<Timestamp> AdvanceClock(PgConnection& connection, Timestamp now) {
  constexpr Duration kMostPerRun = std::chrono::hours(24);
  NTA_ASSIGN_OR_RETURN(PgTransaction transaction, PgTransaction::BeginWrite(connection));
  NTA_ASSIGN_OR_RETURN(
      const PgRows kept,
      connection.Query("SELECT value FROM meta WHERE name = 'retention_clock' UNION ALL "
                       "(SELECT max(last_seen) FROM flows)"));
  // The first run has nothing to go by but the flows.
  Timestamp last = now;
  if (kept.size() > 0 && !kept.IsNull(0, 0)) last = ToTimestamp(kept.Integer(0, 0));
  const Timestamp clock = std::min(now, last + kMostPerRun);
  NTA_RETURN_IF_ERROR(WritePgMeta(connection, "retention_clock", ToInteger(clock)));
  NTA_RETURN_IF_ERROR(transaction.Commit());
  return clock;
}

absl::StatusOr<RetentionResult> PgBackend::Retain(const RetentionPolicy& policy, Timestamp now) {
  NTA_RETURN_IF_ERROR(CheckRetention(policy));
  RetentionResult result;
  NTA_ASSIGN_OR_RETURN(const StoreSize before, Size());
  result.bytes_before = before.file_bytes;
  NTA_ASSIGN_OR_RETURN(const Timestamp clock, With(AdvanceClock, now));
  result.clock_jumped = clock < now;
  result.counted_from = clock;
  if (policy.flow_age) {
    const auto cut = std::chrono::floor<std::chrono::hours>(clock - *policy.flow_age);
    NTA_ASSIGN_OR_RETURN(result.flows_deleted, DeleteFlowsBefore(cut));
  }
  if (policy.alert_age) {
    NTA_ASSIGN_OR_RETURN(result.alerts_deleted, With(DeletePgRowsBefore, RowKind::kAlerts,
                                                     Timestamp(clock - *policy.alert_age)));
  }
  if (policy.sample_age) {
    NTA_ASSIGN_OR_RETURN(result.samples_deleted, With(DeletePgRowsBefore, RowKind::kSamples,
                                                      Timestamp(clock - *policy.sample_age)));
  }
  NTA_RETURN_IF_ERROR(ShrinkKinds(policy, result));
  // Gives the space of deleted rows back; outside of any transaction.
  NTA_RETURN_IF_ERROR(With([](PgConnection& connection) {
    return connection.Execute("VACUUM flows, alerts, alert_evidence, sample");
  }));
  NTA_ASSIGN_OR_RETURN(const StoreSize after, Size());
  result.bytes_after = after.file_bytes;
  return result;
}

absl::Status PgBackend::ShrinkKinds(const RetentionPolicy& policy, RetentionResult& result) {
  const auto of_flows = [this]() -> absl::StatusOr<std::uint64_t> {
    NTA_ASSIGN_OR_RETURN(const StoreUsage usage, Usage());
    return usage.flows.bytes;
  };
  const auto of_all = [this]() -> absl::StatusOr<std::uint64_t> {
    NTA_ASSIGN_OR_RETURN(const StoreSize size, Size());
    return size.file_bytes;
  };
  if (policy.flow_bytes) {
    NTA_RETURN_IF_ERROR(ShrinkFlows(*policy.flow_bytes, of_flows, result));
  }
  if (policy.alert_bytes) {
    NTA_RETURN_IF_ERROR(ShrinkRows(RowKind::kAlerts, *policy.alert_bytes, result.alerts_deleted));
  }
  if (policy.sample_bytes) {
    NTA_RETURN_IF_ERROR(
        ShrinkRows(RowKind::kSamples, *policy.sample_bytes, result.samples_deleted));
  }
  if (policy.max_bytes) NTA_RETURN_IF_ERROR(ShrinkFlows(*policy.max_bytes, of_all, result));
  return absl::OkStatus();
}

absl::Status PgBackend::ShrinkFlows(std::uint64_t most, BytesUsed used, RetentionResult& result) {
  for (int attempt = 0; attempt < 4; ++attempt) {
    NTA_ASSIGN_OR_RETURN(const std::uint64_t bytes, used());
    NTA_ASSIGN_OR_RETURN(const StoreSize size, Size());
    std::uint64_t wanted = RowsBeyond({.count = size.flows, .bytes = bytes}, most);
    if (wanted == 0) return absl::OkStatus();
    // The oldest day at a time, the newest stays.
    NTA_ASSIGN_OR_RETURN(const std::vector<Day> days, With(ListDays));
    if (days.size() < 2) return absl::OkStatus();
    for (std::size_t i = 0; i + 1 < days.size() && wanted > 0; ++i) {
      NTA_ASSIGN_OR_RETURN(const std::uint64_t deleted, DeleteFlowsBefore(StartOfDay(days[i] + 1)));
      result.flows_deleted += deleted;
      wanted -= std::min(wanted, std::max<std::uint64_t>(deleted, 1));
    }
    // Totals that are gone leave room in their tables, which only this gives back.
    if (!With(CompactPgTotals).ok()) return absl::OkStatus();
  }
  return absl::OkStatus();
}

absl::Status PgBackend::ShrinkRows(RowKind kind, std::uint64_t most, std::uint64_t& deleted) {
  // What a row takes is an estimate, so it may take a second or third time.
  for (int attempt = 0; attempt < 8; ++attempt) {
    NTA_ASSIGN_OR_RETURN(const StoreUsage usage, Usage());
    const std::uint64_t rows =
        RowsBeyond(kind == RowKind::kAlerts ? usage.alerts : usage.samples, most);
    if (rows == 0) return absl::OkStatus();
    NTA_ASSIGN_OR_RETURN(const std::optional<Timestamp> cut, With(EndOfOldestPgRows, kind, rows));
    if (!cut) return absl::OkStatus();
    NTA_ASSIGN_OR_RETURN(const std::uint64_t gone, With(DeletePgRowsBefore, kind, *cut));
    deleted += gone;
    // Rows that are gone leave room in their table, which only this gives back. Who reads the table
    // for long keeps it: until the next run, and nothing more is deleted for it.
    if (!With(CompactPgRows, kind).ok()) return absl::OkStatus();
  }
  return absl::OkStatus();
}

absl::StatusOr<StoreSize> PgBackend::Size() {
  return Under({}, [](PgConnection& connection) -> absl::StatusOr<StoreSize> {
    NTA_ASSIGN_OR_RETURN(
        const std::int64_t bytes,
        connection.QueryInteger("SELECT sum(pg_total_relation_size(oid))::bigint FROM pg_class "
                                "WHERE relnamespace = 'nta'::regnamespace AND relkind = 'r'"));
    NTA_ASSIGN_OR_RETURN(const std::int64_t flows, ReadPgMeta(connection, "flows"));
    StoreSize size;
    size.file_bytes = static_cast<std::uint64_t>(bytes);
    size.flows = static_cast<std::uint64_t>(flows);
    return size;
  });
}

}  // namespace

absl::StatusOr<std::unique_ptr<Backend>> OpenPostgres(const StoreOptions& options) {
  NTA_ASSIGN_OR_RETURN(std::unique_ptr<PgConnection> connection, PgConnection::Open(options.path));
  NTA_RETURN_IF_ERROR(PreparePgSchema(*connection));
  return std::make_unique<PgBackend>(options, std::move(connection));
}

}  // namespace nta::store
