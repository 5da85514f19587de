#include "nta/json/operations.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/status.h"
#include "json/fields.h"
#include "json/values.h"

namespace nta {
namespace {

using json::Dump;
using json::Fields;
using json::Json;
using json::kRequired;

double Seconds(std::chrono::nanoseconds time) {
  return std::chrono::duration<double>(time).count();
}

template <typename T>
Json OrNull(const std::optional<T>& value) {
  return value ? Json(*value) : Json();
}
Json SecondsOrNull(const std::optional<std::chrono::nanoseconds>& time) {
  return time ? Json(Seconds(*time)) : Json();
}
Json TimeOrNull(const std::optional<Timestamp>& time) {
  return time ? Json(ToString(*time)) : Json();
}
Json Share(std::uint64_t used, std::uint64_t total) {
  return total == 0 ? Json() : Json(static_cast<double>(used) / static_cast<double>(total));
}

template <typename Items, typename Render>
Json List(const Items& items, const Render& render) {
  Json list = Json::array();
  for (const auto& item : items) list.push_back(render(item));
  return list;
}

template <typename Item>
const Item* FindName(const std::vector<Item>& items, const std::string& name) {
  const auto found =
      std::find_if(items.begin(), items.end(), [&](const Item& item) { return item.name == name; });
  return found == items.end() ? nullptr : &*found;
}

Json Usage(const CpuUsage& usage) {
  return {{"usage", usage.usage},
          {"user", usage.user},
          {"system", usage.system},
          {"iowait", usage.iowait},
          {"steal", usage.steal}};
}

Json Memory(const MemoryUse& memory) {
  const std::uint64_t used = memory.total_bytes - memory.available_bytes;
  return {{"total_bytes", memory.total_bytes},
          {"available_bytes", memory.available_bytes},
          {"free_bytes", memory.free_bytes},
          {"cached_bytes", memory.cached_bytes},
          {"usage", Share(used, memory.total_bytes)},
          {"swap_total_bytes", memory.swap_total_bytes},
          {"swap_free_bytes", memory.swap_free_bytes},
          {"limit_bytes", OrNull(memory.limit_bytes)},
          {"limit_used_bytes", OrNull(memory.limit_used_bytes)}};
}

Json Disk(const DiskCounters& disk, const DiskRates* rates) {
  Json json = {{"name", disk.name},
               {"is_partition", disk.is_partition},
               {"reads", disk.reads},
               {"read_bytes", disk.read_bytes},
               {"writes", disk.writes},
               {"written_bytes", disk.written_bytes},
               {"busy_seconds", Seconds(disk.busy)}};
  const auto rate = [&](double DiskRates::*member) {
    return rates == nullptr ? Json() : Json(rates->*member);
  };
  json["reads_per_second"] = rate(&DiskRates::reads);
  json["read_bytes_per_second"] = rate(&DiskRates::read_bytes);
  json["writes_per_second"] = rate(&DiskRates::writes);
  json["written_bytes_per_second"] = rate(&DiskRates::written_bytes);
  json["busy"] = rate(&DiskRates::busy);
  return json;
}

Json FileSystem(const FileSystemUse& system) {
  const std::uint64_t used = system.total_bytes - system.free_bytes;
  return {{"mount_point", system.mount_point},
          {"device", system.device},
          {"type", system.type},
          {"read_only", system.read_only},
          {"total_bytes", system.total_bytes},
          {"free_bytes", system.free_bytes},
          {"available_bytes", system.available_bytes},
          {"usage", Share(used, used + system.available_bytes)},
          {"inodes", system.inodes},
          {"inodes_free", system.inodes_free}};
}

Json Interface(const InterfaceCounters& interface, const InterfaceRates* rates) {
  Json json = {{"name", interface.name},
               {"state", interface.state},
               {"bits_per_second", OrNull(interface.bits_per_second)}};
  const auto add = [&](const std::string& name, std::uint64_t count, double InterfaceRates::*rate) {
    json[name] = count;
    json[name + "_per_second"] = rates == nullptr ? Json() : Json(rates->*rate);
  };
  add("received_bytes", interface.received_bytes, &InterfaceRates::received_bytes);
  add("received_packets", interface.received_packets, &InterfaceRates::received_packets);
  add("received_errors", interface.received_errors, &InterfaceRates::received_errors);
  add("received_drops", interface.received_drops, &InterfaceRates::received_drops);
  add("sent_bytes", interface.sent_bytes, &InterfaceRates::sent_bytes);
  add("sent_packets", interface.sent_packets, &InterfaceRates::sent_packets);
  add("sent_errors", interface.sent_errors, &InterfaceRates::sent_errors);
  add("sent_drops", interface.sent_drops, &InterfaceRates::sent_drops);
  return json;
}

Json Process(const ProcessUse& process, const std::optional<ProcessRates>& rates) {
  return {{"resident_bytes", process.resident_bytes},
          {"virtual_bytes", process.virtual_bytes},
          {"cpu_seconds", Seconds(process.cpu_time)},
          {"cpu", rates ? Json(rates->cpu) : Json()},
          {"threads", process.threads},
          {"open_files", OrNull(process.open_files)},
          {"open_files_limit", OrNull(process.open_files_limit)},
          {"read_bytes", OrNull(process.read_bytes)},
          {"written_bytes", OrNull(process.written_bytes)},
          {"age_seconds", SecondsOrNull(process.age)}};
}

Json Timing(const JobTiming& timing) {
  if (const auto* every = std::get_if<Every>(&timing)) {
    return {{"every_seconds", every->interval.count()}, {"daily_at", nullptr}, {"zone", nullptr}};
  }
  const Daily& daily = std::get<Daily>(timing);
  const auto two = [](std::int64_t number) {
    return (number < 10 ? "0" : "") + std::to_string(number);
  };
  return {{"every_seconds", nullptr},
          {"daily_at", two(daily.at.count() / 60) + ":" + two(daily.at.count() % 60)},
          {"zone", daily.zone == DayZone::kUtc ? "utc" : "local"}};
}

Json Run(const JobRun& run) {
  return {{"due", ToString(run.due)},
          {"started", ToString(run.started)},
          {"finished", TimeOrNull(run.finished)},
          {"seconds", run.finished ? Json(Seconds(*run.finished - run.started)) : Json()},
          {"cause", ToString(run.cause)},
          {"outcome", ToString(run.outcome)},
          {"message", run.message},
          {"missed", run.missed}};
}

absl::StatusOr<Json> ParseArray(std::string_view text) {
  const Json array = Json::parse(text, nullptr, false);
  if (!array.is_array()) return base::InvalidArgument("expected a JSON array");
  return array;
}

// A number that must be there and finite.
void TakeFinite(Fields& fields, const std::string& name, double& out) {
  fields.Take(name, kRequired, [&out](const Json& value) -> std::string {
    if (!value.is_number() || !std::isfinite(value.get<double>())) return "must be a number";
    out = value.get<double>();
    return "";
  });
}

absl::StatusOr<HealthThreshold> ThresholdFrom(const Json& json, std::string prefix) {
  if (!json.is_object()) return base::InvalidArgument(prefix + " must be an object");
  HealthThreshold threshold;
  Fields fields(json, std::move(prefix) + ".");
  std::int64_t hold = 0;
  fields.TakeText("name", kRequired, threshold.name);
  fields.TakeParsed("level", kRequired, threshold.level, ParseHealthLevel);
  TakeFinite(fields, "raise_at", threshold.raise_at);
  TakeFinite(fields, "clear_at", threshold.clear_at);
  fields.TakeInteger("hold_seconds", json::kOptional, hold);
  NTA_RETURN_IF_ERROR(fields.Finish());
  constexpr std::int64_t kDay = 86'400;
  threshold.hold = std::chrono::seconds(std::min(hold, kDay + 1));
  return threshold;
}

absl::StatusOr<HealthFindingState> ParseState(const std::string& text) {
  for (const HealthFindingState state :
       {HealthFindingState::kRaised, HealthFindingState::kCleared, HealthFindingState::kLost}) {
    if (ToString(state) == text) return state;
  }
  return base::InvalidArgument("is no state of a finding");
}

absl::StatusOr<HealthFinding> FindingFrom(const Json& json) {
  if (!json.is_object()) return base::InvalidArgument("a finding must be an object");
  HealthFinding finding;
  Fields fields(json, "");
  fields.TakeText("name", kRequired, finding.name);
  fields.TakeParsed("level", kRequired, finding.level, ParseHealthLevel);
  fields.TakeParsed("state", kRequired, finding.state, ParseState);
  fields.TakeParsed("since", kRequired, finding.since, ParseTimestamp);
  fields.TakeParsed("time", kRequired, finding.time, ParseTimestamp);
  TakeFinite(fields, "value", finding.value);
  TakeFinite(fields, "limit", finding.limit);
  fields.TakeText("summary", kRequired, finding.summary);
  NTA_RETURN_IF_ERROR(fields.Finish());
  return finding;
}

}  // namespace

std::string ToJson(const HealthSample& sample, const HealthRates& rates) {
  Json json;
  json["time"] = ToString(sample.time);
  json["uptime_seconds"] = SecondsOrNull(sample.uptime);
  json["rates_over_seconds"] = rates.elapsed.count() > 0 ? Json(Seconds(rates.elapsed)) : Json();
  json["cpu"] = rates.cpu ? Usage(*rates.cpu) : Json();
  json["core_count"] = sample.cores.size();
  json["cores"] = List(rates.cores, [](const CoreUsage& core) {
    Json one = {{"number", core.number}};
    one.update(Usage(core.usage));
    return one;
  });
  json["load"] = sample.load ? Json{{"one", sample.load->one},
                                    {"five", sample.load->five},
                                    {"fifteen", sample.load->fifteen}}
                             : Json();
  json["memory"] = sample.memory ? Memory(*sample.memory) : Json();
  json["pressure"] = {{"cpu", OrNull(sample.pressure.cpu)},
                      {"memory", OrNull(sample.pressure.memory)},
                      {"io", OrNull(sample.pressure.io)}};
  json["disks"] = List(sample.disks, [&](const DiskCounters& disk) {
    return Disk(disk, FindName(rates.disks, disk.name));
  });
  json["file_systems"] = List(sample.file_systems, FileSystem);
  json["interfaces"] = List(sample.interfaces, [&](const InterfaceCounters& interface) {
    return Interface(interface, FindName(rates.interfaces, interface.name));
  });
  json["temperatures"] = List(sample.temperatures, [](const Temperature& temperature) {
    return Json{{"name", temperature.name},
                {"celsius", temperature.celsius},
                {"critical_celsius", OrNull(temperature.critical_celsius)}};
  });
  json["process"] = sample.process ? Process(*sample.process, rates.process) : Json();
  json["problems"] = sample.problems;
  json["omitted"] = sample.omitted;
  return Dump(json);
}

std::string ToJson(const HealthFinding& finding) {
  const Json json = {{"name", finding.name},
                     {"level", ToString(finding.level)},
                     {"state", ToString(finding.state)},
                     {"since", ToString(finding.since)},
                     {"time", ToString(finding.time)},
                     {"value", finding.value},
                     {"limit", finding.limit},
                     {"summary", finding.summary}};
  return Dump(json);
}

std::string ToJson(const HealthThreshold& threshold) {
  const Json json = {{"name", threshold.name},
                     {"level", ToString(threshold.level)},
                     {"raise_at", threshold.raise_at},
                     {"clear_at", threshold.clear_at},
                     {"hold_seconds", threshold.hold.count()}};
  return Dump(json);
}

std::string ToJson(const JobStatus& status) {
  const Json json = {
      {"name", status.options.name},
      {"description", status.options.description},
      {"timing", Timing(status.options.timing)},
      {"timing_in_words", ToString(status.options.timing)},
      {"default_timing", Timing(status.default_timing)},
      {"least_seconds", status.options.least_interval.count()},
      {"missed_runs", status.options.missed == MissedRuns::kRunOnce ? "run_once" : "skip"},
      {"paused", status.paused},
      {"running", status.running},
      {"requested", status.requested},
      {"next_due", TimeOrNull(status.next_due)},
      {"runs", status.runs},
      {"failures", status.failures},
      {"failures_in_a_row", status.failures_in_a_row},
      {"missed", status.missed},
      {"problem", status.problem},
      {"history", List(status.history, Run)}};
  return Dump(json);
}

absl::StatusOr<std::vector<HealthThreshold>> HealthThresholdsFromJson(std::string_view text) {
  NTA_ASSIGN_OR_RETURN(const Json array, ParseArray(text));
  std::vector<HealthThreshold> thresholds;
  for (const Json& one : array) {
    const std::string prefix = "thresholds[" + std::to_string(thresholds.size()) + "]";
    NTA_ASSIGN_OR_RETURN(HealthThreshold threshold, ThresholdFrom(one, prefix));
    thresholds.push_back(std::move(threshold));
  }
  return thresholds;
}

absl::StatusOr<std::vector<HealthFinding>> HealthFindingsFromJson(std::string_view text) {
  NTA_ASSIGN_OR_RETURN(const Json array, ParseArray(text));
  std::vector<HealthFinding> findings;
  for (const Json& one : array) {
    NTA_ASSIGN_OR_RETURN(HealthFinding finding, FindingFrom(one));
    findings.push_back(std::move(finding));
  }
  return findings;
}

}  // namespace nta
