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

#include "nta/detect/detector.h"

namespace nta {

struct PortScanOptions {
  // Sequential hypothesis test on first contacts (Jung, Paxson, Berger, Balakrishnan 2004): the
  // chance that a first contact succeeds for a benign source and for a scanner, and the error rates
  // that end the test. With these values ten failures in a row raise the alert.
  double benign_success = 0.8;
  double scanner_success = 0.2;
  double false_positive_rate = 1e-6;
  double detection_rate = 0.99;
  // Independent of the test: this many ports of one host tried without success within `window` are
  // a port scan, ...
  std::size_t min_ports = 25;
  // ... and this many hosts on one port a host sweep.
  std::size_t min_hosts = 25;
  Duration window = std::chrono::minutes(5);
  // A contact without answer for this long has failed.
  Duration answer_timeout = std::chrono::seconds(5);
  // An alert closes after this long without a further failed contact.
  Duration quiet_close = std::chrono::minutes(5);
  // Sources that are watched at the most; beyond that the one silent for longest is forgotten.
  std::size_t max_sources = 32768;
  // Contacts that wait for their outcome at the most; beyond that the oldest counts as failed.
  std::size_t max_pending = 131072;
  // Key of the hash tables; random when absent.
  std::optional<std::uint64_t> hash_seed;
};

// Judges first contacts by their outcome, not by their number: a busy client whose connections
// succeed never alerts, and answers to somebody else's spoofed packets (backscatter) are no
// contacts. One alert per source and class, updated each time the number of failed contacts has
// grown tenfold.
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
  std::string Save() const override;
  absl::Status Load(std::string_view state) override;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace nta

#endif  // NTA_DETECT_PORT_SCAN_DETECTOR_H_
