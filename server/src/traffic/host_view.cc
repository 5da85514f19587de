#include "traffic/host_view.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/status.h"

namespace nta::server {
namespace {

constexpr std::size_t kPeers = 25;
constexpr std::size_t kRows = 10;
constexpr std::size_t kLatestFlows = 25;
constexpr std::size_t kNames = 64;
// A request must not hold a thread for long, however many questions it asks the store.
constexpr std::chrono::milliseconds kPatience{10'000};
// Names stand beside the rest: better some of them at once than all of them late.
constexpr std::chrono::milliseconds kPatienceForNames{2'000};

class Questions {
 public:
  Questions(const Store& store, const HostQuery& query, QueryControl control)
      : store_(store),
        query_(query),
        control_(std::move(control)),
        until_(std::chrono::steady_clock::now() + kPatience) {}

  absl::StatusOr<HostView> Ask() {
    HostView view;
    NTA_RETURN_IF_ERROR(AskTotals(view));
    NTA_ASSIGN_OR_RETURN(view.ports, Top("src", TopDimension::kDestinationPort, kRows));
    NTA_ASSIGN_OR_RETURN(view.served_ports, Top("dst", TopDimension::kDestinationPort, kRows));
    NTA_ASSIGN_OR_RETURN(view.applications, Top("host", TopDimension::kApplication, kRows));
    NTA_RETURN_IF_ERROR(AskPeers(view));
    NTA_RETURN_IF_ERROR(AskFlows(view));
    NTA_ASSIGN_OR_RETURN(view.names, store_.Names({.since = query_.interval.since,
                                                   .until = query_.interval.until,
                                                   .addresses = {query_.address},
                                                   .limit = kNames},
                                                  Control(kPatienceForNames)));
    return view;
  }

 private:
  absl::Status AskTotals(HostView& view) {
    // The address is in all of its flows, and at most one other is: it is among the first two.
    NTA_ASSIGN_OR_RETURN(view.traffic, Top("host", TopDimension::kAddress, 2));
    const std::string key = query_.address.ToString();
    for (const TopRow& row : view.traffic.rows) {
      if (row.key != key) continue;
      view.sent_bytes = row.sent_bytes.value_or(0);
      view.received_bytes = row.received_bytes.value_or(0);
    }
    return absl::OkStatus();
  }

  absl::Status AskPeers(HostView& view) {
    ConversationQuery query;
    query.interval = query_.interval;
    query.limit = kPeers;
    NTA_ASSIGN_OR_RETURN(query.filter, FlowsWithItAs("host"));
    NTA_ASSIGN_OR_RETURN(const ConversationResult pairs, store_.Conversations(query, Control()));
    NTA_ASSIGN_OR_RETURN(view.peers, NamedPeers(store_, pairs, Control()));
    return absl::OkStatus();
  }

  absl::Status AskFlows(HostView& view) {
    FlowQuery query;
    query.interval = query_.interval;
    query.limit = kLatestFlows;
    NTA_ASSIGN_OR_RETURN(query.filter, FlowsWithItAs("host"));
    NTA_ASSIGN_OR_RETURN(FlowPage newest, store_.Flows(query, Control()));
    view.latest = std::move(newest.flows);
    if (view.latest.empty()) return absl::OkStatus();
    view.last_seen = view.latest.front().flow.last_seen;
    query.order = FlowOrder::kOldestFirst;
    query.limit = 1;
    NTA_ASSIGN_OR_RETURN(const FlowPage oldest, store_.Flows(query, Control()));
    if (!oldest.flows.empty()) view.first_seen = oldest.flows.front().flow.first_seen;
    return absl::OkStatus();
  }

  absl::StatusOr<TopResult> Top(std::string_view side, TopDimension dimension, std::size_t limit) {
    TopQuery query;
    query.interval = query_.interval;
    query.dimension = dimension;
    query.limit = limit;
    NTA_ASSIGN_OR_RETURN(query.filter, FlowsWithItAs(side));
    return store_.Top(query, Control());
  }

  // Flows with the address on that side ("host": either) that the filter selects.
  absl::StatusOr<FlowFilter> FlowsWithItAs(std::string_view side) const {
    std::string text = std::string(side) + "=" + query_.address.ToString();
    if (!query_.where.empty()) text += " and (" + query_.where + ")";
    return FlowFilter::Parse(text);
  }

  QueryControl Control(std::chrono::milliseconds most = kPatience) const {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        until_ - std::chrono::steady_clock::now());
    QueryControl control = control_;
    control.timeout = std::clamp(left, std::chrono::milliseconds(1), most);
    return control;
  }

  const Store& store_;
  const HostQuery& query_;
  const QueryControl control_;
  const std::chrono::steady_clock::time_point until_;
};

}  // namespace

absl::StatusOr<HostView> LookAtHost(const Store& store, const HostQuery& query,
                                    const QueryControl& control) {
  return Questions(store, query, control).Ask();
}

}  // namespace nta::server
