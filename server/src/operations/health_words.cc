#include "operations/health_words.h"

#include <array>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <optional>
#include <string_view>

namespace nta::server {
namespace {

std::string Percent(double share) {
  std::array<char, 32> text{};
  const double percent = share * 100;
  std::snprintf(text.data(), text.size(), percent < 10 ? "%.1f %%" : "%.0f %%", percent);
  return text.data();
}

std::string Number(double value) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.3g", value);
  return text.data();
}

// A name of values, what one of them says, and how its number is told.
struct Phrase {
  std::string_view head;
  std::string_view tail;    // with head: "file_system." + X + ".usage"
  std::string_view before;  // "The file system "
  std::string_view middle;  // " is ", behind X
  enum class Show { kPercent, kNumber, kNothing } show;
  std::string_view after;  // " full."
};
using enum Phrase::Show;

constexpr Phrase kPhrases[] = {
    {"cpu.usage", "", "The processors are ", "", kPercent, " busy."},
    {"load.per_core", "", "", "", kNumber, " tasks wait or run for each core."},
    {"memory.usage", "", "", "", kPercent, " of the memory is in use."},
    {"memory_limit.usage", "", "", "", kPercent,
     " of the memory that this service may have is in use."},
    {"swap.usage", "", "", "", kPercent, " of the swap space is in use."},
    {"pressure.memory", "", "Programs wait for memory ", "", kPercent, " of the time."},
    {"pressure.io", "", "Programs wait for disks ", "", kPercent, " of the time."},
    {"file_system.", ".usage", "The file system ", " is ", kPercent, " full."},
    {"file_system.", ".inode_usage", "The file system ", " has used ", kPercent,
     " of the files it can hold."},
    {"temperature.", ".of_critical", "", " is at ", kPercent, " of its critical temperature."},
    {"process.open_files_usage", "", "This server has opened ", "", kPercent,
     " of the files it may."},
    {"pipeline.loss", "", "", "", kPercent, " of the packets are lost before they are seen."},
    {"pipeline.flow_table_fill", "", "The flow table is ", "", kPercent,
     " full; when it is full, flows end early."},
    {"pipeline.store_queue_fill", "", "The queue before the database is ", "", kPercent,
     " full; when it is full, flows are lost."},
    {"pipeline.lag_seconds", "", "The capture is ", "", kNumber, " s behind the clock."},
    {"pipeline.failed", "", "The capture has failed.", "", kNothing, ""},
    {"store.failed", "", "The database cannot be written.", "", kNothing, ""},
    {"api.latency_p99_seconds", "", "One request in a hundred takes longer than ", "", kNumber,
     " s."},
    {"schedule.failing_jobs", "", "Scheduled jobs that failed at their last run: ", "", kNumber,
     "."},
};

const Phrase* FindPhrase(std::string_view name) {
  for (const Phrase& phrase : kPhrases) {
    if (phrase.tail.empty() ? name == phrase.head
                            : name.size() > phrase.head.size() + phrase.tail.size() &&
                                  name.starts_with(phrase.head) && name.ends_with(phrase.tail)) {
      return &phrase;
    }
  }
  return nullptr;
}

std::string Sentence(const Phrase& phrase, const HealthFinding& finding) {
  std::string text(phrase.before);
  if (!phrase.tail.empty()) {
    const std::size_t size = finding.name.size() - phrase.head.size() - phrase.tail.size();
    text += finding.name.substr(phrase.head.size(), size);
  }
  text += phrase.middle;
  if (phrase.show == kPercent) text += Percent(finding.value);
  if (phrase.show == kNumber) text += Number(finding.value);
  return text.append(phrase.after);
}

// What would follow does not, when it is over.
std::string WithoutConsequence(std::string sentence) {
  const std::size_t at = sentence.find("; when");
  return at == std::string::npos ? sentence : sentence.substr(0, at) + ".";
}

}  // namespace

std::string InWords(const HealthFinding& finding) {
  const Phrase* const phrase = FindPhrase(finding.name);
  if (phrase == nullptr) return finding.summary;
  switch (finding.state) {
    case HealthFindingState::kRaised:
      return Sentence(*phrase, finding);
    case HealthFindingState::kCleared:
      return (phrase->show == kNothing ? "Over: " : "Well again: ") +
             WithoutConsequence(Sentence(*phrase, finding));
    case HealthFindingState::kLost:
      return "No longer known: " + Sentence(*phrase, finding);
  }
  return finding.summary;
}

Alert ToAlert(const HealthFinding& finding) {
  const Phrase* const phrase = FindPhrase(finding.name);
  const bool percent = phrase != nullptr && phrase->show == kPercent;
  const double factor = percent ? 100 : 1;
  const auto began = std::chrono::floor<std::chrono::seconds>(finding.since);
  Alert alert;
  alert.id = "health-" + std::string(ToString(finding.level)) + "-" + finding.name + "-" +
             std::to_string(began.time_since_epoch().count());
  alert.time = finding.time;
  alert.detector = "health";
  // A limit that somebody set was crossed.
  alert.alert_class = AlertClass::kPolicy;
  alert.severity =
      finding.level == HealthLevel::kCritical ? Severity::kCritical : Severity::kMedium;
  alert.observed = finding.value * factor;
  alert.expected = finding.limit * factor;
  alert.unit = percent ? "%" : "";
  alert.window = finding.time - finding.since;
  alert.evidence["value"] = finding.name;
  alert.state =
      finding.state == HealthFindingState::kRaised ? AlertState::kOpen : AlertState::kClosed;
  alert.count = finding.state == HealthFindingState::kRaised ? 1 : 2;
  alert.summary = InWords(finding);
  return alert;
}

std::vector<HealthThreshold> ServerHealthThresholds() {
  using std::chrono::minutes;
  using std::chrono::seconds;
  constexpr HealthLevel kWarning = HealthLevel::kWarning;
  constexpr HealthLevel kCritical = HealthLevel::kCritical;
  return {
      {"pipeline.loss", kWarning, 0.01, 0.001, seconds(30)},
      {"pipeline.loss", kCritical, 0.10, 0.05, seconds(30)},
      {"pipeline.flow_table_fill", kWarning, 0.90, 0.80, seconds(0)},
      {"pipeline.store_queue_fill", kWarning, 0.50, 0.20, seconds(10)},
      {"pipeline.store_queue_fill", kCritical, 0.95, 0.80, seconds(0)},
      {"pipeline.lag_seconds", kWarning, 60, 10, seconds(30)},
      {"pipeline.failed", kCritical, 1, 0, seconds(0)},
      {"store.failed", kCritical, 1, 0, seconds(0)},
      {"api.latency_p99_seconds", kWarning, 2, 0.5, minutes(2)},
      {"schedule.failing_jobs", kWarning, 1, 0, seconds(0)},
  };
}

}  // namespace nta::server
