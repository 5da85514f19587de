#include "detect/alert_storm.h"

#include "absl/strings/str_format.h"

namespace nta::detect {

std::string EntityText(const AlertEntity& entity) {
  std::string text;
  if (entity.source) text = entity.source->ToString();
  if (entity.destination) {
    text += (text.empty() ? "-> " : " -> ") + entity.destination->ToString();
  }
  if (entity.service) text += (text.empty() ? "" : " ") + *entity.service;
  return text.empty() ? "everything" : text;
}

std::vector<StormKey> StormKeysOf(AlertClass alert_class, const AlertEntity& entity,
                                  const AlertTrackerOptions& options) {
  std::vector<StormKey> keys;
  const auto add = [&](StormKey::Side side, const std::optional<IpAddress>& address) {
    if (!address) return;
    const int length = address->is_v4() ? options.storm_prefix_v4 : options.storm_prefix_v6;
    const auto prefix = IpPrefix::Create(*address, length);
    if (prefix.ok()) keys.push_back({alert_class, side, *prefix});
  };
  add(StormKey::Side::kSource, entity.source);
  add(StormKey::Side::kDestination, entity.destination);
  keys.push_back({alert_class, StormKey::Side::kAll, {}});
  return keys;
}

void FillStorm(const StormKey& key, const StormGroup& group, Alert& alert) {
  const std::string name(ToString(key.alert_class));
  std::string where = " everywhere";
  if (key.side == StormKey::Side::kSource) where = " from " + key.prefix.ToString();
  if (key.side == StormKey::Side::kDestination) where = " to " + key.prefix.ToString();
  alert.observed = static_cast<double>(group.suppressed);
  alert.expected = 0;
  alert.unit = "alerts held back";
  alert.window = alert.last_seen - alert.first_seen;
  alert.evidence.clear();
  if (key.side != StormKey::Side::kAll) {
    alert.evidence["prefix"] = key.prefix.ToString();
    alert.evidence["side"] =
        std::string(key.side == StormKey::Side::kSource ? "source" : "destination");
  }
  alert.evidence["storm"] = std::int64_t{1};
  alert.evidence["suppressed_alerts"] = static_cast<std::int64_t>(group.suppressed);
  alert.evidence["open_alerts"] = static_cast<std::int64_t>(group.open);
  alert.evidence["sample_entities"] = group.samples;
  alert.summary = absl::StrFormat(
      "Too many %s alerts%s to show each: %d %s held back beside %d that are open", name, where,
      group.suppressed, group.suppressed == 1 ? "is" : "are", group.open);
  alert.advice = "Look at what these have in common first; the alerts that are open are examples.";
}

bool HeldBack::Insert(std::uint64_t fingerprint) {
  if (!set_.insert(fingerprint).second) return false;
  order_.push_back(fingerprint);
  if (order_.size() > kMost) {
    set_.erase(order_.front());
    order_.pop_front();
  }
  return true;
}

std::size_t HeldBack::memory_bytes() const {
  return set_.capacity() * (sizeof(std::uint64_t) + 1) + order_.size() * sizeof(std::uint64_t);
}

}  // namespace nta::detect
