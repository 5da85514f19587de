// PortScanDetector: who tries many ports of a host, or many hosts.
//
//   nta::PortScanDetector scans({.min_ports = 50, .window = std::chrono::seconds(30)});
//   pipeline.AddDetector(scans);
#ifndef NTA_DETECT_PORT_SCAN_DETECTOR_H_
#define NTA_DETECT_PORT_SCAN_DETECTOR_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "nta/detect/alert_tracker.h"
#include "nta/detect/detector.h"

namespace nta {

struct PortScanOptions {
  // Sequential hypothesis test on first contacts (Jung, Paxson, Berger, Balakrishnan 2004): the
  // chance that a first contact succeeds for a benign source and for a scanner, and the error rates
  // that end the test. With these values nine failures in a row raise the alert, and one success
  // takes back as much as two failures gave.
  double benign_success = 0.8;
  double scanner_success = 0.05;
  double false_positive_rate = 1e-6;
  double detection_rate = 0.99;
  // Independent of the test: this many ports of one host tried without success within `window` are
  // a port scan, ...
  std::size_t min_ports = 25;
  // ... and this many hosts on one port a host sweep. Neither counts while more than a third of the
  // attempts succeed.
  std::size_t min_hosts = 25;
  // This many hosts pinged for the first time within `window` are a host sweep when a quarter of
  // them, and five at the least, stay silent: most hosts answer a ping, so the test above sees no
  // sweep of a network full of them.
  std::size_t min_pinged_hosts = 15;
  Duration window = std::chrono::minutes(5);
  // A contact without answer for this long has failed.
  Duration answer_timeout = std::chrono::seconds(5);
  // An alert closes after this long without a further failed contact, that of a slow scan after
  // four times its mean pause.
  Duration quiet_close = std::chrono::minutes(5);
  // Sources with failed contacts that are watched at the most; beyond that the one that failed once
  // and longest ago is forgotten. About 900 bytes each.
  std::size_t max_sources = 8192;
  // Contacts that wait for their outcome at the most; beyond that the oldest counts as failed.
  // About 100 bytes each.
  std::size_t max_pending = 49152;
  // Contacts that are remembered as made before, for an hour or two; beyond that the oldest half is
  // forgotten. 16 bytes each.
  std::size_t max_contacts = 262144;
  // Key of the hash tables; random when absent.
  std::optional<std::uint64_t> hash_seed{};
  AlertTrackerOptions alerts{};
};

// Judges first contacts by their outcome, not by their number: a busy client whose connections
// succeed never alerts, and answers to somebody else's spoofed packets (backscatter) are no
// contacts. One alert per source and class, updated each time the number of failed contacts has
// grown tenfold, once a minute at the most. docs/detection.md explains each rule.
//
// Contacts are judged in the order in which they were tried, so an alert comes up to answer_timeout
// after the contact that decides. Options out of their range are moved to its nearest end. At most
// about 20 MB with the default options. A saved state holds the hash key, and loads only with the
// `window` it was saved with.
class PortScanDetector final : public Detector {
 public:
  explicit PortScanDetector(PortScanOptions options = {});
  ~PortScanDetector() override;
  PortScanDetector(PortScanDetector&&) noexcept;
  PortScanDetector& operator=(PortScanDetector&&) noexcept;

  std::string_view name() const override { return "port_scan"; }
  void Observe(const FlowEvent& event, std::vector<Alert>& alerts) override;
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

#endif  // NTA_DETECT_PORT_SCAN_DETECTOR_H_
