// SqliteTraffic: the flows and totals of a SQLite file.
#ifndef NTA_STORE_SQLITE_TRAFFIC_H_
#define NTA_STORE_SQLITE_TRAFFIC_H_

#include <utility>
#include <vector>

#include "store/blocks.h"
#include "store/sqlite.h"
#include "store/sqlite_rollup_storage.h"
#include "store/traffic_source.h"

namespace nta::store {

class SqliteTraffic final : public TrafficSource {
 public:
  // Borrows `connection`, on which it reads one moment until it ends. Not to be moved.
  static absl::StatusOr<std::unique_ptr<SqliteTraffic>> Begin(Connection& connection);

  absl::Status Scan(FlowsIn which, const TimeInterval& interval, const FlowFilter& filter,
                    TrafficNeeds needs,
                    absl::FunctionRef<absl::Status(const CountedFlows&)> visit) override;
  RollupTable& rollups() override { return rollups_; }
  absl::StatusOr<std::optional<MinuteRange>> MinutesWithoutTotals() override;
  absl::Status ForEachCaptured(const MinuteRange& range,
                               absl::FunctionRef<void(const MinuteRange&)> visit) override;
  absl::StatusOr<std::optional<MinuteRange>> Captured() override;
  absl::StatusOr<CaptureCounts> Counts(const TimeInterval& interval) override;
  absl::StatusOr<std::uint64_t> CountAlerts(const TimeInterval& interval) override;
  absl::Status CheckDeadline() const override { return connection_.CheckDeadline(); }

 private:
  SqliteTraffic(Connection& connection, Transaction transaction, std::vector<BlockInfo> blocks)
      : connection_(connection),
        transaction_(std::move(transaction)),
        blocks_(std::move(blocks)),
        storage_(connection),
        rollups_(storage_) {}

  Connection& connection_;
  Transaction transaction_;
  const std::vector<BlockInfo> blocks_;
  SqliteRollupStorage storage_;
  RollupTable rollups_;
};

}  // namespace nta::store

#endif  // NTA_STORE_SQLITE_TRAFFIC_H_
