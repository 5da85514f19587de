// Backend: what a store does, whatever keeps its data. Contracts as in nta/store/store.h; arguments
// are checked by each backend with the same words.
#ifndef NTA_STORE_BACKEND_H_
#define NTA_STORE_BACKEND_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"
#include "nta/store/store.h"

namespace nta::store {

// What is kept in rows of its own, each with a time.
enum class RowKind : std::uint8_t { kAlerts, kSamples };

// Thread-safe.
class Backend {
 public:
  virtual ~Backend() = default;

  virtual absl::Status Write(std::span<const FlowRecord> flows, std::span<const Alert> alerts) = 0;
  virtual absl::StatusOr<std::uint64_t> Import(
      absl::FunctionRef<absl::StatusOr<std::vector<FlowRecord>>()> next) = 0;
  virtual absl::Status MarkCaptured(const TimeInterval& interval) = 0;
  virtual absl::Status RecordCapture(Timestamp time, const CaptureCounts& counts) = 0;
  virtual absl::StatusOr<FlowPage> Flows(const FlowQuery& query, const QueryControl& control) = 0;
  virtual absl::Status ScanFlows(const TimeInterval& interval, const FlowFilter& filter,
                                 absl::FunctionRef<absl::Status(const StoredColumns&)> visit,
                                 const QueryControl& control) = 0;
  // By pages of Flows(), unless the backend has its flows in columns already.
  virtual absl::StatusOr<AlertPage> Alerts(const AlertQuery& query) = 0;
  virtual absl::StatusOr<Alert> GetAlert(std::string_view id) = 0;
  virtual absl::StatusOr<TopResult> Top(const TopQuery& query, const QueryControl& control) = 0;
  virtual absl::StatusOr<SeriesResult> Series(const SeriesQuery& query,
                                              const QueryControl& control) = 0;
  virtual absl::StatusOr<ConversationResult> Conversations(const ConversationQuery& query,
                                                           const QueryControl& control) = 0;
  virtual absl::StatusOr<TrafficSummary> Summary(const TimeInterval& interval,
                                                 const QueryControl& control) = 0;
  virtual absl::StatusOr<NameResult> Names(const NameQuery& query, const QueryControl& control) = 0;
  virtual absl::StatusOr<std::vector<User>> Users() = 0;
  virtual absl::StatusOr<User> GetUser(std::string_view username) = 0;
  virtual absl::Status AddUser(const User& user) = 0;
  virtual absl::Status UpdateUser(const User& user) = 0;
  virtual absl::Status RemoveUser(std::string_view username) = 0;
  virtual absl::StatusOr<std::string> GetSetting(std::string_view name) = 0;
  virtual absl::Status PutSetting(std::string_view name, std::string_view value) = 0;
  virtual absl::StatusOr<Document> PutDocument(const Document& document) = 0;
  virtual absl::StatusOr<Document> GetDocument(std::string_view kind, std::string_view id) = 0;
  virtual absl::StatusOr<DocumentPage> Documents(const DocumentQuery& query) = 0;
  virtual absl::Status RemoveDocument(std::string_view kind, std::string_view id) = 0;
  virtual absl::Status WriteSamples(std::span<const Sample> samples) = 0;
  virtual absl::StatusOr<std::vector<SampleLine>> Samples(const SampleQuery& query,
                                                          const QueryControl& control) = 0;
  virtual absl::StatusOr<std::vector<std::string>> SampleNames() = 0;
  virtual absl::StatusOr<std::uint64_t> DeleteBefore(Timestamp time) = 0;
  // But for incidents, which are documents.
  virtual absl::StatusOr<RetentionResult> Retain(const RetentionPolicy& policy, Timestamp now) = 0;
  virtual absl::StatusOr<StoreSize> Size() = 0;
  // But for incidents, which are among the others.
  virtual absl::StatusOr<StoreUsage> Usage() = 0;
  virtual absl::StatusOr<std::uint64_t> CountBefore(RowKind kind, Timestamp time) = 0;
  virtual absl::Status Exchange(const std::function<absl::Status()>& swap,
                                const std::function<absl::Status()>& undo) = 0;
};

// Without `durable` what is written may not survive a power failure: for files that are put in
// their place when they are complete.
absl::StatusOr<std::unique_ptr<Backend>> OpenSqlite(StoreOptions options, bool durable = true);
// Unimplemented when libnta was built without PostgreSQL.
absl::StatusOr<std::unique_ptr<Backend>> OpenPostgres(const StoreOptions& options);

// True for the URL of a PostgreSQL database.
bool IsPostgresUrl(std::string_view path);

}  // namespace nta::store

#endif  // NTA_STORE_BACKEND_H_
