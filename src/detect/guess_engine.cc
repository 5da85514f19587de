#include "detect/guess_engine.h"

#include <algorithm>
#include <chrono>

#include "base/keyed_hash.h"
#include "detect/contact.h"
#include "detect/saturating_time.h"

namespace nta::detect {
namespace {

// A log-in that works takes back as much as two failures give.
constexpr double kSuccessWorth = 2;
// More says nothing further, and has to be forgiven one by one.
constexpr double kMostScore = 200;
constexpr std::size_t kMostFlows = 16;
constexpr std::size_t kMostService = 40;
constexpr std::size_t kMostName = 64;
// HTTP refuses in the course of ordinary use: 30 in five minutes are not ordinary.
constexpr std::int64_t kWebForgivesFaster = 180;
constexpr Duration kServiceForgives = std::chrono::minutes(2);
constexpr Duration kQuiet = std::chrono::minutes(10);
constexpr Duration kLongestQuiet = std::chrono::hours(24);
constexpr Duration kSuccessWithin = std::chrono::hours(1);

// Fixed on purpose: names that collide only make their number look smaller.
constexpr base::KeyedHash kNameHash(0x10610);

void Remember(std::vector<std::string>& names, std::string name, LinearCount& count) {
  if (name.empty()) return;
  count.Add(kNameHash.Bytes(name.data(), name.size()));
  if (names.size() >= Guesses::kNames) return;
  if (name.size() > kMostName) name.resize(kMostName);
  if (std::find(names.begin(), names.end(), name) == names.end()) {
    names.push_back(std::move(name));
  }
}

BruteForceOptions Sane(BruteForceOptions options) {
  options.min_failures = std::max<std::size_t>(options.min_failures, 2);
  options.min_web_failures = std::max<std::size_t>(options.min_web_failures, 2);
  options.min_spray_failures = std::max<std::size_t>(options.min_spray_failures, 2);
  options.min_spray_hosts = std::max<std::size_t>(options.min_spray_hosts, 2);
  options.min_distributed_failures = std::max<std::size_t>(options.min_distributed_failures, 2);
  options.min_distributed_sources = std::max<std::size_t>(options.min_distributed_sources, 2);
  options.failures_before_success = std::max<std::size_t>(options.failures_before_success, 1);
  options.forgive_one = std::clamp(options.forgive_one, Duration(std::chrono::seconds(1)),
                                   Duration(std::chrono::hours(24 * 30)));
  options.max_entries = std::clamp<std::size_t>(options.max_entries, 4, std::size_t{1} << 22);
  return options;
}

}  // namespace

void Guesses::Forgive(Timestamp now, Duration one) {
  const Duration passed = Since(forgiven_until, now);
  if (passed > Duration(0)) {
    score -= static_cast<double>(passed.count()) / static_cast<double>(one.count());
    forgiven_until = now;
    for (AccountGuesses& account : accounts) {
      account.score -= static_cast<double>(passed.count()) / static_cast<double>(one.count());
    }
    std::erase_if(accounts, [](const AccountGuesses& account) { return account.score <= 0; });
  }
  if (score > 0) return;
  *this = {};
  forgiven_until = now;
}

void Guesses::AddFailures(const Logins& logins, std::uint32_t failed_now, const IpAddress* other,
                          Timestamp now) {
  if (failed == 0) first_failed = now;
  last_failed = now;
  failed += failed_now;
  score = std::min(score + failed_now, kMostScore);
  evidence = logins.evidence;
  is_web = logins.is_web;
  Remember(user_names, logins.user, users);
  if (other != nullptr) Remember(other_names, other->ToString(), others);
}

void Guesses::AddFailuresOfAccount(const std::string& user, std::uint32_t failed_now,
                                   Timestamp now) {
  const std::uint64_t name = kNameHash.Bytes(user.data(), user.size());
  auto found = std::find_if(accounts.begin(), accounts.end(),
                            [&](const AccountGuesses& account) { return account.name == name; });
  if (found == accounts.end()) {
    // Who tries many accounts does not hide the one that is tried most.
    if (accounts.size() >= kAccounts) {
      accounts.erase(std::min_element(
          accounts.begin(), accounts.end(),
          [](const AccountGuesses& a, const AccountGuesses& b) { return a.score < b.score; }));
    }
    found = accounts.insert(accounts.end(), {.name = name, .first_failed = now});
  }
  found->score = std::min(found->score + failed_now, kMostScore);
  found->failed += failed_now;
  found->last_failed = now;
}

void Guesses::TakeBack(const std::string& user, double worth) {
  score = std::max(0.0, score - worth);
  const std::uint64_t name = kNameHash.Bytes(user.data(), user.size());
  for (AccountGuesses& account : accounts) {
    if (account.name == name) account.score -= worth;
  }
  std::erase_if(accounts, [](const AccountGuesses& account) { return account.score <= 0; });
}

Guesses Guesses::OfAccount(const std::string& user) const {
  const std::uint64_t name = kNameHash.Bytes(user.data(), user.size());
  const std::uint64_t unnamed = kNameHash.Bytes("", 0);
  Guesses own = *this;
  own.score = 0;
  own.failed = 0;
  own.users = {};
  own.user_names.clear();
  for (const AccountGuesses& account : accounts) {
    const bool may_be = account.name == unnamed && evidence != LoginEvidence::kEvent;
    if (account.name != name && !may_be) continue;
    own.first_failed =
        own.failed == 0 ? account.first_failed : std::min(own.first_failed, account.first_failed);
    own.last_failed =
        own.failed == 0 ? account.last_failed : std::max(own.last_failed, account.last_failed);
    own.score = std::min(own.score + account.score, kMostScore);
    own.failed += account.failed;
    if (account.name == name) Remember(own.user_names, user, own.users);
  }
  return own;
}

std::size_t Guesses::heap_bytes() const {
  std::size_t bytes = (user_names.capacity() + other_names.capacity()) * sizeof(std::string) +
                      accounts.capacity() * sizeof(AccountGuesses);
  for (const std::string& name : user_names)
    bytes += name.capacity() > 15 ? name.capacity() + 17 : 0;
  for (const std::string& name : other_names) {
    bytes += name.capacity() > 15 ? name.capacity() + 17 : 0;
  }
  return bytes;
}

GuessEngine::GuessEngine(const BruteForceOptions& options)
    : options_(Sane(options)),
      pairs_(options_.max_entries),
      sources_(options_.max_entries),
      services_(options_.max_entries),
      tracker_("brute_force", options_.alerts) {}

void GuessEngine::Observe(const FlowEvent& event, Alerts& alerts) {
  AdvanceTo(event.time, alerts);
  const FlowRecord& flow = event.flow;
  const std::optional<Logins> logins = LoginsOf(flow, event.closes_record());
  if (!logins) return;
  Attempt attempt{.key = {flow.source.address, flow.destination.address, LoginService(flow)},
                  .logins = *logins,
                  .failed = logins->failed,
                  .succeeded = logins->succeeded,
                  .time = now_,
                  .port = flow.destination.port};
  // Who never fails, nearly everybody, costs nothing.
  GuessPair* pair = pairs_.Find(attempt.key);
  if (pair == nullptr && logins->failed == 0) {
    if (attempt.succeeded > 0 && event.closes_record()) Count(attempt, alerts);
    return;
  }
  if (pair == nullptr) pair = &pairs_.FindOrAdd(attempt.key);
  auto counted = std::find_if(pair->flows.begin(), pair->flows.end(),
                              [&](const CountedFlow& f) { return f.port == flow.source.port; });
  const bool is_over = event.type == FlowEventType::kEnded;
  if (counted != pair->flows.end()) {
    attempt.failed -= std::min(attempt.failed, counted->failed);
    attempt.succeeded -= std::min(attempt.succeeded, counted->succeeded);
  } else if (!is_over) {
    // What cannot be remembered is counted when the flow ends.
    if (pair->flows.size() >= kMostFlows) return;
    counted = pair->flows.insert(pair->flows.end(), {.port = flow.source.port});
  }
  if (is_over) {
    if (counted != pair->flows.end()) pair->flows.erase(counted);
  } else {
    counted->failed = logins->failed;
    counted->succeeded = logins->succeeded;
  }
  Count(attempt, alerts);
}

void GuessEngine::ObserveEvent(const SecurityEvent& event, Alerts& alerts) {
  AdvanceTo(event.time, alerts);
  if (event.kind != SecurityEventKind::kLogin) return;
  const bool failed = event.outcome == SecurityOutcome::kFailure;
  Count({.key = {event.source, event.destination.value_or(IpAddress()),
                 event.service.substr(0, kMostService)},
         .logins = {.evidence = LoginEvidence::kEvent, .user = event.user.substr(0, kMostName)},
         .failed = failed ? 1u : 0u,
         .succeeded = failed ? 0u : 1u,
         .time = now_},
        alerts);
}

void GuessEngine::Count(const Attempt& attempt, Alerts& alerts) {
  if (attempt.failed > 0) CountFailures(attempt, alerts);
  if (attempt.succeeded > 0) CountSuccess(attempt, alerts);
}

void GuessEngine::CountFailures(const Attempt& attempt, Alerts& alerts) {
  const GuessKey by_source{attempt.key.source, IpAddress(), attempt.key.service};
  const GuessKey by_service{IpAddress(), attempt.key.destination, attempt.key.service};
  Guesses& pair = pairs_.FindOrAdd(attempt.key).guesses;
  Guesses& source = sources_.FindOrAdd(by_source);
  Guesses& service = services_.FindOrAdd(by_service);
  pair.Forgive(attempt.time, ForgiveOne(pair));
  source.Forgive(attempt.time, ForgiveOne(source));
  service.Forgive(attempt.time, kServiceForgives);
  pair.AddFailures(attempt.logins, attempt.failed, nullptr, attempt.time);
  source.AddFailures(attempt.logins, attempt.failed, &attempt.key.destination, attempt.time);
  service.AddFailures(attempt.logins, attempt.failed, &attempt.key.source, attempt.time);
  pair.AddFailuresOfAccount(attempt.logins.user, attempt.failed, attempt.time);
  source.AddFailuresOfAccount(attempt.logins.user, attempt.failed, attempt.time);
  Weigh(GuessKind::kPair, attempt.key, pair, attempt, alerts);
  Weigh(GuessKind::kSpray, by_source, source, attempt, alerts);
  Weigh(GuessKind::kDistributed, by_service, service, attempt, alerts);
}

void GuessEngine::CountSuccess(const Attempt& attempt, Alerts& alerts) {
  const GuessKey by_source{attempt.key.source, IpAddress(), attempt.key.service};
  GuessPair* pair = pairs_.Find(attempt.key);
  Guesses* source = sources_.Find(by_source);
  for (Guesses* guesses : {pair == nullptr ? nullptr : &pair->guesses, source}) {
    if (guesses == nullptr) continue;
    guesses->Forgive(attempt.time, ForgiveOne(*guesses));
    guesses->succeeded += attempt.succeeded;
  }
  if (pair != nullptr && RaiseBreakIn(attempt, pair->guesses, false, alerts)) return;
  const bool is_spray =
      source != nullptr &&
      tracker_.IsOpen(AlertClass::kBruteForce, EntityOf(GuessKind::kSpray, by_source));
  if (is_spray && RaiseBreakIn(attempt, *source, true, alerts)) return;
  for (Guesses* guesses : {pair == nullptr ? nullptr : &pair->guesses, source}) {
    if (guesses == nullptr) continue;
    guesses->TakeBack(attempt.logins.user, kSuccessWorth * attempt.succeeded);
  }
}

// Critical where the failures were of the account itself. Where one address tried others and then
// got in as this one, it may be a spray that found its password, or somebody else behind the
// address.
bool GuessEngine::RaiseBreakIn(const Attempt& attempt, const Guesses& guesses, bool is_known_spray,
                               Alerts& alerts) {
  const std::string& user = attempt.logins.user;
  const Guesses own = user.empty() ? guesses : guesses.OfAccount(user);
  const bool is_own = IsBreakIn(attempt, own);
  const bool is_spray = !is_own && IsBreakIn(attempt, guesses) &&
                        (is_known_spray || IsEnough(GuessKind::kPair, guesses));
  if (!is_own && !is_spray) return false;
  const AlertEntity entity = EntityOf(GuessKind::kPair, attempt.key);
  // What is open may say worse, and must go on saying it.
  if (is_spray && tracker_.IsOpen(AlertClass::kUnauthorisedAccess, entity)) return true;
  tracker_.Raise(
      {.alert_class = AlertClass::kUnauthorisedAccess,
       .entity = entity,
       .severity = is_own ? Severity::kCritical : SpraySuccessSeverity(guesses),
       .magnitude = static_cast<double>(guesses.succeeded),
       .hold = kQuiet},
      attempt.time,
      [&](Alert& alert) {
        if (is_own) {
          FillBreakInAlert(attempt.key, own, user, alert);
        } else {
          FillSpraySuccessAlert(attempt.key, guesses, user, own.failed, alert);
        }
      },
      alerts);
  return true;
}

// A session's shape is no proof, so then the guesses must have been an alert already.
bool GuessEngine::IsBreakIn(const Attempt& attempt, const Guesses& guesses) const {
  if (guesses.failed == 0 || Since(guesses.last_failed, attempt.time) > kSuccessWithin) {
    return false;
  }
  const std::size_t least = attempt.logins.evidence == LoginEvidence::kShape
                                ? options_.min_failures
                                : options_.failures_before_success;
  const double limit = static_cast<double>(least);
  // Failures of the last hour; at this pace two of them may have been forgiven.
  return guesses.score >= limit - 2 && static_cast<double>(guesses.failed) >= limit &&
         (!guesses.is_web || IsEnough(GuessKind::kPair, guesses));
}

Duration GuessEngine::ForgiveOne(const Guesses& guesses) const {
  return guesses.is_web ? options_.forgive_one / kWebForgivesFaster : options_.forgive_one;
}

bool GuessEngine::IsEnough(GuessKind kind, const Guesses& guesses) const {
  const auto at_least = [&](std::size_t limit) {
    // What was forgiven while the last of them came.
    return guesses.score + 1 > static_cast<double>(limit) && guesses.failed >= limit;
  };
  const std::size_t pair_limit = guesses.is_web ? options_.min_web_failures : options_.min_failures;
  switch (kind) {
    case GuessKind::kPair:
      return at_least(pair_limit);
    case GuessKind::kSpray:
      return at_least(std::max(options_.min_spray_failures, guesses.is_web ? pair_limit : 0)) &&
             guesses.others.Estimate() + 0.5 >= static_cast<double>(options_.min_spray_hosts);
    case GuessKind::kDistributed:
      return at_least(options_.min_distributed_failures) &&
             guesses.succeeded * 5 < guesses.failed &&
             guesses.others.Estimate() + 0.5 >=
                 static_cast<double>(options_.min_distributed_sources);
  }
  return false;
}

AlertEntity GuessEngine::EntityOf(GuessKind kind, const GuessKey& key) const {
  AlertEntity entity;
  if (kind != GuessKind::kDistributed) entity.source = key.source;
  const bool has_destination = key.destination != IpAddress();
  if (kind != GuessKind::kSpray && has_destination) entity.destination = key.destination;
  entity.service = key.service;
  return entity;
}

void GuessEngine::Weigh(GuessKind kind, const GuessKey& key, const Guesses& guesses,
                        const Attempt& attempt, Alerts& alerts) {
  const AlertEntity entity = EntityOf(kind, key);
  const bool is_open = tracker_.IsOpen(AlertClass::kBruteForce, entity);
  if (!is_open && !IsEnough(kind, guesses)) return;
  const Duration forgive = kind == GuessKind::kDistributed ? kServiceForgives : ForgiveOne(guesses);
  const double limit =
      static_cast<double>(kind == GuessKind::kDistributed ? options_.min_distributed_failures
                          : kind == GuessKind::kSpray     ? options_.min_spray_failures
                          : guesses.is_web                ? options_.min_web_failures
                                                          : options_.min_failures);
  const Duration span = Since(guesses.first_failed, guesses.last_failed);
  const auto pauses = static_cast<std::int64_t>(std::max<std::uint64_t>(guesses.failed, 2) - 1);
  tracker_.Raise(
      {.alert_class = AlertClass::kBruteForce,
       .entity = entity,
       .severity = GuessSeverity(kind, key, guesses),
       .magnitude = static_cast<double>(guesses.failed),
       .hold = std::clamp(4 * (span / pauses), kQuiet, kLongestQuiet)},
      attempt.time,
      [&](Alert& alert) { FillGuessAlert(kind, key, guesses, forgive, limit, alert); }, alerts);
}

void GuessEngine::AdvanceTo(Timestamp now, Alerts& alerts) {
  now_ = std::max(now_, now);
  tracker_.AdvanceTo(now_, alerts);
}

void GuessEngine::Finish(Alerts& alerts) { tracker_.Finish(alerts); }

std::size_t GuessEngine::memory_bytes() const {
  std::size_t bytes = sizeof(*this) + pairs_.memory_bytes() + sources_.memory_bytes() +
                      services_.memory_bytes() + tracker_.memory_bytes();
  for (const auto& [key, pair] : pairs_.entries()) {
    bytes += pair.guesses.heap_bytes() + pair.flows.capacity() * sizeof(CountedFlow);
  }
  for (const auto& [key, guesses] : sources_.entries()) bytes += guesses.heap_bytes();
  for (const auto& [key, guesses] : services_.entries()) bytes += guesses.heap_bytes();
  return bytes;
}

std::size_t GuessEngine::memory_limit_bytes() const {
  constexpr std::size_t kNames = 2 * 4 * (sizeof(std::string) + kMostName + 17);
  return sizeof(*this) + pairs_.memory_limit_bytes() + sources_.memory_limit_bytes() +
         services_.memory_limit_bytes() +
         options_.max_entries * (3 * kNames + kMostFlows * sizeof(CountedFlow) +
                                 2 * Guesses::kAccounts * sizeof(AccountGuesses)) +
         tracker_.memory_limit_bytes();
}

std::uint64_t GuessEngine::evictions() const {
  return pairs_.evicted() + sources_.evicted() + services_.evicted();
}

}  // namespace nta::detect
