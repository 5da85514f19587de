#include "operations/daily_summary.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <map>
#include <optional>
#include <utility>

#include "base/status.h"
#include "http/json_text.h"
#include "nta/json/json.h"

namespace nta::server {
namespace {

using std::chrono::days;

constexpr std::size_t kMaxAlerts = 10'000;

struct DayBounds {
  std::string day;
  TimeInterval interval;
};

// The local day before the one of `now`, from midnight to midnight of the clock on the wall.
DayBounds DayBefore(Timestamp now, const ZoneOffset& offset) {
  const auto today = std::chrono::floor<days>(now + offset(now));
  const auto midnight = [&](std::chrono::sys_days day) {
    // Just after midnight has the offset of midnight, but for the zones that change right then.
    const Timestamp as_if_utc(day);
    return as_if_utc - offset(as_if_utc - offset(as_if_utc));
  };
  const auto yesterday = today - days(1);
  constexpr std::size_t kDate = 10;
  return {ToString(Timestamp(yesterday)).substr(0, kDate), {midnight(yesterday), midnight(today)}};
}

struct AlertCounts {
  std::array<std::uint64_t, 5> by_severity{};
  std::map<std::string, std::uint64_t> by_class;
  bool more = false;
};

absl::StatusOr<AlertCounts> CountAlerts(const Store& store, const TimeInterval& interval) {
  AlertCounts counts;
  AlertQuery query{.interval = interval, .limit = 1000};
  for (std::size_t seen = 0; seen < kMaxAlerts; seen += query.limit) {
    NTA_ASSIGN_OR_RETURN(const AlertPage page, store.Alerts(query));
    for (const Alert& alert : page.alerts) {
      ++counts.by_severity[static_cast<std::size_t>(alert.severity)];
      ++counts.by_class[std::string(ToString(alert.alert_class))];
    }
    query.cursor = page.next_cursor;
    if (query.cursor.empty()) return counts;
  }
  counts.more = true;
  return counts;
}

std::string Bytes(std::uint64_t bytes) {
  constexpr std::array<std::string_view, 6> kUnits = {"B", "kB", "MB", "GB", "TB", "PB"};
  double value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 999.5 && unit + 1 < kUnits.size()) {
    value /= 1000;
    ++unit;
  }
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), value >= 100 || unit == 0 ? "%.0f " : "%.1f ", value);
  return text.data() + std::string(kUnits[unit]);
}

std::string AlertsInWords(const AlertCounts& counts, std::uint64_t all) {
  if (all == 0) return "no alert";
  std::string text = std::to_string(all) + (all == 1 ? " alert" : " alerts");
  std::string parts;
  for (const Severity severity : {Severity::kCritical, Severity::kHigh}) {
    const std::uint64_t count = counts.by_severity[static_cast<std::size_t>(severity)];
    if (count == 0) continue;
    parts +=
        (parts.empty() ? "" : ", ") + std::to_string(count) + " " + std::string(ToString(severity));
  }
  return parts.empty() ? text : text + " (" + parts + ")";
}

std::string InWords(const DayBounds& day, const TrafficSummary& summary,
                    const AlertCounts& alerts) {
  const CaptureCounts& capture = summary.capture;
  std::string text = day.day + ": " + Bytes(summary.total.bytes) + " in " +
                     std::to_string(summary.total.flows) + " flows; " +
                     AlertsInWords(alerts, summary.alerts) + "; ";
  if (capture.packets_seen == 0) return text + "nothing was captured";
  text += capture.packets_dropped == 0 ? "no packet lost"
                                       : std::to_string(capture.packets_dropped) + " of " +
                                             std::to_string(capture.packets_seen) + " packets lost";
  if (capture.flows_dropped > 0) {
    text += "; " + std::to_string(capture.flows_dropped) + " flows not stored";
  }
  return text;
}

// The highest of the day; absent when it was not sampled.
absl::StatusOr<std::string> PeaksJson(const Store& store, const TimeInterval& interval) {
  const std::vector<std::string> names = {"cpu.usage", "memory.usage", "process.resident_bytes"};
  NTA_ASSIGN_OR_RETURN(const std::vector<SampleLine> lines,
                       store.Samples({.names = names,
                                      .since = interval.since,
                                      .until = interval.until,
                                      .step = std::chrono::hours(1)}));
  JsonObject peaks;
  for (const SampleLine& line : lines) {
    if (line.points.empty()) continue;
    const auto peak = std::max_element(
        line.points.begin(), line.points.end(),
        [](const SamplePoint& a, const SamplePoint& b) { return a.maximum < b.maximum; });
    peaks.AddJson(line.name, std::to_string(peak->maximum));
  }
  return peaks.Take();
}

std::string CountsJson(const AlertCounts& counts) {
  JsonObject severities;
  for (std::size_t i = 0; i < counts.by_severity.size(); ++i) {
    severities.Add(ToString(static_cast<Severity>(i)), counts.by_severity[i]);
  }
  JsonObject classes;
  for (const auto& [name, count] : counts.by_class) classes.Add(name, count);
  return JsonObject()
      .AddJson("by_severity", severities.Take())
      .AddJson("by_class", classes.Take())
      .AddJson("more", counts.more ? "true" : "false")
      .Take();
}

}  // namespace

absl::StatusOr<DailySummary> DailySummaries::Make(Timestamp now) {
  const DayBounds day = DayBefore(now, offset_);
  NTA_ASSIGN_OR_RETURN(const TrafficSummary summary, store_.Summary(day.interval));
  NTA_ASSIGN_OR_RETURN(const AlertCounts alerts, CountAlerts(store_, day.interval));
  NTA_ASSIGN_OR_RETURN(const std::string peaks, PeaksJson(store_, day.interval));
  const CaptureCounts& capture = summary.capture;
  DailySummary made{.day = day.day, .text = InWords(day, summary, alerts), .json = {}};
  made.json = JsonObject()
                  .Add("day", made.day)
                  .Add("text", made.text)
                  .Add("made", ToString(now))
                  .AddJson("traffic", nta::ToJson(summary))
                  .AddJson("capture", JsonObject()
                                          .Add("packets_seen", capture.packets_seen)
                                          .Add("packets_dropped", capture.packets_dropped)
                                          .Add("flows_evicted", capture.flows_evicted)
                                          .Add("flows_dropped", capture.flows_dropped)
                                          .Take())
                  .AddJson("alerts", CountsJson(alerts))
                  .AddJson("peaks", peaks)
                  .Take();
  NTA_RETURN_IF_ERROR(store_
                          .PutDocument({.kind = std::string(kKind),
                                        .id = made.day,
                                        .body = made.json,
                                        .updated = now,
                                        .version = Document::kAnyVersion})
                          .status());
  NTA_ASSIGN_OR_RETURN(const DocumentPage page,
                       store_.Documents({.kind = std::string(kKind), .limit = 10'000}));
  for (std::size_t i = 0; i + kKept < page.documents.size(); ++i) {
    NTA_RETURN_IF_ERROR(store_.RemoveDocument(kKind, page.documents[i].id));
  }
  return made;
}

absl::StatusOr<std::vector<std::string>> DailySummaries::Latest(std::size_t limit) const {
  NTA_ASSIGN_OR_RETURN(const DocumentPage page,
                       store_.Documents({.kind = std::string(kKind), .limit = 10'000}));
  std::vector<std::string> latest;
  for (auto document = page.documents.rbegin();
       document != page.documents.rend() && latest.size() < limit; ++document) {
    latest.push_back(document->body);
  }
  return latest;
}

}  // namespace nta::server
