#include "store/scan.h"

#include <string>

#include "base/status.h"
#include "store/filter_sql.h"
#include "store/rows.h"

namespace nta::store {

absl::Status ScanFlows(Connection& connection, const TimeInterval& interval,
                       const FlowFilter& filter,
                       absl::FunctionRef<absl::Status(const FlowRecord&)> visit) {
  NTA_ASSIGN_OR_RETURN(
      const std::int64_t longest,
      connection.QueryInteger("SELECT value FROM meta WHERE name = 'longest_flow'"));
  NTA_ASSIGN_OR_RETURN(const FilterSql where, ToSql(filter));
  // Which flows begin before the end cannot be looked up in the index by last_seen; that none is
  // longer than the longest gives it an upper bound all the same.
  NTA_ASSIGN_OR_RETURN(
      Statement statement,
      connection.Prepare(
          "SELECT " + std::string(kFlowColumns) +
          " FROM flows WHERE last_seen >= ?1 AND last_seen <= ?2 AND first_seen < ?3 AND " +
          where.condition));
  const Timestamp latest = interval.until > Timestamp::max() - Duration(longest)
                               ? Timestamp::max()
                               : interval.until + Duration(longest);
  statement.BindAll(ToInteger(interval.since), ToInteger(latest), ToInteger(interval.until));
  where.BindTo(statement);
  while (true) {
    NTA_ASSIGN_OR_RETURN(const bool row, statement.Step());
    if (!row) return absl::OkStatus();
    NTA_ASSIGN_OR_RETURN(const FlowRecord flow, ReadFlow(statement, 0));
    NTA_RETURN_IF_ERROR(visit(flow));
  }
}

}  // namespace nta::store
