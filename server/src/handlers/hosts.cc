// Who talks to whom, what is known of one host, and the list of applications.
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "app.h"
#include "base/status.h"
#include "http/json_text.h"
#include "http/parameters.h"
#include "nta/json/json.h"
#include "traffic/host_view.h"
#include "traffic/peers.h"

namespace nta::server {
namespace {

constexpr std::size_t kAlerts = 50;
// Alerts are not found by address: so many of the interval are looked at.
constexpr std::size_t kAlertsExamined = 1000;

JsonObject& AddTotals(JsonObject& object, const TrafficTotals& totals) {
  return object.Add("bytes", totals.bytes)
      .Add("packets", totals.packets)
      .Add("flows", totals.flows);
}
std::string ToJson(const TrafficTotals& totals) {
  JsonObject object;
  return AddTotals(object, totals).Take();
}

std::string ToJson(const TopRow& row) {
  JsonObject object;
  object.Add("key", row.key);
  AddTotals(object, row.totals);
  if (row.guessed) object.AddJson("guessed", ToJson(*row.guessed));
  return object.Take();
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
  const auto rows = NamedPeers(services.store, *result, ControlOf(call));
  if (!rows.ok()) return FromStatus(rows.status());
  return Json(JsonObject()
                  .Add("since", nta::ToString(result->interval.since))
                  .Add("until", nta::ToString(result->interval.until))
                  .Add("source", nta::ToString(result->source))
                  .AddJson("capture", nta::ToJson(result->capture))
                  .Add("by", nta::ToString(query->by))
                  .AddJson("total", ToJson(result->total))
                  .AddJson("rows", JsonList(*rows, kRender))
                  .Take());
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

JsonObject& AddPorts(JsonObject& object, std::string_view name, const TopResult& ports) {
  return object.AddJson(name, JsonList(ports.rows, kRender))
      .AddJson(std::string(name) + "_other", ToJson(ports.other.value_or(TrafficTotals())));
}

std::string RenderHost(const HostQuery& query, const HostView& host,
                       const std::vector<Alert>& alerts) {
  const auto render = [](const auto& value) { return nta::ToJson(value); };
  const auto time = [](const std::optional<Timestamp>& when) {
    return when ? JsonQuote(nta::ToString(*when)) : std::string("null");
  };
  JsonObject object;
  object.Add("address", query.address.ToString())
      .Add("since", nta::ToString(host.traffic.interval.since))
      .Add("until", nta::ToString(host.traffic.interval.until))
      .Add("source", nta::ToString(host.traffic.source))
      .AddJson("capture", nta::ToJson(host.traffic.capture))
      .AddJson("names", JsonList(host.names.rows.at(0).names, kRender))
      .AddJson("names_complete", host.names.complete ? "true" : "false")
      .AddJson("first_seen", time(host.first_seen))
      .AddJson("last_seen", time(host.last_seen))
      .AddJson("total", ToJson(host.traffic.total))
      .Add("sent_bytes", host.sent_bytes)
      .Add("received_bytes", host.received_bytes)
      .AddJson("peers", JsonList(host.peers, kRender));
  AddPorts(object, "ports", host.ports);
  AddPorts(object, "served_ports", host.served_ports);
  return object.AddJson("applications", JsonList(host.applications.rows, kRender))
      .AddJson("flows", JsonList(host.latest, render))
      .AddJson("alerts", JsonList(alerts, render))
      .Take();
}

Response GetHost(Services& services, const Call& call) {
  const auto address = IpAddress::Parse(call.Path("address"));
  if (!address.ok()) return Problem(400, "the path does not end with an IP address");
  // The filter by itself first: positions in its errors are those of what was sent.
  FlowFilter filter;
  if (auto refused = ReadFilter(call, filter)) return *std::move(refused);
  const auto interval = ReadInterval(call, services.clock.wall());
  if (!interval.ok()) return FromStatus(interval.status());
  const HostQuery query{*address, *interval, std::string(call.Query("where"))};
  const auto host = LookAtHost(services.store, query, ControlOf(call));
  if (!host.ok()) return FromStatus(host.status());
  const auto alerts = AlertsAbout(services.store, *address, *interval);
  if (!alerts.ok()) return FromStatus(alerts.status());
  return Json(RenderHost(query, *host, *alerts));
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
          "address, since, until, source, capture, names, names_complete, first_seen, last_seen, "
          "total, sent_bytes, received_bytes, peers, ports, ports_other, served_ports, "
          "served_ports_other, applications, flows, alerts"),
      applications,
  };
}

}  // namespace nta::server
