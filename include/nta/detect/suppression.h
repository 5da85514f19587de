// Suppressions: which alerts nobody wants to see, for how long, why, and how many that were.
//
//   auto filter = nta::AlertFilter::Create({{.id = "backup", .sources = {*backup_host},
//                                            .reason = "nightly backup", .author = "ops"}});
//   filter->Apply(alerts);                    // alert.suppressed_by tells which one hides it
#ifndef NTA_DETECT_SUPPRESSION_H_
#define NTA_DETECT_SUPPRESSION_H_

#include <bitset>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "nta/detect/alert.h"
#include "nta/net/ip_address.h"
#include "nta/net/port_range.h"
#include "nta/net/time.h"

namespace nta {

enum class SuppressionKind : std::uint8_t {
  kSuppression = 0,  // somebody has looked at it and does not want to see it again
  kMaintenance = 1,  // known work: scoped by time
  kAllow = 2,        // known good: these networks, ports and domains may do that
};
std::string_view ToString(SuppressionKind kind);  // "suppression", "maintenance", "allow"
absl::StatusOr<SuppressionKind> ParseSuppressionKind(std::string_view text);

// Every week on these days, from `begin` to `end` after midnight UTC; `end` at or before `begin`
// lies on the day after.
struct WeeklyTime {
  std::bitset<7> days;  // 0 is Monday
  Duration begin{};
  Duration end{};  // at most a day

  bool Contains(Timestamp time) const;
  friend bool operator==(const WeeklyTime&, const WeeklyTime&) = default;
};
// "mon-fri 22:00-06:00", "sat,sun 00:00-24:00", "daily 02:00-04:30".
absl::StatusOr<WeeklyTime> ParseWeeklyTime(std::string_view text);
std::string ToString(const WeeklyTime& time);

// All that is named has to fit; what is empty fits everything. At least one of the scopes or a time
// has to be named.
struct Suppression {
  std::string id{};
  SuppressionKind kind = SuppressionKind::kSuppression;
  std::vector<IpPrefix> sources{};
  std::vector<IpPrefix> destinations{};
  std::vector<IpPrefix> hosts{};         // source or destination
  std::vector<PortRange> ports{};        // of the entity's service
  std::vector<std::string> domains{};    // "example.org" also means all below it
  std::vector<std::string> detectors{};  // names; "rule:ssh"
  std::vector<AlertClass> classes{};
  std::optional<Timestamp> begins{};   // alerts from then on
  std::optional<Timestamp> expires{};  // alerts before that
  std::optional<WeeklyTime> weekly{};
  std::string reason{};  // required
  std::string author{};
  Timestamp created{};

  friend bool operator==(const Suppression&, const Suppression&) = default;
};

// InvalidArgument names what is wrong: no reason, no scope, an end before the beginning, texts
// longer than 1,000 bytes, more than 1,000 entries in a list.
absl::Status Validate(const Suppression& suppression);

// Whether the alert, in the state that it is in, is one that the suppression means. Time is that of
// the alert.
bool Matches(const Suppression& suppression, const Alert& alert);

struct SuppressionCount {
  std::uint64_t alerts = 0;  // different alerts that were hidden, wholly or from some state on
  std::uint64_t states = 0;  // of them: openings, updates and closings
  Timestamp last{};          // time of the last of them

  friend bool operator==(const SuppressionCount&, const SuppressionCount&) = default;
};

// Sets Alert::suppressed_by of what detectors found. An alert that was shown when it opened is
// shown when it closes, and one that opened hidden is shown from the first state on that nothing
// hides any more, so that whoever watches sees no alert without end. One thread at a time.
class AlertFilter {
 public:
  // Remembers so many alerts that are hidden; beyond that the oldest is forgotten, and its closing
  // is shown.
  static constexpr std::size_t kMostHidden = 65'536;

  AlertFilter();
  ~AlertFilter();
  AlertFilter(AlertFilter&&) noexcept;
  AlertFilter& operator=(AlertFilter&&) noexcept;

  // InvalidArgument for an invalid one, or an id that appears twice.
  static absl::StatusOr<AlertFilter> Create(std::vector<Suppression> suppressions);
  // Takes others in place of those in use; what is known of open alerts stays, and so do the
  // counts of those that stay.
  absl::Status Replace(std::vector<Suppression> suppressions);

  // Marks what is hidden.
  void Apply(std::vector<Alert>& alerts);
  // By id; of every suppression in use.
  std::map<std::string, SuppressionCount> Counts() const;
  // Adds what was counted before, by an earlier process say.
  void AddCount(std::string_view id, const SuppressionCount& count);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace nta

#endif  // NTA_DETECT_SUPPRESSION_H_
