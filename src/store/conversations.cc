#include <utility>

#include "base/status.h"
#include "store/address_order.h"
#include "store/operations.h"
#include "store/ranking.h"
#include "store/traffic_source.h"

namespace nta::store {
namespace {

using Pair = std::pair<IpAddress, IpAddress>;

class PairCounter {
 public:
  absl::Status Add(const CountedFlows& flows) {
    const AddressColumn& source = *flows.columns().source;
    const AddressColumn& destination = *flows.columns().destination;
    // By places in the dictionaries first: addresses take longer to compare and to look up.
    HashMap<std::uint64_t, DirectedTotals> by_places;
    flows.ForEach([&](std::size_t i, const Share& share) {
      total_.bytes += share.bytes();
      total_.packets += share.packets;
      total_.flows += share.flows;
      const std::uint64_t places = std::uint64_t{source.index[i]} << 32 | destination.index[i];
      by_places[places].Add({{share.bytes(), share.packets, share.flows},
                             share.forward_bytes,
                             share.reverse_bytes,
                             share.flows});
    });
    for (auto& [places, totals] : by_places) {
      const IpAddress& from = source.dictionary[places >> 32];
      const IpAddress& to = destination.dictionary[places & 0xffffffff];
      const bool in_order = CompareAddresses(from, to) <= 0;
      if (!in_order) {
        std::swap(totals.sent, totals.received);
        totals.begun = totals.totals.flows - totals.begun;
      }
      NTA_RETURN_IF_ERROR(pairs_.Add(in_order ? Pair(from, to) : Pair(to, from), totals));
    }
    return absl::OkStatus();
  }

  void FillIn(const ConversationQuery& query, ConversationResult& result) const {
    result.total = total_;
    for (const auto& [pair, totals] : pairs_.Greatest(query.by, query.limit)) {
      result.rows.push_back(
          {pair.first, pair.second, totals.totals, totals.sent, totals.received, totals.begun});
    }
  }

 private:
  TrafficTotals total_;
  Ranking<Pair> pairs_;
};

}  // namespace

absl::StatusOr<ConversationResult> QueryConversations(TrafficSource& source,
                                                      const ConversationQuery& query) {
  NTA_RETURN_IF_ERROR(CheckLimit(query.limit, 1'000));
  NTA_RETURN_IF_ERROR(CheckInterval(query.interval));
  PairCounter counter;
  NTA_RETURN_IF_ERROR(source.Scan(
      FlowsIn::kAny, query.interval, query.filter, {.source = true, .destination = true},
      [&counter](const CountedFlows& flows) { return counter.Add(flows); }));
  ConversationResult result;
  result.interval = query.interval;
  counter.FillIn(query, result);
  NTA_ASSIGN_OR_RETURN(result.capture, source.Counts(query.interval));
  return result;
}

}  // namespace nta::store
