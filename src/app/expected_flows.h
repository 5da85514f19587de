// ExpectedFlows: connections that another one announced: FTP's data, a call's media.
#ifndef NTA_APP_EXPECTED_FLOWS_H_
#define NTA_APP_EXPECTED_FLOWS_H_

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "nta/flow/application.h"
#include "nta/net/five_tuple.h"
#include "nta/net/time.h"

namespace nta::internal {

// Keeps the last kMaxExpected announcements, for a minute each.
class ExpectedFlows {
 public:
  void Expect(const Endpoint& endpoint, Application application, Timestamp now) {
    entries_[next_] = {endpoint, application, now + kValidity};
    next_ = (next_ + 1) % entries_.size();
    latest_expiry_ = now + kValidity;
  }

  // kUnknown when nobody announced a flow to this endpoint. Once: the next flow is another one.
  Application Take(const Endpoint& endpoint, Timestamp now) {
    // Mostly nothing is expected at all.
    if (now > latest_expiry_) return Application::kUnknown;
    for (Entry& entry : entries_) {
      if (entry.endpoint.port != endpoint.port || entry.application == Application::kUnknown)
        continue;
      if (entry.expires < now || entry.endpoint != endpoint) continue;
      const Application application = entry.application;
      entry = {};
      return application;
    }
    return Application::kUnknown;
  }

  static constexpr std::size_t kMaxExpected = 64;
  static constexpr auto kValidity = std::chrono::minutes(1);

 private:
  struct Entry {
    Endpoint endpoint;
    Application application = Application::kUnknown;
    Timestamp expires{};
  };
  std::array<Entry, kMaxExpected> entries_{};
  std::size_t next_ = 0;
  Timestamp latest_expiry_ = kMinPacketTime;
};

}  // namespace nta::internal

#endif  // NTA_APP_EXPECTED_FLOWS_H_
