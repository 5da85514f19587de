#include "nta/notify/notification.h"

#include <algorithm>
#include <map>

#include "absl/strings/str_format.h"
#include "nta/detect/alert_title.h"

namespace nta {
namespace {

constexpr std::size_t kMostSpelledOut = 50;

std::string Number(double number) { return absl::StrFormat("%.4g", number); }

std::string Measured(double number, const std::string& unit) {
  return Number(number) + (unit.empty() ? "" : " " + unit);
}

}  // namespace

Notification AlertNotification(const Alert& alert, std::string json) {
  Notification news;
  news.id = alert.id;
  news.time = alert.time;
  news.severity = alert.severity;
  news.kind = "alert";
  news.alert_class = ToString(alert.alert_class);
  news.state = ToString(alert.state);
  const AlertEntity& entity = alert.entity;
  news.subject = std::string(ToString(alert.severity)) + ": " + AlertTitle(alert);
  if (entity.source) news.subject += " from " + entity.source->ToString();
  if (entity.destination) news.subject += " to " + entity.destination->ToString();
  if (alert.state == AlertState::kClosed) news.subject += " (over)";
  news.text = alert.summary;
  if (!alert.advice.empty()) news.text += "\n" + alert.advice;
  const auto fact = [&](std::string name, std::string value) {
    news.facts.emplace_back(std::move(name), std::move(value));
  };
  fact("time", ToString(alert.time));
  fact("severity", std::string(ToString(alert.severity)));
  if (entity.source) fact("source", entity.source->ToString());
  if (entity.destination) fact("destination", entity.destination->ToString());
  if (entity.service) fact("service", *entity.service);
  fact("observed", Measured(alert.observed, alert.unit));
  fact("expected", Measured(alert.expected, alert.unit));
  fact("detector", alert.detector);
  if (!alert.technique.empty()) fact("technique", alert.technique);
  fact("alert", alert.id);
  news.json = std::move(json);
  return news;
}

Notification DigestNotification(std::span<const Notification> all, Timestamp now) {
  if (all.size() == 1) return all.front();
  Notification digest;
  digest.id = "digest-" + all.front().id;
  digest.time = now;
  digest.kind = "digest";
  std::map<Severity, std::size_t, std::greater<>> by_severity;
  for (const Notification& one : all) ++by_severity[one.severity];
  digest.severity = by_severity.begin()->first;
  digest.subject = std::to_string(all.size()) + " alerts:";
  for (const auto& [severity, count] : by_severity) {
    digest.subject += " " + std::to_string(count) + " " + std::string(ToString(severity)) + ",";
  }
  digest.subject.pop_back();
  digest.text = "From " + ToString(all.front().time) + " to " + ToString(all.back().time) + ":\n";
  digest.json = "[";
  const std::size_t shown = std::min(all.size(), kMostSpelledOut);
  for (const Notification& one : all.first(shown)) {
    digest.facts.emplace_back(one.subject, one.text.substr(0, one.text.find('\n')));
    digest.text += "- " + one.subject + ": " + one.text.substr(0, one.text.find('\n')) + "\n";
    if (one.json.empty()) continue;
    if (digest.json.size() > 1) digest.json += ',';
    digest.json += one.json;
  }
  digest.json += ']';
  if (shown < all.size()) {
    digest.text += "... and " + std::to_string(all.size() - shown) + " more.\n";
  }
  return digest;
}

Notification TestNotification(Timestamp now) {
  Notification test;
  test.id = "test-" + std::to_string(now.time_since_epoch().count());
  test.time = now;
  test.severity = Severity::kInfo;
  test.kind = "test";
  test.subject = "test message";
  test.text = "If you can read this, notifications arrive.";
  test.facts = {{"time", ToString(now)}};
  return test;
}

}  // namespace nta
