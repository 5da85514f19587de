#include "detect/failure_group.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "detect/saturating_time.h"

namespace nta::detect {
namespace {

std::size_t SlotOf(std::int64_t part) {
  constexpr auto kParts = static_cast<std::int64_t>(WindowCount::kParts);
  return static_cast<std::size_t>((part % kParts + kParts) % kParts);
}

void Increment(std::uint16_t& count) {
  if (count < std::numeric_limits<std::uint16_t>::max()) ++count;
}

void Increment(std::uint32_t& count) {
  if (count < std::numeric_limits<std::uint32_t>::max()) ++count;
}

// Whether the sequential test hears of the failure; the fan-out limits count each. Silence need not
// mean anything on UDP. That a router knows no way says nothing about a host: a machine whose IPv6
// is broken fails so everywhere. For many ports of one host the way is the same, so there it
// counts.
bool IsEvidence(Verdict verdict, GroupKind kind) {
  if (verdict == Verdict::kUnreachable) return kind == GroupKind::kHost;
  return verdict != Verdict::kNoReply;
}

}  // namespace

void WindowCount::Add(std::int64_t part, bool failed) {
  constexpr auto kPartsSigned = static_cast<std::int64_t>(kParts);
  if (part > newest_) {
    const std::int64_t steps = std::min(part - newest_, kPartsSigned);
    for (std::int64_t i = 0; i < steps; ++i) {
      failed_[SlotOf(part - i)] = 0;
      succeeded_[SlotOf(part - i)] = 0;
    }
    newest_ = part;
  } else if (part <= newest_ - kPartsSigned) {
    return;  // out of the window already
  }
  Increment(failed ? failed_[SlotOf(part)] : succeeded_[SlotOf(part)]);
}

std::uint32_t WindowCount::Sum(const std::array<std::uint16_t, kParts>& parts) {
  return std::accumulate(parts.begin(), parts.end(), std::uint32_t{0});
}

std::int64_t WindowPart(Timestamp time, Duration window) {
  const std::int64_t width = std::max<std::int64_t>(window.count() / 8, 1);
  const std::int64_t count = time.time_since_epoch().count();
  const std::int64_t part = count / width;
  return count % width < 0 ? part - 1 : part;  // rounds down before 1970, too
}

FailureGroup MakeGroup(GroupKind kind, const Contact& contact) {
  FailureGroup group;
  group.kind = kind;
  if (kind == GroupKind::kHost) {
    group.host = contact.destination;
  } else {
    group.protocol = contact.protocol;
    group.port = contact.port;
  }
  return group;
}

bool FailureGroup::Matches(const Contact& contact) const {
  if (kind == GroupKind::kHost) return host == contact.destination;
  return port == contact.port && protocol == contact.protocol;
}

bool FailureGroup::AddFailure(std::uint32_t member, Verdict verdict, Timestamp started,
                              const ScanTest& test, Duration window) {
  if (!Remember(member)) return false;
  Forgive(started, test);
  if (failed == 0) {
    first_started = last_started = started;
  } else {
    first_started = std::min(first_started, started);
    last_started = std::max(last_started, started);
  }
  if (verdict == Verdict::kNoReply) {
    silent_bits = std::min(silent_bits + kSilentFailureBits, kMaxScoreBits);
  }
  if (IsEvidence(verdict, kind)) bits = std::min(bits + test.failure_bits, kMaxScoreBits);
  Increment(failed);
  if (IsRefusal(verdict)) Increment(refused);
  in_window.Add(WindowPart(started, window), true);
  return true;
}

void FailureGroup::AddSuccess(Timestamp started, const ScanTest& test, Duration window) {
  Forgive(started, test);
  bits = std::max(bits - test.success_bits, 0.0);
  silent_bits = std::max(silent_bits - test.success_bits, 0.0);
  Increment(succeeded);
  in_window.Add(WindowPart(started, window), false);
}

double FailureGroup::ScoreBits() const {
  return std::clamp(kWeakFailureBits * in_window.failed(), std::max(bits, silent_bits),
                    kMaxScoreBits);
}

void FailureGroup::Forgive(Timestamp started, const ScanTest& test) {
  if (failed + succeeded == 0) forgiven_until = started;
  if (started <= forgiven_until) return;
  const auto passed = static_cast<double>(Since(forgiven_until, started).count());
  const auto forgive = [passed](double& evidence, Duration each, double of_one) {
    evidence = std::max(evidence - passed / static_cast<double>(each.count()) * of_one, 0.0);
  };
  forgive(bits, kForgiveOneFailure, test.failure_bits);
  forgive(silent_bits, kForgiveOneSilence, kSilentFailureBits);
  forgiven_until = started;
}

bool FailureGroup::Remember(std::uint32_t member) {
  const auto end = members.begin() + member_count;
  if (std::find(members.begin(), end, member) != end) return false;
  members[next_member] = member;
  next_member = static_cast<std::uint8_t>((next_member + 1) % kMembers);
  member_count = static_cast<std::uint8_t>(std::min<std::size_t>(member_count + 1u, kMembers));
  return true;
}

}  // namespace nta::detect
