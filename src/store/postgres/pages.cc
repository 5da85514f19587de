#include "store/postgres/pages.h"

#include <algorithm>
#include <string>

#include "base/status.h"
#include "store/checks.h"
#include "store/cursor.h"
#include "store/postgres/flows.h"
#include "store/postgres/traffic.h"
#include "store/rows.h"

namespace nta::store {
namespace {

// Flows that are fetched at once, at the least: the filter may select few of them.
constexpr std::size_t kFewest = 1'000;

// How flows are ordered: by a key, then by id, both upwards or both downwards.
struct Order {
  char cursor;
  const char* key;
  bool descending;
  std::int64_t (*key_of)(const FlowRecord& flow);
};

Order OrderOf(FlowOrder order) {
  const auto last_seen = [](const FlowRecord& flow) { return ToInteger(flow.last_seen); };
  switch (order) {
    case FlowOrder::kNewestFirst:
      return {'n', "last_seen", true, last_seen};
    case FlowOrder::kOldestFirst:
      return {'o', "last_seen", false, last_seen};
    case FlowOrder::kMostBytes:
      return {'b', "(forward_wire_bytes + reverse_wire_bytes)", true, [](const FlowRecord& flow) {
                return static_cast<std::int64_t>(flow.forward.wire_bytes + flow.reverse.wire_bytes);
              }};
    case FlowOrder::kMostPackets:
      return {'p', "(forward_packets + reverse_packets)", true, [](const FlowRecord& flow) {
                return static_cast<std::int64_t>(flow.forward.packets + flow.reverse.packets);
              }};
  }
  return {'n', "last_seen", true, last_seen};
}

}  // namespace

absl::StatusOr<FlowPage> QueryPgFlows(PgConnection& connection, const FlowQuery& query) {
  NTA_RETURN_IF_ERROR(CheckLimit(query.limit, 10'000));
  NTA_RETURN_IF_ERROR(CheckInterval(query.interval));
  const Order order = OrderOf(query.order);
  NTA_ASSIGN_OR_RETURN(PgTransaction transaction, PgTransaction::BeginRead(connection));
  std::string where = "last_seen >= " + std::to_string(ToInteger(query.interval.since)) +
                      " AND last_seen < " + std::to_string(ToInteger(query.interval.until)) +
                      " AND " + SqlCondition(query.filter);
  if (!query.cursor.empty()) {
    NTA_ASSIGN_OR_RETURN(const Cursor cursor, DecodeCursor(order.cursor, query.cursor));
    NTA_ASSIGN_OR_RETURN(const std::int64_t id, ParseInteger(cursor.id));
    where += std::string(" AND (") + order.key + ", id) " + (order.descending ? "<" : ">") + " (" +
             std::to_string(cursor.value) + ", " + std::to_string(id) + ")";
  }
  const std::string direction = order.descending ? " DESC" : " ASC";
  where += std::string(" ORDER BY ") + order.key + direction + ", id" + direction;
  const FlowSelection selection(true);
  NTA_RETURN_IF_ERROR(connection.Run("DECLARE found NO SCROLL CURSOR FOR SELECT " +
                                     selection.sql() + " FROM flows WHERE " + where));
  const std::string fetch =
      "FETCH " + std::to_string(std::max(query.limit + 1, kFewest)) + " FROM found";
  FlowPage page;
  while (true) {
    NTA_ASSIGN_OR_RETURN(const PgRows rows, connection.Query(fetch));
    for (int row = 0; row < rows.size(); ++row) {
      StoredFlow flow;
      NTA_RETURN_IF_ERROR(selection.Read(rows, row, flow));
      if (!query.filter.Matches(flow.flow)) continue;
      if (page.flows.size() == query.limit) {
        const StoredFlow& last = page.flows.back();
        page.next_cursor =
            EncodeCursor(order.cursor, {order.key_of(last.flow), std::to_string(last.id)});
        break;
      }
      page.flows.push_back(std::move(flow));
    }
    if (!page.next_cursor.empty() || rows.size() == 0) break;
  }
  NTA_ASSIGN_OR_RETURN(page.capture, SumPgCaptureCounts(connection, query.interval));
  return page;
}

}  // namespace nta::store
