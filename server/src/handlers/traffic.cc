// Reading traffic: each handler reads its parameters, asks the store once, and renders.
#include <array>
#include <string>
#include <utility>

#include "app.h"
#include "base/status.h"
#include "http/json_text.h"
#include "http/openapi.h"
#include "http/parameters.h"
#include "nta/json/json.h"

namespace nta::server {
namespace {

constexpr std::array<std::pair<std::string_view, FlowOrder>, 4> kOrders = {{
    {"-last_seen", FlowOrder::kNewestFirst},
    {"last_seen", FlowOrder::kOldestFirst},
    {"-bytes", FlowOrder::kMostBytes},
    {"-packets", FlowOrder::kMostPackets},
}};

template <typename Result, typename Render>
Response Answer(const absl::StatusOr<Result>& result, const Render& render) {
  return result.ok() ? Json(render(*result)) : FromStatus(result.status());
}

absl::Status ReadPage(Services& services, const Call& call, FlowQuery& query) {
  NTA_ASSIGN_OR_RETURN(query.interval, ReadInterval(call, services.clock.wall()));
  NTA_ASSIGN_OR_RETURN(query.limit, ReadLimit(call, {.default_value = 100, .max = 1000}));
  query.cursor = call.Query("cursor");
  for (const auto& [name, order] : kOrders) {
    if (call.Query("order") == name) query.order = order;
  }
  return absl::OkStatus();
}

Response GetFlows(Services& services, const Call& call) {
  FlowQuery query;
  if (auto refused = ReadFilter(call, query.filter)) return *std::move(refused);
  if (const absl::Status status = ReadPage(services, call, query); !status.ok())
    return FromStatus(status);
  return Answer(services.store.Flows(query, ControlOf(call)),
                [](const FlowPage& page) { return ToJson(page); });
}

absl::StatusOr<SeriesQuery> ReadSeries(Services& services, const Call& call) {
  SeriesQuery query;
  NTA_ASSIGN_OR_RETURN(query.interval, ReadInterval(call, services.clock.wall()));
  NTA_ASSIGN_OR_RETURN(query.step, ReadStep(call, query.interval));
  if (const std::string_view by = call.Query("by"); !by.empty()) {
    NTA_ASSIGN_OR_RETURN(query.by, ParseSeriesBy(by));
  }
  NTA_ASSIGN_OR_RETURN(query.measure, ReadMeasure(call, "measure"));
  if (const std::string_view address = call.Query("address"); !address.empty()) {
    const auto parsed = IpAddress::Parse(address);
    if (!parsed.ok()) return base::InvalidArgument("parameter \"address\" is not an IP address");
    query.address = *parsed;
  }
  return query;
}

Response GetSeries(Services& services, const Call& call) {
  auto query = ReadSeries(services, call);
  if (!query.ok()) return FromStatus(query.status());
  if (auto refused = ReadFilter(call, query->filter)) return *std::move(refused);
  return Answer(services.store.Series(*query, ControlOf(call)),
                [&](const SeriesResult& result) { return ToJson(result, *query); });
}

absl::Status ReadTop(Services& services, const Call& call, TopQuery& query) {
  NTA_ASSIGN_OR_RETURN(query.interval, ReadInterval(call, services.clock.wall()));
  NTA_ASSIGN_OR_RETURN(query.limit, ReadLimit(call, {.default_value = 10, .max = 100}));
  if (const std::string_view dimension = call.Query("dimension"); !dimension.empty()) {
    NTA_ASSIGN_OR_RETURN(query.dimension, ParseTopDimension(dimension));
  }
  NTA_ASSIGN_OR_RETURN(query.by, ReadMeasure(call, "by"));
  return absl::OkStatus();
}

Response GetTop(Services& services, const Call& call) {
  TopQuery query;
  if (auto refused = ReadFilter(call, query.filter)) return *std::move(refused);
  if (const absl::Status status = ReadTop(services, call, query); !status.ok())
    return FromStatus(status);
  return Answer(services.store.Top(query, ControlOf(call)),
                [&](const TopResult& result) { return ToJson(result, query); });
}

Response GetSummary(Services& services, const Call& call) {
  const auto interval = ReadInterval(call, services.clock.wall());
  if (!interval.ok()) return FromStatus(interval.status());
  const auto summary = services.store.Summary(*interval, ControlOf(call));
  return Answer(summary, [&](const TrafficSummary& answer) {
    // The capture of now, with the counts of the interval at its end.
    constexpr std::string_view kCapture = R"("capture":{)";
    std::string json = nta::ToJson(answer);
    std::string state = ToJson(services.capture());
    state.back() = ',';
    return json.insert(json.rfind(kCapture) + kCapture.size(), state, 1);
  });
}

Response GetCapture(Services& services, const Call&) { return Json(ToJson(services.capture())); }

// What /healthz and /readyz look at: names of what fails, comma between.
std::string FailingParts(Services& services) {
  std::string failing;
  const CaptureStatus capture = services.capture();
  if (!services.store_health.is_well()) failing = "store";
  if (!capture.store.last_error.ok()) failing = "store";
  if (capture.state == CaptureState::kFailed) failing += failing.empty() ? "capture" : ", capture";
  return failing;
}

Response GetHealth(Services& services, const Call&) {
  const std::string failing = FailingParts(services);
  if (!failing.empty()) return Problem(503, "failing: " + failing);
  const std::vector<Notice> notices = services.notices.List();
  if (notices.empty()) return Json(R"({"status":"ok"})");
  // Anybody may ask, so only of what kind they are.
  const auto kind = [](const Notice& notice) { return JsonQuote(notice.kind); };
  return Json(R"({"status":"ok","notices":)" + JsonList(notices, kind) + "}");
}

Response GetReady(Services& services, const Call& call) {
  // Capture is open before the server listens, so from the first request on only a failure can keep
  // traffic away.
  return GetHealth(services, call);
}

Response GetOpenApi(Services&, const Call&) {
  static const std::string description = MakeOpenApi(AllRoutes());
  return Json(description);
}

Route Open(std::string path, Handler handler, std::string summary, std::string answer) {
  Route route = Reading(std::move(path), handler, std::move(summary), {}, std::move(answer));
  route.access = Access::kAnyone;
  route.work = Work::kInline;
  return route;
}

}  // namespace

std::vector<Route> TrafficRoutes() {
  const Parameter where{"where", "filter, see docs/filters.md", {}};
  const Parameter cursor{"cursor", "next_cursor of the page before", {}};
  const std::vector<std::string> measures = {"bytes", "packets", "flows"};
  const std::string totals = "totals, capture state, top five of each";
  Route capture =
      Reading("/api/v1/capture", GetCapture, "What is being captured", {}, "the capture");
  capture.work = Work::kInline;
  return {
      Reading("/api/v1/summary", GetSummary, "Traffic at a glance", WithInterval({}), totals),
      Reading("/api/traffic", GetSummary, "Alias of /api/v1/summary", WithInterval({}), totals),
      Reading(
          "/api/v1/flows", GetFlows, "Flows, page by page",
          WithInterval(
              {where,
               {"limit", "1 to 1000, default 100", {}},
               cursor,
               {"order", "default -last_seen", {"-last_seen", "last_seen", "-bytes", "-packets"}}}),
          "flows, next_cursor, capture"),
      Reading(
          "/api/v1/series", GetSeries, "Traffic over time",
          WithInterval({{"step", "seconds, a multiple of 60; default: about 240 points", {}},
                        {"by", "default protocol", {"protocol", "application", "category", "none"}},
                        {"address", "only traffic of this address", {}},
                        {"measure", "default bytes", measures},
                        where}),
          "since, until, step_seconds, measure, source, capture, times, series"),
      Reading("/api/v1/top", GetTop, "The busiest of a kind",
              WithInterval(
                  {{"dimension",
                    "default address",
                    {"address", "source_address", "destination_address", "protocol", "source_port",
                     "destination_port", "application", "category", "server_name", "vlan"}},
                   {"by", "default bytes", measures},
                   {"limit", "1 to 100, default 10", {}},
                   where}),
              "since, until, dimension, by, source, capture, total, other, rows"),
      capture,
      Open("/api/v1/openapi.json", GetOpenApi, "This description", "OpenAPI 3.1"),
      Open("/healthz", GetHealth, "Whether every part works", "status"),
      Open("/readyz", GetReady, "Whether traffic can be read", "status"),
  };
}

}  // namespace nta::server
