// Backups and the policy of pruning as people and programs read them.
#include <algorithm>
#include <string>

#include "base/status.h"
#include "http/json_text.h"
#include "nta/net/time.h"
#include "operations/backups.h"

namespace nta::server {

std::string Moment(BackupTime time) {
  constexpr std::size_t kDate = 10;   // "2026-11-22"
  constexpr std::size_t kClock = 19;  // and "T08:00:00"
  std::string text = nta::ToString(time).substr(0, kClock);
  if (text.size() > kDate) text[kDate] = ' ';
  return text + " UTC";
}

std::string ToJson(const BackupInfo& info) {
  JsonObject json;
  json.Add("name", info.name)
      .Add("time", nta::ToString(info.time))
      .Add("stored_bytes", info.stored_bytes)
      .Add("content_bytes", info.content_bytes)
      .Add("kind", info.kind)
      .Add("tool", info.tool)
      .AddJson("schema_version", std::to_string(info.schema_version))
      .Add("compression", nta::ToString(info.compression))
      .AddJson("encrypted", info.is_encrypted ? "true" : "false");
  if (info.verified) {
    json.Add("verified", nta::ToString(*info.verified));
  } else {
    json.AddJson("verified", "null");
  }
  return json.Add("problem", info.problem).Take();
}

std::string ToJson(const PrunePolicy& policy) {
  JsonObject json;
  json.Add("last", std::uint64_t{policy.last})
      .Add("daily", std::uint64_t{policy.daily})
      .Add("weekly", std::uint64_t{policy.weekly})
      .Add("monthly", std::uint64_t{policy.monthly});
  if (policy.max_bytes) json.Add("max_bytes", *policy.max_bytes);
  return json.Take();
}

absl::StatusOr<PrunePolicy> ParsePolicy(std::string_view json) {
  NTA_ASSIGN_OR_RETURN(const FlatObject object, ParseFlatObject(json));
  PrunePolicy policy;
  for (const auto& [name, value] : object) {
    const auto* number = std::get_if<std::int64_t>(&value);
    if (number == nullptr || *number < 0) {
      return base::InvalidArgument("\"" + name + "\" is a whole number from 0 on");
    }
    const auto count = static_cast<std::uint64_t>(*number);
    if (name == "last") policy.last = count;
    if (name == "daily") policy.daily = count;
    if (name == "weekly") policy.weekly = count;
    if (name == "monthly") policy.monthly = count;
    if (name == "max_bytes" && count > 0) policy.max_bytes = count;
  }
  constexpr std::uint64_t kMost = 10'000;
  if (std::max({policy.last, policy.daily, policy.weekly, policy.monthly}) > kMost) {
    return base::InvalidArgument("a policy keeps at most 10000 of a kind");
  }
  return policy;
}

}  // namespace nta::server
