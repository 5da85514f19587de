// Saved states of the port scan detector. Each Fields() is the layout of one struct; see
// state_archive.h.
#include <algorithm>
#include <type_traits>
#include <utility>

#include "base/status.h"
#include "detect/scan_alert.h"
#include "detect/scan_engine.h"
#include "detect/state_archive.h"

namespace nta::detect {
namespace {

constexpr std::string_view kName = "port_scan";
constexpr std::uint16_t kVersion = 3;
constexpr std::size_t kMost = std::size_t{1} << 32;

template <typename Archive, typename T>
void ContactFields(Archive& archive, T& contact) {
  archive(contact.source);
  archive(contact.destination);
  archive(contact.port);
  archive(contact.protocol);
}

template <typename Archive, typename T>
void GroupFields(Archive& archive, T& group) {
  archive.Enum(group.kind, 2);
  archive(group.alarmed);
  archive(group.protocol);
  archive(group.port);
  archive(group.host);
  archive(group.bits);
  archive(group.silent_bits);
  archive(group.failed);
  archive(group.refused);
  archive(group.succeeded);
  archive(group.first_started);
  archive(group.last_started);
  archive(group.forgiven_until);
  WindowCount::Fields(archive, group.in_window);
  archive(group.members);
  archive(group.member_count);
  archive(group.next_member);
}

template <typename Archive, typename T>
void CaseFields(Archive& archive, T& scan) {
  archive(scan.number);
  archive.Enum(scan.trigger, kTriggers);
  archive(scan.failed);
  archive(scan.refused);
  archive(scan.succeeded);
  archive(scan.groups);
  archive(scan.next_update);
  archive(scan.bits);
  archive(scan.first_started);
  archive(scan.last_started);
  archive(scan.last_judged);
  archive(scan.closes);
  GroupFields(archive, scan.largest);
}

template <typename Archive, typename T>
void SpreadFields(Archive& archive, T& spread) {
  archive(spread.failed);
  archive(spread.succeeded);
  archive(spread.earlier_scatter);
  archive(spread.first_started);
  archive(spread.hosts.words());
  archive(spread.services.words());
}

template <typename Archive, typename T>
void RecentFields(Archive& archive, T& failure) {
  archive(failure.host);
  archive(failure.protocol);
  archive(failure.port);
}

void WriteSource(StateWriter& writer, const ScanSource& source) {
  writer(source.address);
  writer(source.repeated);
  writer.Size(source.groups.size(), kMost);
  for (const FailureGroup& group : source.groups) GroupFields(writer, group);
  writer.Size(source.recent.size(), kMost);
  for (const RecentFailure& failure : source.recent) RecentFields(writer, failure);
  writer(source.next_recent);
  SpreadFields(writer, source.spread);
  for (const auto& scan : source.cases) {
    writer(scan != nullptr);
    if (scan != nullptr) CaseFields(writer, *scan);
  }
}

bool IsSound(const FailureGroup& group) {
  return group.member_count <= FailureGroup::kMembers && group.next_member < FailureGroup::kMembers;
}

// The rules that the engine relies on: a damaged state that passes the checksum must not break
// them.
bool IsSound(const ScanSource& source) {
  std::array<std::size_t, 2> of_kind{};
  for (const FailureGroup& group : source.groups) {
    if (!IsSound(group)) return false;
    ++of_kind[static_cast<std::size_t>(group.kind)];
    const auto scan_kind = static_cast<std::size_t>(group.kind);  // in the same order
    if (group.alarmed && source.cases[scan_kind] == nullptr) return false;
  }
  for (const auto& scan : source.cases) {
    if (scan != nullptr && !IsSound(scan->largest)) return false;
  }
  return of_kind[0] <= ScanSource::kGroupsPerKind && of_kind[1] <= ScanSource::kGroupsPerKind &&
         source.next_recent < ScanSource::kRecent &&
         (source.next_recent == 0 || source.recent.size() == ScanSource::kRecent);
}

ScanSource ReadSource(StateReader& reader) {
  ScanSource source;
  reader(source.address);
  reader(source.repeated);
  std::size_t size = 0;
  reader.Size(size, 2 * ScanSource::kGroupsPerKind);
  source.groups.resize(size);
  for (FailureGroup& group : source.groups) GroupFields(reader, group);
  reader.Size(size, ScanSource::kRecent);
  source.recent.resize(size);
  for (RecentFailure& failure : source.recent) RecentFields(reader, failure);
  reader(source.next_recent);
  SpreadFields(reader, source.spread);
  for (auto& scan : source.cases) {
    bool present = false;
    reader(present);
    if (!present) continue;
    scan = std::make_unique<ScanCase>();
    CaseFields(reader, *scan);
  }
  if (!IsSound(source)) reader.Fail();
  return source;
}

}  // namespace

std::string ScanEngine::Save() const {
  StateWriter writer;
  writer(hash_seed_);
  writer(options_.window.count());
  writer(now_);
  writer(cases_opened_);
  writer(memory_.young_since());
  for (const std::size_t generation : {0u, 1u}) {
    const FingerprintSet& set = memory_.generation(generation);
    writer.Size(set.size(), kMost);
    for (const std::uint64_t fingerprint : set.slots()) {
      if (fingerprint != 0) writer(fingerprint);
    }
  }
  writer.Size(pending_.size(), kMost);
  for (std::size_t i = 0; i < pending_.size(); ++i) {
    const PendingContact& pending = pending_.at(i);
    ContactFields(writer, pending.contact);
    writer.Enum(pending.verdict, kVerdicts);
    writer(pending.started);
    writer(pending.deadline);
  }
  writer.Size(sources_.size(), kMost);
  sources_.ForEach([&writer](const ScanSource& source) { WriteSource(writer, source); });
  writer(evictions_);
  writer(answered_datagrams_);
  writer(silent_datagrams_);
  writer(tracker_.Save());
  return SealState(kName, kVersion, std::move(writer).bytes());
}

absl::StatusOr<ScanEngine> ScanEngine::Load(const PortScanOptions& options,
                                            std::string_view state) {
  NTA_ASSIGN_OR_RETURN(const auto payload, OpenState(kName, kVersion, state));
  StateReader reader(payload);
  std::uint64_t hash_seed = 0;
  reader(hash_seed);
  ScanEngine engine(options, hash_seed);
  std::int64_t window = 0;
  reader(window);
  if (reader.ok() && window != engine.options_.window.count()) {
    return base::InvalidArgument("the state was saved with a window of " +
                                 DurationText(Duration(window)) + ", not " +
                                 DurationText(engine.options_.window));
  }
  engine.ReadMemories(reader);
  engine.ReadSources(reader);
  engine.ReadTracker(reader);
  if (!reader.ok() || reader.remaining() != 0) {
    return base::MakeStatus(
        absl::StatusCode::kDataLoss,
        "the saved detector state is damaged: its fields contradict each other");
  }
  return engine;
}

void ScanEngine::ReadMemories(StateReader& reader) {
  reader(now_);
  reader(cases_opened_);
  Timestamp young_since{};
  reader(young_since);
  memory_.RestoreYoungSince(young_since);
  std::size_t size = 0;
  for (const std::size_t generation : {0u, 1u}) {
    reader.Size(size, kMost);
    for (std::size_t i = 0; i < size && reader.ok(); ++i) {
      std::uint64_t fingerprint = 0;
      reader(fingerprint);
      memory_.Restore(generation, fingerprint);
    }
  }
  reader.Size(size, kMost);
  for (std::size_t i = 0; i < size && reader.ok(); ++i) {
    PendingContact pending;
    ContactFields(reader, pending.contact);
    reader.Enum(pending.verdict, kVerdicts);
    reader(pending.started);
    reader(pending.deadline);
    pending.fingerprint = ContactFingerprint(hash_, pending.contact);
    pending_.Push(pending);
  }
}

void ScanEngine::ReadSources(StateReader& reader) {
  std::size_t size = 0;
  reader.Size(size, kMost);
  for (std::size_t i = 0; i < size && reader.ok(); ++i) {
    ScanSource source = ReadSource(reader);
    if (sources_.Find(source.address) != nullptr) reader.Fail();
    if (!reader.ok()) return;
    for (const ScanKind kind : {ScanKind::kPortScan, ScanKind::kHostSweep}) {
      const auto& scan = source.cases[static_cast<std::size_t>(kind)];
      if (scan == nullptr) continue;
      // A rise is told at once, so that what it is now was told.
      scan->reported = SeverityOf(source, kind);
      closings_.insert({scan->closes, scan->number, source.address, kind});
    }
    sources_.Restore(std::move(source));
  }
}

void ScanEngine::ReadTracker(StateReader& reader) {
  reader(evictions_);
  reader(answered_datagrams_);
  reader(silent_datagrams_);
  std::string state;
  reader(state);
  if (reader.ok() && !tracker_.Load(state).ok()) reader.Fail();
}

}  // namespace nta::detect
