#include <string>

#include "base/status.h"
#include "store/cursor.h"
#include "store/filter_sql.h"
#include "store/operations.h"
#include "store/rows.h"

namespace nta::store {
namespace {

// How an order reads in SQL. A page begins behind the last (key, id) of the page before, which
// flows that were written since do not move.
struct OrderSql {
  char kind;
  std::string key;
  std::string direction;
  std::string comparison;
};

OrderSql ToSql(FlowOrder order) {
  switch (order) {
    case FlowOrder::kNewestFirst:
      return {'n', "last_seen", " DESC", " < "};
    case FlowOrder::kOldestFirst:
      return {'o', "last_seen", " ASC", " > "};
    case FlowOrder::kMostBytes:
      return {'b', "(forward_wire_bytes + reverse_wire_bytes)", " DESC", " < "};
    case FlowOrder::kMostPackets:
      return {'p', "(forward_packets + reverse_packets)", " DESC", " < "};
  }
  return {'n', "last_seen", " DESC", " < "};
}

std::int64_t KeyOf(FlowOrder order, const FlowRecord& flow) {
  switch (order) {
    case FlowOrder::kNewestFirst:
    case FlowOrder::kOldestFirst:
      return ToInteger(flow.last_seen);
    case FlowOrder::kMostBytes:
      return static_cast<std::int64_t>(flow.wire_bytes());
    case FlowOrder::kMostPackets:
      return static_cast<std::int64_t>(flow.packets());
  }
  return 0;
}

absl::StatusOr<Statement> PrepareFlows(Connection& connection, const FlowQuery& query,
                                       const OrderSql& order, const FilterSql& filter) {
  std::string sql =
      "SELECT id, " + std::string(kFlowColumns) +
      " FROM flows INDEXED BY flows_last_seen WHERE last_seen >= ?1 AND last_seen < ?2";
  if (!query.cursor.empty()) sql += " AND (" + order.key + ", id)" + order.comparison + "(?4, ?5)";
  sql += " AND " + filter.condition + " ORDER BY " + order.key + order.direction + ", id" +
         order.direction + " LIMIT ?3";
  NTA_ASSIGN_OR_RETURN(Statement statement, connection.Prepare(sql));
  // One more than asked for tells whether there is a next page.
  statement.BindAll(ToInteger(query.interval.since), ToInteger(query.interval.until),
                    query.limit + 1);
  if (!query.cursor.empty()) {
    NTA_ASSIGN_OR_RETURN(const Cursor cursor, DecodeCursor(order.kind, query.cursor));
    NTA_ASSIGN_OR_RETURN(const std::int64_t id, ParseInteger(cursor.id));
    statement.BindAll(cursor.value, id);
  }
  filter.BindTo(statement);
  return statement;
}

}  // namespace

absl::Status CheckInterval(const TimeInterval& interval) {
  return interval.since <= interval.until
             ? absl::OkStatus()
             : base::InvalidArgument("the interval ends before it begins");
}

absl::Status CheckLimit(std::size_t limit, std::size_t most) {
  return limit >= 1 && limit <= most
             ? absl::OkStatus()
             : base::InvalidArgument("limit must be from 1 to " + std::to_string(most));
}

absl::StatusOr<FlowPage> QueryFlows(Connection& connection, const FlowQuery& query) {
  NTA_RETURN_IF_ERROR(CheckLimit(query.limit, 10'000));
  NTA_RETURN_IF_ERROR(CheckInterval(query.interval));
  const OrderSql order = ToSql(query.order);
  NTA_ASSIGN_OR_RETURN(const FilterSql filter, ToSql(query.filter));
  NTA_ASSIGN_OR_RETURN(Statement statement, PrepareFlows(connection, query, order, filter));
  FlowPage page;
  while (true) {
    NTA_ASSIGN_OR_RETURN(const bool row, statement.Step());
    if (!row) return page;
    if (page.flows.size() == query.limit) break;
    NTA_ASSIGN_OR_RETURN(FlowRecord flow, ReadFlow(statement, 1));
    page.flows.push_back({statement.Integer(0), flow});
  }
  const StoredFlow& last = page.flows.back();
  page.next_cursor =
      EncodeCursor(order.kind, {KeyOf(query.order, last.flow), std::to_string(last.id)});
  return page;
}

}  // namespace nta::store
