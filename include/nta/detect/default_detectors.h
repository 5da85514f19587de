// DefaultDetectors(): every detector of the library that is on unless somebody turns it off.
//
//   auto detectors = nta::DefaultDetectors({.disabled = {"port_scan"}});
//   for (const auto& detector : *detectors) pipeline.AddDetector(*detector);
#ifndef NTA_DETECT_DEFAULT_DETECTORS_H_
#define NTA_DETECT_DEFAULT_DETECTORS_H_

#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "nta/detect/arp_spoof_detector.h"
#include "nta/detect/baseline_detector.h"
#include "nta/detect/beacon_detector.h"
#include "nta/detect/brute_force_detector.h"
#include "nta/detect/detector.h"
#include "nta/detect/dhcp_detector.h"
#include "nta/detect/dns_tunnel_detector.h"
#include "nta/detect/exfiltration_detector.h"
#include "nta/detect/flood_detector.h"
#include "nta/detect/flow_anomaly_detector.h"
#include "nta/detect/policy_detector.h"
#include "nta/detect/port_scan_detector.h"
#include "nta/detect/rare_peer_detector.h"

namespace nta {

// One member for each detector, by its name.
struct DetectionOptions {
  FloodOptions flood{};
  PortScanOptions port_scan{};
  BruteForceOptions brute_force{};
  ArpSpoofOptions arp_spoof{};
  DhcpOptions dhcp{};
  PolicyOptions policy{};
  BeaconOptions beacon{};
  DnsTunnelOptions dns_tunnel{};
  ExfiltrationOptions exfiltration{};
  RarePeerOptions rare_peer{};
  BaselineOptions baseline{};
  FlowAnomalyOptions flow_anomaly{};
  // Names of detectors to leave out.
  std::set<std::string> disabled{};
};

using DetectorList = std::vector<std::unique_ptr<Detector>>;

// In a fixed order, so that the alerts of one moment come in the same order everywhere.
// InvalidArgument for a name in `disabled` that no detector has; the error of BlockList::Read for a
// block list that cannot be read.
absl::StatusOr<DetectorList> DefaultDetectors(const DetectionOptions& options = {});
// Their names, in that order.
std::vector<std::string> DefaultDetectorNames();

}  // namespace nta

#endif  // NTA_DETECT_DEFAULT_DETECTORS_H_
