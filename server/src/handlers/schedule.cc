// The schedule, what is kept for how long, and what each day was.
#include <charconv>
#include <limits>
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

Response GetSchedule(Services& services, const Call&) {
  return Json(JsonObject()
                  .AddJson("jobs", JsonList(services.operations.scheduler.Jobs(),
                                            [](const JobStatus& job) { return nta::ToJson(job); }))
                  .Take());
}

Response JobAnswer(Services& services, const Call& call, const absl::Status& status) {
  if (absl::IsNotFound(status)) return Problem(404, "there is no such job");
  if (absl::IsFailedPrecondition(status)) return Problem(409, "the job is running");
  if (!status.ok()) return FromStatus(status);
  const auto job = services.operations.scheduler.GetJob(call.Path("job"));
  return job.ok() ? Json(nta::ToJson(*job)) : Problem(404, "there is no such job");
}

Response PauseJob(Services& services, const Call& call) {
  return JobAnswer(services, call, services.operations.scheduler.Pause(call.Path("job")));
}
Response ResumeJob(Services& services, const Call& call) {
  return JobAnswer(services, call, services.operations.scheduler.Resume(call.Path("job")));
}
Response RunJob(Services& services, const Call& call) {
  return JobAnswer(services, call, services.operations.scheduler.RunNow(call.Path("job")));
}

template <typename Number>
bool ReadWhole(std::string_view text, Number& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return !text.empty() && error == std::errc() && end == text.data() + text.size();
}

// "03:30"
absl::StatusOr<std::chrono::minutes> ReadTimeOfDay(std::string_view text) {
  unsigned hours = 0;
  unsigned minutes = 0;
  if (text.size() == 5 && text[2] == ':' && ReadWhole(text.substr(0, 2), hours) &&
      ReadWhole(text.substr(3), minutes) && hours < 24 && minutes < 60) {
    return std::chrono::hours(hours) + std::chrono::minutes(minutes);
  }
  return base::InvalidArgument("\"daily_at\" is a time of day like 03:30");
}

absl::StatusOr<JobTiming> ReadTiming(const Call& call) {
  const bool is_every = call.body.contains("every_seconds");
  if (is_every == call.body.contains("daily_at")) {
    return base::InvalidArgument("either \"every_seconds\" or \"daily_at\" must be given");
  }
  if (is_every) {
    std::int64_t seconds = 0;
    if (!ReadWhole(call.Body("every_seconds"), seconds)) {
      return base::InvalidArgument("\"every_seconds\" is a whole number");
    }
    return JobTiming(Every{std::chrono::seconds(seconds)});
  }
  NTA_ASSIGN_OR_RETURN(const std::chrono::minutes at, ReadTimeOfDay(call.Body("daily_at")));
  const std::string_view zone = call.Body("zone");
  if (!zone.empty() && zone != "utc" && zone != "local") {
    return base::InvalidArgument("\"zone\" is utc or local");
  }
  return JobTiming(Daily{at, zone == "utc" ? DayZone::kUtc : DayZone::kLocal});
}

Response PutTiming(Services& services, const Call& call) {
  Scheduler& scheduler = services.operations.scheduler;
  const auto timing = ReadTiming(call);
  if (!timing.ok()) return FromStatus(timing.status());
  const auto before = scheduler.GetJob(call.Path("job"));
  Response response = JobAnswer(services, call, scheduler.SetTiming(call.Path("job"), *timing));
  if (before.ok()) response.audit = {{"before", nta::ToString(before->options.timing)}};
  return response;
}

std::vector<Field> RetentionFields() {
  const auto days = [](std::string name, std::string what) {
    return Field{std::move(name), "days that " + what + " are kept; null: for good",
                 Need::kOptional, FieldType::kInteger, true};
  };
  const auto bytes = [](std::string name, std::string what) {
    return Field{std::move(name),
                 "of " + what + ", 1048576 or more: the oldest go beyond; null: no bound",
                 Need::kOptional, FieldType::kInteger, true};
  };
  return {days("flow_days", "flows and their totals"),
          days("alert_days", "alerts"),
          days("sample_days", "measures of health"),
          days("incident_days", "incidents that ended"),
          bytes("flow_bytes", "flows and their totals"),
          bytes("alert_bytes", "alerts"),
          bytes("sample_bytes", "measures of health"),
          bytes("incident_bytes", "incidents, of which those that ended go"),
          {"max_bytes", "of the database, 16777216 or more; null: no bound", Need::kOptional,
           FieldType::kInteger, true}};
}

// How the database grew over the last day, when it was measured.
std::string GrowthJson(Services& services, Timestamp now) {
  const auto lines = services.store.Samples({.names = {"store.file_bytes"},
                                             .since = now - std::chrono::hours(24),
                                             .until = now,
                                             .step = std::chrono::minutes(10)});
  if (!lines.ok() || lines->empty() || lines->front().points.size() < 2) return "null";
  const SamplePoint& first = lines->front().points.front();
  const SamplePoint& last = lines->front().points.back();
  const double days = std::chrono::duration<double>(last.time - first.time).count() / 86'400;
  return std::to_string((last.mean - first.mean) / days);
}

// When it ran last and what it said, and when it runs next.
std::string RetentionJob(Services& services) {
  const auto job = services.operations.scheduler.GetJob("retention");
  return job.ok() ? nta::ToJson(*job) : "null";
}

std::string UsageJson(const StoreUsage& usage) {
  const auto kind = [](const KindUsage& of) {
    return JsonObject().Add("count", of.count).Add("bytes", of.bytes).Take();
  };
  return JsonObject()
      .AddJson("flows", kind(usage.flows))
      .AddJson("alerts", kind(usage.alerts))
      .AddJson("samples", kind(usage.samples))
      .AddJson("incidents", kind(usage.incidents))
      .Add("other_bytes", usage.other_bytes)
      .Take();
}

Response GetRetention(Services& services, const Call&) {
  const auto settings = services.operations.retention.Get();
  // Damaged settings are shown as such, so that they can be set anew.
  if (!settings.ok() && settings.status().code() != absl::StatusCode::kDataLoss) {
    return FromStatus(settings.status());
  }
  const auto size = services.store.Size();
  if (!size.ok()) return FromStatus(size.status());
  const auto usage = services.store.Usage();
  if (!usage.ok()) return FromStatus(usage.status());
  const std::string problem = settings.ok() ? "" : std::string(settings.status().message());
  return Json(JsonObject()
                  .AddJson("settings", ToJson(settings.ok() ? *settings : RetentionSettings()))
                  .Add("problem", problem)
                  .AddJson("size", JsonObject()
                                       .Add("file_bytes", size->file_bytes)
                                       .Add("free_bytes", size->free_bytes)
                                       .Add("log_bytes", size->log_bytes)
                                       .Add("flows", size->flows)
                                       .Take())
                  .AddJson("usage", UsageJson(*usage))
                  .AddJson("growth_bytes_per_day", GrowthJson(services, services.clock.wall()))
                  .AddJson("job", RetentionJob(services))
                  .Take());
}

// A whole number, or null.
absl::StatusOr<std::optional<std::uint64_t>> ReadMember(std::string_view name,
                                                        std::string_view text) {
  if (text == "null") return std::optional<std::uint64_t>();
  std::uint64_t number = 0;
  if (ReadWhole(text, number)) return std::optional(number);
  return base::InvalidArgument("\"" + std::string(name) + "\" is a whole number, 1 or more");
}

// `settings` with what is given changed.
absl::StatusOr<RetentionSettings> ReadSettings(const TextMap& given, RetentionSettings settings) {
  for (const Field& field : RetentionFields()) {
    const auto found = given.find(field.name);
    if (found == given.end()) continue;
    NTA_ASSIGN_OR_RETURN(const auto value, ReadMember(field.name, found->second));
    NTA_RETURN_IF_ERROR(SetMember(settings, field.name, value).status());
  }
  return settings;
}

Response PutRetention(Services& services, const Call& call) {
  const auto now = services.operations.retention.Get();
  // Damaged settings are set anew as a whole.
  const auto settings =
      ReadSettings(call.body, now.ok() ? *now : RetentionSettings{.sample_days = std::nullopt});
  if (!settings.ok()) return FromStatus(settings.status());
  const absl::Status set = services.operations.retention.Set(*settings);
  if (!set.ok()) return FromStatus(set);
  Response response = GetRetention(services, call);
  if (now.ok()) response.audit = {{"before", ToJson(*now)}};
  return response;
}

Response PreviewRetention(Services& services, const Call& call) {
  const auto settings = ReadSettings(call.query, {.sample_days = std::nullopt});
  if (!settings.ok()) return FromStatus(settings.status());
  const auto preview = services.operations.retention.Preview(*settings, services.clock.wall());
  if (!preview.ok()) return FromStatus(preview.status());
  return Json(JsonObject()
                  .Add("flows", preview->flows)
                  .Add("alerts", preview->alerts)
                  .Add("samples", preview->samples)
                  .Add("incidents", preview->incidents)
                  .Add("flows_by_bytes", preview->flows_by_bytes)
                  .Add("alerts_by_bytes", preview->alerts_by_bytes)
                  .Add("samples_by_bytes", preview->samples_by_bytes)
                  .Add("incidents_by_bytes", preview->incidents_by_bytes)
                  .AddJson("over_max_bytes", preview->over_max_bytes ? "true" : "false")
                  .Add("excess_bytes", preview->excess_bytes)
                  .Add("flows_by_size", preview->flows_by_size)
                  .Take());
}

Response GetDailySummaries(Services& services, const Call& call) {
  const auto limit = ReadLimit(call, {.default_value = 7, .max = DailySummaries::kKept});
  if (!limit.ok()) return FromStatus(limit.status());
  const auto latest = services.operations.summaries.Latest(*limit);
  if (!latest.ok()) return FromStatus(latest.status());
  return Json(JsonObject()
                  .AddJson("daily_summaries",
                           JsonList(*latest, [](const std::string& json) { return json; }))
                  .Take());
}

Route JobAct(std::string act, Handler handler, std::string summary) {
  return {.method = "POST",
          .path = "/api/v1/schedule/{job}/" + act,
          .access = Access::kAdmin,
          .work = Work::kStore,
          .handler = handler,
          .summary = std::move(summary),
          .parameters = {},
          .fields = {},
          .answer = "the job, as in the schedule",
          .audit = "schedule." + act};
}

}  // namespace

std::vector<Route> ScheduleRoutes() {
  std::vector<Parameter> preview;
  for (const Field& field : RetentionFields()) {
    preview.push_back({field.name, field.description, {}});
  }
  const std::string retention = "settings, problem, size, usage, growth_bytes_per_day, job";
  Route preview_route = Reading("/api/v1/settings/retention/preview", PreviewRetention,
                                "What such settings would delete at once", std::move(preview),
                                "flows, alerts, samples, incidents, of these ..._by_bytes, "
                                "over_max_bytes, excess_bytes, flows_by_size");
  preview_route.access = Access::kAdmin;
  return {
      Reading("/api/v1/schedule", GetSchedule, "What runs by itself, and how its last runs went",
              {}, "jobs; docs/schedule.md"),
      JobAct("pause", PauseJob, "Keep a job from running by itself"),
      JobAct("resume", ResumeJob, "Let a job run by itself again"),
      JobAct("run", RunJob,
             "Run a job at once, paused or not; `requested` until it has begun, then `running`"),
      {.method = "PUT",
       .path = "/api/v1/schedule/{job}/timing",
       .access = Access::kAdmin,
       .work = Work::kStore,
       .handler = PutTiming,
       .summary = "Change when a job runs; its next time is counted from now",
       .parameters = {},
       .fields = {{"every_seconds", "least_seconds of the job to 31622400", Need::kOptional,
                   FieldType::kInteger},
                  {"daily_at", "instead: a time of day, 03:30", Need::kOptional},
                  {"zone", "of daily_at: local (default) or utc", Need::kOptional}},
       .answer = "the job",
       .audit = "schedule.timing"},
      Reading("/api/v1/settings/retention", GetRetention, "What is kept for how long", {},
              retention),
      {.method = "PUT",
       .path = "/api/v1/settings/retention",
       .access = Access::kAdmin,
       .work = Work::kStore,
       .handler = PutRetention,
       .summary = "Set what is kept for how long; what is left out stays as it is",
       .parameters = {},
       .fields = RetentionFields(),
       .answer = retention,
       .audit = "settings.retention"},
      std::move(preview_route),
      Reading("/api/v1/daily_summaries", GetDailySummaries, "What the last days were, newest first",
              {{"limit", "1 to 400, default 7", {}}}, "daily_summaries"),
  };
}

}  // namespace nta::server
