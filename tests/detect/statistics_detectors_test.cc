// The detectors that learn what is usual.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "nta/capture/pcap_file_reader.h"
#include "nta/detect/baseline_detector.h"
#include "nta/detect/beacon_detector.h"
#include "nta/detect/dns_tunnel_detector.h"
#include "nta/detect/exfiltration_detector.h"
#include "nta/detect/flow_anomaly_detector.h"
#include "nta/detect/rare_peer_detector.h"
#include "nta/pipeline/pipeline.h"

namespace nta {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

const Timestamp kStart{seconds(1'700'000'000)};

struct Talk {
  Duration at{};
  Duration lasts = seconds(1);
  IpAddress from = IpAddress::V4(10, 0, 0, 7);
  IpAddress to = IpAddress::V4(203, 0, 113, 9);
  std::uint16_t port = 443;
  double sent = 1000;
  double received = 5000;
};

// Started, answered and ended at its end.
void Feed(Detector& detector, const Talk& talk, std::vector<Alert>& alerts) {
  FlowRecord flow;
  flow.first_seen = flow.last_seen = kStart + talk.at;
  flow.protocol = kProtocolTcp;
  flow.source = {talk.from, 40000};
  flow.destination = {talk.to, talk.port};
  flow.forward.packets = 1;
  flow.outcome = ContactOutcome::kPending;
  detector.Observe({FlowEventType::kStarted, flow.first_seen, flow}, alerts);
  flow.outcome = ContactOutcome::kAnswered;
  detector.Observe({FlowEventType::kUpdated, flow.first_seen, flow}, alerts);
  flow.last_seen = kStart + talk.at + talk.lasts;
  flow.forward.packets = 1 + static_cast<std::uint64_t>(talk.sent / 1000);
  flow.reverse.packets = 1 + static_cast<std::uint64_t>(talk.received / 1000);
  flow.forward.ip_bytes = flow.forward.payload_bytes = static_cast<std::uint64_t>(talk.sent);
  flow.reverse.ip_bytes = flow.reverse.payload_bytes = static_cast<std::uint64_t>(talk.received);
  flow.forward.tcp_flags = flow.reverse.tcp_flags = kTcpSyn | kTcpAck | kTcpFin;
  flow.end_reason = FlowEndReason::kEndOfFlow;
  detector.Observe({FlowEventType::kEnded, flow.last_seen, flow}, alerts);
}

std::vector<Alert> Opened(const std::vector<Alert>& alerts) {
  std::vector<Alert> opened;
  for (const Alert& alert : alerts) {
    if (alert.state == AlertState::kOpen) opened.push_back(alert);
  }
  return opened;
}

TEST(BeaconDetector, FindsAJitteredBeaconOnceAndNotARandomCaller) {
  BeaconDetector detector;
  std::vector<Alert> alerts;
  std::mt19937 random(1);
  std::uniform_real_distribution<double> jitter(0.8, 1.2);
  std::exponential_distribution<double> chance(1.0 / 60);
  double beacon = 0;
  double person = 0;
  while (beacon < 7200) {
    if (beacon < person) {
      Feed(detector, {.at = seconds(static_cast<int>(beacon)), .sent = 300}, alerts);
      beacon += 60 * jitter(random);
    } else {
      Feed(detector,
           {.at = seconds(static_cast<int>(person)),
            .from = IpAddress::V4(10, 0, 0, 8),
            .to = IpAddress::V4(203, 0, 113, 10),
            .sent = 1000 * chance(random)},
           alerts);
      person += 1 + chance(random);
    }
  }
  detector.Finish(alerts);
  const std::vector<Alert> opened = Opened(alerts);
  ASSERT_EQ(opened.size(), 1u);
  EXPECT_EQ(opened[0].alert_class, AlertClass::kBeacon);
  EXPECT_EQ(opened[0].entity.source->ToString(), "10.0.0.7");
  EXPECT_THAT(opened[0].summary, ::testing::HasSubstr("give or take"));
  EXPECT_FALSE(opened[0].advice.empty());
  EXPECT_LE(detector.memory_bytes(), detector.memory_limit_bytes());
}

TEST(BeaconDetector, WhatEverybodyCallsIsAService) {
  BeaconDetector detector;
  std::vector<Alert> alerts;
  for (int call = 0; call < 60; ++call) {
    for (std::uint8_t host = 1; host < 20; ++host) {
      Feed(detector,
           {.at = seconds(60 * call + host), .from = IpAddress::V4(10, 0, 0, host), .sent = 300},
           alerts);
    }
  }
  EXPECT_TRUE(alerts.empty()) << alerts[0].summary;
}

TEST(ExfiltrationDetector, FindsALargeNewUploadAndNotTheNightlyBackup) {
  ExfiltrationDetector detector;
  std::vector<Alert> alerts;
  const IpAddress backup = IpAddress::V4(198, 51, 100, 20);
  for (int hour = 0; hour < 24 * 14; ++hour) {
    Feed(detector, {.at = hours(hour), .sent = 2e6, .received = 4e7}, alerts);
    if (hour % 24 != 2) continue;
    Feed(detector, {.at = hours(hour) + minutes(5), .to = backup, .sent = 2.5e8, .received = 1e6},
         alerts);
  }
  EXPECT_TRUE(alerts.empty()) << alerts[0].summary;
  Feed(detector,
       {.at = hours(24 * 14), .to = IpAddress::V4(192, 0, 2, 66), .sent = 6e9, .received = 1e6},
       alerts);
  ASSERT_EQ(Opened(alerts).size(), 1u);
  EXPECT_EQ(alerts[0].alert_class, AlertClass::kExfiltration);
  EXPECT_EQ(alerts[0].entity.destination->ToString(), "192.0.2.66");
}

TEST(ExfiltrationDetector, ALongUploadIsSpreadOverItsTime) {
  ExfiltrationDetector detector;
  std::vector<Alert> alerts;
  // 2 GB, but over forty hours: 50 MB an hour.
  Feed(detector, {.lasts = hours(40), .sent = 2e9, .received = 1e6}, alerts);
  EXPECT_TRUE(alerts.empty());
}

TEST(RarePeerDetector, AServerThatSuddenlyLogsInElsewhereIsTold) {
  RarePeerDetector detector;
  std::vector<Alert> alerts;
  const IpAddress server = IpAddress::V4(10, 0, 0, 2);
  for (int i = 0; i < 5000; ++i) {
    Feed(detector, {.at = minutes(i), .from = server, .to = IpAddress::V4(10, 0, 0, 3)}, alerts);
    // A browser makes new contacts all the time.
    Feed(detector,
         {.at = minutes(i) + seconds(20),
          .from = IpAddress::V4(10, 0, 0, 50),
          .to = IpAddress::V4(203, 0, static_cast<std::uint8_t>(i >> 8),
                              static_cast<std::uint8_t>(i & 255))},
         alerts);
  }
  EXPECT_TRUE(alerts.empty()) << alerts[0].summary;
  Feed(detector,
       {.at = minutes(5001), .from = server, .to = IpAddress::V4(10, 0, 0, 99), .port = 22},
       alerts);
  ASSERT_EQ(Opened(alerts).size(), 1u);
  EXPECT_EQ(alerts[0].technique, "T1021");
  EXPECT_EQ(alerts[0].entity.source, server);
}

// Flows with heavy tails, whose rate follows the day.
template <typename F>
void BenignFlows(int days, const F& feed) {
  std::mt19937 random(9);
  std::lognormal_distribution<double> bytes(8, 1.5);
  std::exponential_distribution<double> pause(1);
  std::uniform_int_distribution<int> host(1, 30);
  std::uniform_int_distribution<int> peer(1, 60);
  double at = 0;
  while (at < days * 86400.0) {
    const double rate = 0.2 * (1.2 + std::sin(2 * M_PI * at / 86400));
    at += pause(random) / rate;
    const double size = bytes(random);
    feed(Talk{.at = std::chrono::duration_cast<Duration>(std::chrono::duration<double>(at)),
              .lasts = std::chrono::milliseconds(100 + static_cast<int>(std::min(size, 5e4))),
              .from = IpAddress::V4(10, 0, 0, static_cast<std::uint8_t>(host(random))),
              .to = IpAddress::V4(203, 0, 113, static_cast<std::uint8_t>(peer(random))),
              .sent = size / 5,
              .received = size});
  }
}

TEST(StatisticalDetectors, ABenignWeekBringsAtMostFiveAlertsADay) {
  std::vector<std::unique_ptr<Detector>> detectors;
  detectors.push_back(std::make_unique<BaselineDetector>());
  detectors.push_back(std::make_unique<BeaconDetector>());
  detectors.push_back(std::make_unique<ExfiltrationDetector>());
  detectors.push_back(std::make_unique<RarePeerDetector>());
  detectors.push_back(std::make_unique<FlowAnomalyDetector>());
  std::vector<Alert> alerts;
  constexpr int kDays = 7;
  BenignFlows(kDays, [&](const Talk& talk) {
    for (const auto& detector : detectors) Feed(*detector, talk, alerts);
  });
  for (const auto& detector : detectors) {
    EXPECT_LE(detector->memory_bytes(), detector->memory_limit_bytes()) << detector->name();
  }
  const std::vector<Alert> opened = Opened(alerts);
  for (const Alert& alert : opened) std::printf("  %s\n", alert.summary.c_str());
  std::printf("%zu alerts in %d benign days\n", opened.size(), kDays);
  EXPECT_LE(opened.size(), 5u * kDays);
}

TEST(BaselineDetector, TellsWhatWasUsualWhenAHostUploadsFarMore) {
  BaselineDetector detector;
  std::vector<Alert> alerts;
  BenignFlows(3, [&](const Talk& talk) { Feed(detector, talk, alerts); });
  alerts.clear();
  for (int i = 0; i < 600; ++i) {
    Feed(detector,
         {.at = hours(72) + seconds(3 * i), .from = IpAddress::V4(10, 0, 0, 3), .sent = 5e7},
         alerts);
  }
  detector.AdvanceTo(kStart + hours(73), alerts);
  const std::vector<Alert> opened = Opened(alerts);
  ASSERT_FALSE(opened.empty());
  EXPECT_EQ(opened[0].alert_class, AlertClass::kTrafficAnomaly);
  EXPECT_GT(opened[0].observed, *opened[0].band_high);
  EXPECT_THAT(opened[0].summary, ::testing::HasSubstr("usual at this time"));
}

TEST(FlowAnomalyDetector, FlowsOfAnotherKindAreToldBySource) {
  FlowAnomalyDetector detector;
  std::vector<Alert> alerts;
  BenignFlows(3, [&](const Talk& talk) { Feed(detector, talk, alerts); });
  EXPECT_LE(Opened(alerts).size(), 6u);
  alerts.clear();
  for (int i = 0; i < 20; ++i) {
    Feed(detector,
         {.at = hours(72) + seconds(10 * i),
          .lasts = seconds(9),
          .from = IpAddress::V4(10, 0, 0, 77),
          .port = 4444,
          .sent = 4e8,
          .received = 40},
         alerts);
  }
  detector.AdvanceTo(kStart + hours(73), alerts);
  ASSERT_FALSE(alerts.empty());
  EXPECT_EQ(alerts[0].entity.source->ToString(), "10.0.0.77");
  EXPECT_FALSE(std::get<std::vector<std::string>>(alerts[0].evidence["top_features"]).empty());
}

// A worm, or an update: nobody wants an alert for each host.
TEST(FlowAnomalyDetector, ManyHostsThatDoTheSameNewThingAreOneAlert) {
  FlowAnomalyDetector detector;
  std::vector<Alert> alerts;
  BenignFlows(3, [&](const Talk& talk) { Feed(detector, talk, alerts); });
  alerts.clear();
  const IpAddress target = IpAddress::V4(198, 51, 100, 4);
  for (int i = 0; i < 12; ++i) {
    for (int n = 0; n < 5; ++n) {
      Feed(detector,
           {.at = hours(72) + seconds(10 * n),
            .lasts = seconds(9),
            .from = IpAddress::V4(10, 0, 0, static_cast<std::uint8_t>(70 + i)),
            .to = target,
            .port = 4444,
            .sent = 4e8,
            .received = 40},
           alerts);
    }
  }
  detector.AdvanceTo(kStart + hours(73), alerts);
  const std::vector<Alert> opened = Opened(alerts);
  ASSERT_EQ(opened.size(), 1u);
  EXPECT_FALSE(opened[0].entity.source);
  EXPECT_EQ(opened[0].entity.destination, target);
  EXPECT_EQ(opened[0].entity.service, "tcp/4444");
  EXPECT_EQ(std::get<std::int64_t>(opened[0].evidence.at("sources")), 12);
  EXPECT_EQ(opened[0].observed, 60);
  EXPECT_EQ(opened[0].peers.size(), kMaxAlertPeers);
  EXPECT_THAT(opened[0].summary, ::testing::StartsWith("12 hosts did something new"));
}

template <typename D>
void ExpectStatesGoOn() {
  D first;
  std::vector<Alert> alerts;
  BenignFlows(1, [&](const Talk& talk) { Feed(first, talk, alerts); });
  const std::string state = first.Save();
  D second;
  ASSERT_TRUE(second.Load(state).ok()) << first.name();
  EXPECT_EQ(second.Save(), state) << first.name();
  for (std::size_t cut = 0; cut < state.size(); cut += 1 + state.size() / 20) {
    std::string damaged = state;
    damaged[cut] = static_cast<char>(damaged[cut] ^ 0x55);
    EXPECT_FALSE(second.Load(damaged).ok()) << first.name() << " at " << cut;
  }
  EXPECT_EQ(second.Save(), state) << "a refused state changes nothing";
  std::vector<Alert> of_first;
  std::vector<Alert> of_second;
  const Talk odd{.at = hours(25), .lasts = seconds(50), .sent = 9e9, .received = 10};
  Feed(first, odd, of_first);
  Feed(second, odd, of_second);
  first.Finish(of_first);
  second.Finish(of_second);
  EXPECT_EQ(of_first, of_second);
}

TEST(StatisticalDetectors, GoOnWhereTheirStateWasSaved) {
  ExpectStatesGoOn<BeaconDetector>();
  ExpectStatesGoOn<ExfiltrationDetector>();
  ExpectStatesGoOn<RarePeerDetector>();
  ExpectStatesGoOn<BaselineDetector>();
  ExpectStatesGoOn<FlowAnomalyDetector>();
  ExpectStatesGoOn<DnsTunnelDetector>();
}

class StatisticsCorpus : public ::testing::Test {
 protected:
  void SetUp() override {
    const char* directory = std::getenv("NTA_CORPUS_DIR");
    if (directory == nullptr) {
      GTEST_SKIP() << "NTA_CORPUS_DIR is not set: the captures of other projects are not read";
    }
    captures_ = std::filesystem::path(directory) / "captures";
  }
  std::vector<Alert> AlertsIn(Detector& detector, const std::string& file) {
    std::vector<Alert> alerts;
    auto reader = PcapFileReader::Open((captures_ / file).string());
    if (!reader.ok()) return alerts;
    Pipeline pipeline(**reader);
    pipeline.AddDetector(detector);
    const absl::Status status = pipeline.Run([&alerts](const Batch& batch) {
      alerts.insert(alerts.end(), batch.alerts.begin(), batch.alerts.end());
      return absl::OkStatus();
    });
    EXPECT_TRUE(status.ok()) << status;
    return alerts;
  }
  std::filesystem::path captures_;
};

TEST_F(StatisticsCorpus, TheTunnelIsFoundWithinAMinute) {
  DnsTunnelDetector detector;
  const auto alerts = AlertsIn(
      detector, "elastic+examples/Security Analytics/dns_tunnel_detection/dns-tunnel-iodine.pcap");
  ASSERT_FALSE(alerts.empty());
  EXPECT_EQ(alerts[0].alert_class, AlertClass::kDnsTunnel);
  EXPECT_EQ(alerts[0].entity.source->ToString(), "10.0.2.30");
  EXPECT_LT(alerts[0].window, minutes(1));
  EXPECT_EQ(Opened(alerts).size(), 1u);
}

TEST_F(StatisticsCorpus, TheJitteredBeaconIsFound) {
  BeaconDetector detector;
  const auto alerts = AlertsIn(
      detector, "stratosphereips+StratosphereLinuxIPS/dataset/test-cc/test-cc-capture-2.pcap");
  ASSERT_EQ(Opened(alerts).size(), 1u);
  EXPECT_EQ(alerts[0].alert_class, AlertClass::kBeacon);
  EXPECT_EQ(alerts[0].entity.source->ToString(), "147.32.80.37");
}

}  // namespace
}  // namespace nta
