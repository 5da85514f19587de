#include <chrono>
#include <filesystem>
#include <new>
#include <optional>
#include <system_error>
#include <utility>

#include "base/reserve.h"
#include "base/status.h"
#include "store/backend.h"
#include "store/connections.h"
#include "store/import_stage.h"
#include "store/operations.h"
#include "store/schema.h"
#include "store/sqlite_traffic.h"
#include "store/usage.h"

namespace nta::store {
namespace {

absl::Status NoMemory() {
  // Short, so that it needs none.
  return base::MakeStatus(absl::StatusCode::kResourceExhausted, "no memory");
}

// What cannot have the memory that it needs says so; nothing of it stays.
template <typename Operation>
auto Guard(const Operation& operation) -> decltype(operation()) {
  try {
    return operation();
  } catch (const std::bad_alloc&) {
    return NoMemory();
  }
}

class SqliteBackend final : public Backend {
 public:
  SqliteBackend(std::unique_ptr<Connections> connections, const StoreOptions& options)
      : connections_(std::move(connections)),
        reserve_(options.path + "-reserve", IsInMemory(options.path) ? 0 : options.reserve_bytes),
        path_(options.path),
        flows_per_block_(options.flows_per_block) {
    reserve_.Take();
  }

  absl::Status Write(std::span<const FlowRecord> flows, std::span<const Alert> alerts) override {
    return OnWriter(WriteBatch, flows, alerts);
  }
  absl::StatusOr<std::uint64_t> Import(
      absl::FunctionRef<absl::StatusOr<std::vector<FlowRecord>>()> next) override {
    return Guard([&] { return DoImport(next); });
  }
  absl::Status MarkCaptured(const TimeInterval& interval) override {
    return OnWriter(store::MarkCaptured, interval);
  }
  absl::Status RecordCapture(Timestamp time, const CaptureCounts& counts) override {
    return OnWriter(AddCaptureCounts, time, counts);
  }
  absl::StatusOr<FlowPage> Flows(const FlowQuery& query, const QueryControl& control) override {
    return OnReaderUnder(control, QueryFlows, query);
  }
  absl::Status ScanFlows(const TimeInterval& interval, const FlowFilter& filter,
                         absl::FunctionRef<absl::Status(const StoredColumns&)> visit,
                         const QueryControl& control) override {
    const auto scan = [&](Connection& connection) -> absl::StatusOr<bool> {
      NTA_RETURN_IF_ERROR(ScanColumns(connection, interval, filter, visit));
      return true;
    };
    return OnReaderUnder(control, scan).status();
  }
  absl::StatusOr<AlertPage> Alerts(const AlertQuery& query) override {
    return OnReader(QueryAlerts, query);
  }
  absl::StatusOr<Alert> GetAlert(std::string_view id) override { return OnReader(FindAlert, id); }
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
  absl::StatusOr<std::vector<User>> Users() override { return OnReader(ListUsers); }
  absl::StatusOr<User> GetUser(std::string_view username) override {
    return OnReader(FindUser, username);
  }
  absl::Status AddUser(const User& user) override { return OnWriter(InsertUser, user); }
  absl::Status UpdateUser(const User& user) override { return OnWriter(ChangeUser, user); }
  absl::Status RemoveUser(std::string_view username) override {
    return OnWriter(DeleteUser, username);
  }
  absl::StatusOr<std::string> GetSetting(std::string_view name) override {
    return OnReader(FindSetting, name);
  }
  absl::Status PutSetting(std::string_view name, std::string_view value) override {
    return OnWriter(ChangeSetting, name, value);
  }
  absl::StatusOr<Document> PutDocument(const Document& document) override {
    return OnWriter(ChangeDocument, document);
  }
  absl::StatusOr<Document> GetDocument(std::string_view kind, std::string_view id) override {
    return OnReader(FindDocument, kind, id);
  }
  absl::StatusOr<DocumentPage> Documents(const DocumentQuery& query) override {
    return OnReader(QueryDocuments, query);
  }
  absl::Status RemoveDocument(std::string_view kind, std::string_view id) override {
    return OnWriter(DeleteDocument, kind, id);
  }
  absl::Status WriteSamples(std::span<const Sample> samples) override {
    return OnWriter(InsertSamples, samples);
  }
  absl::StatusOr<std::vector<SampleLine>> Samples(const SampleQuery& query,
                                                  const QueryControl& control) override {
    return OnReaderUnder(control, QuerySamples, query);
  }
  absl::StatusOr<std::vector<std::string>> SampleNames() override {
    return OnReader(ListSampleNames);
  }
  absl::StatusOr<std::uint64_t> DeleteBefore(Timestamp time) override {
    return Guard([&] { return DoDeleteBefore(time); });
  }
  absl::StatusOr<RetentionResult> Retain(const RetentionPolicy& policy, Timestamp now) override {
    return Guard([&] { return DoRetain(policy, now); });
  }
  absl::StatusOr<StoreSize> Size() override {
    return Guard([&] { return DoSize(); });
  }
  absl::StatusOr<StoreUsage> Usage() override { return OnReader(MeasureUsage); }
  absl::StatusOr<std::uint64_t> CountBefore(RowKind kind, Timestamp time) override {
    return OnReader(CountRowsBefore, kind, time);
  }
  absl::Status Exchange(const std::function<absl::Status()>& swap,
                        const std::function<absl::Status()>& undo) override {
    return connections_->Exchange(swap, undo);
  }

 private:
  // Calls operation(connection, arguments...) on a connection that reads.
  template <typename Operation, typename... Arguments>
  auto OnReader(Operation operation, const Arguments&... arguments)
      -> decltype(operation(std::declval<Connection&>(), arguments...)) {
    return OnReaderUnder(QueryControl(), operation, arguments...);
  }
  template <typename Operation, typename... Arguments>
  auto OnReaderUnder(const QueryControl& control, Operation operation,
                     const Arguments&... arguments)
      -> decltype(operation(std::declval<Connection&>(), arguments...)) {
    const auto run = [&]() -> decltype(operation(std::declval<Connection&>(), arguments...)) {
      NTA_ASSIGN_OR_RETURN(const Connections::Lease connection, connections_->Read(control));
      auto result = operation(*connection, arguments...);
      // SQLite has one code for both reasons to give up.
      if (control.stop.stop_requested() && absl::IsDeadlineExceeded(result.status())) {
        return base::MakeStatus(absl::StatusCode::kCancelled, "store: the query was cancelled");
      }
      return result;
    };
    return Guard(run);
  }
  // Calls query(traffic, argument) on the traffic of one moment.
  template <typename Result, typename Argument>
  absl::StatusOr<Result> Query(const QueryControl& control,
                               absl::StatusOr<Result> (*query)(TrafficSource&, const Argument&),
                               const Argument& argument) {
    return OnReaderUnder(control, [&](Connection& connection) -> absl::StatusOr<Result> {
      NTA_ASSIGN_OR_RETURN(const auto traffic, SqliteTraffic::Begin(connection));
      return query(*traffic, argument);
    });
  }
  // Calls operation(connection, arguments...) on the connection that writes.
  template <typename Operation, typename... Arguments>
  auto OnWriter(Operation operation, const Arguments&... arguments)
      -> decltype(operation(std::declval<Connection&>(), arguments...)) {
    const auto run = [&]() -> decltype(operation(std::declval<Connection&>(), arguments...)) {
      NTA_ASSIGN_OR_RETURN(const Connections::Lease connection, connections_->Write());
      return operation(*connection, arguments...);
    };
    return Guard(run);
  }

  static const absl::Status& StatusOf(const absl::Status& status) { return status; }
  template <typename Value>
  static const absl::Status& StatusOf(const absl::StatusOr<Value>& result) {
    return result.status();
  }
  // OnWriter, and once more without the reserve when there is no space.
  template <typename Operation, typename... Arguments>
  auto OnWriterByReserve(Operation operation, const Arguments&... arguments)
      -> decltype(operation(std::declval<Connection&>(), arguments...)) {
    auto result = OnWriter(operation, arguments...);
    if (!absl::IsResourceExhausted(StatusOf(result))) return result;
    reserve_.Release();
    OnWriter(ReturnSpace).IgnoreError();
    return OnWriter(operation, arguments...);
  }

  absl::StatusOr<std::uint64_t> DoImport(
      absl::FunctionRef<absl::StatusOr<std::vector<FlowRecord>>()> next);
  absl::StatusOr<std::uint64_t> DoDeleteBefore(Timestamp time);
  absl::StatusOr<RetentionResult> DoRetain(const RetentionPolicy& policy, Timestamp now);
  absl::StatusOr<StoreSize> DoSize();
  absl::StatusOr<std::uint64_t> DeleteFlowsBefore(Timestamp time);
  using BytesUsed = absl::FunctionRef<absl::StatusOr<std::uint64_t>()>;
  // Deletes the oldest flows until no more than `most` bytes are used.
  absl::Status ShrinkFlows(std::uint64_t most, BytesUsed used, RetentionResult& result);
  using Deletion = absl::StatusOr<std::uint64_t> (*)(Connection&, Timestamp);
  // The same of rows; answers how many went.
  absl::StatusOr<std::uint64_t> ShrinkRows(RowKind kind, std::uint64_t most,
                                           Deletion delete_before);
  absl::Status ShrinkKinds(const RetentionPolicy& policy, RetentionResult& result);
  std::uint64_t LogBytes() const {
    std::error_code missing;
    const std::uintmax_t bytes = std::filesystem::file_size(path_ + "-wal", missing);
    return missing ? 0 : bytes;
  }

  std::unique_ptr<Connections> connections_;
  base::Reserve reserve_;
  const std::string path_;
  const std::size_t flows_per_block_;
};

absl::StatusOr<std::uint64_t> SqliteBackend::DoImport(
    absl::FunctionRef<absl::StatusOr<std::vector<FlowRecord>>()> next) {
  NTA_ASSIGN_OR_RETURN(std::vector<FlowRecord> flows, next());
  NTA_RETURN_IF_ERROR(CheckFlows(flows));
  std::uint64_t count = flows.size();
  std::optional<ImportStage> stage;
  while (true) {
    NTA_ASSIGN_OR_RETURN(std::vector<FlowRecord> more, next());
    NTA_RETURN_IF_ERROR(CheckFlows(more));
    if (more.empty()) break;
    if (!stage) {
      NTA_ASSIGN_OR_RETURN(stage, ImportStage::Create(path_, flows_per_block_));
    }
    NTA_ASSIGN_OR_RETURN(const std::int64_t id, OnWriter(ReserveFlowIds, more.size()));
    NTA_RETURN_IF_ERROR(stage->Add(more, id));
    count += more.size();
  }
  // Whoever has little needs no stage, and what came first goes along.
  const auto finish = [&](Connection& connection) -> absl::Status {
    NTA_ASSIGN_OR_RETURN(Transaction transaction, Transaction::BeginWrite(connection));
    if (stage) NTA_RETURN_IF_ERROR(stage->MoveTo(connection));
    if (!flows.empty()) NTA_RETURN_IF_ERROR(WriteFlows(connection, flows));
    return transaction.Commit();
  };
  NTA_RETURN_IF_ERROR(OnWriter(finish));
  return count;
}

absl::StatusOr<std::uint64_t> SqliteBackend::DeleteFlowsBefore(Timestamp time) {
  std::uint64_t flows = 0;
  bool full = false;
  // Step by step, so that writers get their turn in between.
  while (true) {
    const absl::StatusOr<DeletionStep> step =
        OnWriter(DeleteSome, time, full ? kBlocksPerStepWhenFull : kBlocksPerStep);
    if (absl::IsResourceExhausted(step.status()) && !full) {
      full = true;
      reserve_.Release();
      OnWriter(ReturnSpace).IgnoreError();
      continue;
    }
    if (!step.ok()) return step.status();
    flows += step->flows;
    if (full) OnWriter(ReturnSpace).IgnoreError();
    if (!step->done) continue;
    reserve_.Take();
    return flows;
  }
}

absl::StatusOr<RetentionResult> SqliteBackend::DoRetain(const RetentionPolicy& policy,
                                                        Timestamp now) {
  NTA_RETURN_IF_ERROR(CheckRetention(policy));
  RetentionResult result;
  NTA_ASSIGN_OR_RETURN(const StoreSize before, OnReader(MeasureSize));
  result.bytes_before = before.file_bytes;
  // On a full disk not even the clock can be written.
  NTA_ASSIGN_OR_RETURN(const Timestamp clock, OnWriterByReserve(AdvanceRetentionClock, now));
  result.clock_jumped = clock < now;
  result.counted_from = clock;
  if (policy.flow_age) {
    const auto cut = std::chrono::floor<std::chrono::hours>(clock - *policy.flow_age);
    NTA_ASSIGN_OR_RETURN(result.flows_deleted, DeleteFlowsBefore(cut));
  }
  if (policy.alert_age) {
    NTA_ASSIGN_OR_RETURN(result.alerts_deleted,
                         OnWriterByReserve(DeleteAlertsBefore, clock - *policy.alert_age));
  }
  if (policy.sample_age) {
    NTA_ASSIGN_OR_RETURN(result.samples_deleted,
                         OnWriterByReserve(DeleteSamplesBefore, clock - *policy.sample_age));
  }
  NTA_RETURN_IF_ERROR(ShrinkKinds(policy, result));
  // What was deleted may all be in the log still, which then cannot be moved into a full disk.
  NTA_RETURN_IF_ERROR(OnWriterByReserve(ReturnSpace));
  NTA_ASSIGN_OR_RETURN(const StoreSize after, OnReader(MeasureSize));
  result.bytes_after = after.file_bytes;
  reserve_.Take();
  return result;
}

absl::Status SqliteBackend::ShrinkKinds(const RetentionPolicy& policy, RetentionResult& result) {
  const auto of_flows = [this]() -> absl::StatusOr<std::uint64_t> {
    NTA_ASSIGN_OR_RETURN(const StoreUsage usage, OnReader(MeasureUsage));
    return usage.flows.bytes;
  };
  const auto of_all = [this]() -> absl::StatusOr<std::uint64_t> {
    NTA_ASSIGN_OR_RETURN(const StoreSize size, OnReader(MeasureSize));
    return size.file_bytes - size.free_bytes;
  };
  if (policy.flow_bytes) {
    NTA_RETURN_IF_ERROR(ShrinkFlows(*policy.flow_bytes, of_flows, result));
  }
  if (policy.alert_bytes) {
    NTA_ASSIGN_OR_RETURN(const std::uint64_t deleted,
                         ShrinkRows(RowKind::kAlerts, *policy.alert_bytes, DeleteAlertsBefore));
    result.alerts_deleted += deleted;
  }
  if (policy.sample_bytes) {
    NTA_ASSIGN_OR_RETURN(const std::uint64_t deleted,
                         ShrinkRows(RowKind::kSamples, *policy.sample_bytes, DeleteSamplesBefore));
    result.samples_deleted += deleted;
  }
  if (policy.max_bytes) NTA_RETURN_IF_ERROR(ShrinkFlows(*policy.max_bytes, of_all, result));
  return absl::OkStatus();
}

// What a flow or a row takes is an estimate, so it may take a second or third time.
constexpr int kShrinkAttempts = 8;

absl::Status SqliteBackend::ShrinkFlows(std::uint64_t most, BytesUsed used,
                                        RetentionResult& result) {
  for (int attempt = 0; attempt < kShrinkAttempts; ++attempt) {
    NTA_ASSIGN_OR_RETURN(const std::uint64_t bytes, used());
    if (bytes <= most) return absl::OkStatus();
    const double part = static_cast<double>(bytes - most) / static_cast<double>(bytes);
    NTA_ASSIGN_OR_RETURN(const std::optional<Timestamp> cut, OnReader(EndOfOldest, part));
    if (!cut) return absl::OkStatus();
    NTA_ASSIGN_OR_RETURN(const std::uint64_t deleted, DeleteFlowsBefore(*cut));
    result.flows_deleted += deleted;
  }
  return absl::OkStatus();
}

absl::StatusOr<std::uint64_t> SqliteBackend::ShrinkRows(RowKind kind, std::uint64_t most,
                                                        Deletion delete_before) {
  std::uint64_t deleted = 0;
  for (int attempt = 0; attempt < kShrinkAttempts; ++attempt) {
    NTA_ASSIGN_OR_RETURN(const StoreUsage usage, OnReader(MeasureUsage));
    const std::uint64_t rows =
        RowsBeyond(kind == RowKind::kAlerts ? usage.alerts : usage.samples, most);
    if (rows == 0) break;
    NTA_ASSIGN_OR_RETURN(const std::optional<Timestamp> cut, OnReader(EndOfOldestRows, kind, rows));
    if (!cut) break;
    NTA_ASSIGN_OR_RETURN(const std::uint64_t gone, OnWriterByReserve(delete_before, *cut));
    deleted += gone;
  }
  return deleted;
}

absl::StatusOr<std::uint64_t> SqliteBackend::DoDeleteBefore(Timestamp time) {
  NTA_ASSIGN_OR_RETURN(const std::uint64_t flows, DeleteFlowsBefore(time));
  NTA_RETURN_IF_ERROR(OnWriterByReserve(DeleteAlertsBefore, time).status());
  NTA_RETURN_IF_ERROR(OnWriterByReserve(ReturnSpace));
  reserve_.Take();
  return flows;
}

absl::StatusOr<StoreSize> SqliteBackend::DoSize() {
  NTA_ASSIGN_OR_RETURN(StoreSize size, OnReader(MeasureSize));
  size.log_bytes = LogBytes();
  return size;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Backend>> OpenSqlite(StoreOptions options, bool durable) try {
  NTA_ASSIGN_OR_RETURN(auto connections, Connections::Open(options, durable));
  return std::make_unique<SqliteBackend>(std::move(connections), options);
} catch (const std::bad_alloc&) {
  return NoMemory();
}

}  // namespace nta::store
