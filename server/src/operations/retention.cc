#include "operations/retention.h"

#include <limits>
#include <utility>

#include "base/status.h"
#include "http/json_text.h"

namespace nta::server {
namespace {

constexpr std::uint32_t kMaxDays = 36'500;
constexpr std::uint64_t kLeastBytes = 16 << 20;
constexpr std::uint64_t kLeastBytesOfKind = 1 << 20;
constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 60;

struct Days {
  std::string_view name;
  std::optional<std::uint32_t> RetentionSettings::*member;
};
constexpr Days kDays[] = {{"flow_days", &RetentionSettings::flow_days},
                          {"alert_days", &RetentionSettings::alert_days},
                          {"sample_days", &RetentionSettings::sample_days},
                          {"incident_days", &RetentionSettings::incident_days}};
struct Bytes {
  std::string_view name;
  std::optional<std::uint64_t> RetentionSettings::*member;
};
constexpr Bytes kBytes[] = {{"flow_bytes", &RetentionSettings::flow_bytes},
                            {"alert_bytes", &RetentionSettings::alert_bytes},
                            {"sample_bytes", &RetentionSettings::sample_bytes},
                            {"incident_bytes", &RetentionSettings::incident_bytes},
                            {"max_bytes", &RetentionSettings::max_bytes}};

std::optional<Duration> Age(const std::optional<std::uint32_t>& days) {
  if (!days) return std::nullopt;
  return std::chrono::days(*days);
}

template <typename Number>
std::string OrNull(const std::optional<Number>& value) {
  return value ? std::to_string(*value) : "null";
}

// An integer within bounds, or null. False when it is neither.
template <typename Number>
bool Take(const FlatObject& object, std::string_view name, std::optional<Number>& value) {
  const auto found = object.find(name);
  if (found == object.end()) return false;
  if (std::holds_alternative<std::nullptr_t>(found->second)) {
    value.reset();
    return true;
  }
  const auto* number = std::get_if<std::int64_t>(&found->second);
  if (number == nullptr || *number < 0 ||
      static_cast<std::uint64_t>(*number) > std::numeric_limits<Number>::max()) {
    return false;
  }
  value = static_cast<Number>(*number);
  return true;
}

// These came later: settings of before do without.
bool MayBeMissing(std::string_view name) {
  return name == "incident_days" || (name.ends_with("_bytes") && name != "max_bytes");
}

bool TakeAll(const FlatObject& object, RetentionSettings& settings) {
  const auto take = [&](std::string_view name, auto& value) {
    return Take(object, name, value) || (MayBeMissing(name) && !object.contains(name));
  };
  for (const Days& days : kDays) {
    if (!take(days.name, settings.*days.member)) return false;
  }
  for (const Bytes& bytes : kBytes) {
    if (!take(bytes.name, settings.*bytes.member)) return false;
  }
  return true;
}

}  // namespace

RetentionPolicy PolicyOf(const RetentionSettings& settings) {
  return {.flow_age = Age(settings.flow_days),
          .alert_age = Age(settings.alert_days),
          .sample_age = Age(settings.sample_days),
          .incident_age = Age(settings.incident_days),
          .flow_bytes = settings.flow_bytes,
          .alert_bytes = settings.alert_bytes,
          .sample_bytes = settings.sample_bytes,
          .incident_bytes = settings.incident_bytes,
          .max_bytes = settings.max_bytes};
}

absl::StatusOr<bool> SetMember(RetentionSettings& settings, std::string_view name,
                               std::optional<std::uint64_t> value) {
  for (const Bytes& bytes : kBytes) {
    if (bytes.name != name) continue;
    settings.*bytes.member = value;
    return true;
  }
  for (const Days& days : kDays) {
    if (days.name != name) continue;
    if (value && *value > std::numeric_limits<std::uint32_t>::max()) {
      return base::InvalidArgument("field \"" + std::string(name) + "\" is 1 to 36500 days");
    }
    settings.*days.member =
        value ? std::optional(static_cast<std::uint32_t>(*value)) : std::nullopt;
    return true;
  }
  return false;
}

absl::Status CheckRetention(const RetentionSettings& settings) {
  for (const auto& [name, member] : kDays) {
    const std::optional<std::uint32_t>& days = settings.*member;
    if (!days || (*days >= 1 && *days <= kMaxDays)) continue;
    return base::InvalidArgument("field \"" + std::string(name) + "\" is 1 to 36500 days");
  }
  for (const auto& [name, member] : kBytes) {
    const std::optional<std::uint64_t>& bytes = settings.*member;
    const bool of_all = member == &RetentionSettings::max_bytes;
    if (!bytes || (*bytes >= (of_all ? kLeastBytes : kLeastBytesOfKind) && *bytes <= kMostBytes)) {
      continue;
    }
    return base::InvalidArgument("field \"" + std::string(name) + "\" is " +
                                 (of_all ? "16777216 (16 MiB)" : "1048576 (1 MiB)") + " or more");
  }
  return absl::OkStatus();
}

std::string ToJson(const RetentionSettings& settings) {
  JsonObject json;
  for (const auto& [name, member] : kDays) json.AddJson(name, OrNull(settings.*member));
  for (const auto& [name, member] : kBytes) json.AddJson(name, OrNull(settings.*member));
  return json.Take();
}

absl::StatusOr<RetentionSettings> Retention::Get() const {
  const absl::StatusOr<std::string> text = store_.GetSetting(kSetting);
  if (absl::IsNotFound(text.status())) return RetentionSettings();
  if (!text.ok()) return text.status();
  RetentionSettings settings;
  const absl::StatusOr<FlatObject> object = ParseFlatObject(*text);
  if (object.ok() && TakeAll(*object, settings) && CheckRetention(settings).ok()) return settings;
  return base::MakeStatus(absl::StatusCode::kDataLoss,
                          "the retention settings are damaged; set them anew");
}

absl::Status Retention::Set(const RetentionSettings& settings) {
  NTA_RETURN_IF_ERROR(CheckRetention(settings));
  return store_.PutSetting(kSetting, ToJson(settings));
}

absl::StatusOr<RetentionPreview> Retention::Preview(const RetentionSettings& settings,
                                                    Timestamp now) const {
  NTA_RETURN_IF_ERROR(CheckRetention(settings));
  return store_.PreviewRetain(PolicyOf(settings), now);
}

absl::StatusOr<std::string> Retention::Run(Timestamp now) {
  NTA_ASSIGN_OR_RETURN(const RetentionSettings settings, Get());
  NTA_ASSIGN_OR_RETURN(const RetentionResult result, store_.Retain(PolicyOf(settings), now));
  std::string text = "deleted " + std::to_string(result.flows_deleted) + " flows, " +
                     std::to_string(result.alerts_deleted) + " alerts, " +
                     std::to_string(result.samples_deleted) + " samples";
  if (result.incidents_deleted > 0) {
    text += ", " + std::to_string(result.incidents_deleted) + " incidents";
  }
  if (result.bytes_after < result.bytes_before) {
    text += "; gave back " + std::to_string(result.bytes_before - result.bytes_after) + " bytes";
  }
  // Told, because somebody has to look at the clock.
  if (result.clock_jumped)
    text += "; the clock jumped: ages were counted from a day after the last run";
  return text;
}

}  // namespace nta::server
