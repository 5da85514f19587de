#include "nta/health/health_watch.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <utility>

#include "base/status.h"

namespace nta {
namespace {

constexpr std::size_t kMaxThresholds = 256;
constexpr std::size_t kMaxNameBytes = 256;

bool Matches(std::string_view pattern, std::string_view name) {
  const std::size_t star = pattern.find('*');
  if (star == std::string_view::npos) return pattern == name;
  const std::string_view head = pattern.substr(0, star);
  const std::string_view tail = pattern.substr(star + 1);
  return name.size() >= head.size() + tail.size() && name.starts_with(head) && name.ends_with(tail);
}

bool HighIsBad(const HealthThreshold& threshold) { return threshold.raise_at > threshold.clear_at; }
bool IsBeyond(const HealthThreshold& threshold, double value) {
  return HighIsBad(threshold) ? value >= threshold.raise_at : value <= threshold.raise_at;
}
bool IsGood(const HealthThreshold& threshold, double value) {
  return HighIsBad(threshold) ? value <= threshold.clear_at : value >= threshold.clear_at;
}

std::string Number(double value) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.4g", value);
  return text.data();
}

std::string Summary(const HealthThreshold& threshold, const HealthFinding& finding) {
  switch (finding.state) {
    case HealthFindingState::kRaised:
      return finding.name + " is " + Number(finding.value) + ": " + Number(threshold.raise_at) +
             (HighIsBad(threshold) ? " or more is " : " or less is ") +
             std::string(ToString(threshold.level));
    case HealthFindingState::kCleared:
      return finding.name + " is " + Number(finding.value) + " again";
    case HealthFindingState::kLost:
      return finding.name + " is no longer told; it was " + Number(finding.value);
  }
  return "";
}

absl::Status Check(const HealthThreshold& threshold) {
  const auto wrong = [&](std::string_view what) {
    return base::InvalidArgument("threshold \"" + threshold.name.substr(0, kMaxNameBytes) +
                                 "\": " + std::string(what));
  };
  if (threshold.name.empty() || threshold.name.size() > kMaxNameBytes) {
    return wrong("the name has 1 to 256 characters");
  }
  if (std::count(threshold.name.begin(), threshold.name.end(), '*') > 1) {
    return wrong("the name holds one * at the most");
  }
  if (!std::isfinite(threshold.raise_at) || !std::isfinite(threshold.clear_at)) {
    return wrong("raise_at and clear_at are finite numbers");
  }
  if (threshold.raise_at == threshold.clear_at) {
    return wrong("raise_at and clear_at differ, so that a trembling value is one finding");
  }
  if (threshold.hold < std::chrono::seconds(0) || threshold.hold > std::chrono::hours(24)) {
    return wrong("hold is 0 seconds to a day");
  }
  return absl::OkStatus();
}

}  // namespace

std::string_view ToString(HealthLevel level) {
  return level == HealthLevel::kWarning ? "warning" : "critical";
}

absl::StatusOr<HealthLevel> ParseHealthLevel(std::string_view text) {
  if (text == "warning") return HealthLevel::kWarning;
  if (text == "critical") return HealthLevel::kCritical;
  return base::InvalidArgument("\"" + std::string(text.substr(0, 60)) +
                               "\" is no level (warning, critical)");
}

std::string_view ToString(HealthFindingState state) {
  switch (state) {
    case HealthFindingState::kRaised:
      return "raised";
    case HealthFindingState::kCleared:
      return "cleared";
    case HealthFindingState::kLost:
      return "lost";
  }
  return "";
}

std::vector<HealthThreshold> DefaultHealthThresholds() {
  using std::chrono::minutes;
  using std::chrono::seconds;
  constexpr HealthLevel kWarning = HealthLevel::kWarning;
  constexpr HealthLevel kCritical = HealthLevel::kCritical;
  return {
      {"cpu.usage", kWarning, 0.95, 0.85, minutes(5)},
      {"load.per_core", kWarning, 4, 2, minutes(5)},
      {"memory.usage", kWarning, 0.90, 0.85, minutes(1)},
      {"memory.usage", kCritical, 0.97, 0.93, seconds(30)},
      {"memory_limit.usage", kWarning, 0.90, 0.85, minutes(1)},
      {"memory_limit.usage", kCritical, 0.97, 0.93, seconds(30)},
      {"swap.usage", kWarning, 0.80, 0.60, minutes(5)},
      {"pressure.memory", kWarning, 0.20, 0.05, minutes(1)},
      {"pressure.io", kWarning, 0.60, 0.30, minutes(5)},
      {"file_system.*.usage", kWarning, 0.90, 0.87, seconds(0)},
      {"file_system.*.usage", kCritical, 0.97, 0.95, seconds(0)},
      {"file_system.*.inode_usage", kWarning, 0.90, 0.87, seconds(0)},
      {"temperature.*.of_critical", kWarning, 0.90, 0.85, minutes(1)},
      {"temperature.*.of_critical", kCritical, 1.0, 0.95, seconds(0)},
      {"process.open_files_usage", kWarning, 0.80, 0.70, seconds(0)},
  };
}

absl::StatusOr<HealthWatch> HealthWatch::Create(std::vector<HealthThreshold> thresholds) {
  if (thresholds.size() > kMaxThresholds) {
    return base::InvalidArgument("more than 256 thresholds");
  }
  for (const HealthThreshold& threshold : thresholds) NTA_RETURN_IF_ERROR(Check(threshold));
  return HealthWatch(std::move(thresholds));
}

std::vector<HealthFinding> HealthWatch::Observe(HealthTime now,
                                                std::span<const HealthValue> values) {
  std::vector<HealthFinding> changes;
  // Nobody knows how long a value has been what it is when the clock went back.
  if (now < last_) {
    for (auto& [key, state] : states_) state.turning.reset();
  }
  last_ = now;
  ++round_;
  for (const HealthValue& value : values) {
    for (std::size_t i = 0; i < thresholds_.size(); ++i) {
      if (Matches(thresholds_[i].name, value.name)) ObserveValue(now, i, value, changes);
    }
  }
  DropLost(now, changes);
  return changes;
}

void HealthWatch::ObserveValue(HealthTime now, std::size_t index, const HealthValue& value,
                               std::vector<HealthFinding>& changes) {
  const HealthThreshold& threshold = thresholds_[index];
  const Key key{index, value.name};
  auto found = states_.find(key);
  if (found == states_.end()) {
    if (!IsBeyond(threshold, value.value)) return;
    found = states_.emplace(key, State{}).first;
  }
  State& state = found->second;
  state.round = round_;
  const bool turns =
      state.raised ? IsGood(threshold, value.value) : IsBeyond(threshold, value.value);
  if (!turns) {
    state.turning.reset();
    if (state.raised) {
      state.finding.value = value.value;
    } else {
      states_.erase(found);
    }
    return;
  }
  if (!state.turning) state.turning = now;
  if (now - *state.turning < threshold.hold) return;
  const HealthTime since = state.raised ? state.finding.since : *state.turning;
  state.raised = !state.raised;
  state.turning.reset();
  state.finding = {value.name,
                   threshold.level,
                   state.raised ? HealthFindingState::kRaised : HealthFindingState::kCleared,
                   since,
                   now,
                   value.value,
                   threshold.raise_at,
                   ""};
  state.finding.summary = Summary(threshold, state.finding);
  changes.push_back(state.finding);
  if (!state.raised) states_.erase(found);
}

// What was not told twice in a row: once may be a file that could not be read, or a rate without a
// sample before it. One that was only on its way is forgotten in silence.
void HealthWatch::DropLost(HealthTime now, std::vector<HealthFinding>& changes) {
  for (auto state = states_.begin(); state != states_.end();) {
    if (state->second.round + 1 >= round_) {
      ++state;
      continue;
    }
    if (state->second.raised) {
      HealthFinding& finding = state->second.finding;
      finding.state = HealthFindingState::kLost;
      finding.time = now;
      finding.summary = Summary(thresholds_[state->first.threshold], finding);
      changes.push_back(std::move(finding));
    }
    state = states_.erase(state);
  }
}

std::vector<HealthFinding> HealthWatch::Active() const {
  std::vector<HealthFinding> active;
  for (const auto& [key, state] : states_) {
    if (state.raised) active.push_back(state.finding);
  }
  std::stable_sort(active.begin(), active.end(),
                   [](const auto& a, const auto& b) { return a.level > b.level; });
  return active;
}

std::vector<HealthFinding> HealthWatch::Restore(HealthTime now,
                                                std::span<const HealthFinding> active) {
  std::vector<HealthFinding> lost;
  for (HealthFinding finding : active) {
    std::size_t index = 0;
    while (index < thresholds_.size() && (thresholds_[index].level != finding.level ||
                                          !Matches(thresholds_[index].name, finding.name))) {
      ++index;
    }
    if (index < thresholds_.size()) {
      finding.state = HealthFindingState::kRaised;
      const Key key{index, finding.name};
      states_[key] = {
          .raised = true, .turning = std::nullopt, .finding = std::move(finding), .round = round_};
    } else {
      finding.state = HealthFindingState::kLost;
      finding.time = now;
      finding.summary = finding.name + " is no longer watched";
      lost.push_back(std::move(finding));
    }
  }
  return lost;
}

}  // namespace nta
