#include "operations/health_monitor.h"

#include <algorithm>
#include <utility>

#include "base/status.h"
#include "http/json_text.h"
#include "logging/log.h"
#include "nta/json/json.h"
#include "nta/json/operations.h"
#include "operations/health_words.h"

namespace nta::server {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

// Younger than this, a sample is how things are now; rates over less are noise.
constexpr Duration kFresh = seconds(5);
constexpr std::size_t kSlowest = 5;
// A client that waits for 20 s asks seldom: the quantiles of the API are those of a minute.
constexpr Duration kApiWindow = minutes(1);

constexpr std::string_view kStoreFailed = "store.failed";

double ToSeconds(Duration time) { return std::chrono::duration<double>(time).count(); }

// Counters start anew when the capture does.
double Rate(std::uint64_t before, std::uint64_t after, double elapsed) {
  return after < before ? 0 : static_cast<double>(after - before) / elapsed;
}

std::string Number(double value) {
  std::string text = std::to_string(value);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text;
}

std::string Latencies(const LatencyHistogram& times) {
  return JsonObject()
      .Add("requests", times.count())
      .AddJson("p50_seconds", Number(ToSeconds(times.Quantile(0.5))))
      .AddJson("p95_seconds", Number(ToSeconds(times.Quantile(0.95))))
      .AddJson("p99_seconds", Number(ToSeconds(times.Quantile(0.99))))
      .Take();
}

std::string ToJsonWithWords(const HealthFinding& finding) {
  std::string json = nta::ToJson(finding);
  json.pop_back();
  return json + ",\"words\":" + JsonQuote(InWords(finding)) + "}";
}

absl::Status TroubleOfStore(const HealthParts& parts) {
  const absl::Status known = parts.store_health.trouble();
  // Of what failed within the last second nobody may have been told yet.
  return known.ok() ? parts.capture().store.last_error : known;
}

// How things are, in a word and in a sentence. Trouble of the store is told without waiting for the
// next tick, and whatever the thresholds are: what is found can hardly be kept then.
struct Verdict {
  std::string_view status = "ok";
  std::string summary;
};

Verdict VerdictOn(const absl::Status& trouble, const std::vector<HealthFinding>& active,
                  bool is_watched) {
  std::vector<std::string> words;
  if (!trouble.ok())
    words.push_back("The database cannot be written: " + WhyInWords(trouble) + ".");
  for (const HealthFinding& finding : active) {
    if (trouble.ok() || finding.name != kStoreFailed) words.push_back(InWords(finding));
  }
  if (words.empty()) {
    return {.summary = is_watched ? "Everything is well." : "Not watched: no thresholds are set."};
  }
  const bool is_critical = !trouble.ok() || active.front().level == HealthLevel::kCritical;
  Verdict verdict{is_critical ? "critical" : "warning", words.front()};
  if (words.size() > 1) verdict.summary += " And " + std::to_string(words.size() - 1) + " more.";
  return verdict;
}

}  // namespace

HealthMonitor::HealthMonitor(HealthParts parts)
    : parts_(std::move(parts)), watch_(*HealthWatch::Create(DefaultThresholds())) {}

void HealthMonitor::SetOptions(HealthOptions options) {
  absl::MutexLock lock(&mutex_);
  options_ = std::move(options);
}

void HealthMonitor::SetListener(std::function<void(const Alert&)> listener) {
  absl::MutexLock lock(&mutex_);
  listener_ = std::move(listener);
}

std::vector<HealthThreshold> HealthMonitor::DefaultThresholds() {
  std::vector<HealthThreshold> thresholds = DefaultHealthThresholds();
  for (HealthThreshold& threshold : ServerHealthThresholds()) {
    thresholds.push_back(std::move(threshold));
  }
  return thresholds;
}

absl::Status HealthMonitor::Restore() {
  const absl::StatusOr<std::string> kept = parts_.store.GetSetting(kThresholdsSetting);
  std::vector<Alert> alerts;
  std::function<void(const Alert&)> listener;
  {
    absl::MutexLock lock(&mutex_);
    std::vector<HealthThreshold> thresholds = DefaultThresholds();
    if (kept.ok()) {
      NTA_ASSIGN_OR_RETURN(thresholds, HealthThresholdsFromJson(*kept));
    }
    NTA_ASSIGN_OR_RETURN(watch_, HealthWatch::Create(std::move(thresholds)));
    const absl::StatusOr<std::string> active = parts_.store.GetSetting(kActiveSetting);
    if (!active.ok()) return absl::OkStatus();
    NTA_ASSIGN_OR_RETURN(const std::vector<HealthFinding> findings,
                         HealthFindingsFromJson(*active));
    for (const HealthFinding& lost : watch_.Restore(parts_.clock.wall(), findings)) {
      alerts.push_back(ToAlert(lost));
    }
    listener = listener_;
  }
  for (const Alert& alert : alerts) {
    if (listener) listener(alert);
  }
  return absl::OkStatus();
}

HealthMonitor::Latest HealthMonitor::Look(const std::optional<Latest>& before) const {
  Latest latest;
  latest.counters = {parts_.clock.monotonic(), parts_.capture(), parts_.api.Snapshot()};
  latest.sample = SampleHealth(parts_.clock.wall(), options_);
  const Counters* counted = nullptr;
  if (before) {
    latest.rates = RatesBetween(before->sample, latest.sample);
    latest.seconds = ToSeconds(latest.counters.monotonic - before->counters.monotonic);
    if (latest.seconds > 0) counted = &before->counters;
  }
  latest.values = HealthValues(latest.sample, latest.rates);
  AddPipeline(counted, latest);
  AddApi(counted, latest);
  latest.values.push_back({std::string(kStoreFailed), TroubleOfStore(parts_).ok() ? 0.0 : 1.0});
  latest.values.push_back({"schedule.failing_jobs", static_cast<double>(parts_.failing_jobs())});
  return latest;
}

void HealthMonitor::AddPipeline(const Counters* before, Latest& latest) const {
  const CaptureStatus& now = latest.counters.capture;
  const auto add = [&](std::string name, double value) {
    latest.values.push_back({"pipeline." + std::move(name), value});
  };
  const auto fill = [](std::size_t part, std::size_t whole) {
    return whole == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(whole);
  };
  add("failed", now.state == CaptureState::kFailed ? 1 : 0);
  add("flows_active", static_cast<double>(now.flow_table.active));
  add("flow_table_fill", fill(now.flow_table.active, now.flow_table.capacity));
  add("store_queue", static_cast<double>(now.store.queue));
  add("store_queue_fill", fill(now.store.queue, StoreWriterOptions().max_queued_flows));
  // Of files the clock means nothing.
  if (now.seen_until && now.kind != CaptureKind::kFile && now.state == CaptureState::kRunning) {
    add("lag_seconds", std::max(0.0, ToSeconds(latest.sample.time - *now.seen_until)));
  }
  if (before == nullptr) return;
  const CaptureStatus& old = before->capture;
  const double elapsed = latest.seconds;
  const double seen = Rate(old.ledger.received, now.ledger.received, elapsed);
  const double dropped = Rate(old.ledger.dropped, now.ledger.dropped, elapsed);
  add("packets_per_second", seen);
  add("drops_per_second", dropped);
  add("loss", seen > 0 ? dropped / seen : 0);
  add("flows_per_second", Rate(old.flow_table.ended, now.flow_table.ended, elapsed));
  add("evictions_per_second", Rate(old.flow_table.evicted, now.flow_table.evicted, elapsed));
  add("flows_stored_per_second", Rate(old.store.flows_written, now.store.flows_written, elapsed));
  add("flows_dropped_per_second", Rate(old.store.flows_dropped, now.store.flows_dropped, elapsed));
}

void HealthMonitor::AddApi(const Counters* before, Latest& latest) const {
  if (before == nullptr) return;
  const LatencySnapshot& now = latest.counters.api;
  latest.api = LastMinute(latest.counters);
  const auto add = [&](const char* name, double value) { latest.values.push_back({name, value}); };
  add("api.requests_per_second", Rate(before->api.all.count(), now.all.count(), latest.seconds));
  add("api.errors_per_second", Rate(before->api.server_errors, now.server_errors, latest.seconds));
  // Without requests it is nobody's wait.
  add("api.latency_p50_seconds", ToSeconds(latest.api.Quantile(0.5)));
  add("api.latency_p99_seconds", ToSeconds(latest.api.Quantile(0.99)));
}

LatencyHistogram HealthMonitor::LastMinute(const Counters& now) const {
  // From the last tick that is a minute ago; the first of all while there is none.
  const LatencyHistogram* begin = nullptr;
  for (const Answered& tick : answered_) {
    if (begin != nullptr && now.monotonic - tick.monotonic < kApiWindow) break;
    begin = &tick.times;
  }
  return begin == nullptr ? LatencyHistogram() : now.api.all.Since(*begin);
}

std::vector<Sample> HealthMonitor::Collect(Timestamp now) {
  const auto minute = std::chrono::floor<minutes>(now);
  std::vector<Sample> samples;
  if (minute_ && *minute_ != minute) {
    for (const auto& [name, mean] : means_) {
      samples.push_back({name, *minute_, mean.sum / static_cast<double>(mean.count)});
    }
    means_.clear();
  }
  minute_ = minute;
  for (const HealthValue& value : latest_->values) {
    Mean& mean = means_[value.name];
    mean.sum += value.value;
    ++mean.count;
  }
  return samples;
}

absl::Status HealthMonitor::SaveActive() {
  return parts_.store.PutSetting(
      kActiveSetting,
      JsonList(watch_.Active(), [](const HealthFinding& finding) { return nta::ToJson(finding); }));
}

absl::StatusOr<std::string> HealthMonitor::Tick() {
  std::vector<Sample> samples;
  std::vector<HealthFinding> changes;
  std::function<void(const Alert&)> listener;
  absl::Status saved;
  std::size_t problems = 0;
  {
    absl::MutexLock lock(&mutex_);
    latest_ = Look(ticked_);
    ticked_ = latest_;
    const Duration monotonic = latest_->counters.monotonic;
    answered_.push_back({monotonic, latest_->counters.api.all});
    while (answered_.size() > 1 && monotonic - answered_[1].monotonic >= kApiWindow) {
      answered_.pop_front();
    }
    const Timestamp now = latest_->sample.time;
    samples = Collect(now);
    changes = watch_.Observe(now, latest_->values);
    listener = listener_;
    problems = latest_->sample.problems.size();
    if (!changes.empty()) saved = SaveActive();
  }
  // The alerts first: a store that cannot be written is among what they tell.
  for (const HealthFinding& change : changes) {
    const Alert alert = ToAlert(change);
    Log(change.state == HealthFindingState::kRaised ? LogLevel::kWarning : LogLevel::kInfo,
        alert.summary);
    if (listener) listener(alert);
  }
  const auto told = [this](const absl::Status& status) {
    parts_.store_health.Tell(status, parts_.clock.monotonic());
    return status;
  };
  NTA_RETURN_IF_ERROR(told(saved));
  if (!samples.empty()) {
    const auto size = parts_.store.Size();
    if (size.ok()) {
      const Timestamp time = samples.front().time;
      samples.push_back({"store.file_bytes", time, static_cast<double>(size->file_bytes)});
      samples.push_back({"store.log_bytes", time, static_cast<double>(size->log_bytes)});
    }
    NTA_RETURN_IF_ERROR(told(parts_.store.WriteSamples(samples)));
  }
  return problems == 0 ? std::string()
                       : std::to_string(problems) + " parts of the machine cannot be read";
}

std::string HealthMonitor::ApiJson() const {
  // Of all time, so that a route that is slow once a day is seen.
  std::vector<RouteLatency> routes = latest_->counters.api.routes;
  std::sort(routes.begin(), routes.end(), [](const RouteLatency& a, const RouteLatency& b) {
    return a.times.Quantile(0.99) > b.times.Quantile(0.99);
  });
  if (routes.size() > kSlowest) routes.resize(kSlowest);
  return JsonObject()
      .AddJson("latest", Latencies(latest_->api))
      .AddJson("since_start", Latencies(latest_->counters.api.all))
      .Add("server_errors", latest_->counters.api.server_errors)
      .AddJson("slowest", JsonList(routes,
                                   [](const RouteLatency& one) {
                                     return JsonObject()
                                         .Add("route", one.route)
                                         .AddJson("latency", Latencies(one.times))
                                         .Take();
                                   }))
      .Take();
}

std::string HealthMonitor::Json() {
  absl::MutexLock lock(&mutex_);
  const Duration now = parts_.clock.monotonic();
  if (!latest_ || now - latest_->counters.monotonic >= 2 * kFresh) latest_ = Look(latest_);
  const std::vector<HealthFinding> active = watch_.Active();
  const absl::Status trouble = TroubleOfStore(parts_);
  const Verdict verdict = VerdictOn(trouble, active, !watch_.thresholds().empty());
  JsonObject values;
  for (const HealthValue& value : latest_->values) {
    if (value.name.starts_with("pipeline."))
      values.AddJson(value.name.substr(9), Number(value.value));
  }
  return JsonObject()
      .Add("status", verdict.status)
      .Add("summary", verdict.summary)
      .Add("thresholds", std::uint64_t{watch_.thresholds().size()})
      .Add("time", nta::ToString(latest_->sample.time))
      .AddJson("findings", JsonList(active, ToJsonWithWords))
      .AddJson("machine", nta::ToJson(latest_->sample, latest_->rates))
      .AddJson("pipeline", values.Take())
      .AddJson("api", ApiJson())
      .AddJson("store", JsonObject()
                            .AddJson("failed", trouble.ok() ? "false" : "true")
                            .Add("reason", trouble.ok() ? "" : WhyInWords(trouble))
                            .Take())
      .Take();
}

std::vector<HealthThreshold> HealthMonitor::Thresholds() const {
  absl::MutexLock lock(&mutex_);
  return watch_.thresholds();
}

namespace {

// One * stands for any text.
bool Fits(std::string_view pattern, std::string_view name) {
  const std::size_t star = pattern.find('*');
  if (star == std::string_view::npos) return pattern == name;
  const std::string_view tail = pattern.substr(star + 1);
  return name.size() + 1 >= pattern.size() && name.starts_with(pattern.substr(0, star)) &&
         name.ends_with(tail);
}

// A threshold on a misspelt name would never say a word. What was set before may stay: its disk is
// not mounted now, perhaps.
absl::Status CheckNames(const std::vector<HealthThreshold>& wanted,
                        const std::vector<HealthThreshold>& set_before,
                        const std::vector<std::string>& names) {
  std::vector<HealthThreshold> known = HealthMonitor::DefaultThresholds();
  known.insert(known.end(), set_before.begin(), set_before.end());
  for (const HealthThreshold& threshold : wanted) {
    const bool is_known = std::any_of(known.begin(), known.end(), [&](const HealthThreshold& one) {
      return Fits(one.name, threshold.name);
    });
    if (is_known || std::any_of(names.begin(), names.end(), [&](const std::string& name) {
          return Fits(threshold.name, name);
        })) {
      continue;
    }
    return base::InvalidArgument("there is no value \"" + threshold.name +
                                 "\" to watch; /api/v1/health/names lists them");
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status HealthMonitor::SetThresholds(std::vector<HealthThreshold> thresholds) {
  NTA_ASSIGN_OR_RETURN(HealthWatch watch, HealthWatch::Create(std::move(thresholds)));
  NTA_ASSIGN_OR_RETURN(std::vector<std::string> names, parts_.store.SampleNames());
  std::vector<HealthFinding> lost;
  std::function<void(const Alert&)> listener;
  {
    absl::MutexLock lock(&mutex_);
    if (!latest_) latest_ = Look(std::nullopt);
    for (const HealthValue& value : latest_->values) names.push_back(value.name);
    NTA_RETURN_IF_ERROR(CheckNames(watch.thresholds(), watch_.thresholds(), names));
    NTA_RETURN_IF_ERROR(parts_.store.PutSetting(
        kThresholdsSetting, JsonList(watch.thresholds(), [](const HealthThreshold& threshold) {
          return nta::ToJson(threshold);
        })));
    // What is raised stays raised where a threshold still says so.
    lost = watch.Restore(parts_.clock.wall(), watch_.Active());
    watch_ = std::move(watch);
    NTA_RETURN_IF_ERROR(SaveActive());
    listener = listener_;
  }
  for (const HealthFinding& finding : lost) {
    if (listener) listener(ToAlert(finding));
  }
  return absl::OkStatus();
}

}  // namespace nta::server
