// NotificationDesk: the channels and routes that administrators set up, and the notifications that
// each user finds in the dashboard.
#ifndef NTA_SERVER_NOTICES_NOTIFICATION_DESK_H_
#define NTA_SERVER_NOTICES_NOTIFICATION_DESK_H_

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "clock.h"
#include "nta/detect/alert.h"
#include "nta/notify/email.h"
#include "nta/notify/notifier.h"
#include "nta/notify/syslog.h"
#include "nta/notify/webhook.h"
#include "nta/store/store.h"

namespace nta::server {

// One of the three is in use, as `kind` says. What is secret never leaves the server.
struct ChannelSetup {
  std::string id;
  std::string name;
  std::string kind;  // "email", "webhook", "syslog"
  bool enabled = true;
  // The password or secret that the store holds was sealed with another key, as after a restore on
  // another machine: nothing is sent until somebody enters it again.
  bool needs_secret = false;
  EmailOptions email;
  WebhookOptions webhook;
  SyslogOptions syslog;
};

// What a user finds under the bell.
struct InAppNotification {
  std::string id;  // orders them
  Timestamp time{};
  Severity severity = Severity::kInfo;
  std::string subject;
  std::string text;
  std::string alert;  // id
  bool read = false;
};

// Thread-safe; methods that answer a status may wait for the disk, TestChannel for the network.
class NotificationDesk {
 public:
  static constexpr std::size_t kMostKept = 500;
  static constexpr std::size_t kMostChannels = 50;
  static constexpr std::size_t kMostRoutes = 100;

  // Borrows `store`.
  NotificationDesk(Store& store, Clock clock);
  ~NotificationDesk();

  // Opens the queue in `directory` and takes up what the store holds. `key` seals secrets in the
  // store.
  absl::Status Open(const std::string& directory, std::string key);
  // Takes up what the store holds in place of what was known: another store took its place. What
  // waits to be sent is sent all the same. Nothing before Open.
  absl::Status Reload();
  // An alert that was not suppressed. Never blocks.
  void Offer(const Alert& alert, std::string json);
  // What a day was, to the routes of the class kDailySummaryClass, and those of every class that
  // take what is only for information. Never blocks.
  static constexpr std::string_view kDailySummaryClass = "daily_summary";
  void OfferSummary(std::string_view day, std::string_view text, std::string json);
  // Sends and saves until `stop`, then saves what is left.
  void Run(std::stop_token stop);
  // One round of that, without a pause; answers when the next is due.
  Timestamp Step();

  std::vector<ChannelSetup> Channels() const;
  // A secret that is empty stays what it is; FailedPrecondition when that is lost.
  absl::StatusOr<ChannelSetup> PutChannel(ChannelSetup channel, bool is_new);
  // FailedPrecondition while a route leads to it.
  absl::Status RemoveChannel(std::string_view id);
  // Sends a message of its own, whether or not the channel is in use. FailedPrecondition when its
  // secret is lost.
  absl::Status TestChannel(std::string_view id);
  std::map<std::string, ChannelStats> Stats() const;
  std::vector<NotificationRoute> Routes() const;
  absl::Status SetRoutes(std::vector<NotificationRoute> routes);

  // The newest first.
  std::vector<InAppNotification> List(const std::string& user) const;
  // All of them when `id` is empty. NotFound for an unknown one.
  absl::Status MarkRead(const std::string& user, std::string_view id);
  absl::Status Clear(const std::string& user);

 private:
  struct Seen {
    std::string cleared_until;
    std::string read_until;
    std::set<std::string> read;
  };

  // Channels and routes, and the notifications of users.
  absl::Status TakeUp() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status LoadChannels() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status LoadInApp();
  // The ids of the oldest and the newest that are kept; empty when there is none.
  std::pair<std::string, std::string> Kept() const;
  absl::Status Put(std::string_view kind, const std::string& id, std::string body);
  absl::StatusOr<std::unique_ptr<NotificationChannel>> Make(const ChannelSetup& setup) const;
  void SaveInApp();
  const Seen& SeenBy(const std::string& user) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status SaveSeen(const std::string& user, const Seen& seen)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::string Seal(std::string_view secret) const;
  std::string Unseal(std::string_view sealed) const;

  Store& store_;
  const Clock clock_;
  std::string key_;
  std::unique_ptr<Notifier> notifier_;
  mutable absl::Mutex mutex_;
  std::map<std::string, ChannelSetup, std::less<>> channels_ ABSL_GUARDED_BY(mutex_);
  std::vector<NotificationRoute> routes_ ABSL_GUARDED_BY(mutex_);
  mutable std::map<std::string, Seen> seen_ ABSL_GUARDED_BY(mutex_);
  // Never held while the disk is waited for: capture offers.
  mutable absl::Mutex in_app_mutex_ ABSL_ACQUIRED_AFTER(mutex_);
  std::deque<InAppNotification> kept_ ABSL_GUARDED_BY(in_app_mutex_);  // the oldest first
  std::vector<InAppNotification> fresh_ ABSL_GUARDED_BY(in_app_mutex_);
  std::vector<std::string> gone_ ABSL_GUARDED_BY(in_app_mutex_);
  std::uint64_t next_number_ ABSL_GUARDED_BY(in_app_mutex_) = 1;
};

// For the API: without secrets, but with whether there is one.
std::string ToJson(const ChannelSetup& channel, const ChannelStats& stats);
absl::StatusOr<ChannelSetup> ChannelFromJson(std::string_view json);
std::string ToJson(const NotificationRoute& route);
absl::StatusOr<std::vector<NotificationRoute>> RoutesFromJson(std::string_view json);
std::string ToJson(const InAppNotification& notification);

}  // namespace nta::server

#endif  // NTA_SERVER_NOTICES_NOTIFICATION_DESK_H_
