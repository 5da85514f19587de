// The detectors: what they are, how they are set, how they do.
#include <algorithm>
#include <string>
#include <utility>

#include "app.h"
#include "detection/detector_json.h"
#include "http/json_text.h"

namespace nta::server {
namespace {

std::string RowOf(const DetectorInfo& info, const AllDetectorSettings& settings,
                  const std::vector<DetectorStatus>& running) {
  const auto found = std::find_if(running.begin(), running.end(),
                                  [&](const DetectorStatus& one) { return one.name == info.name; });
  const auto set = settings.find(info.name);
  return ToJson(info, set == settings.end() ? DetectorSettings{} : set->second,
                found == running.end() ? nullptr : &*found);
}

Response ListDetectors(Services& services, const Call&) {
  const AllDetectorSettings settings = services.detection.Settings();
  const std::vector<DetectorStatus> running = services.detection.live().Status();
  return Json(JsonObject()
                  .AddJson("detectors", JsonList(DetectorCatalogue(),
                                                 [&](const DetectorInfo& info) {
                                                   return RowOf(info, settings, running);
                                                 }))
                  .Take());
}

Response PutDetector(Services& services, const Call& call) {
  const std::string name(call.Path("name"));
  const AllDetectorSettings all = services.detection.Settings();
  const auto known = all.find(name);
  if (known == all.end()) return Problem(404, "there is no such detector");
  auto settings = ChangedBy(call.request->body, known->second);
  if (!settings.ok()) return FromStatus(settings.status());
  const absl::Status status = services.detection.ChangeSettings(name, *settings);
  if (!status.ok()) return FromStatus(status);
  Response response = ListDetectors(services, call);
  // Who said what, for whoever asks later why a detector was silent.
  response.audit.emplace_back("settings", ToJson(AllDetectorSettings{{name, *settings}}));
  return response;
}

}  // namespace

std::vector<Route> DetectorRoutes() {
  const auto optional = Need::kOptional;
  return {
      Reading("/api/v1/detectors", ListDetectors, "Detectors, their settings and how they do", {},
              "detectors: name, about, enabled, sensitivity, has_sensitivity, running, "
              "memory_bytes, memory_limit_bytes, evictions, alerts, problem, stored_flows, "
              "stored_flows_note, options (name, about, kind, default, value, is_set, is_scaled, "
              "least, most)"),
      {.method = "PUT",
       .path = "/api/v1/detectors/{name}",
       .access = Access::kAdmin,
       .work = Work::kStore,
       .handler = PutDetector,
       .summary = "Set a detector; what is left out stays, applies at once",
       .parameters = {},
       .fields = {{"enabled", "true or false", optional, FieldType::kBoolean},
                  {"sensitivity", "low, normal or high", optional},
                  {"options", "by name, as the list has them; null: the default again", optional,
                   FieldType::kObject}},
       .answer = "detectors",
       .audit = "detector.change"},
  };
}

}  // namespace nta::server
