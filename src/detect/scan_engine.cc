#include "detect/scan_engine.h"

#include <algorithm>
#include <utility>

#include "detect/saturating_time.h"
#include "detect/scan_alert.h"

namespace nta::detect {
namespace {

constexpr Duration kContactMemoryPeriod = std::chrono::hours(1);
// A slow scan stays one alert: it closes after this many times its mean pause, within a day.
constexpr std::int64_t kQuietPauses = 4;
constexpr Duration kLongestQuiet = std::chrono::hours(24);
constexpr std::uint64_t kUpdateGrowth = 10;
// A few dead hosts among those that somebody pings are no sweep.
constexpr std::uint32_t kMinSilentPings = 5;
constexpr std::uint32_t kSilentPingShare = 4;  // one in four
// The fan-out limits look at outcomes, too: this many failures for each success.
constexpr std::uint32_t kFailuresPerSuccess = 2;

constexpr std::uint64_t kMostDatagrams = std::uint64_t{1} << 16;

bool IsPing(std::uint8_t protocol) {
  return protocol == kProtocolIcmp || protocol == kProtocolIcmpV6;
}

Verdict VerdictOfSilence(std::uint8_t protocol) {
  return protocol == kProtocolTcp || IsPing(protocol) ? Verdict::kUnanswered : Verdict::kNoReply;
}

ScanKind ScanKindOf(GroupKind kind) {
  return kind == GroupKind::kHost ? ScanKind::kPortScan : ScanKind::kHostSweep;
}

void Join(ScanCase& scan, const FailureGroup& group, Timestamp now) {
  scan.first_started = std::min(scan.first_started, group.first_started);
  scan.last_started = std::max(scan.last_started, group.last_started);
  scan.last_judged = now;
  scan.bits = std::max(scan.bits, group.ScoreBits());
  if (group.failed >= scan.largest.failed) scan.largest = group;
}

}  // namespace

ScanEngine::ScanEngine(const PortScanOptions& options, std::uint64_t hash_seed)
    : options_(Sane(options)),
      test_(ScanTest::From(options_)),
      hash_seed_(hash_seed),
      hash_(hash_seed),
      memory_(options_.max_contacts, kContactMemoryPeriod),
      pending_(options_.max_pending),
      sources_(options_.max_sources, hash_seed),
      tracker_("port_scan", options_.alerts) {}

void ScanEngine::Observe(const FlowEvent& event, Alerts& alerts) {
  AdvanceTo(event.time, alerts);
  const std::optional<Contact> contact = ContactOf(event.flow);
  if (!contact) return;
  const FlowIs state = event.type == FlowEventType::kEnded ? FlowIs::kEnded : FlowIs::kOpen;
  const Verdict verdict = VerdictOf(event.flow, state);
  const std::uint64_t fingerprint = ContactFingerprint(hash_, *contact);
  const bool known = memory_.SeenBefore(fingerprint, now_);
  if (verdict == Verdict::kSucceeded) memory_.SeenBefore(PairFingerprint(hash_, *contact), now_);
  if (!known) {
    if (pending_.size() >= options_.max_pending) JudgeFront(alerts);
    pending_.Push({*contact, verdict, fingerprint, event.flow.first_seen,
                   After(now_, options_.answer_timeout)});
  } else if (PendingContact* waiting = pending_.Find(fingerprint); waiting == nullptr) {
    KeepOpen(*contact, verdict, event.flow.first_seen);
  } else if (waiting->verdict == Verdict::kWaiting) {
    waiting->verdict = verdict;
  }
  while (!pending_.empty() && pending_.front().verdict != Verdict::kWaiting) JudgeFront(alerts);
}

// Who goes on failing where it failed before makes no first contacts, and is not quiet either.
void ScanEngine::KeepOpen(const Contact& contact, Verdict verdict, Timestamp started) {
  if (verdict == Verdict::kWaiting || verdict == Verdict::kSucceeded) return;
  ScanSource* source = sources_.Find(contact.source);
  if (source == nullptr) return;
  for (const GroupKind kind : {GroupKind::kHost, GroupKind::kService}) {
    const FailureGroup* group = source->FindGroup(kind, contact);
    const auto& scan = source->cases[static_cast<std::size_t>(ScanKindOf(kind))];
    if (group == nullptr || !group->alarmed || scan == nullptr) continue;
    if (started > scan->last_started) scan->last_judged = std::max(scan->last_judged, started);
  }
}

// What falls due happens in the order and at the time at which it fell due, so that it does not
// matter how often we are told the time.
void ScanEngine::AdvanceTo(Timestamp now, Alerts& alerts) {
  while (true) {
    const bool judge = !pending_.empty() && (pending_.front().verdict != Verdict::kWaiting ||
                                             pending_.front().deadline <= now);
    const bool close = !closings_.empty() && closings_.begin()->due <= now;
    if (judge && (!close || pending_.front().verdict != Verdict::kWaiting ||
                  pending_.front().deadline <= closings_.begin()->due)) {
      if (pending_.front().verdict == Verdict::kWaiting) {
        now_ = std::max(now_, pending_.front().deadline);
      }
      JudgeFront(alerts);
    } else if (close) {
      now_ = std::max(now_, closings_.begin()->due);
      CloseFirst(alerts);
    } else {
      break;
    }
  }
  now_ = std::max(now_, now);
  tracker_.AdvanceTo(now_, alerts);
}

void ScanEngine::Finish(Alerts& alerts) {
  while (!pending_.empty()) JudgeFront(alerts);
  std::vector<Closing> open(closings_.begin(), closings_.end());
  std::sort(open.begin(), open.end(),
            [](const Closing& a, const Closing& b) { return a.number < b.number; });
  closings_.clear();
  for (const Closing& closing : open) {
    CloseCase(*sources_.Find(closing.source), closing.kind, alerts);
  }
  tracker_.Finish(alerts);
}

void ScanEngine::JudgeFront(Alerts& alerts) {
  const PendingContact pending = pending_.Pop();
  const Verdict verdict = pending.verdict == Verdict::kWaiting
                              ? VerdictOfSilence(pending.contact.protocol)
                              : pending.verdict;
  CountDatagram(pending.contact.protocol, verdict);
  if (verdict == Verdict::kSucceeded) {
    JudgeSuccess(pending, alerts);
  } else {
    JudgeFailure(pending, verdict, alerts);
  }
}

void ScanEngine::CountDatagram(std::uint8_t protocol, Verdict verdict) {
  if (protocol == kProtocolTcp || IsPing(protocol)) return;
  answered_datagrams_ += verdict == Verdict::kSucceeded ? 1 : 0;
  silent_datagrams_ += verdict == Verdict::kNoReply ? 1 : 0;
  if (answered_datagrams_ + silent_datagrams_ < kMostDatagrams) return;
  answered_datagrams_ /= 2;
  silent_datagrams_ /= 2;
}

// On a tap for one direction all are silent, and a resolver would be taken for a scanner.
bool ScanEngine::SeesDatagramsAnswered() const {
  return answered_datagrams_ >= 8 && 50 * answered_datagrams_ >= silent_datagrams_;
}

// Only sources that have failed are watched, so that those that never fail, nearly all, cost
// nothing.
void ScanEngine::JudgeSuccess(const PendingContact& pending, Alerts& alerts) {
  ScanSource* source = sources_.Find(pending.contact.source);
  if (source == nullptr) return;
  source->SpreadSuccess();
  for (const GroupKind kind : {GroupKind::kHost, GroupKind::kService}) {
    FailureGroup* group = source->FindGroup(kind, pending.contact);
    if (group == nullptr) continue;
    group->AddSuccess(pending.started, test_, options_.window);
    const auto& scan = source->cases[static_cast<std::size_t>(ScanKindOf(kind))];
    if (group->alarmed) {
      ++scan->succeeded;
      if (group->failed >= scan->largest.failed) scan->largest = *group;
      ReportGrowth(*source, ScanKindOf(kind), alerts);
    } else if (IsPing(pending.contact.protocol)) {
      const std::size_t bytes = source->memory_bytes();
      Judge(*source, *group, alerts);  // each host pinged counts, silent or not
      sources_.Settle(*source, bytes,
                      [this, &alerts](ScanSource& gone) { CloseAll(gone, alerts); });
    }
  }
}

void ScanEngine::JudgeFailure(const PendingContact& pending, Verdict verdict, Alerts& alerts) {
  const Contact& contact = pending.contact;
  if (IsPing(contact.protocol) && !CountsAsHostTried(contact)) return;
  const auto forget = [this, &alerts](ScanSource& gone) { CloseAll(gone, alerts); };
  ScanSource& source = sources_.FindOrAdd(contact.source, forget);
  const std::size_t bytes = source.memory_bytes();
  const GroupKinds added = AddToGroups(source, pending, verdict);
  if (added.host || added.service) {
    sources_.Touch(source, !source.recent.empty());
    source.RememberFailure(contact);
    source.SpreadFailure(contact, pending.started);
    if (added.host) Weigh(source, GroupKind::kHost, pending, verdict, alerts);
    if (added.service) Weigh(source, GroupKind::kService, pending, verdict, alerts);
    WeighBlock(source, pending, verdict, alerts);
  }
  sources_.Settle(source, bytes, forget);
}

ScanEngine::GroupKinds ScanEngine::AddToGroups(ScanSource& source, const PendingContact& pending,
                                               Verdict verdict) {
  const auto add = [&](GroupKind kind) {
    FailureGroup* group = source.FindGroup(kind, pending.contact);
    if (group == nullptr) group = &source.AddGroup(kind, pending.contact);
    return group->AddFailure(MemberOf(kind, pending.contact), verdict, pending.started, test_,
                             options_.window);
  };
  GroupKinds added;
  added.host = !IsPing(pending.contact.protocol) && add(GroupKind::kHost);
  added.service = CountsAsHostTried(pending.contact) && add(GroupKind::kService);
  return added;
}

std::uint32_t ScanEngine::MemberOf(GroupKind kind, const Contact& contact) const {
  if (kind == GroupKind::kHost) {
    return static_cast<std::uint32_t>(contact.protocol) << 16 | contact.port;
  }
  const AddressWords words = WordsOf(contact.destination);
  return static_cast<std::uint32_t>(hash_(words.high, words.low));
}

// A host that has answered this source on another port is known to it: QUIC that a firewall drops,
// a service that is down on a server in use. For a port scan of that host the failure counts all
// the same.
bool ScanEngine::CountsAsHostTried(const Contact& contact) const {
  return !memory_.Contains(PairFingerprint(hash_, contact));
}

void ScanEngine::Weigh(ScanSource& source, GroupKind kind, const PendingContact& pending,
                       Verdict verdict, Alerts& alerts) {
  FailureGroup& group = *source.FindGroup(kind, pending.contact);
  const ScanKind scan_kind = ScanKindOf(kind);
  auto& open = source.cases[static_cast<std::size_t>(scan_kind)];
  if (open != nullptr && open->trigger == Trigger::kBlock) return;  // counts everything already
  if (group.alarmed) {
    ++open->failed;
    if (IsRefusal(verdict)) ++open->refused;
    Join(*open, group, now_);
    ReportGrowth(source, scan_kind, alerts);
    return;
  }
  Judge(source, group, alerts);
}

// Opens an alert, or adds the group to the one that is open, when it is time.
void ScanEngine::Judge(ScanSource& source, FailureGroup& group, Alerts& alerts) {
  const ScanKind scan_kind = ScanKindOf(group.kind);
  auto& open = source.cases[static_cast<std::size_t>(scan_kind)];
  if (open != nullptr && open->trigger == Trigger::kBlock) return;
  const std::optional<Trigger> trigger = TriggerOf(source, group);
  if (!trigger) return;
  group.alarmed = true;
  const bool is_new = open == nullptr;
  ScanCase& scan = is_new ? NewCase(source, scan_kind, *trigger, group.first_started) : *open;
  scan.failed += group.failed;
  scan.refused += group.refused;
  scan.succeeded += group.succeeded;
  ++scan.groups;
  Join(scan, group, now_);
  if (is_new) {
    Announce(source, scan_kind, alerts);
  } else {
    ReportGrowth(source, scan_kind, alerts);
  }
}

void ScanEngine::WeighBlock(ScanSource& source, const PendingContact& pending, Verdict verdict,
                            Alerts& alerts) {
  auto& open = source.cases[static_cast<std::size_t>(ScanKind::kHostSweep)];
  const bool is_new = open == nullptr;
  if (is_new && !source.LooksLikeBlockScan()) return;
  if (!is_new && open->trigger != Trigger::kBlock) return;
  ScanCase& scan =
      is_new ? NewCase(source, ScanKind::kHostSweep, Trigger::kBlock, source.spread.first_started)
             : *open;
  scan.failed = is_new ? source.spread.failed : scan.failed + 1;
  if (IsRefusal(verdict)) ++scan.refused;
  scan.succeeded = source.spread.succeeded;
  scan.last_started = std::max(scan.last_started, pending.started);
  scan.last_judged = now_;
  scan.bits = std::min(kWeakFailureBits * scan.failed, kMaxScoreBits);
  if (is_new) {
    Announce(source, ScanKind::kHostSweep, alerts);
  } else {
    ReportGrowth(source, ScanKind::kHostSweep, alerts);
  }
}

std::optional<Trigger> ScanEngine::TriggerOf(const ScanSource& source,
                                             const FailureGroup& group) const {
  const std::uint32_t failed = group.in_window.failed();
  const std::uint32_t succeeded = group.in_window.succeeded();
  const bool is_host = group.kind == GroupKind::kHost;
  std::optional<Trigger> trigger;
  if (group.bits >= test_.threshold_bits) {
    trigger = Trigger::kLikelihoodRatio;
  } else if (failed >= (is_host ? options_.min_ports : options_.min_hosts) &&
             failed >= kFailuresPerSuccess * succeeded) {
    trigger = is_host ? Trigger::kMinPorts : Trigger::kMinHosts;
  } else if (!is_host && IsPing(group.protocol) && failed >= kMinSilentPings &&
             failed + succeeded >= options_.min_pinged_hosts &&
             failed * kSilentPingShare >= failed + succeeded) {
    trigger = Trigger::kMinPingedHosts;
  } else if (group.silent_bits >= kSilentThreshold * test_.threshold_bits &&
             SeesDatagramsAnswered()) {
    trigger = Trigger::kSilence;
  }
  if (trigger && source.LooksLikePeerToPeer(group)) trigger.reset();
  return trigger;
}

ScanCase& ScanEngine::NewCase(ScanSource& source, ScanKind kind, Trigger trigger,
                              Timestamp first_started) {
  auto& open = source.cases[static_cast<std::size_t>(kind)];
  open = std::make_unique<ScanCase>();
  open->number = ++cases_opened_;
  open->trigger = trigger;
  open->first_started = open->last_started = first_started;
  return *open;
}

void ScanEngine::Announce(ScanSource& source, ScanKind kind, Alerts& alerts) {
  ScanCase& scan = *source.cases[static_cast<std::size_t>(kind)];
  scan.closes = DueOf(scan);
  closings_.insert({scan.closes, scan.number, source.address, kind});
  Report(source, kind, AlertState::kOpen, alerts);
}

void ScanEngine::Report(ScanSource& source, ScanKind kind, AlertState state, Alerts& alerts) {
  ScanCase& scan = *source.cases[static_cast<std::size_t>(kind)];
  const AlertClass alert_class =
      kind == ScanKind::kPortScan ? AlertClass::kPortScan : AlertClass::kHostSweep;
  const AlertEntity entity{.source = source.address, .destination = {}, .service = {}};
  const auto fill = [&](Alert& alert) { FillScanAlert(source, kind, options_, alert); };
  if (state == AlertState::kClosed) {
    tracker_.Close(alert_class, entity, now_, fill, alerts);
    return;
  }
  scan.next_update = kUpdateGrowth * scan.failed;
  scan.reported = std::max(scan.reported, SeverityOf(source, kind));
  // The case ends by rules of its own, see DueOf().
  tracker_.Raise({.alert_class = alert_class,
                  .entity = entity,
                  .severity = SeverityOf(source, kind),
                  .magnitude = static_cast<double>(scan.failed),
                  .hold = Duration::max()},
                 now_, fill, alerts);
}

void ScanEngine::ReportGrowth(ScanSource& source, ScanKind kind, Alerts& alerts) {
  const ScanCase& scan = *source.cases[static_cast<std::size_t>(kind)];
  if (scan.failed >= scan.next_update || SeverityOf(source, kind) > scan.reported) {
    Report(source, kind, AlertState::kUpdated, alerts);
  }
}

Timestamp ScanEngine::DueOf(const ScanCase& scan) const {
  const std::int64_t span =
      std::max<std::int64_t>(Since(scan.first_started, scan.last_started).count(), 0);
  const std::int64_t mean_pause = span / std::max<std::int64_t>(std::int64_t{scan.failed} - 1, 1);
  const Duration slow(std::min(mean_pause, kLongestQuiet.count() / kQuietPauses) * kQuietPauses);
  return After(scan.last_judged, std::max(options_.quiet_close, slow));
}

void ScanEngine::CloseFirst(Alerts& alerts) {
  const Closing closing = *closings_.begin();
  closings_.erase(closings_.begin());
  ScanSource& source = *sources_.Find(closing.source);
  ScanCase& scan = *source.cases[static_cast<std::size_t>(closing.kind)];
  scan.closes = DueOf(scan);
  if (scan.closes > closing.due) {
    closings_.insert({scan.closes, closing.number, closing.source, closing.kind});
    return;
  }
  CloseCase(source, closing.kind, alerts);
}

void ScanEngine::CloseCase(ScanSource& source, ScanKind kind, Alerts& alerts) {
  const std::size_t bytes = source.memory_bytes();
  Report(source, kind, AlertState::kClosed, alerts);
  source.CloseCase(kind);
  sources_.Settle(source, bytes, [](ScanSource&) {});
}

// Before the source is forgotten.
void ScanEngine::CloseAll(ScanSource& source, Alerts& alerts) {
  ++evictions_;
  for (const ScanKind kind : {ScanKind::kPortScan, ScanKind::kHostSweep}) {
    const auto& scan = source.cases[static_cast<std::size_t>(kind)];
    if (scan == nullptr) continue;
    closings_.erase({scan->closes, scan->number, source.address, kind});
    Report(source, kind, AlertState::kClosed, alerts);
    source.CloseCase(kind);
  }
}

std::size_t ScanEngine::memory_bytes() const {
  // A node of std::set: three pointers and a colour, and what the allocator adds.
  constexpr std::size_t kNodeBytes = sizeof(Closing) + 4 * sizeof(void*) + 16;
  return sizeof(*this) + memory_.memory_bytes() + pending_.memory_bytes() +
         sources_.memory_bytes() + closings_.size() * kNodeBytes + tracker_.memory_bytes();
}

std::size_t ScanEngine::memory_limit_bytes() const {
  // Sources with their share of the heap and of the index; see SourceTable, PendingContacts and
  // ContactMemory.
  constexpr std::size_t kSourceBytes = 1024;
  constexpr std::size_t kPendingBytes = 112;
  constexpr std::size_t kContactBytes = 17;
  return (std::size_t{1} << 16) + options_.max_sources * kSourceBytes +
         options_.max_pending * kPendingBytes + options_.max_contacts * kContactBytes +
         tracker_.memory_limit_bytes();
}

}  // namespace nta::detect
