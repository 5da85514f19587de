#include "nta/detect/default_detectors.h"

#include <algorithm>
#include <utility>

#include "base/status.h"

namespace nta {
namespace {

DetectorList AllOf(const DetectionOptions& options) {
  DetectorList detectors;
  const auto add = [&]<typename D>(D detector) {
    detectors.push_back(std::make_unique<D>(std::move(detector)));
  };
  add(PortScanDetector(options.port_scan));
  return detectors;
}

}  // namespace

std::vector<std::string> DefaultDetectorNames() {
  std::vector<std::string> names;
  for (const auto& detector : AllOf({})) names.emplace_back(detector->name());
  return names;
}

absl::StatusOr<DetectorList> DefaultDetectors(const DetectionOptions& options) {
  DetectorList detectors = AllOf(options);
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
