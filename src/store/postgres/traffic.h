// PgTraffic: the flows and totals of a PostgreSQL database.
#ifndef NTA_STORE_POSTGRES_TRAFFIC_H_
#define NTA_STORE_POSTGRES_TRAFFIC_H_

#include <memory>

#include "store/postgres/connection.h"
#include "store/traffic_source.h"

namespace nta::store {

// What it changes is changed in the caller's transaction.
class PgRollupStorage final : public RollupStorage {
 public:
  // Borrows `connection`.
  explicit PgRollupStorage(PgConnection& connection) : connection_(connection) {}

  absl::StatusOr<std::vector<PartSize>> Sizes(RollupLevel level, const IdRange& ids) override;
  absl::Status Read(RollupLevel level, const IdRange& ids, Want want,
                    absl::FunctionRef<absl::Status(const PartBytes&)> visit) override;
  absl::Status Insert(RollupLevel level, const PartBytes& part) override;
  absl::Status Delete(RollupLevel level, const IdRange& ids) override;
  absl::StatusOr<std::optional<std::pair<std::int64_t, std::int64_t>>> Ends(
      RollupLevel level) override;

 private:
  PgConnection& connection_;
};

class PgTraffic final : public TrafficSource {
 public:
  // Borrows `connection`, on which it reads one moment until it ends. Not to be moved.
  static absl::StatusOr<std::unique_ptr<PgTraffic>> Begin(PgConnection& connection,
                                                          const QueryControl& control);

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
  absl::Status CheckDeadline() const override { return connection_.CheckLimits(); }

 private:
  PgTraffic(PgConnection& connection, PgTransaction transaction, std::int64_t first_without_totals,
            const QueryControl& control)
      : connection_(connection),
        transaction_(std::move(transaction)),
        first_without_totals_(first_without_totals),
        control_(control),
        storage_(connection),
        rollups_(storage_) {}

  void Report(std::int64_t seen, std::int64_t expected) const;

  PgConnection& connection_;
  PgTransaction transaction_;
  const std::int64_t first_without_totals_;
  const QueryControl& control_;
  PgRollupStorage storage_;
  RollupTable rollups_;
};

// Flows of these minutes as SQL; those that overlap the interval, and not many others.
std::string OverlapCondition(const TimeInterval& interval);
absl::StatusOr<CaptureCounts> SumPgCaptureCounts(PgConnection& connection,
                                                 const TimeInterval& interval);

// Brings flows into the totals, so many at a time, while there are enough of them. In the caller's
// transaction.
absl::Status RollUpNewest(PgConnection& connection, std::size_t flows_per_part);
// Totals are always those of the flows that are there: makes them anew for times before `time`.
absl::Status RebuildPgRollups(PgConnection& connection, Timestamp time);

}  // namespace nta::store

#endif  // NTA_STORE_POSTGRES_TRAFFIC_H_
