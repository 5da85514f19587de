// BruteForceDetector: who guesses passwords, and whether a guess was right.
//
//   nta::BruteForceDetector guesses;
//   pipeline.AddDetector(guesses);                    // flows
//   guesses.ObserveEvent(failed_login, alerts);       // what applications report
#ifndef NTA_DETECT_BRUTE_FORCE_DETECTOR_H_
#define NTA_DETECT_BRUTE_FORCE_DETECTOR_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "nta/detect/alert_tracker.h"
#include "nta/detect/detector.h"

namespace nta {

struct BruteForceOptions {
  // Failed log-ins of one source at one service of one host that are no mistyping; one is forgiven
  // in each `forgive_one`, so that people and programs with an old password stay below.
  std::size_t min_failures = 10;
  // Likewise where a refusal is part of ordinary use: HTTP, proxies, SIP.
  std::size_t min_web_failures = 30;
  Duration forgive_one = std::chrono::minutes(30);
  // A source that tries its passwords at several hosts: failures in all, ...
  std::size_t min_spray_failures = 15;
  // ... and hosts. Also the hosts behind `min_distributed_failures` guesses at one service that
  // come from ever new sources.
  std::size_t min_spray_hosts = 5;
  std::size_t min_distributed_failures = 60;
  std::size_t min_distributed_sources = 15;
  // A log-in that succeeds after so many failures of its account within an hour is a break-in.
  std::size_t failures_before_success = 5;
  // Entries in each of the three tables (pairs, sources, services); beyond that the one that was
  // used longest ago is forgotten. About 1 KB each.
  std::size_t max_entries = 1536;
  AlertTrackerOptions alerts{};
};

// Log-ins are known from three places: what servers answer in protocols that are not encrypted (FTP
// 530, SMTP 535, Telnet, POP3, IMAP, SMB, databases, HTTP 401: the flow's metadata), the shape of
// SSH and RDP sessions that end right after the key exchange, and events of the application.
// Classes: brute_force; unauthorised_access when a guess was right (critical: at that account).
class BruteForceDetector final : public Detector {
 public:
  explicit BruteForceDetector(BruteForceOptions options = {});
  ~BruteForceDetector() override;
  BruteForceDetector(BruteForceDetector&&) noexcept;
  BruteForceDetector& operator=(BruteForceDetector&&) noexcept;

  std::string_view name() const override { return "brute_force"; }
  void Observe(const FlowEvent& event, std::vector<Alert>& alerts) override;
  void ObserveEvent(const SecurityEvent& event, std::vector<Alert>& alerts) override;
  void AdvanceTo(Timestamp now, std::vector<Alert>& alerts) override;
  void Finish(std::vector<Alert>& alerts) override;
  std::size_t memory_bytes() const override;
  std::size_t memory_limit_bytes() const override;
  std::uint64_t evictions() const override;
  std::string Save() const override;
  absl::Status Load(std::string_view state) override;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace nta

#endif  // NTA_DETECT_BRUTE_FORCE_DETECTOR_H_
