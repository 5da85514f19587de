#include "traffic/peers.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <map>
#include <string_view>

#include "base/status.h"
#include "http/json_text.h"
#include "traffic/flow_scan.h"

namespace nta::server {
namespace {

Peers ToPeers(const Conversation& pair) {
  const bool a_began = pair.flows_from_a * 2 >= pair.totals.flows;
  Peers peers;
  peers.source = a_began ? pair.a : pair.b;
  peers.destination = a_began ? pair.b : pair.a;
  peers.totals = pair.totals;
  peers.forward_bytes = a_began ? pair.bytes_from_a : pair.bytes_from_b;
  peers.reverse_bytes = a_began ? pair.bytes_from_b : pair.bytes_from_a;
  return peers;
}

// Selects flows of the pairs' addresses, of as many as a filter takes.
absl::StatusOr<FlowFilter> AnyOf(const std::vector<Peers>& rows) {
  constexpr std::size_t kMostText = 3'500;
  std::string list;
  for (const Peers& row : rows) {
    if (list.size() > kMostText) break;
    list += (list.empty() ? "" : ",") + row.source.ToString() + "," + row.destination.ToString();
  }
  return FlowFilter::Parse("host in (" + list + ")");
}

using Names = std::map<IpAddress, std::string>;

void Note(const FlowRecord& flow, MetadataField field, const IpAddress& address, Names& names) {
  if (flow.metadata == nullptr) return;
  const std::string_view name = flow.metadata->Get(field);
  if (!name.empty()) names.emplace(address, name);
}

absl::StatusOr<Names> LatestNames(const Store& store, const TimeInterval& interval,
                                  const std::vector<Peers>& rows, const QueryControl& control) {
  FlowQuery query;
  query.interval = interval;
  NTA_ASSIGN_OR_RETURN(query.filter, AnyOf(rows));
  Names names;
  const auto note = [&names](const StoredFlow& stored) {
    const FlowRecord& flow = stored.flow;
    Note(flow, MetadataField::kSourceName, flow.source.address, names);
    Note(flow, MetadataField::kDestinationName, flow.destination.address, names);
  };
  NTA_RETURN_IF_ERROR(
      ScanFlows(store, query, note,
                {.max_flows = 5'000, .max_time = std::chrono::seconds(1), .control = control})
          .status());
  return names;
}

std::string NameOrNull(const std::string& name) { return name.empty() ? "null" : JsonQuote(name); }

}  // namespace

absl::StatusOr<std::vector<Peers>> NamedPeers(const Store& store,
                                              const ConversationResult& conversations,
                                              const QueryControl& control) {
  std::vector<Peers> rows;
  std::transform(conversations.rows.begin(), conversations.rows.end(), std::back_inserter(rows),
                 ToPeers);
  if (rows.empty()) return rows;
  NTA_ASSIGN_OR_RETURN(const Names names,
                       LatestNames(store, conversations.interval, rows, control));
  const auto name_of = [&names](const IpAddress& address) {
    const auto name = names.find(address);
    return name == names.end() ? std::string() : name->second;
  };
  for (Peers& row : rows) {
    row.source_name = name_of(row.source);
    row.destination_name = name_of(row.destination);
  }
  return rows;
}

std::string ToJson(const Peers& peers) {
  return JsonObject()
      .Add("source", peers.source.ToString())
      .Add("destination", peers.destination.ToString())
      .AddJson("source_name", NameOrNull(peers.source_name))
      .AddJson("destination_name", NameOrNull(peers.destination_name))
      .Add("bytes", peers.totals.bytes)
      .Add("packets", peers.totals.packets)
      .Add("flows", peers.totals.flows)
      .Add("forward_bytes", peers.forward_bytes)
      .Add("reverse_bytes", peers.reverse_bytes)
      .Take();
}

}  // namespace nta::server
