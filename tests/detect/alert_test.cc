#include "nta/detect/alert.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "nta/detect/alert_title.h"

namespace nta {
namespace {

TEST(AlertClass, EveryNameIsParsedBackToItsClass) {
  std::set<std::string_view> names;
  for (int i = 0; i <= static_cast<int>(AlertClass::kFlashCrowd); ++i) {
    const auto value = static_cast<AlertClass>(i);
    EXPECT_TRUE(names.insert(ToString(value)).second) << ToString(value);
    const auto parsed = ParseAlertClass(ToString(value));
    ASSERT_TRUE(parsed.ok()) << parsed.status();
    EXPECT_EQ(*parsed, value);
  }
}

// The order of names in the source must follow the enumeration; these are fixed for programs
// outside.
TEST(AlertClass, KeepsTheNamesThatProgramsOutsideReadBy) {
  EXPECT_EQ(ToString(AlertClass::kPortScan), "port_scan");
  EXPECT_EQ(ToString(AlertClass::kHostSweep), "host_sweep");
  EXPECT_EQ(ToString(AlertClass::kSynFlood), "syn_flood");
  EXPECT_EQ(ToString(AlertClass::kUdpFlood), "udp_flood");
  EXPECT_EQ(ToString(AlertClass::kIcmpFlood), "icmp_flood");
  EXPECT_EQ(ToString(AlertClass::kAmplification), "amplification");
  EXPECT_EQ(ToString(AlertClass::kBruteForce), "brute_force");
  EXPECT_EQ(ToString(AlertClass::kBeacon), "beacon");
  EXPECT_EQ(ToString(AlertClass::kDnsTunnel), "dns_tunnel");
  EXPECT_EQ(ToString(AlertClass::kExfiltration), "exfiltration");
  EXPECT_EQ(ToString(AlertClass::kArpSpoof), "arp_spoof");
  EXPECT_EQ(ToString(AlertClass::kTrafficAnomaly), "traffic_anomaly");
  EXPECT_EQ(ToString(AlertClass::kRarePeer), "rare_peer");
  EXPECT_EQ(ToString(AlertClass::kPolicy), "policy");
  EXPECT_EQ(ToString(AlertClass::kUnauthorisedAccess), "unauthorised_access");
  EXPECT_EQ(ToString(AlertClass::kFlashCrowd), "flash_crowd");
}

TEST(AlertClass, RefusesOtherTextsAndSaysWhatThereIs) {
  const auto parsed = ParseAlertClass("portscan");
  ASSERT_EQ(parsed.status().code(), absl::StatusCode::kInvalidArgument);
  const std::string message(parsed.status().message());
  EXPECT_NE(message.find("no alert class \"portscan\""), std::string::npos) << message;
  EXPECT_NE(message.find("port_scan, host_sweep"), std::string::npos) << message;
  EXPECT_FALSE(ParseAlertClass("").ok());
  EXPECT_FALSE(ParseAlertClass("PORT_SCAN").ok());
  EXPECT_FALSE(ParseAlertClass("port_scan ").ok());
}

TEST(AlertClass, KeepsTheMessageShortForAnEndlessText) {
  const auto parsed = ParseAlertClass(std::string(1'000'000, 'x'));
  ASSERT_FALSE(parsed.ok());
  EXPECT_LT(parsed.status().message().size(), 500u);
}

TEST(AlertClass, NumberOutsideTheEnumerationIsUnknown) {
  EXPECT_EQ(ToString(static_cast<AlertClass>(200)), "unknown");
  EXPECT_FALSE(ParseAlertClass("unknown").ok());
}

TEST(Severity, EveryNameIsParsedBack) {
  EXPECT_EQ(ToString(Severity::kInfo), "info");
  EXPECT_EQ(ToString(Severity::kCritical), "critical");
  for (int i = 0; i <= static_cast<int>(Severity::kCritical); ++i) {
    const auto value = static_cast<Severity>(i);
    const auto parsed = ParseSeverity(ToString(value));
    ASSERT_TRUE(parsed.ok()) << parsed.status();
    EXPECT_EQ(*parsed, value);
  }
  EXPECT_EQ(ParseSeverity("urgent").status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(AlertState, EveryNameIsParsedBack) {
  EXPECT_EQ(ToString(AlertState::kOpen), "open");
  EXPECT_EQ(ToString(AlertState::kClosed), "closed");
  for (int i = 0; i <= static_cast<int>(AlertState::kClosed); ++i) {
    const auto value = static_cast<AlertState>(i);
    const auto parsed = ParseAlertState(ToString(value));
    ASSERT_TRUE(parsed.ok()) << parsed.status();
    EXPECT_EQ(*parsed, value);
  }
  EXPECT_EQ(ParseAlertState("ended").status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(AlertTitle, SaysWhatHappenedRatherThanAClass) {
  Alert alert;
  alert.detector = "port_scan";
  EXPECT_EQ(AlertTitle(alert), "Port scan");
  alert.alert_class = AlertClass::kPolicy;
  EXPECT_EQ(AlertTitle(alert), "Policy violation");
  alert.detector = "health";
  EXPECT_EQ(AlertTitle(alert), "Health");
  alert.detector = "policy";
  alert.evidence["rule"] = std::string("internal_service");
  EXPECT_EQ(AlertTitle(alert), "Internal service reached from outside");
  alert.evidence["title"] = std::string("Nightly upload");
  EXPECT_EQ(AlertTitle(alert), "Internal service reached from outside");
  alert.detector = "rule:upload";
  EXPECT_EQ(AlertTitle(alert), "Nightly upload");
  alert.evidence["title"] = std::int64_t{1};
  EXPECT_EQ(AlertTitle(alert), "Internal service reached from outside");
  alert.alert_class = static_cast<AlertClass>(200);
  EXPECT_EQ(AlertTitle(alert), "Alert");
}

}  // namespace
}  // namespace nta
