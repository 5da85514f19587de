#include "schedule/job_state.h"

#include <nlohmann/json.hpp>
#include <stdexcept>

#include "base/status.h"

namespace nta::schedule {
namespace {

using Json = nlohmann::ordered_json;
using std::chrono::nanoseconds;

std::int64_t Nanoseconds(ScheduleTime time) { return time.time_since_epoch().count(); }
// Within 126 years around 1970, so that the difference of any two fits.
ScheduleTime FromNanoseconds(const Json& json) {
  constexpr std::int64_t kMost = std::int64_t{4} * 1'000'000'000'000'000'000;
  const auto value = json.get<std::int64_t>();
  // Thrown to Decode, as the library below throws all else.
  if (value < -kMost || value > kMost) throw std::out_of_range("no such time");
  return ScheduleTime(nanoseconds(value));
}

Json ToJson(const JobTiming& timing) {
  if (const auto* every = std::get_if<Every>(&timing)) {
    return {{"every_seconds", every->interval.count()}};
  }
  const Daily& daily = std::get<Daily>(timing);
  return {{"daily_at_minutes", daily.at.count()}, {"zone", static_cast<int>(daily.zone)}};
}

JobTiming TimingFrom(const Json& json) {
  if (json.contains("every_seconds")) {
    return Every{std::chrono::seconds(json.at("every_seconds").get<std::int64_t>())};
  }
  return Daily{std::chrono::minutes(json.at("daily_at_minutes").get<std::int64_t>()),
               json.at("zone").get<int>() == 0 ? DayZone::kUtc : DayZone::kLocal};
}

Json ToJson(const JobRun& run) {
  return {{"due", Nanoseconds(run.due)},
          {"started", Nanoseconds(run.started)},
          {"finished", run.finished ? Json(Nanoseconds(*run.finished)) : Json()},
          {"cause", static_cast<int>(run.cause)},
          {"outcome", static_cast<int>(run.outcome)},
          {"message", run.message},
          {"missed", run.missed}};
}

template <typename Enum>
Enum EnumFrom(const Json& json, Enum last) {
  const int value = json.get<int>();
  if (value < 0 || value > static_cast<int>(last)) throw std::out_of_range("no such value");
  return static_cast<Enum>(value);
}

JobRun RunFrom(const Json& json) {
  JobRun run;
  run.due = FromNanoseconds(json.at("due"));
  run.started = FromNanoseconds(json.at("started"));
  if (!json.at("finished").is_null()) run.finished = FromNanoseconds(json.at("finished"));
  run.cause = EnumFrom(json.at("cause"), RunCause::kByHand);
  run.outcome = EnumFrom(json.at("outcome"), RunOutcome::kInterrupted);
  run.message = json.at("message").get<std::string>();
  run.missed = json.at("missed").get<std::uint64_t>();
  return run;
}

}  // namespace

std::string Encode(const JobState& state) {
  Json history = Json::array();
  for (const JobRun& run : state.history) history.push_back(ToJson(run));
  const Json json = {{"timing", ToJson(state.timing)},
                     {"timing_is_set", state.timing_is_set},
                     {"paused", state.paused},
                     {"next_due", Nanoseconds(state.next_due)},
                     {"runs", state.runs},
                     {"failures", state.failures},
                     {"missed", state.missed},
                     {"failures_in_a_row", state.failures_in_a_row},
                     {"history", std::move(history)}};
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

absl::StatusOr<JobState> Decode(std::string_view text) {
  // nlohmann throws.
  try {
    const Json json = Json::parse(text);
    JobState state;
    state.timing = TimingFrom(json.at("timing"));
    NTA_RETURN_IF_ERROR(CheckTiming(state.timing));
    // Unknown to older versions.
    state.timing_is_set = json.value("timing_is_set", false);
    state.paused = json.at("paused").get<bool>();
    state.next_due = FromNanoseconds(json.at("next_due"));
    state.runs = json.at("runs").get<std::uint64_t>();
    state.failures = json.at("failures").get<std::uint64_t>();
    state.missed = json.at("missed").get<std::uint64_t>();
    state.failures_in_a_row = json.at("failures_in_a_row").get<std::uint64_t>();
    for (const Json& run : json.at("history")) {
      if (state.history.size() < Scheduler::kKeptRuns) state.history.push_back(RunFrom(run));
    }
    return state;
  } catch (const std::exception&) {
    return base::MakeStatus(absl::StatusCode::kDataLoss, "the state that was kept is damaged");
  }
}

}  // namespace nta::schedule
