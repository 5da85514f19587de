// Alert: one finding of a detector, at one state of its life.
//
//   std::cout << nta::ToString(alert.severity) << ": " << alert.summary << '\n';
#ifndef NTA_DETECT_ALERT_H_
#define NTA_DETECT_ALERT_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "nta/net/ip_address.h"
#include "nta/net/time.h"

namespace nta {

// What kind of thing was found. Persisted by name.
enum class AlertClass : std::uint8_t {
  kPortScan,
  kHostSweep,
  kSynFlood,
  kUdpFlood,
  kIcmpFlood,
  kAmplification,
  kBruteForce,
  kBeacon,
  kDnsTunnel,
  kExfiltration,
  kArpSpoof,
  kTrafficAnomaly,
  kRarePeer,
  kPolicy,
  kUnauthorisedAccess,
  kFlashCrowd,
};
std::string_view ToString(AlertClass alert_class);  // "port_scan", ...
absl::StatusOr<AlertClass> ParseAlertClass(std::string_view text);

enum class Severity : std::uint8_t { kInfo = 0, kLow = 1, kMedium = 2, kHigh = 3, kCritical = 4 };
std::string_view ToString(Severity severity);  // "info", ...
absl::StatusOr<Severity> ParseSeverity(std::string_view text);

enum class AlertState : std::uint8_t { kOpen = 0, kUpdated = 1, kClosed = 2 };
std::string_view ToString(AlertState state);  // "open", "updated", "closed"
absl::StatusOr<AlertState> ParseAlertState(std::string_view text);

// Who is concerned. Absent parts are not known or do not apply.
struct AlertEntity {
  std::optional<IpAddress> source;
  std::optional<IpAddress> destination;
  std::optional<std::string> service;  // "tcp/22", "udp/53"

  friend bool operator==(const AlertEntity&, const AlertEntity&) = default;
};

// One piece of evidence: a count, a measure, a text or a list of texts.
using EvidenceValue = std::variant<std::int64_t, double, std::string, std::vector<std::string>>;

// One of those who took part, and how much of what was observed is theirs.
struct AlertPeer {
  std::string name;  // an address, a port, a user: whatever the detector counts by
  double share = 0;  // 0 to 1

  friend bool operator==(const AlertPeer&, const AlertPeer&) = default;
};

inline constexpr std::size_t kMaxAlertPeers = 5;

struct Alert {
  // The same for every state of one alert, different between alerts of one engine:
  // "port_scan-000001".
  std::string id;
  Timestamp time{};      // of this state
  std::string detector;  // "port_scan"
  AlertClass alert_class = AlertClass::kPortScan;
  Severity severity = Severity::kMedium;
  double score = 0;  // bits of surprise: -log2 of the chance to see this in normal traffic
  double observed = 0;
  double expected = 0;
  std::string unit;  // of observed and expected: "failed contacts"
  AlertEntity entity;
  Duration window{};  // over which `observed` was counted
  std::map<std::string, EvidenceValue> evidence;
  std::string technique;  // MITRE ATT&CK id: "T1046"
  AlertState state = AlertState::kOpen;
  std::uint64_t count = 1;  // times the alert was raised or updated
  std::string summary;      // one sentence for a tired person
  // How sure the detector is that this is what its class says, 0 to 1; `score` says how unusual.
  double confidence = 1;
  // Between these `observed` would have been nothing unusual. Absent where there is no such band.
  std::optional<double> band_low;
  std::optional<double> band_high;
  // Of the traffic that the alert is about, over its whole life; 0 when the detector does not say.
  Timestamp first_seen{};
  Timestamp last_seen{};
  std::vector<AlertPeer> peers;  // at most kMaxAlertPeers, largest share first
  std::string advice;            // what to do now
  // Id of the suppression that hides the alert; empty: it is shown.
  std::string suppressed_by;

  friend bool operator==(const Alert&, const Alert&) = default;
};

}  // namespace nta

#endif  // NTA_DETECT_ALERT_H_
