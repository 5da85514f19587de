#include "json/values.h"

namespace nta::json {
namespace {

// Whole seconds as an integer, others with a fraction.
Json Seconds(Duration duration) {
  constexpr std::int64_t kSecond = 1'000'000'000;
  if (duration.count() % kSecond == 0) return duration.count() / kSecond;
  return static_cast<double>(duration.count()) / static_cast<double>(kSecond);
}

Json Address(const std::optional<IpAddress>& address) {
  return address ? Json(address->ToString()) : Json();
}

}  // namespace

std::string Dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json ToValue(const Alert& alert) {
  Json evidence = Json::object();
  for (const auto& [name, value] : alert.evidence) {
    std::visit([&, &key = name](const auto& v) { evidence[key] = v; }, value);
  }
  Json json;
  json["id"] = alert.id;
  json["time"] = ToString(alert.time);
  json["detector"] = alert.detector;
  json["class"] = ToString(alert.alert_class);
  json["severity"] = ToString(alert.severity);
  json["score"] = alert.score;
  json["observed"] = alert.observed;
  json["expected"] = alert.expected;
  json["unit"] = alert.unit;
  json["entity"]["source"] = Address(alert.entity.source);
  json["entity"]["destination"] = Address(alert.entity.destination);
  json["entity"]["service"] = alert.entity.service ? Json(*alert.entity.service) : Json();
  json["window_seconds"] = Seconds(alert.window);
  json["evidence"] = std::move(evidence);
  json["technique"] = alert.technique;
  json["state"] = ToString(alert.state);
  json["count"] = alert.count;
  json["summary"] = alert.summary;
  json["confidence"] = alert.confidence;
  json["band_low"] = alert.band_low ? Json(*alert.band_low) : Json();
  json["band_high"] = alert.band_high ? Json(*alert.band_high) : Json();
  json["first_seen"] = ToString(alert.first_seen);
  json["last_seen"] = ToString(alert.last_seen);
  json["peers"] = Json::array();
  for (const AlertPeer& peer : alert.peers) {
    json["peers"].push_back({{"name", peer.name}, {"share", peer.share}});
  }
  json["advice"] = alert.advice;
  json["suppressed_by"] = alert.suppressed_by;
  return json;
}

Json ToValue(const TrafficTotals& totals) {
  Json json;
  json["bytes"] = totals.bytes;
  json["packets"] = totals.packets;
  json["flows"] = totals.flows;
  return json;
}

Json ToValue(const CaptureCounts& counts) {
  Json json;
  json["packets_seen"] = counts.packets_seen;
  json["packets_dropped"] = counts.packets_dropped;
  json["flows_evicted"] = counts.flows_evicted;
  json["flows_dropped"] = counts.flows_dropped;
  return json;
}

}  // namespace nta::json
