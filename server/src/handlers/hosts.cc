// Who talks to whom, what is known of one host, and the list of applications.
#include <algorithm>
#include <iterator>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "app.h"
#include "base/status.h"
#include "http/json_text.h"
#include "http/parameters.h"
#include "nta/json/json.h"
#include "traffic/flow_scan.h"
#include "traffic/host_tally.h"

namespace nta::server {
namespace {

constexpr std::size_t kPeers = 25;
constexpr std::size_t kRows = 10;
constexpr std::size_t kLatestFlows = 25;
constexpr std::size_t kAlerts = 50;
// Alerts are not found by address: so many of the interval are looked at.
constexpr std::size_t kAlertsExamined = 1000;

std::string NameOrNull(const std::string& name) { return name.empty() ? "null" : JsonQuote(name); }

JsonObject& AddTotals(JsonObject& object, const TrafficTotals& totals) {
  return object.Add("bytes", totals.bytes)
      .Add("packets", totals.packets)
      .Add("flows", totals.flows);
}
std::string ToJson(const TrafficTotals& totals) {
  JsonObject object;
  return AddTotals(object, totals).Take();
}

std::string ToJson(const KeyTotals& row) {
  JsonObject object;
  object.Add("key", row.key);
  return AddTotals(object, row.totals).Take();
}

std::string ToJson(const PeerPair& row) {
  JsonObject object;
  object.Add("source", row.source.ToString())
      .Add("destination", row.destination.ToString())
      .AddJson("source_name", NameOrNull(row.source_name))
      .AddJson("destination_name", NameOrNull(row.destination_name));
  return AddTotals(object, row.totals)
      .Add("forward_bytes", row.forward_bytes)
      .Add("reverse_bytes", row.reverse_bytes)
      .Take();
}

std::string ToJson(const AddressName& name) {
  return JsonObject()
      .Add("name", name.name)
      .Add("origin", ToString(name.origin))
      .Add("first_seen", nta::ToString(name.first_seen))
      .Add("last_seen", nta::ToString(name.last_seen))
      .Take();
}

constexpr auto kRender = [](const auto& value) { return ToJson(value); };

std::string Rows(const KeyTally& tally) {
  return JsonList(tally.Rows(Measure::kBytes, kRows), kRender);
}

JsonObject& AddScan(JsonObject& object, const TimeInterval& interval, const FlowScan& scan) {
  return object.Add("since", nta::ToString(interval.since))
      .Add("until", nta::ToString(interval.until))
      .Add("source", "raw")
      .Add("examined_flows", std::uint64_t{scan.examined})
      .AddJson("complete", scan.complete ? "true" : "false")
      .AddJson("capture", nta::ToJson(scan.capture));
}

// Whoever began more of the flows comes first.
PeerPair ToPeers(const Conversation& pair) {
  const bool a_began = pair.flows_from_a * 2 >= pair.totals.flows;
  PeerPair peers;
  peers.source = a_began ? pair.a : pair.b;
  peers.destination = a_began ? pair.b : pair.a;
  peers.totals = pair.totals;
  peers.forward_bytes = a_began ? pair.bytes_from_a : pair.bytes_from_b;
  peers.reverse_bytes = a_began ? pair.bytes_from_b : pair.bytes_from_a;
  return peers;
}

// Selects flows of the pairs' addresses, of as many as a filter takes.
absl::StatusOr<FlowFilter> AnyOf(const std::vector<PeerPair>& rows) {
  constexpr std::size_t kMostText = 3'500;
  std::string list;
  for (const PeerPair& row : rows) {
    if (list.size() > kMostText) break;
    list += (list.empty() ? "" : ",") + row.source.ToString() + "," + row.destination.ToString();
  }
  return FlowFilter::Parse("host in (" + list + ")");
}

// The names by which the addresses were known last, as far as their newest flows tell.
absl::Status NamePeers(const Store& store, const TimeInterval& interval,
                       const QueryControl& control, std::vector<PeerPair>& rows) {
  if (rows.empty()) return absl::OkStatus();
  FlowQuery query;
  query.interval = interval;
  NTA_ASSIGN_OR_RETURN(query.filter, AnyOf(rows));
  std::map<IpAddress, std::string> names;
  const auto note = [&names](const StoredFlow& stored) {
    const FlowRecord& flow = stored.flow;
    if (const auto name = SourceName(flow); !name.empty()) {
      names.emplace(flow.source.address, name);
    }
    if (const auto name = DestinationName(flow); !name.empty()) {
      names.emplace(flow.destination.address, name);
    }
  };
  NTA_RETURN_IF_ERROR(
      ScanFlows(store, query, note,
                {.max_flows = 5'000, .max_time = std::chrono::seconds(1), .control = control})
          .status());
  for (PeerPair& row : rows) {
    if (const auto name = names.find(row.source); name != names.end()) {
      row.source_name = name->second;
    }
    if (const auto name = names.find(row.destination); name != names.end()) {
      row.destination_name = name->second;
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<ConversationQuery> ReadConversations(Services& services, const Call& call) {
  ConversationQuery query;
  NTA_ASSIGN_OR_RETURN(query.interval, ReadInterval(call, services.clock.wall()));
  NTA_ASSIGN_OR_RETURN(query.limit, ReadLimit(call, {.default_value = 25, .max = 100}));
  NTA_ASSIGN_OR_RETURN(query.by, ReadMeasure(call, "by"));
  return query;
}

Response GetConversations(Services& services, const Call& call) {
  auto query = ReadConversations(services, call);
  if (!query.ok()) return FromStatus(query.status());
  if (auto refused = ReadFilter(call, query->filter)) return *std::move(refused);
  const auto result = services.store.Conversations(*query, ControlOf(call));
  if (!result.ok()) return FromStatus(result.status());
  std::vector<PeerPair> rows;
  std::transform(result->rows.begin(), result->rows.end(), std::back_inserter(rows), ToPeers);
  const absl::Status named = NamePeers(services.store, query->interval, ControlOf(call), rows);
  if (!named.ok()) return FromStatus(named);
  return Json(JsonObject()
                  .Add("since", nta::ToString(result->interval.since))
                  .Add("until", nta::ToString(result->interval.until))
                  .Add("source", nta::ToString(result->source))
                  .AddJson("capture", nta::ToJson(result->capture))
                  .Add("by", nta::ToString(query->by))
                  .AddJson("total", ToJson(result->total))
                  .AddJson("rows", JsonList(rows, kRender))
                  .Take());
}

// Flows with the address on either side that the filter selects.
absl::StatusOr<FlowFilter> HostFilter(const IpAddress& address, std::string_view where) {
  const std::string host = "host=" + address.ToString();
  return FlowFilter::Parse(where.empty() ? host : host + " and (" + std::string(where) + ")");
}

absl::StatusOr<std::vector<Alert>> AlertsAbout(const Store& store, const IpAddress& address,
                                               const TimeInterval& interval) {
  AlertQuery query;
  query.interval = interval;
  query.limit = kAlertsExamined;
  NTA_ASSIGN_OR_RETURN(AlertPage page, store.Alerts(query));
  std::erase_if(page.alerts, [&address](const Alert& alert) {
    return alert.entity.source != address && alert.entity.destination != address;
  });
  if (page.alerts.size() > kAlerts) page.alerts.resize(kAlerts);
  return std::move(page.alerts);
}

std::string RenderHost(const IpAddress& address, const TimeInterval& interval, const FlowScan& scan,
                       const HostTally& host, const std::vector<StoredFlow>& flows,
                       const std::vector<Alert>& alerts) {
  const auto render = [](const auto& value) { return nta::ToJson(value); };
  const auto time = [&host](Timestamp HostTally::Seen::*which) {
    return host.seen() ? JsonQuote(nta::ToString(*host.seen().*which)) : std::string("null");
  };
  JsonObject object;
  object.Add("address", address.ToString());
  return AddScan(object, interval, scan)
      .AddJson("names", JsonList(host.Names(), kRender))
      .AddJson("first_seen", time(&HostTally::Seen::first))
      .AddJson("last_seen", time(&HostTally::Seen::last))
      .AddJson("total", ToJson(host.peers().total()))
      .Add("sent_bytes", host.sent_bytes())
      .Add("received_bytes", host.received_bytes())
      .AddJson("peers", JsonList(host.peers().Rows(Measure::kBytes, kPeers), kRender))
      .AddJson("ports", Rows(host.ports()))
      .AddJson("served_ports", Rows(host.served_ports()))
      .AddJson("applications", Rows(host.applications()))
      .AddJson("flows", JsonList(flows, render))
      .AddJson("alerts", JsonList(alerts, render))
      .Take();
}

Response GetHost(Services& services, const Call& call) {
  const auto address = IpAddress::Parse(call.Path("address"));
  if (!address.ok()) return Problem(400, "the path does not end with an IP address");
  // The filter by itself first: positions in its errors are those of what was sent.
  FlowQuery query;
  if (auto refused = ReadFilter(call, query.filter)) return *std::move(refused);
  const auto filter = HostFilter(*address, call.Query("where"));
  const auto interval = ReadInterval(call, services.clock.wall());
  for (const absl::Status& status : {filter.status(), interval.status()}) {
    if (!status.ok()) return FromStatus(status);
  }
  query.filter = *filter;
  query.interval = *interval;
  HostTally host(*address);
  std::vector<StoredFlow> latest;
  const auto add = [&](const StoredFlow& flow) {
    host.Add(flow.flow);
    if (latest.size() < kLatestFlows) latest.push_back(flow);
  };
  const auto scan = ScanFlows(services.store, query, add, {.control = ControlOf(call)});
  if (!scan.ok()) return FromStatus(scan.status());
  const auto alerts = AlertsAbout(services.store, *address, *interval);
  if (!alerts.ok()) return FromStatus(alerts.status());
  return Json(RenderHost(*address, *interval, *scan, host, latest, *alerts));
}

Response GetApplications(Services&, const Call&) {
  const std::string list = JsonList(Applications(), [](Application application) {
    return JsonObject()
        .Add("number", std::uint64_t{static_cast<std::uint16_t>(application)})
        .Add("name", nta::ToString(application))
        .Add("category", nta::ToString(CategoryOf(application)))
        .Take();
  });
  return Json(JsonObject().AddJson("applications", list).Take());
}

}  // namespace

std::vector<Route> HostRoutes() {
  const Parameter where{"where", "filter, see docs/filters.md", {}};
  const std::vector<std::string> measures = {"bytes", "packets", "flows"};
  Route applications = Reading("/api/v1/applications", GetApplications,
                               "What flows can be said to carry", {}, "applications");
  applications.work = Work::kInline;
  return {
      Reading(
          "/api/v1/conversations", GetConversations, "Who talks to whom",
          WithInterval(
              {{"by", "default bytes", measures}, {"limit", "1 to 100, default 25", {}}, where}),
          "since, until, source, capture, by, total, rows"),
      Reading(
          "/api/v1/hosts/{address}", GetHost, "What is known of one address", WithInterval({where}),
          "address, since, until, source, examined_flows, complete, capture, names, first_seen, "
          "last_seen, total, sent_bytes, received_bytes, peers, ports, served_ports, "
          "applications, flows, alerts"),
      applications,
  };
}

}  // namespace nta::server
