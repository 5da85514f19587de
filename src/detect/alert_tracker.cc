#include "nta/detect/alert_tracker.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/keyed_hash.h"
#include "base/status.h"
#include "detect/alert_archive.h"
#include "detect/alert_life.h"
#include "detect/alert_storm.h"
#include "detect/saturating_time.h"

namespace nta {
namespace {

using detect::AlertLife;
using detect::HeldBack;
using detect::StormGroup;
using detect::StormKey;

constexpr Duration kHour = std::chrono::hours(1);
constexpr std::uint16_t kVersion = 1;
constexpr std::string_view kStateName = "alert_tracker";
constexpr std::size_t kMostEntries = std::size_t{1} << 20;

// Fixed on purpose: two findings that collide are counted as one, which harms nobody but the one
// who made them.
constexpr base::KeyedHash kFindingHash(0xa1e7);

struct AlertKey {
  AlertClass alert_class{};
  AlertEntity entity;

  friend bool operator<(const AlertKey& a, const AlertKey& b) {
    const auto tie = [](const AlertKey& key) {
      return std::tie(key.alert_class, key.entity.source, key.entity.destination,
                      key.entity.service);
    };
    return tie(a) < tie(b);
  }
};

std::uint64_t FingerprintOf(const AlertKey& key) {
  const std::string text = detect::EntityText(key.entity);
  return kFindingHash(kFindingHash.Bytes(text.data(), text.size()),
                      static_cast<std::uint64_t>(key.alert_class));
}

AlertTrackerOptions Sane(AlertTrackerOptions options) {
  options.update_growth = options.update_growth > 1.01 ? options.update_growth : 1.01;
  options.update_interval = std::max(options.update_interval, Duration(0));
  options.reopen_within = std::max(options.reopen_within, Duration(0));
  options.storm_quiet = std::max(options.storm_quiet, Duration(std::chrono::seconds(1)));
  options.storm_alerts = std::max<std::size_t>(options.storm_alerts, 1);
  options.max_per_hour = std::max<std::size_t>(options.max_per_hour, 1);
  options.max_alerts = std::clamp<std::size_t>(options.max_alerts, 1, kMostEntries);
  options.storm_prefix_v4 = std::clamp(options.storm_prefix_v4, 0, 32);
  options.storm_prefix_v6 = std::clamp(options.storm_prefix_v6, 0, 128);
  return options;
}

template <typename Archive, typename T>
void KeyFields(Archive& archive, T& key) {
  archive.Enum(key.alert_class, static_cast<int>(AlertClass::kFlashCrowd) + 1);
  detect::EntityFields(archive, key.entity);
}

template <typename Archive, typename T>
void LifeFields(Archive& archive, T& life) {
  archive(life.number);
  detect::AlertFields(archive, life.alert);
  archive(life.open);
  archive(life.pending);
  archive(life.reported_magnitude);
  archive.Enum(life.reported_severity, static_cast<int>(Severity::kCritical) + 1);
  archive(life.last_report);
  archive(life.last_raised);
  archive(life.hold);
  archive(life.closed);
}

template <typename Archive, typename T>
void StatsFields(Archive& archive, T& stats) {
  archive(stats.opened);
  archive(stats.reopened);
  archive(stats.updated);
  archive(stats.closed);
  archive(stats.suppressed);
  archive(stats.storms);
}

}  // namespace

class AlertTracker::Impl {
 public:
  Impl(std::string detector, AlertTrackerOptions options)
      : detector_(std::move(detector)), options_(Sane(options)) {}

  bool Raise(const AlertFinding& finding, Timestamp now, Fill fill, std::vector<Alert>& alerts) {
    AdvanceTo(now, alerts);
    const AlertKey key{finding.alert_class, finding.entity};
    auto found = lives_.find(key);
    if (found == lives_.end()) {
      const std::vector<StormKey> groups =
          detect::StormKeysOf(finding.alert_class, finding.entity, options_);
      if (const StormKey* storm = StormOf(groups, now)) {
        HoldBack(*storm, key, finding, now, fill, alerts);
        return false;
      }
      Forget();
      found = lives_.emplace(key, AlertLife{}).first;
      found->second.number = ++numbers_;
      found->second.alert.id = IdOf(numbers_);
      found->second.alert.first_seen = now;
      found->second.alert.count = 0;
      ++stats_.opened;
      for (const StormKey& group : groups) ++groups_[group].open;
      StormGroup& all = groups_[groups.back()];
      if (all.in_hour++ == 0) all.hour = now;
    } else if (!found->second.open) {
      ++stats_.reopened;
      for (const StormKey& group :
           detect::StormKeysOf(finding.alert_class, finding.entity, options_)) {
        ++groups_[group].open;
      }
    }
    AlertLife& life = found->second;
    FillLife(life, finding, now, fill);
    life.Raise(finding.magnitude, finding.hold, now, options_, stats_, alerts);
    NoteDue(life);
    return true;
  }

  void Close(AlertClass alert_class, const AlertEntity& entity, Timestamp now, Fill fill,
             std::vector<Alert>& alerts) {
    AdvanceTo(now, alerts);
    const auto found = lives_.find(AlertKey{alert_class, entity});
    if (found == lives_.end() || !found->second.open) return;
    Refill(found->second, fill);
    CloseLife(found->first, found->second, now, alerts);
  }

  bool IsOpen(AlertClass alert_class, const AlertEntity& entity) const {
    const auto found = lives_.find(AlertKey{alert_class, entity});
    return found != lives_.end() && found->second.open;
  }

  void AdvanceTo(Timestamp now, std::vector<Alert>& alerts) {
    while (IsDue(now)) HappenNext(alerts);
  }

  void Finish(std::vector<Alert>& alerts) {
    std::map<std::uint64_t, std::pair<const AlertKey*, AlertLife*>> open;
    for (auto& [key, life] : lives_) {
      if (life.open) open[life.number] = {&key, &life};
    }
    for (auto& [key, group] : groups_) {
      if (!group.storm || !group.storm->open) continue;
      detect::FillStorm(key, group, group.storm->alert);
      open[group.storm->number] = {nullptr, &*group.storm};
    }
    for (auto& [number, entry] : open) {
      AlertLife& life = *entry.second;
      const Timestamp now = std::max(life.last_raised, life.last_report);
      if (entry.first != nullptr) {
        CloseLife(*entry.first, life, now, alerts);
      } else {
        life.Close(now, stats_, alerts);
      }
    }
    FindNextDue();
  }

  AlertTrackerStats Stats() const {
    AlertTrackerStats stats = stats_;
    for (const auto& [key, life] : lives_) stats.active += life.open ? 1 : 0;
    for (const auto& [key, group] : groups_) {
      stats.active += group.storm && group.storm->open ? 1 : 0;
    }
    return stats;
  }

  std::size_t memory_bytes() const {
    constexpr std::size_t kNode = 64;
    std::size_t bytes = sizeof(*this) + held_back_.memory_bytes();
    for (const auto& [key, life] : lives_) bytes += sizeof(key) + life.memory_bytes() + kNode;
    for (const auto& [key, group] : groups_) {
      bytes += sizeof(key) + sizeof(group) + kNode + group.samples.capacity() * 64;
      if (group.storm) bytes += detect::HeapBytes(group.storm->alert);
    }
    return bytes;
  }

  std::size_t memory_limit_bytes() const {
    constexpr std::size_t kStorms = 64;  // a storm takes storm_alerts alerts, or a class
    return sizeof(*this) + (std::size_t{1} << 18) + (options_.max_alerts + kStorms) * 4096;
  }

  std::string Save() const;
  absl::Status Load(std::string_view state);

 private:
  std::string IdOf(std::uint64_t number) const {
    return detector_ + absl::StrFormat("-%06d", number);
  }

  void FillLife(AlertLife& life, const AlertFinding& finding, Timestamp now, Fill fill) const {
    Alert& alert = life.alert;
    alert.alert_class = finding.alert_class;
    alert.entity = finding.entity;
    alert.severity = finding.severity;
    alert.detector = detector_;
    alert.last_seen = std::max(alert.last_seen, now);
    Refill(life, fill);
  }

  void Refill(AlertLife& life, Fill fill) const {
    std::string id = std::move(life.alert.id);
    const std::uint64_t count = life.alert.count;
    fill(life.alert);
    life.alert.id = std::move(id);
    life.alert.count = count;
    life.alert.detector = detector_;
    if (life.alert.peers.size() > kMaxAlertPeers) life.alert.peers.resize(kMaxAlertPeers);
  }

  // The group that has too many already; null when the alert can be shown.
  const StormKey* StormOf(const std::vector<StormKey>& keys, Timestamp now) {
    for (const StormKey& key : keys) {
      const auto found = groups_.find(key);
      if (found == groups_.end()) continue;
      StormGroup& group = found->second;
      if (key.side != StormKey::Side::kAll) {
        if (group.open >= options_.storm_alerts) return &key;
        continue;
      }
      if (detect::Since(group.hour, now) >= kHour) {
        group.hour = now;
        group.in_hour = 0;
      }
      if (group.in_hour >= options_.max_per_hour) return &key;
    }
    const bool is_full = lives_.size() >= options_.max_alerts &&
                         std::all_of(lives_.begin(), lives_.end(),
                                     [](const auto& entry) { return entry.second.open; });
    return is_full ? &keys.back() : nullptr;
  }

  // Of the alerts that are closed, the one that was closed first.
  void Forget() {
    if (lives_.size() < options_.max_alerts) return;
    auto oldest = lives_.end();
    for (auto entry = lives_.begin(); entry != lives_.end(); ++entry) {
      if (entry->second.open) continue;
      if (oldest == lives_.end() || entry->second.closed < oldest->second.closed) oldest = entry;
    }
    if (oldest != lives_.end()) lives_.erase(oldest);
  }

  void HoldBack(const StormKey& key, const AlertKey& alert_key, const AlertFinding& finding,
                Timestamp now, Fill fill, std::vector<Alert>& alerts) {
    StormGroup& group = groups_[key];
    const bool is_new = held_back_.Insert(FingerprintOf(alert_key));
    const bool is_first = !group.storm;
    if (!is_new && is_first) return;  // held back by another storm
    if (is_first) {
      group.suppressed = 0;
      group.storm.emplace();
      group.storm->number = ++numbers_;
      group.storm->alert.first_seen = now;
      group.storm->alert.count = 0;
      ++stats_.storms;
      // What the class says of itself: technique, score.
      FillLife(*group.storm, finding, now, fill);
      group.storm->alert.id = IdOf(group.storm->number);
    }
    AlertLife& storm = *group.storm;
    if (is_new) {
      ++group.suppressed;
      ++stats_.suppressed;
      if (group.samples.size() == StormGroup::kSamples) group.samples.erase(group.samples.begin());
      group.samples.push_back(detect::EntityText(finding.entity));
    }
    storm.alert.entity = {};
    storm.alert.last_seen = std::max(storm.alert.last_seen, now);
    storm.alert.severity = std::max(storm.alert.severity, finding.severity);
    // Composing the sentence a million times would cost more than everything else.
    const auto magnitude = static_cast<double>(group.suppressed);
    if (is_first || storm.pending || storm.alert.severity > storm.reported_severity ||
        magnitude >= storm.reported_magnitude * options_.update_growth) {
      detect::FillStorm(key, group, storm.alert);
    }
    storm.Raise(magnitude, options_.storm_quiet, now, options_, stats_, alerts);
    NoteDue(storm);
  }

  void CloseLife(const AlertKey& key, AlertLife& life, Timestamp now, std::vector<Alert>& alerts) {
    life.Close(now, stats_, alerts);
    NoteDue(life);
    LeaveGroups(key);
  }

  void LeaveGroups(const AlertKey& key) {
    for (const StormKey& group_key : detect::StormKeysOf(key.alert_class, key.entity, options_)) {
      const auto group = groups_.find(group_key);
      if (group == groups_.end()) continue;
      if (group->second.open > 0) --group->second.open;
      if (group->second.idle() && group_key.side != StormKey::Side::kAll) groups_.erase(group);
    }
  }

  // What falls due may have moved to a later time since it was noted.
  bool IsDue(Timestamp now) {
    if (next_due_ > now || next_due_ == Timestamp::max()) return false;
    FindNextDue();
    return next_due_ <= now && next_due_ != Timestamp::max();
  }

  void NoteDue(const AlertLife& life) { next_due_ = std::min(next_due_, life.Due(options_)); }

  void FindNextDue() {
    next_due_ = Timestamp::max();
    for (const auto& [key, life] : lives_) NoteDue(life);
    for (const auto& [key, group] : groups_) {
      if (group.storm) NoteDue(*group.storm);
    }
  }

  // Lets happen what falls due first; of what falls due together, what was opened first.
  void HappenNext(std::vector<Alert>& alerts) {
    auto life = lives_.end();
    auto storm = groups_.end();
    auto first = std::make_pair(Timestamp::max(), ~std::uint64_t{0});
    for (auto entry = lives_.begin(); entry != lives_.end(); ++entry) {
      const auto due = std::make_pair(entry->second.Due(options_), entry->second.number);
      if (due < first) {
        first = due;
        life = entry;
      }
    }
    for (auto entry = groups_.begin(); entry != groups_.end(); ++entry) {
      if (!entry->second.storm) continue;
      const auto due =
          std::make_pair(entry->second.storm->Due(options_), entry->second.storm->number);
      if (due < first) {
        first = due;
        storm = entry;
      }
    }
    if (storm != groups_.end()) {
      StormHappens(storm, alerts);
    } else if (life != lives_.end()) {
      const bool was_open = life->second.open;
      const bool is_over = life->second.Happen(options_, stats_, alerts);
      if (was_open && !life->second.open) LeaveGroups(life->first);
      if (is_over) lives_.erase(life);
    }
    FindNextDue();
  }

  void StormHappens(std::map<StormKey, StormGroup>::iterator entry, std::vector<Alert>& alerts) {
    StormGroup& group = entry->second;
    if (group.storm->open) detect::FillStorm(entry->first, group, group.storm->alert);
    if (!group.storm->Happen(options_, stats_, alerts)) return;
    group.storm.reset();
    group.samples.clear();
    if (group.idle() && entry->first.side != StormKey::Side::kAll) groups_.erase(entry);
  }

  std::string detector_;
  AlertTrackerOptions options_;
  AlertTrackerStats stats_;
  std::uint64_t numbers_ = 0;
  Timestamp next_due_ = Timestamp::max();
  std::map<AlertKey, AlertLife> lives_;
  std::map<StormKey, StormGroup> groups_;
  HeldBack held_back_;
};

std::string AlertTracker::Impl::Save() const {
  detect::StateWriter writer;
  writer(numbers_);
  StatsFields(writer, stats_);
  writer.Size(lives_.size(), kMostEntries);
  for (const auto& [key, life] : lives_) {
    KeyFields(writer, key);
    LifeFields(writer, life);
  }
  writer.Size(groups_.size(), kMostEntries);
  for (const auto& [key, group] : groups_) {
    writer.Enum(key.alert_class, 0);
    writer.Enum(key.side, 3);
    writer(key.prefix.address());
    writer(static_cast<std::uint8_t>(key.prefix.length()));
    writer(group.in_hour);
    writer(group.hour);
    writer(group.suppressed);
    detect::ListFields(writer, group.samples, StormGroup::kSamples,
                       [&](const std::string& text) { writer(text); });
    writer(group.storm.has_value());
    if (group.storm) LifeFields(writer, *group.storm);
  }
  writer.Size(held_back_.order().size(), HeldBack::kMost);
  for (const std::uint64_t fingerprint : held_back_.order()) writer(fingerprint);
  return detect::SealState(kStateName, kVersion, std::move(writer).bytes());
}

absl::Status AlertTracker::Impl::Load(std::string_view state) {
  NTA_ASSIGN_OR_RETURN(const auto payload, detect::OpenState(kStateName, kVersion, state));
  detect::StateReader reader(payload);
  Impl loaded(detector_, options_);
  reader(loaded.numbers_);
  StatsFields(reader, loaded.stats_);
  std::size_t size = 0;
  reader.Size(size, kMostEntries);
  for (std::size_t i = 0; i < size && reader.ok(); ++i) {
    AlertKey key;
    AlertLife life;
    KeyFields(reader, key);
    LifeFields(reader, life);
    if (life.open) {
      for (const StormKey& group :
           detect::StormKeysOf(key.alert_class, key.entity, loaded.options_)) {
        ++loaded.groups_[group].open;
      }
    }
    loaded.lives_.insert_or_assign(std::move(key), std::move(life));
  }
  reader.Size(size, kMostEntries);
  for (std::size_t i = 0; i < size && reader.ok(); ++i) {
    StormKey key;
    IpAddress address;
    std::uint8_t length = 0;
    reader.Enum(key.alert_class, static_cast<int>(AlertClass::kFlashCrowd) + 1);
    reader.Enum(key.side, 3);
    reader(address);
    reader(length);
    const auto prefix = IpPrefix::Create(address, length);
    if (!prefix.ok()) reader.Fail();
    if (!reader.ok()) break;
    key.prefix = *prefix;
    StormGroup& group = loaded.groups_[key];
    reader(group.in_hour);
    reader(group.hour);
    reader(group.suppressed);
    detect::ListFields(reader, group.samples, StormGroup::kSamples,
                       [&](std::string& text) { reader(text); });
    bool has_storm = false;
    reader(has_storm);
    if (has_storm) LifeFields(reader, group.storm.emplace());
  }
  reader.Size(size, HeldBack::kMost);
  for (std::size_t i = 0; i < size && reader.ok(); ++i) {
    std::uint64_t fingerprint = 0;
    reader(fingerprint);
    loaded.held_back_.Insert(fingerprint);
  }
  if (!reader.ok() || reader.remaining() != 0) {
    return base::MakeStatus(absl::StatusCode::kDataLoss,
                            "the saved alerts are damaged: their fields contradict each other");
  }
  loaded.FindNextDue();
  *this = std::move(loaded);
  return absl::OkStatus();
}

AlertTracker::AlertTracker(std::string detector, AlertTrackerOptions options)
    : impl_(std::make_unique<Impl>(std::move(detector), options)) {}
AlertTracker::~AlertTracker() = default;
AlertTracker::AlertTracker(AlertTracker&&) noexcept = default;
AlertTracker& AlertTracker::operator=(AlertTracker&&) noexcept = default;

bool AlertTracker::Raise(const AlertFinding& finding, Timestamp now, Fill fill,
                         std::vector<Alert>& alerts) {
  return impl_->Raise(finding, now, fill, alerts);
}
void AlertTracker::Close(AlertClass alert_class, const AlertEntity& entity, Timestamp now,
                         Fill fill, std::vector<Alert>& alerts) {
  impl_->Close(alert_class, entity, now, fill, alerts);
}
bool AlertTracker::IsOpen(AlertClass alert_class, const AlertEntity& entity) const {
  return impl_->IsOpen(alert_class, entity);
}
void AlertTracker::AdvanceTo(Timestamp now, std::vector<Alert>& alerts) {
  impl_->AdvanceTo(now, alerts);
}
void AlertTracker::Finish(std::vector<Alert>& alerts) { impl_->Finish(alerts); }
AlertTrackerStats AlertTracker::Stats() const { return impl_->Stats(); }
std::size_t AlertTracker::memory_bytes() const { return impl_->memory_bytes(); }
std::size_t AlertTracker::memory_limit_bytes() const { return impl_->memory_limit_bytes(); }
std::string AlertTracker::Save() const { return impl_->Save(); }
absl::Status AlertTracker::Load(std::string_view state) { return impl_->Load(state); }

}  // namespace nta
