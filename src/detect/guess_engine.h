// GuessEngine: the brute force detector behind its public face.
#ifndef NTA_SRC_DETECT_GUESS_ENGINE_H_
#define NTA_SRC_DETECT_GUESS_ENGINE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "detect/login.h"
#include "detect/recent_table.h"
#include "detect/scan_source.h"
#include "nta/detect/alert_tracker.h"
#include "nta/detect/brute_force_detector.h"

namespace nta::detect {

class StateReader;
class StateWriter;

// Failures at one account of a group.
struct AccountGuesses {
  std::uint64_t name = 0;  // hashed; that of no name where it is not known
  double score = 0;
  std::uint64_t failed = 0;
  Timestamp first_failed{};
  Timestamp last_failed{};
};

// Failed log-ins that have something in common.
struct Guesses {
  static constexpr std::size_t kNames = 3;
  static constexpr std::size_t kAccounts = 8;

  double score = 0;  // failures that are not forgiven yet, less successes
  Timestamp forgiven_until{};
  std::uint64_t failed = 0;
  std::uint64_t succeeded = 0;
  Timestamp first_failed{};
  Timestamp last_failed{};
  LoginEvidence evidence = LoginEvidence::kCode;
  bool is_web = false;
  LinearCount users;
  LinearCount others;                    // hosts tried by a source, sources that try a service
  std::vector<std::string> user_names;   // the first few
  std::vector<std::string> other_names;  // the first few
  std::vector<AccountGuesses> accounts;  // those that failed most; not of a service

  void Forgive(Timestamp now, Duration one);
  void AddFailures(const Logins& logins, std::uint32_t failed_now, const IpAddress* other,
                   Timestamp now);
  void AddFailuresOfAccount(const std::string& user, std::uint32_t failed_now, Timestamp now);
  // A log-in that works takes back some failures, its account's too.
  void TakeBack(const std::string& user, double worth);
  // Only the failures at that account; those without a name may be its own, unless an application
  // reported them: it leaves out names that nobody has.
  Guesses OfAccount(const std::string& user) const;
  std::size_t heap_bytes() const;
};

// What was counted already of a flow that goes on.
struct CountedFlow {
  std::uint16_t port = 0;  // of the source
  std::uint32_t failed = 0;
  std::uint32_t succeeded = 0;
};

struct GuessPair {
  Guesses guesses;
  std::vector<CountedFlow> flows;
};

struct GuessKey {
  IpAddress source;
  IpAddress destination;
  std::string service;

  friend bool operator==(const GuessKey&, const GuessKey&) = default;
  template <typename H>
  friend H AbslHashValue(H state, const GuessKey& key) {
    return H::combine(std::move(state), key.source, key.destination, key.service);
  }
};

// Whether a group of guesses is of one pair, of one source at many hosts, or of many sources at one
// service.
enum class GuessKind : std::uint8_t { kPair = 0, kSpray = 1, kDistributed = 2 };

class GuessEngine {
 public:
  explicit GuessEngine(const BruteForceOptions& options);

  void Observe(const FlowEvent& event, std::vector<Alert>& alerts);
  void ObserveEvent(const SecurityEvent& event, std::vector<Alert>& alerts);
  void AdvanceTo(Timestamp now, std::vector<Alert>& alerts);
  void Finish(std::vector<Alert>& alerts);
  std::size_t memory_bytes() const;
  std::size_t memory_limit_bytes() const;
  std::uint64_t evictions() const;
  std::string Save() const;
  static absl::StatusOr<GuessEngine> Load(const BruteForceOptions& options, std::string_view state);

 private:
  using Alerts = std::vector<Alert>;
  using Group = std::pair<GuessKey, Guesses>;
  // A log-in to count, from a flow or an event.
  struct Attempt {
    GuessKey key;
    Logins logins;
    std::uint32_t failed = 0;
    std::uint32_t succeeded = 0;
    Timestamp time{};
    std::uint16_t port = 0;  // of the service; 0: not known
  };

  void Count(const Attempt& attempt, Alerts& alerts);
  void CountFailures(const Attempt& attempt, Alerts& alerts);
  void CountSuccess(const Attempt& attempt, Alerts& alerts);
  bool IsBreakIn(const Attempt& attempt, const Guesses& guesses) const;
  bool RaiseBreakIn(const Attempt& attempt, const Guesses& guesses, bool is_known_spray,
                    Alerts& alerts);
  void Weigh(GuessKind kind, const GuessKey& key, const Guesses& guesses, const Attempt& attempt,
             Alerts& alerts);
  bool IsEnough(GuessKind kind, const Guesses& guesses) const;
  Duration ForgiveOne(const Guesses& guesses) const;
  AlertEntity EntityOf(GuessKind kind, const GuessKey& key) const;

  BruteForceOptions options_;
  Timestamp now_ = Timestamp::min();
  RecentTable<GuessKey, GuessPair> pairs_;
  RecentTable<GuessKey, Guesses> sources_;   // without destination
  RecentTable<GuessKey, Guesses> services_;  // without source
  AlertTracker tracker_;
};

void FillGuessAlert(GuessKind kind, const GuessKey& key, const Guesses& guesses, Duration forgive,
                    double limit, Alert& alert);
void FillBreakInAlert(const GuessKey& key, const Guesses& guesses, const std::string& user,
                      Alert& alert);
// A log-in that worked among failures at other accounts.
void FillSpraySuccessAlert(const GuessKey& key, const Guesses& guesses, const std::string& user,
                           std::uint64_t failed_as_user, Alert& alert);
Severity SpraySuccessSeverity(const Guesses& guesses);
Severity GuessSeverity(GuessKind kind, const GuessKey& key, const Guesses& guesses);

}  // namespace nta::detect

#endif  // NTA_SRC_DETECT_GUESS_ENGINE_H_
