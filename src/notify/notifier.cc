#include "nta/notify/notifier.h"

#include <algorithm>
#include <deque>
#include <list>
#include <optional>
#include <utility>

#include "absl/synchronization/mutex.h"
#include "base/status.h"
#include "notify/spool.h"

namespace nta {
namespace {

using notify::Entry;

constexpr std::size_t kMostInOneMessage = 500;

bool Contains(const std::vector<std::string>& list, const std::string& text) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

bool Fits(const NotificationRoute& route, const Notification& news) {
  if (news.severity < route.min_severity) return false;
  if (!news.alert_class.empty() && !route.classes.empty() &&
      !Contains(route.classes, news.alert_class)) {
    return false;
  }
  return news.state.empty() || route.states.empty() || Contains(route.states, news.state);
}

struct Channel {
  std::shared_ptr<NotificationChannel> sender;  // shared: Step may use it while it is replaced
  ChannelStats stats;
  int failures = 0;            // in a row
  std::deque<Timestamp> sent;  // within the last hour
};

}  // namespace

class Notifier::Impl {
 public:
  Impl(NotifierOptions options, notify::Spool spool, std::vector<Entry> entries,
       std::uint64_t damaged);

  void SetChannel(std::string_view id, std::unique_ptr<NotificationChannel> channel);
  void SetRoutes(std::vector<NotificationRoute> routes);
  std::size_t Offer(const Notification& notification, Timestamp now);
  Timestamp Step(Timestamp now);
  std::map<std::string, ChannelStats> Stats() const;
  std::uint64_t damaged() const { return damaged_; }

 private:
  // What goes out in one message.
  struct Parcel {
    std::string channel;
    std::shared_ptr<NotificationChannel> sender;
    std::vector<Entry> entries;
  };

  void BringToDisk();
  void GiveUp(Timestamp now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void MakeRoom() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Drop(std::list<Entry>::iterator entry) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::optional<Parcel> NextParcel(Timestamp now, Timestamp& next)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Settle(const Parcel& parcel, const absl::Status& status, Timestamp now);
  // When the channel may send again; `now` or before: at once.
  Timestamp Ready(Channel& channel, Timestamp now) const;

  const NotifierOptions options_;
  notify::Spool spool_;  // only Step touches the disk
  const std::uint64_t damaged_;
  mutable absl::Mutex mutex_;
  std::map<std::string, Channel, std::less<>> channels_ ABSL_GUARDED_BY(mutex_);
  std::vector<NotificationRoute> routes_ ABSL_GUARDED_BY(mutex_);
  std::list<Entry> entries_ ABSL_GUARDED_BY(mutex_);  // by number
  std::vector<Entry> fresh_ ABSL_GUARDED_BY(mutex_);  // not on disk yet
  std::vector<Entry> gone_ ABSL_GUARDED_BY(mutex_);   // to be removed from disk
  std::size_t bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  std::uint64_t next_number_ ABSL_GUARDED_BY(mutex_) = 1;
};

Notifier::Impl::Impl(NotifierOptions options, notify::Spool spool, std::vector<Entry> entries,
                     std::uint64_t damaged)
    : options_(std::move(options)), spool_(std::move(spool)), damaged_(damaged) {
  absl::MutexLock lock(&mutex_);
  for (Entry& entry : entries) {
    bytes_ += entry.bytes;
    next_number_ = entry.number + 1;
    ++channels_[entry.channel].stats.queued;
    entries_.push_back(std::move(entry));
  }
}

void Notifier::Impl::SetChannel(std::string_view id, std::unique_ptr<NotificationChannel> channel) {
  absl::MutexLock lock(&mutex_);
  Channel& entry = channels_[std::string(id)];
  entry.sender = std::move(channel);
  // Somebody may have put right what was wrong.
  entry.failures = 0;
  entry.stats.resting = false;
  entry.stats.next_attempt = {};
}

void Notifier::Impl::SetRoutes(std::vector<NotificationRoute> routes) {
  absl::MutexLock lock(&mutex_);
  routes_ = std::move(routes);
}

std::size_t Notifier::Impl::Offer(const Notification& notification, Timestamp now) {
  absl::MutexLock lock(&mutex_);
  std::size_t taken = 0;
  for (const NotificationRoute& route : routes_) {
    if (!Fits(route, notification)) continue;
    Entry entry;
    entry.number = next_number_++;
    entry.channel = route.channel;
    entry.route = route.id;
    entry.offered = now;
    entry.due = now + route.digest;
    if (route.digest > Duration::zero()) {
      // Joins the digest that is being collected.
      for (const auto* list : {&fresh_}) {
        for (const Entry& other : *list) {
          if (other.route == route.id && other.due > now)
            entry.due = std::min(entry.due, other.due);
        }
      }
      for (const Entry& other : entries_) {
        if (other.route == route.id && other.due > now) entry.due = std::min(entry.due, other.due);
      }
    }
    entry.news = notification;
    entry.bytes = notification.text.size() + notification.json.size() + 512;
    bytes_ += entry.bytes;
    ++channels_[route.channel].stats.queued;
    fresh_.push_back(std::move(entry));
    ++taken;
  }
  MakeRoom();
  return taken;
}

void Notifier::Impl::Drop(std::list<Entry>::iterator entry) {
  ChannelStats& stats = channels_[entry->channel].stats;
  ++stats.dropped;
  --stats.queued;
  bytes_ -= entry->bytes;
  gone_.push_back(std::move(*entry));
  entries_.erase(entry);
}

void Notifier::Impl::MakeRoom() {
  while (entries_.size() + fresh_.size() > options_.max_queued ||
         bytes_ > options_.max_queued_bytes) {
    const auto less_severe = [](const Entry& a, const Entry& b) {
      return a.news.severity < b.news.severity;
    };
    // The first of the least severe is the oldest of them.
    const auto old = std::min_element(entries_.begin(), entries_.end(), less_severe);
    const auto fresh = std::min_element(fresh_.begin(), fresh_.end(), less_severe);
    const bool take_old =
        old != entries_.end() && (fresh == fresh_.end() || !less_severe(*fresh, *old));
    if (take_old) {
      Drop(old);
      continue;
    }
    if (fresh == fresh_.end()) return;
    ChannelStats& stats = channels_[fresh->channel].stats;
    ++stats.dropped;
    --stats.queued;
    bytes_ -= fresh->bytes;
    fresh_.erase(fresh);
  }
}

void Notifier::Impl::BringToDisk() {
  std::vector<Entry> fresh;
  std::vector<Entry> gone;
  {
    absl::MutexLock lock(&mutex_);
    fresh.swap(fresh_);
    gone.swap(gone_);
  }
  std::optional<absl::Status> failed;
  for (const Entry& entry : fresh) {
    // What cannot be written is sent all the same, as long as the process lives.
    if (const absl::Status status = spool_.Write(entry); !status.ok()) failed = status;
  }
  for (const Entry& entry : gone) spool_.Remove(entry);
  absl::MutexLock lock(&mutex_);
  if (failed) {
    for (Entry& entry : fresh) {
      channels_[entry.channel].stats.last_error =
          std::string(failed->message().data(), failed->message().size());
    }
  }
  std::move(fresh.begin(), fresh.end(), std::back_inserter(entries_));
}

void Notifier::Impl::GiveUp(Timestamp now) {
  for (auto entry = entries_.begin(); entry != entries_.end();) {
    const auto next = std::next(entry);
    if (now - entry->due > options_.give_up_after) Drop(entry);
    entry = next;
  }
}

Timestamp Notifier::Impl::Ready(Channel& channel, Timestamp now) const {
  while (!channel.sent.empty() && now - channel.sent.front() >= std::chrono::hours(1)) {
    channel.sent.pop_front();
  }
  Timestamp ready = channel.stats.next_attempt;
  if (channel.sent.size() >= options_.max_per_hour) {
    ready = std::max(ready, channel.sent.front() + std::chrono::hours(1));
  }
  return ready;
}

std::optional<Notifier::Impl::Parcel> Notifier::Impl::NextParcel(Timestamp now, Timestamp& next) {
  for (const Entry& first : entries_) {
    Channel& channel = channels_[first.channel];
    if (channel.sender == nullptr) continue;
    const Timestamp due = std::max(first.due, Ready(channel, now));
    if (due > now) {
      next = std::min(next, due);
      continue;
    }
    Parcel parcel{first.channel, channel.sender, {first}};
    // A digest takes in all of its route. So does a channel with few messages left in its hour with
    // whatever waits for it; one that comes back after failures is tried with one message.
    const bool scarce = channel.sent.size() * 2 >= options_.max_per_hour;
    for (const Entry& other : entries_) {
      if (&other == &first || other.channel != first.channel || other.due > now) continue;
      if (parcel.entries.size() == kMostInOneMessage) break;
      const bool same_digest = first.due > first.offered && other.route == first.route;
      if (same_digest || scarce) parcel.entries.push_back(other);
    }
    return parcel;
  }
  return std::nullopt;
}

void Notifier::Impl::Settle(const Parcel& parcel, const absl::Status& status, Timestamp now) {
  absl::MutexLock lock(&mutex_);
  Channel& channel = channels_[parcel.channel];
  ChannelStats& stats = channel.stats;
  const bool refused = absl::IsInvalidArgument(status);
  if (status.ok() || refused) {
    for (const Entry& sent : parcel.entries) {
      const auto entry = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& other) {
        return other.number == sent.number;
      });
      if (entry == entries_.end()) continue;  // dropped meanwhile
      --stats.queued;
      bytes_ -= entry->bytes;
      gone_.push_back(std::move(*entry));
      entries_.erase(entry);
    }
  }
  if (status.ok()) {
    ++stats.sent;
    stats.delivered += parcel.entries.size();
    stats.last_success = now;
    stats.last_error.clear();
    stats.resting = false;
    stats.next_attempt = {};
    channel.failures = 0;
    channel.sent.push_back(now);
    return;
  }
  stats.last_error = std::string(status.message().data(), status.message().size());
  if (refused) {
    stats.refused += parcel.entries.size();
    return;
  }
  ++stats.failed_attempts;
  ++channel.failures;
  Duration pause = options_.first_retry;
  for (int i = 1; i < channel.failures && pause < options_.last_retry; ++i) pause *= 2;
  pause = std::min(pause, options_.last_retry);
  stats.resting = channel.failures >= options_.failures_to_rest;
  if (stats.resting) pause = std::max(pause, options_.rest);
  stats.next_attempt = now + pause;
}

Timestamp Notifier::Impl::Step(Timestamp now) {
  Timestamp next = Timestamp::max();
  while (true) {
    // What was offered while a message was on its way does not wait for the next one.
    BringToDisk();
    std::optional<Parcel> parcel;
    {
      absl::MutexLock lock(&mutex_);
      GiveUp(now);
      next = Timestamp::max();
      parcel = NextParcel(now, next);
    }
    if (!parcel) break;
    std::vector<Notification> news;
    for (const Entry& entry : parcel->entries) news.push_back(entry.news);
    Settle(*parcel, parcel->sender->Send(DigestNotification(news, now), now), now);
  }
  // What was given up is still on disk.
  BringToDisk();
  return next;
}

std::map<std::string, ChannelStats> Notifier::Impl::Stats() const {
  absl::MutexLock lock(&mutex_);
  std::map<std::string, ChannelStats> stats;
  for (const auto& [id, channel] : channels_) stats[id] = channel.stats;
  return stats;
}

absl::StatusOr<std::unique_ptr<Notifier>> Notifier::Open(NotifierOptions options) {
  if (options.max_queued < 1 || options.max_per_hour < 1 || options.failures_to_rest < 1 ||
      options.first_retry <= Duration::zero() || options.last_retry < options.first_retry) {
    return base::InvalidArgument("an option of the notifier is out of range");
  }
  std::vector<Entry> entries;
  std::uint64_t damaged = 0;
  NTA_ASSIGN_OR_RETURN(notify::Spool spool,
                       notify::Spool::Open(options.directory, entries, damaged));
  return std::unique_ptr<Notifier>(new Notifier(
      std::make_unique<Impl>(std::move(options), std::move(spool), std::move(entries), damaged)));
}

Notifier::Notifier(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Notifier::~Notifier() = default;
void Notifier::SetChannel(std::string_view id, std::unique_ptr<NotificationChannel> channel) {
  impl_->SetChannel(id, std::move(channel));
}
void Notifier::SetRoutes(std::vector<NotificationRoute> routes) {
  impl_->SetRoutes(std::move(routes));
}
std::size_t Notifier::Offer(const Notification& notification, Timestamp now) {
  return impl_->Offer(notification, now);
}
Timestamp Notifier::Step(Timestamp now) { return impl_->Step(now); }
std::map<std::string, ChannelStats> Notifier::Stats() const { return impl_->Stats(); }
std::uint64_t Notifier::damaged() const { return impl_->damaged(); }

}  // namespace nta
