#include "nta/detect/default_detectors.h"

#include <algorithm>
#include <utility>

#include "base/status.h"

namespace nta {
namespace {

absl::StatusOr<DetectorList> AllOf(const DetectionOptions& options) {
  DetectorList detectors;
  const auto add = [&]<typename D>(D detector) {
    detectors.push_back(std::make_unique<D>(std::move(detector)));
  };
  add(FloodDetector(options.flood));
  add(PortScanDetector(options.port_scan));
  add(BruteForceDetector(options.brute_force));
  add(ArpSpoofDetector(options.arp_spoof));
  add(DhcpDetector(options.dhcp));
  NTA_ASSIGN_OR_RETURN(auto policy, PolicyDetector::Create(options.policy));
  detectors.push_back(std::move(policy));
  add(BeaconDetector(options.beacon));
  add(DnsTunnelDetector(options.dns_tunnel));
  add(ExfiltrationDetector(options.exfiltration));
  add(RarePeerDetector(options.rare_peer));
  add(BaselineDetector(options.baseline));
  add(FlowAnomalyDetector(options.flow_anomaly));
  return detectors;
}

}  // namespace

std::vector<std::string> DefaultDetectorNames() {
  std::vector<std::string> names;
  // Without block lists there is nothing that could fail.
  const absl::StatusOr<DetectorList> detectors = AllOf({});
  for (const auto& detector : *detectors) names.emplace_back(detector->name());
  return names;
}

absl::StatusOr<DetectorList> DefaultDetectors(const DetectionOptions& options) {
  NTA_ASSIGN_OR_RETURN(DetectorList detectors, AllOf(options));
  for (const std::string& name : options.disabled) {
    const auto removed =
        std::erase_if(detectors, [&](const auto& detector) { return detector->name() == name; });
    if (removed > 0) continue;
    std::string message = "no detector \"" + name.substr(0, 40) + "\" (have:";
    for (const std::string& known : DefaultDetectorNames()) message += " " + known;
    return base::InvalidArgument(message + ")");
  }
  return detectors;
}

}  // namespace nta
