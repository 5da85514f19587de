#include "logging/log_settings.h"

#include <charconv>
#include <string>
#include <utility>

#include "app.h"
#include "base/status.h"
#include "http/json_text.h"
#include "nta/json/log_json.h"

namespace nta::server {
namespace {

absl::Status ReadNumber(const TextMap& values, const std::string& name, std::uint64_t most,
                        std::uint64_t& number) {
  const auto found = values.find(name);
  if (found == values.end()) return absl::OkStatus();
  const std::string& text = found->second;
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value > most) {
    return base::InvalidArgument(name + " must be an integer within 0 and " + std::to_string(most));
  }
  number = value;
  return absl::OkStatus();
}

absl::StatusOr<LogRotation> ReadFrom(const TextMap& values, LogRotation rotation) {
  constexpr std::uint64_t kMaxSeconds = 3'000'000'000;
  std::uint64_t keep = rotation.keep;
  auto seconds = static_cast<std::uint64_t>(
      std::chrono::floor<std::chrono::seconds>(rotation.max_age).count());
  NTA_RETURN_IF_ERROR(ReadNumber(values, "max_bytes", std::uint64_t{1} << 40, rotation.max_bytes));
  NTA_RETURN_IF_ERROR(ReadNumber(values, "keep", 10'000, keep));
  NTA_RETURN_IF_ERROR(ReadNumber(values, "max_age_seconds", kMaxSeconds, seconds));
  rotation.keep = static_cast<std::uint32_t>(keep);
  rotation.max_age = std::chrono::seconds(seconds);
  if (const auto packing = values.find("compression"); packing != values.end()) {
    NTA_ASSIGN_OR_RETURN(rotation.compression, ParseLogCompression(packing->second));
  }
  NTA_RETURN_IF_ERROR(CheckLogRotation(rotation));
  return rotation;
}

absl::StatusOr<LogRotation> Parse(std::string_view json, const LogRotation& now) {
  NTA_ASSIGN_OR_RETURN(const JsonMembers members, ParseObject(json));
  TextMap values;
  for (const auto& [name, member] : members) values.emplace(name, member.text);
  return ReadFrom(values, now);
}

}  // namespace

absl::StatusOr<LogRotation> ReadLogRotation(const Call& call, LogRotation rotation) {
  return ReadFrom(call.body, rotation);
}

absl::Status SetLogRotation(Services& services, const LogRotation& rotation) {
  NTA_RETURN_IF_ERROR(services.store.PutSetting(kLogRotationSetting, ToJson(rotation)));
  return services.logs->SetRotation(rotation);
}

void RestoreLogRotation(Services& services) {
  const absl::StatusOr<std::string> kept = services.store.GetSetting(kLogRotationSetting);
  const LogRotation& by_default = services.logs->default_rotation();
  const absl::StatusOr<LogRotation> rotation = !kept.ok() || kept->empty()
                                                   ? absl::StatusOr<LogRotation>(by_default)
                                                   : Parse(*kept, by_default);
  const absl::Status status =
      rotation.ok() ? services.logs->SetRotation(*rotation) : rotation.status();
  if (!status.ok()) {
    Log(LogLevel::kError, "log", "cannot restore the rotation of the log files",
        {{"error", std::string(status.message())}});
  }
}

}  // namespace nta::server
