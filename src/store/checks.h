// What every backend checks before it keeps or answers something, and what it says then.
#ifndef NTA_STORE_CHECKS_H_
#define NTA_STORE_CHECKS_H_

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "nta/store/store.h"

namespace nta::store {

inline constexpr std::string_view kAdmin = "admin";

// InvalidArgument for a flow that the store cannot keep: it ends before it begins, lasts longer
// than kLongestFlow or counts beyond kMaxCount.
absl::Status CheckFlow(const FlowRecord& flow);
// Names the one that is wrong.
absl::Status CheckFlows(std::span<const FlowRecord> flows);
absl::Status CheckCounts(const CaptureCounts& counts);
absl::Status CheckInterval(const TimeInterval& interval);
absl::Status CheckLimit(std::size_t limit, std::size_t most);
// `what` as in "the name of a setting".
absl::Status CheckName(std::string_view what, std::string_view name);
absl::Status CheckSetting(std::string_view name, std::string_view value);
absl::Status CheckDocument(const Document& document);
// That the writer has seen what it is about to replace; `present` is 0 when there is nothing.
absl::Status CheckVersion(const Document& document, std::int64_t present);
absl::Status CheckSamples(std::span<const Sample> samples);
absl::Status CheckSampleQuery(const SampleQuery& query);
absl::Status CheckRetention(const RetentionPolicy& policy);

absl::Status NoAlert(std::string_view id);
absl::Status NoUser(std::string_view username);
absl::Status UserExists(std::string_view username);
absl::Status IsLastAdmin(std::string_view username);
absl::Status NoSetting(std::string_view name);
absl::Status NoDocument(std::string_view kind, std::string_view id);
absl::Status TooManySteps();

// The points of one line, from samples in the order of time.
class SampleSteps {
 public:
  explicit SampleSteps(const SampleQuery& query);

  // Whole steps.
  Timestamp since() const { return since_; }
  Timestamp until() const { return until_; }
  // False when there would be too many points.
  bool Add(Timestamp time, double value);
  std::vector<SamplePoint> Take() { return std::move(points_); }

 private:
  Timestamp Floor(Timestamp time) const;

  const Duration step_;
  const Timestamp since_;
  const Timestamp until_;
  std::vector<SamplePoint> points_;
};

}  // namespace nta::store

#endif  // NTA_STORE_CHECKS_H_
