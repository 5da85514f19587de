// DetectorSettings: what people may set of each detector, by name. One table, so that a setting has
// the same name, meaning and bounds in C++, in Python, on the command line, in the REST API and in
// the dashboard.
//
//   nta::DetectionOptions options;
//   absl::Status status = nta::Configure(
//       "port_scan", {.sensitivity = nta::Sensitivity::kHigh, .options = {{"min_ports", 50.0}}},
//       options);
//   auto detectors = nta::DefaultDetectors(options);
#ifndef NTA_DETECT_DETECTOR_SETTINGS_H_
#define NTA_DETECT_DETECTOR_SETTINGS_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "nta/detect/default_detectors.h"

namespace nta {

// Low doubles the thresholds of a detector and halves its alert budget, high does the opposite.
// What policy or physics give (networks, ports, timeouts) stays.
enum class Sensitivity : std::uint8_t { kLow = 0, kNormal = 1, kHigh = 2 };
std::string_view ToString(Sensitivity sensitivity);  // "low", "normal", "high"
absl::StatusOr<Sensitivity> ParseSensitivity(std::string_view text);

enum class DetectorOptionKind : std::uint8_t {
  kFlag,      // bool
  kCount,     // double without a fraction
  kNumber,    // double
  kSeconds,   // double
  kNetworks,  // texts: "10.0.0.0/8", "192.0.2.7"
  kPorts,     // texts: "22"
  kDomains,   // texts: "example.org"
  kFiles,     // texts: paths
  kEntries,   // texts: addresses, networks and domains
};
std::string_view ToString(DetectorOptionKind kind);  // "flag", ...

using DetectorOptionValue = std::variant<bool, double, std::vector<std::string>>;

struct DetectorOption {
  std::string name;   // as the field of the detector's options: "min_ports"
  std::string about;  // a phrase for people
  DetectorOptionKind kind = DetectorOptionKind::kNumber;
  double least = 0;  // of counts, numbers and seconds
  double most = 0;
  DetectorOptionValue default_value{};
  // Whether the sensitivity moves it.
  bool is_scaled = false;
};

// How much of its work a detector can do with flow records alone, without packets.
enum class FlowSupport : std::uint8_t { kNone, kPart, kFull };
std::string_view ToString(FlowSupport support);  // "none", "part", "full"

struct DetectorInfo {
  std::string name;   // "port_scan"
  std::string about;  // a sentence for people
  FlowSupport stored_flows = FlowSupport::kFull;
  std::string stored_flows_note;  // what they lack; empty when nothing
  std::vector<DetectorOption> options;
};

// Every detector of DefaultDetectors, in its order.
std::vector<DetectorInfo> DetectorCatalogue();

struct DetectorSettings {
  bool enabled = true;
  Sensitivity sensitivity = Sensitivity::kNormal;
  // By name; they go before the sensitivity.
  std::map<std::string, DetectorOptionValue, std::less<>> options{};

  friend bool operator==(const DetectorSettings&, const DetectorSettings&) = default;
};

// Sets what they say of the detector, starting with its defaults. NotFound for an unknown detector,
// InvalidArgument for an unknown option, a value of the wrong kind or out of its bounds; then
// nothing changes. Files are not read.
absl::Status Configure(std::string_view detector, const DetectorSettings& settings,
                       DetectionOptions& options);

// One detector of DefaultDetectors, whether or not it is disabled. NotFound for an unknown name,
// and the errors of DefaultDetectors.
absl::StatusOr<std::unique_ptr<Detector>> MakeDetector(std::string_view name,
                                                       const DetectionOptions& options = {});

}  // namespace nta

#endif  // NTA_DETECT_DETECTOR_SETTINGS_H_
