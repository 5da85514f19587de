// Notifier: brings notifications to their channels, by route, through a queue on disk.
//
//   auto notifier = nta::Notifier::Open({.directory = "notify"});
//   (*notifier)->SetChannel("mail", std::move(mail));
//   (*notifier)->SetRoutes({{.id = "urgent", .channel = "mail", .min_severity =
//                            nta::Severity::kHigh}});
//   (*notifier)->Offer(nta::AlertNotification(alert, nta::ToJson(alert)), now);  // any thread
//   nta::Timestamp next = (*notifier)->Step(now);  // sends what is due; one thread
#ifndef NTA_NOTIFY_NOTIFIER_H_
#define NTA_NOTIFY_NOTIFIER_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "nta/notify/notification.h"

namespace nta {

struct NotificationRoute {
  std::string id{};
  std::string channel{};
  Severity min_severity = Severity::kMedium;
  std::vector<std::string> classes{};          // of alerts; empty: every class
  std::vector<std::string> states = {"open"};  // of alerts; empty: every state
  // Collects for so long and sends everything in one message; 0: at once.
  Duration digest{};
};

struct NotifierOptions {
  std::string directory{};  // of the queue; made when it is missing
  // Beyond either, the oldest of the least severe is dropped and counted.
  std::size_t max_queued = 2'000;
  std::size_t max_queued_bytes = 32 << 20;
  // Messages of a channel within an hour; what comes on top waits, and goes out as one digest.
  std::size_t max_per_hour = 60;
  // Pause after a failed attempt: doubles from the first to the last.
  Duration first_retry = std::chrono::seconds(5);
  Duration last_retry = std::chrono::minutes(10);
  // After so many failures in a row a channel rests, and is then tried with one message.
  int failures_to_rest = 5;
  Duration rest = std::chrono::minutes(5);
  // What could not be delivered for so long is dropped and counted.
  Duration give_up_after = std::chrono::days(1);
};

struct ChannelStats {
  std::uint64_t sent = 0;       // messages
  std::uint64_t delivered = 0;  // notifications in them
  std::uint64_t failed_attempts = 0;
  std::uint64_t refused = 0;  // notifications that the receiver will never take
  std::uint64_t dropped = 0;  // notifications: no room, or too old
  std::size_t queued = 0;     // notifications
  bool resting = false;       // after too many failures
  Timestamp last_success{};
  Timestamp next_attempt{};
  std::string last_error;  // empty after a success
};

// Offer, SetChannel, SetRoutes and Stats are thread-safe; Step is called by one thread.
// Nothing here sleeps or reads a clock.
class Notifier {
 public:
  // What an earlier process left in the queue is sent first. PermissionDenied and the like when the
  // directory cannot be used; damaged entries are counted and put aside as "<name>.bad".
  static absl::StatusOr<std::unique_ptr<Notifier>> Open(NotifierOptions options);
  ~Notifier();
  Notifier(const Notifier&) = delete;
  Notifier& operator=(const Notifier&) = delete;

  // Takes a channel in, or another in place of it; null takes it away. Entries for a channel that
  // is not there wait.
  void SetChannel(std::string_view id, std::unique_ptr<NotificationChannel> channel);
  void SetRoutes(std::vector<NotificationRoute> routes);

  // Puts it in line for every route that fits; never waits for disk or network. The next Step
  // brings it to disk. Answers how many routes took it.
  std::size_t Offer(const Notification& notification, Timestamp now);
  // Sends what is due and answers when to call again; Timestamp::max(): when something is offered.
  Timestamp Step(Timestamp now);

  std::map<std::string, ChannelStats> Stats() const;  // by channel
  std::uint64_t damaged() const;                      // entries found damaged on opening

 private:
  class Impl;
  explicit Notifier(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace nta

#endif  // NTA_NOTIFY_NOTIFIER_H_
