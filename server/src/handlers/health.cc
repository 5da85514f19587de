// Health: how things are, how they were, and from when on somebody is told.
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "app.h"
#include "base/status.h"
#include "http/json_text.h"
#include "http/parameters.h"
#include "nta/json/operations.h"

namespace nta::server {
namespace {

constexpr std::size_t kMaxNames = 64;

std::string Number(double value) {
  std::string text(32, '\0');
  const int size = std::snprintf(text.data(), text.size(), "%.9g", value);
  text.resize(static_cast<std::size_t>(size));
  return text;
}

Response GetHealth(Services& services, const Call&) {
  return Json(services.operations.health.Json());
}

absl::StatusOr<std::vector<std::string>> ReadNames(const Call& call) {
  std::vector<std::string> names;
  std::set<std::string> seen;
  std::string_view rest = call.Query("name");
  while (!rest.empty()) {
    const std::string_view name = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(rest.size(), name.size() + 1));
    if (!name.empty() && seen.insert(std::string(name)).second) names.emplace_back(name);
  }
  if (names.empty() || names.size() > kMaxNames) {
    return base::InvalidArgument("parameter \"name\" holds 1 to 64 names, comma between");
  }
  return names;
}

absl::StatusOr<SampleQuery> ReadQuery(Services& services, const Call& call) {
  SampleQuery query;
  NTA_ASSIGN_OR_RETURN(query.names, ReadNames(call));
  NTA_ASSIGN_OR_RETURN(const TimeInterval interval, ReadInterval(call, services.clock.wall()));
  query.since = interval.since;
  query.until = interval.until;
  NTA_ASSIGN_OR_RETURN(query.step, ReadStep(call, interval));
  return query;
}

std::string LineJson(const SampleLine& line) {
  return JsonObject()
      .Add("name", line.name)
      .AddJson("points", JsonList(line.points,
                                  [](const SamplePoint& point) {
                                    return JsonObject()
                                        .Add("time", nta::ToString(point.time))
                                        .Add("count", point.count)
                                        .AddJson("minimum", Number(point.minimum))
                                        .AddJson("mean", Number(point.mean))
                                        .AddJson("maximum", Number(point.maximum))
                                        .Take();
                                  }))
      .Take();
}

Response GetSeries(Services& services, const Call& call) {
  const auto query = ReadQuery(services, call);
  if (!query.ok()) return FromStatus(query.status());
  const auto lines = services.store.Samples(*query);
  if (!lines.ok()) return FromStatus(lines.status());
  return Json(JsonObject()
                  .Add("since", nta::ToString(query->since))
                  .Add("until", nta::ToString(query->until))
                  .Add("step_seconds", static_cast<std::uint64_t>(query->step.count()))
                  .AddJson("lines", JsonList(*lines, LineJson))
                  .Take());
}

Response GetNames(Services& services, const Call&) {
  const auto names = services.store.SampleNames();
  if (!names.ok()) return FromStatus(names.status());
  return Json(
      JsonObject()
          .AddJson("names",
                   JsonList(*names, [](const std::string& name) { return JsonQuote(name); }))
          .Take());
}

std::string ThresholdsJson(const std::vector<HealthThreshold>& thresholds) {
  return JsonList(thresholds,
                  [](const HealthThreshold& threshold) { return nta::ToJson(threshold); });
}

Response GetThresholds(Services& services, const Call&) {
  return Json(JsonObject()
                  .AddJson("thresholds", ThresholdsJson(services.operations.health.Thresholds()))
                  .AddJson("defaults", ThresholdsJson(HealthMonitor::DefaultThresholds()))
                  .Take());
}

Response PutThresholds(Services& services, const Call& call) {
  auto thresholds = HealthThresholdsFromJson(call.Body("thresholds"));
  if (!thresholds.ok()) return FromStatus(thresholds.status());
  const absl::Status set = services.operations.health.SetThresholds(*std::move(thresholds));
  return set.ok() ? GetThresholds(services, call) : FromStatus(set);
}

}  // namespace

std::vector<Route> HealthRoutes() {
  const std::string health =
      "status, summary, findings, machine, pipeline, api, store; docs/health.md";
  const std::string thresholds = "thresholds, defaults";
  return {
      Reading("/api/v1/health", GetHealth, "How machine, pipeline and API are now", {}, health),
      Reading("/api/system_health", GetHealth, "Alias of /api/v1/health", {}, health),
      Reading("/api/v1/health/series", GetSeries, "How values of health were, step by step",
              WithInterval({{"name", "1 to 64 names of values, comma between", {}},
                            {"step", "seconds, a multiple of 60; default: about 240 points", {}}}),
              "since, until, step_seconds, lines of points with minimum, mean, maximum"),
      Reading("/api/v1/health/names", GetNames, "The values of which there are series", {},
              "names"),
      Reading("/api/v1/health/thresholds", GetThresholds, "From when on alerts are raised", {},
              thresholds),
      {.method = "PUT",
       .path = "/api/v1/health/thresholds",
       .access = Access::kAdmin,
       .work = Work::kStore,
       .handler = PutThresholds,
       .summary = "Set from when on alerts are raised",
       .parameters = {},
       .fields = {{"thresholds", "name, level, raise_at, clear_at, hold_seconds of each",
                   Need::kRequired, FieldType::kArray}},
       .answer = thresholds,
       .audit = "settings.health"},
  };
}

}  // namespace nta::server
