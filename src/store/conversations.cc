#include "base/status.h"
#include "store/operations.h"
#include "store/pair_counter.h"
#include "store/traffic_source.h"

namespace nta::store {

absl::StatusOr<ConversationResult> QueryConversations(TrafficSource& source,
                                                      const ConversationQuery& query) {
  NTA_RETURN_IF_ERROR(CheckLimit(query.limit, 1'000));
  NTA_RETURN_IF_ERROR(CheckInterval(query.interval));
  PairCounter counter(query.by, query.limit);
  NTA_RETURN_IF_ERROR(counter.Count([&](PairCounter::Visit visit) {
    return source.Scan(FlowsIn::kAny, query.interval, query.filter,
                       {.source = true, .destination = true}, visit);
  }));
  ConversationResult result;
  result.interval = query.interval;
  result.total = counter.total();
  for (const auto& [pair, totals] : counter.rows()) {
    result.rows.push_back(
        {pair.first, pair.second, totals.totals, totals.sent, totals.received, totals.begun});
  }
  NTA_ASSIGN_OR_RETURN(result.capture, source.Counts(query.interval));
  return result;
}

}  // namespace nta::store
