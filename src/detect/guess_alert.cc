// What a brute force alert says.
#include <algorithm>
#include <cmath>

#include "absl/strings/str_format.h"
#include "detect/guess_engine.h"
#include "detect/saturating_time.h"
#include "detect/scan_alert.h"

namespace nta::detect {
namespace {

// Two for each: a guesser fails four times as often as others (the ratio of the sequential test for
// scans).
constexpr double kBitsPerFailure = 2;
constexpr double kMaxBits = 64;
constexpr std::uint64_t kMany = 100;
// One account again and again, with long pauses: a program with an old password.
constexpr Duration kOldPasswordPause = std::chrono::seconds(45);

Duration SpanOf(const Guesses& guesses) {
  return std::max(Since(guesses.first_failed, guesses.last_failed), Duration(0));
}

bool LooksForgotten(const Guesses& guesses) {
  const std::uint64_t pauses = std::max<std::uint64_t>(guesses.failed, 2) - 1;
  return guesses.user_names.size() == 1 && guesses.users.Estimate() < 1.5 &&
         SpanOf(guesses) / static_cast<std::int64_t>(pauses) >= kOldPasswordPause;
}

// Each account is tried a few times only.
bool IsSprayOfUsers(const Guesses& guesses) {
  const double users = guesses.users.Estimate();
  return users >= 5 && users * 3 >= static_cast<double>(guesses.failed);
}

std::string Quoted(const std::string& name) { return "\"" + name + "\""; }

std::string Accounts(const Guesses& guesses) {
  const auto users = static_cast<int>(std::lround(guesses.users.Estimate()));
  if (users <= 0) return "";
  if (users == 1) return " as " + Quoted(guesses.user_names.front());
  return absl::StrFormat(" with %d user names", users);
}

std::string_view EvidenceText(LoginEvidence evidence) {
  switch (evidence) {
    case LoginEvidence::kCode:
      return "protocol_code";
    case LoginEvidence::kShape:
      return "session_shape";
    case LoginEvidence::kEvent:
      return "application_event";
  }
  return "";
}

std::string Place(const GuessKey& key) {
  if (key.destination == IpAddress()) return key.service;
  return key.service + " on " + key.destination.ToString();
}

std::string Summary(GuessKind kind, const GuessKey& key, const Guesses& guesses) {
  const std::string times =
      absl::StrFormat("%d times in %s", guesses.failed, DurationText(SpanOf(guesses)));
  const int others = static_cast<int>(std::lround(guesses.others.Estimate()));
  if (kind == GuessKind::kDistributed) {
    return absl::StrFormat("%d sources failed to log in to %s %s%s: distributed brute force",
                           others, Place(key), times, Accounts(guesses));
  }
  if (kind == GuessKind::kSpray) {
    return absl::StrFormat("%s failed to log in to %s on %d hosts %s%s: brute force across hosts",
                           key.source.ToString(), key.service, others, times, Accounts(guesses));
  }
  const std::string start = absl::StrFormat("%s failed to log in to %s %s%s", key.source.ToString(),
                                            Place(key), times, Accounts(guesses));
  if (LooksForgotten(guesses)) return start + ": perhaps a program with an old password";
  return start + (IsSprayOfUsers(guesses) ? ": password spraying" : ": brute force");
}

std::map<std::string, EvidenceValue> Evidence(const Guesses& guesses) {
  const double seconds = std::chrono::duration<double>(SpanOf(guesses)).count();
  std::map<std::string, EvidenceValue> evidence = {
      {"failed_logins", static_cast<std::int64_t>(guesses.failed)},
      {"succeeded_logins", static_cast<std::int64_t>(guesses.succeeded)},
      {"failed_logins_per_minute",
       60 * static_cast<double>(guesses.failed) / std::max(seconds, 1.0)},
      {"known_by", std::string(EvidenceText(guesses.evidence))},
  };
  if (!guesses.user_names.empty()) {
    evidence["distinct_users"] = static_cast<std::int64_t>(std::lround(guesses.users.Estimate()));
    evidence["sample_users"] = guesses.user_names;
  }
  return evidence;
}

std::string Advice(GuessKind kind, const GuessKey& key, const Guesses& guesses) {
  if (kind == GuessKind::kDistributed) {
    return "Limit who may reach " + Place(key) + ", or ask for a key or a second factor.";
  }
  if (LooksForgotten(guesses)) {
    return "Ask who runs " + key.source.ToString() + " to renew the stored password.";
  }
  if (key.source.is_private()) {
    return "Find out which program on " + key.source.ToString() + " tries to log in; isolate it.";
  }
  return "Block " + key.source.ToString() + " and check that no log-in of it succeeded.";
}

}  // namespace

Severity GuessSeverity(GuessKind kind, const GuessKey& key, const Guesses& guesses) {
  if (kind == GuessKind::kDistributed) return Severity::kMedium;
  if (kind == GuessKind::kPair && LooksForgotten(guesses)) return Severity::kLow;
  if (key.source.is_private()) return Severity::kHigh;
  return guesses.failed >= kMany || kind == GuessKind::kSpray ? Severity::kHigh : Severity::kMedium;
}

void FillGuessAlert(GuessKind kind, const GuessKey& key, const Guesses& guesses, Duration forgive,
                    double limit, Alert& alert) {
  const Duration span = SpanOf(guesses);
  alert.score = std::min(kBitsPerFailure * guesses.score, kMaxBits);
  alert.observed = static_cast<double>(guesses.failed);
  alert.expected = static_cast<double>(span.count()) / static_cast<double>(forgive.count());
  alert.band_low = 0;
  alert.band_high = alert.expected + limit;
  alert.unit = "failed log-ins";
  alert.window = span;
  alert.first_seen = guesses.first_failed;
  alert.last_seen = guesses.last_failed;
  alert.evidence = Evidence(guesses);
  if (kind != GuessKind::kPair) {
    const bool is_spray = kind == GuessKind::kSpray;
    alert.evidence[is_spray ? "distinct_hosts" : "distinct_sources"] =
        static_cast<std::int64_t>(std::lround(guesses.others.Estimate()));
    alert.evidence[is_spray ? "sample_hosts" : "sample_sources"] = guesses.other_names;
  }
  const bool is_spray = kind == GuessKind::kSpray || IsSprayOfUsers(guesses);
  alert.technique = is_spray ? "T1110.003" : "T1110.001";
  alert.confidence = LooksForgotten(guesses)                     ? 0.5
                     : guesses.evidence == LoginEvidence::kShape ? 0.8
                                                                 : 0.95;
  alert.advice = Advice(kind, key, guesses);
  alert.summary = Summary(kind, key, guesses);
}

void FillBreakInAlert(const GuessKey& key, const Guesses& guesses, const std::string& user,
                      Alert& alert) {
  alert.score = std::min(kBitsPerFailure * guesses.score, kMaxBits);
  alert.observed = static_cast<double>(guesses.failed);
  alert.expected = 0;
  alert.unit = "failed log-ins before success";
  alert.window = SpanOf(guesses);
  alert.evidence = Evidence(guesses);
  if (!user.empty()) alert.evidence["user"] = user;
  alert.technique = "T1078";
  alert.confidence = guesses.evidence == LoginEvidence::kShape ? 0.7 : 0.95;
  alert.advice = "Assume that the account" + (user.empty() ? "" : " " + Quoted(user)) +
                 " is in foreign hands: end its sessions, change its password, and see what " +
                 key.source.ToString() + " did since.";
  alert.summary = absl::StrFormat(
      "%s logged in to %s%s after %d failed attempts: possible break-in", key.source.ToString(),
      Place(key), user.empty() ? "" : " as " + Quoted(user), guesses.failed);
}

Severity SpraySuccessSeverity(const Guesses& guesses) {
  return IsSprayOfUsers(guesses) ? Severity::kHigh : Severity::kMedium;
}

void FillSpraySuccessAlert(const GuessKey& key, const Guesses& guesses, const std::string& user,
                           std::uint64_t failed_as_user, Alert& alert) {
  FillBreakInAlert(key, guesses, user, alert);
  alert.evidence["failed_logins_of_user"] = static_cast<std::int64_t>(failed_as_user);
  alert.technique = "T1110.003";
  alert.confidence = 0.5;
  alert.advice = "Ask whether it was the owner of " + Quoted(user) + " who logged in from " +
                 key.source.ToString() + "; if not, end its sessions and change its password.";
  alert.summary = absl::StrFormat(
      "%s logged in to %s as %s after %d failed attempts, %d of them at that account: perhaps a "
      "guess that was right",
      key.source.ToString(), Place(key), Quoted(user), guesses.failed, failed_as_user);
}

}  // namespace nta::detect
