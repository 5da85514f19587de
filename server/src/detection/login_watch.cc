#include "detection/login_watch.h"

#include <utility>

namespace nta::server {

LoginWatch::LoginWatch(std::string prefix, std::function<void(const std::vector<Alert>&)> sink)
    : prefix_(std::move(prefix)), sink_(std::move(sink)) {}

void LoginWatch::Report(const IpAddress& client, SecurityOutcome outcome, std::string user,
                        Timestamp now) {
  std::vector<Alert> alerts;
  {
    absl::MutexLock lock(&mutex_);
    detector_.ObserveEvent({.time = now,
                            .source = client,
                            .destination = {},
                            .service = "nta-server",
                            .user = std::move(user),
                            .outcome = outcome,
                            .reason = {}},
                           alerts);
  }
  Deliver(std::move(alerts));
}

void LoginWatch::Tick(Timestamp now) {
  std::vector<Alert> alerts;
  {
    absl::MutexLock lock(&mutex_);
    detector_.AdvanceTo(now, alerts);
  }
  Deliver(std::move(alerts));
}

void LoginWatch::Deliver(std::vector<Alert> alerts) {
  if (alerts.empty()) return;
  for (Alert& alert : alerts) alert.id.insert(0, prefix_);
  sink_(alerts);
}

}  // namespace nta::server
