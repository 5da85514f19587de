#include "nta/detect/detector_settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

namespace nta {
namespace {

using testing::HasSubstr;
using Texts = std::vector<std::string>;

double Number(const DetectorOption& option) { return std::get<double>(option.default_value); }

bool IsNumber(const DetectorOption& option) {
  return std::holds_alternative<double>(option.default_value);
}

std::string Error(std::string_view detector, std::string_view option, DetectorOptionValue value) {
  DetectionOptions options;
  DetectorSettings settings;
  settings.options.emplace(option, std::move(value));
  return std::string(Configure(detector, settings, options).message());
}

TEST(DetectorSettings, TheCatalogueNamesEveryDetectorInOrderWithDefaultsInTheirBounds) {
  const std::vector<DetectorInfo> catalogue = DetectorCatalogue();
  std::vector<std::string> names;
  for (const DetectorInfo& info : catalogue) {
    names.push_back(info.name);
    EXPECT_FALSE(info.about.empty());
    EXPECT_EQ(info.stored_flows == FlowSupport::kFull, info.stored_flows_note.empty());
    EXPECT_GE(info.options.size(), 4U) << info.name;
    for (const DetectorOption& option : info.options) {
      if (!IsNumber(option)) continue;
      EXPECT_GE(Number(option), option.least) << info.name << " " << option.name;
      EXPECT_LE(Number(option), option.most) << info.name << " " << option.name;
    }
  }
  EXPECT_EQ(names, DefaultDetectorNames());
}

TEST(DetectorSettings, EachOptionTakesItsDefaultAndBothItsBoundsAndNothingBeyond) {
  for (const DetectorInfo& info : DetectorCatalogue()) {
    for (const DetectorOption& option : info.options) {
      EXPECT_EQ(Error(info.name, option.name, option.default_value), "") << option.name;
      if (!IsNumber(option)) {
        EXPECT_NE(Error(info.name, option.name, 1.0), "") << option.name;
        continue;
      }
      EXPECT_EQ(Error(info.name, option.name, option.least), "") << option.name;
      EXPECT_EQ(Error(info.name, option.name, option.most), "") << option.name;
      for (const double wrong :
           {option.least - 1, option.most + 1, std::numeric_limits<double>::quiet_NaN(),
            std::numeric_limits<double>::infinity()}) {
        EXPECT_NE(Error(info.name, option.name, wrong), "") << option.name << " " << wrong;
      }
      EXPECT_NE(Error(info.name, option.name, true), "") << option.name;
    }
  }
}

TEST(DetectorSettings, ErrorsNameWhatIsWrongAndChangeNothing) {
  DetectionOptions options;
  EXPECT_TRUE(absl::IsNotFound(Configure("portscan", {}, options)));
  EXPECT_THAT(std::string(Configure("portscan", {}, options).message()),
              HasSubstr("(have: flood port_scan"));
  EXPECT_THAT(Error("port_scan", "ports", 5.0), HasSubstr("no option \"ports\" (have: "));
  EXPECT_EQ(Error("port_scan", "min_ports", 1.0),
            "\"min_ports\" of port_scan is a number from 2 to 65536");
  EXPECT_EQ(Error("port_scan", "min_ports", 2.5), "\"min_ports\" of port_scan is a whole number");
  EXPECT_THAT(Error("policy", "local_networks", Texts{"10.0.0.0/40"}), HasSubstr("10.0.0.0/40"));
  EXPECT_THAT(Error("policy", "internal_tcp_ports", Texts{"70000"}), HasSubstr("70000"));
  EXPECT_THAT(Error("beacon", "allowed_domains", Texts{"192.0.2.1"}), HasSubstr("192.0.2.1"));
  EXPECT_THAT(Error("policy", "blocked", Texts{"a.example\nb.example"}), HasSubstr("blocked"));
  DetectorSettings wrong{.enabled = false, .options = {{"min_ports", 0.0}}};
  EXPECT_FALSE(Configure("port_scan", wrong, options).ok());
  EXPECT_TRUE(options.disabled.empty());
  EXPECT_EQ(options.port_scan.min_ports, PortScanOptions{}.min_ports);
}

TEST(DetectorSettings, EveryDetectorHasThresholdsThatTheSensitivityMoves) {
  for (const DetectorInfo& info : DetectorCatalogue()) {
    const auto scaled = std::count_if(info.options.begin(), info.options.end(),
                                      [](const DetectorOption& one) { return one.is_scaled; });
    // What policy forbids is forbidden at every sensitivity.
    EXPECT_EQ(scaled > 0, info.name != "policy") << info.name;
    for (const Sensitivity sensitivity : {Sensitivity::kLow, Sensitivity::kHigh}) {
      DetectionOptions options;
      ASSERT_TRUE(Configure(info.name, {.sensitivity = sensitivity}, options).ok()) << info.name;
      EXPECT_TRUE(DefaultDetectors(options).ok());
    }
  }
  DetectionOptions options;
  ASSERT_TRUE(Configure("exfiltration", {.sensitivity = Sensitivity::kLow}, options).ok());
  EXPECT_EQ(options.exfiltration.min_bytes, 200'000'000U);
  EXPECT_EQ(options.exfiltration.budget.alerts_per_day, 2.5);
  EXPECT_EQ(options.exfiltration.budget.min_bits, 14);
  ASSERT_TRUE(Configure("port_scan", {.sensitivity = Sensitivity::kHigh}, options).ok());
  EXPECT_EQ(options.port_scan.min_ports, 13U);
  EXPECT_EQ(options.port_scan.answer_timeout, PortScanOptions{}.answer_timeout);
}

TEST(DetectorSettings, WhatIsNamedGoesBeforeTheSensitivity) {
  DetectionOptions options;
  ASSERT_TRUE(Configure("port_scan",
                        {.sensitivity = Sensitivity::kLow,
                         .options = {{"min_ports", 30.0}, {"window", 60.0}}},
                        options)
                  .ok());
  EXPECT_EQ(options.port_scan.min_ports, 30U);
  EXPECT_EQ(options.port_scan.min_hosts, 50U);
  EXPECT_EQ(options.port_scan.window, std::chrono::minutes(1));
  // Settings say all: what they leave out is the default again.
  ASSERT_TRUE(Configure("port_scan", {.enabled = false}, options).ok());
  EXPECT_EQ(options.port_scan.min_ports, PortScanOptions{}.min_ports);
  EXPECT_TRUE(options.disabled.contains("port_scan"));
  ASSERT_TRUE(Configure("port_scan", {}, options).ok());
  EXPECT_FALSE(options.disabled.contains("port_scan"));
}

TEST(DetectorSettings, NetworksPortsAndEntriesReachTheDetector) {
  DetectionOptions options;
  ASSERT_TRUE(Configure("policy",
                        {.options = {{"local_networks", Texts{"203.0.113.0/24"}},
                                     {"internal_tcp_ports", Texts{"22", "8443"}},
                                     {"blocked", Texts{"bad.example", "198.51.100.7"}}}},
                        options)
                  .ok());
  EXPECT_EQ(options.policy.local_networks.size(), 1U);
  EXPECT_EQ(options.policy.internal_tcp_ports, (std::set<std::uint16_t>{22, 8443}));
  auto policy = PolicyDetector::Create(options.policy);
  ASSERT_TRUE(policy.ok());
  EXPECT_EQ((*policy)->block_entries(), 2U);
  std::vector<Alert> alerts;
  FlowEvent event{FlowEventType::kEnded, Timestamp(std::chrono::hours(1)), {}};
  event.flow.protocol = 6;
  event.flow.source = {*IpAddress::Parse("203.0.113.9"), 40000};
  event.flow.destination = {*IpAddress::Parse("198.51.100.7"), 443};
  event.flow.first_seen = event.flow.last_seen = event.time;
  event.flow.end_reason = FlowEndReason::kEndOfFlow;
  (*policy)->Observe(event, alerts);
  ASSERT_EQ(alerts.size(), 1U);
  EXPECT_THAT(alerts[0].summary, HasSubstr("198.51.100.7"));
}

TEST(DetectorSettings, OneDetectorIsMadeByName) {
  for (const std::string& name : DefaultDetectorNames()) {
    const auto detector = MakeDetector(name, {.disabled = {name}});
    ASSERT_TRUE(detector.ok()) << name;
    EXPECT_EQ((*detector)->name(), name);
  }
  EXPECT_TRUE(absl::IsNotFound(MakeDetector("none").status()));
}

// A change of settings hands the state over: each option either lets it be taken up or refuses it
// as a whole.
TEST(DetectorSettings, StateOfOtherSettingsIsTakenUpOrRefusedWhole) {
  for (const DetectorInfo& info : DetectorCatalogue()) {
    const auto before = MakeDetector(info.name);
    const std::string state = (*before)->Save();
    for (const DetectorOption& option : info.options) {
      if (!IsNumber(option) || option.kind == DetectorOptionKind::kSeconds) continue;
      DetectionOptions options;
      DetectorSettings settings;
      settings.options.emplace(option.name, std::min(Number(option) + 1, option.most));
      ASSERT_TRUE(Configure(info.name, settings, options).ok());
      const auto after = MakeDetector(info.name, options);
      ASSERT_TRUE(after.ok());
      const std::string fresh = (*after)->Save();
      const bool taken = (*after)->Load(state).ok();
      EXPECT_TRUE(taken || (*after)->Save() == fresh) << option.name;
    }
  }
}

}  // namespace
}  // namespace nta
