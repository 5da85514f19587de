#include "operations/retention.h"

#include <limits>
#include <utility>

#include "base/status.h"
#include "http/json_text.h"

namespace nta::server {
namespace {

constexpr std::uint32_t kMaxDays = 36'500;
constexpr std::uint64_t kLeastBytes = 16 << 20;
constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 60;

std::optional<Duration> Age(const std::optional<std::uint32_t>& days) {
  if (!days) return std::nullopt;
  return std::chrono::days(*days);
}

RetentionPolicy PolicyOf(const RetentionSettings& settings) {
  return {.flow_age = Age(settings.flow_days),
          .alert_age = Age(settings.alert_days),
          .sample_age = Age(settings.sample_days),
          .max_bytes = settings.max_bytes};
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

// 0 when the age reaches back beyond all time.
Timestamp CutOf(std::uint32_t days, Timestamp now) { return now - std::chrono::days(days); }

}  // namespace

absl::Status CheckRetention(const RetentionSettings& settings) {
  const auto check_days = [](std::string_view name, const std::optional<std::uint32_t>& days) {
    if (!days || (*days >= 1 && *days <= kMaxDays)) return absl::OkStatus();
    return base::InvalidArgument("field \"" + std::string(name) + "\" is 1 to 36500 days");
  };
  NTA_RETURN_IF_ERROR(check_days("flow_days", settings.flow_days));
  NTA_RETURN_IF_ERROR(check_days("alert_days", settings.alert_days));
  NTA_RETURN_IF_ERROR(check_days("sample_days", settings.sample_days));
  if (settings.max_bytes &&
      (*settings.max_bytes < kLeastBytes || *settings.max_bytes > kMostBytes)) {
    return base::InvalidArgument("field \"max_bytes\" is 16777216 (16 MiB) or more");
  }
  return absl::OkStatus();
}

std::string ToJson(const RetentionSettings& settings) {
  return JsonObject()
      .AddJson("flow_days", OrNull(settings.flow_days))
      .AddJson("alert_days", OrNull(settings.alert_days))
      .AddJson("sample_days", OrNull(settings.sample_days))
      .AddJson("max_bytes", OrNull(settings.max_bytes))
      .Take();
}

absl::StatusOr<RetentionSettings> Retention::Get() const {
  const absl::StatusOr<std::string> text = store_.GetSetting(kSetting);
  if (absl::IsNotFound(text.status())) return RetentionSettings();
  if (!text.ok()) return text.status();
  RetentionSettings settings;
  const absl::StatusOr<FlatObject> object = ParseFlatObject(*text);
  const bool whole = object.ok() && Take(*object, "flow_days", settings.flow_days) &&
                     Take(*object, "alert_days", settings.alert_days) &&
                     Take(*object, "sample_days", settings.sample_days) &&
                     Take(*object, "max_bytes", settings.max_bytes) &&
                     CheckRetention(settings).ok();
  if (whole) return settings;
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
  RetentionPreview preview;
  if (settings.flow_days) {
    NTA_ASSIGN_OR_RETURN(const TrafficSummary old,
                         store_.Summary({Timestamp(), CutOf(*settings.flow_days, now)}));
    preview.flows = old.total.flows;
  }
  if (settings.alert_days) {
    NTA_ASSIGN_OR_RETURN(const TrafficSummary old,
                         store_.Summary({Timestamp(), CutOf(*settings.alert_days, now)}));
    preview.alerts = old.alerts;
  }
  if (settings.max_bytes) {
    NTA_ASSIGN_OR_RETURN(const StoreSize size, store_.Size());
    const std::uint64_t used = size.file_bytes - size.free_bytes;
    preview.over_max_bytes = used > *settings.max_bytes;
    if (preview.over_max_bytes) {
      preview.excess_bytes = used - *settings.max_bytes;
      preview.flows_by_size = static_cast<std::uint64_t>(static_cast<double>(size.flows) *
                                                         static_cast<double>(preview.excess_bytes) /
                                                         static_cast<double>(used));
    }
  }
  return preview;
}

absl::StatusOr<std::string> Retention::Run(Timestamp now) {
  NTA_ASSIGN_OR_RETURN(const RetentionSettings settings, Get());
  NTA_ASSIGN_OR_RETURN(const RetentionResult result, store_.Retain(PolicyOf(settings), now));
  std::string text = "deleted " + std::to_string(result.flows_deleted) + " flows, " +
                     std::to_string(result.alerts_deleted) + " alerts, " +
                     std::to_string(result.samples_deleted) + " samples";
  if (result.bytes_after < result.bytes_before) {
    text += "; gave back " + std::to_string(result.bytes_before - result.bytes_after) + " bytes";
  }
  // Told, because somebody has to look at the clock.
  if (result.clock_jumped)
    text += "; the clock jumped: ages were counted from a day after the last run";
  return text;
}

}  // namespace nta::server
