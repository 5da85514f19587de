// What a store does, each on a connection that the caller has leased. Contracts as in
// nta/store/store.h.
#ifndef NTA_STORE_OPERATIONS_H_
#define NTA_STORE_OPERATIONS_H_

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "nta/store/store.h"
#include "store/checks.h"
#include "store/sqlite.h"

namespace nta::store {

absl::Status WriteBatch(Connection& connection, std::span<const FlowRecord> flows,
                        std::span<const Alert> alerts);
// In the caller's transaction.
absl::Status WriteFlows(Connection& connection, std::span<const FlowRecord> flows);
// So many ids that nobody else gets; answers the first.
absl::StatusOr<std::int64_t> ReserveFlowIds(Connection& connection, std::size_t count);
// In the caller's transaction.
absl::Status WriteAlerts(Connection& connection, std::span<const Alert> alerts);
absl::Status AddCaptureCounts(Connection& connection, Timestamp time, const CaptureCounts& counts);
// Of the minutes that the interval touches.
absl::StatusOr<CaptureCounts> SumCaptureCounts(Connection& connection,
                                               const TimeInterval& interval);
absl::Status MarkCaptured(Connection& connection, const TimeInterval& interval);

absl::StatusOr<FlowPage> QueryFlows(Connection& connection, const FlowQuery& query);
absl::Status ScanColumns(Connection& connection, const TimeInterval& interval,
                         const FlowFilter& filter,
                         absl::FunctionRef<absl::Status(const StoredColumns&)> visit);
absl::StatusOr<AlertPage> QueryAlerts(Connection& connection, const AlertQuery& query);
absl::StatusOr<std::uint64_t> CountAlerts(Connection& connection, const TimeInterval& interval);
absl::StatusOr<std::vector<User>> ListUsers(Connection& connection);
absl::StatusOr<User> FindUser(Connection& connection, std::string_view username);
absl::Status InsertUser(Connection& connection, const User& user);
absl::Status ChangeUser(Connection& connection, const User& user);
absl::Status DeleteUser(Connection& connection, std::string_view username);
absl::StatusOr<std::string> FindSetting(Connection& connection, std::string_view name);
absl::Status ChangeSetting(Connection& connection, std::string_view name, std::string_view value);

absl::StatusOr<Alert> FindAlert(Connection& connection, std::string_view id);

absl::StatusOr<Document> ChangeDocument(Connection& connection, const Document& document);
absl::StatusOr<Document> FindDocument(Connection& connection, std::string_view kind,
                                      std::string_view id);
absl::StatusOr<DocumentPage> QueryDocuments(Connection& connection, const DocumentQuery& query);
absl::Status DeleteDocument(Connection& connection, std::string_view kind, std::string_view id);

absl::Status InsertSamples(Connection& connection, std::span<const Sample> samples);
absl::StatusOr<std::vector<SampleLine>> QuerySamples(Connection& connection,
                                                     const SampleQuery& query);
absl::StatusOr<std::vector<std::string>> ListSampleNames(Connection& connection);
absl::StatusOr<std::uint64_t> DeleteSamplesBefore(Connection& connection, Timestamp time);

absl::StatusOr<StoreSize> MeasureSize(Connection& connection);
absl::StatusOr<std::uint64_t> DeleteAlertsBefore(Connection& connection, Timestamp time);
// The present as retention may see it, which is kept for the next run.
absl::StatusOr<Timestamp> AdvanceRetentionClock(Connection& connection, Timestamp now);
// Flows that ended before this time are this part of all, roughly; absent when there are none.
absl::StatusOr<std::optional<Timestamp>> EndOfOldest(Connection& connection, double part);
// Makes all totals from the flows. In the caller's transaction.
absl::Status MakeRollupsAnew(Connection& connection);
// Gives free pages back to the file system.
absl::Status ReturnSpace(Connection& connection);

// One bounded step of DeleteBefore.
struct DeletionStep {
  std::uint64_t flows = 0;
  bool done = false;
};
// Of so many blocks, roughly: writers wait a fraction of a second at the most. On a full disk few,
// because deleting takes space at first.
inline constexpr std::size_t kBlocksPerStep = 256;
inline constexpr std::size_t kBlocksPerStepWhenFull = 4;
absl::StatusOr<DeletionStep> DeleteSome(Connection& connection, Timestamp time,
                                        std::size_t most_blocks);

}  // namespace nta::store

#endif  // NTA_STORE_OPERATIONS_H_
