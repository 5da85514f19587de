// The same packets give the same alerts: live with pauses, replayed, or in any bursts.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "nta/detect/default_detectors.h"
#include "nta/pipeline/backtest.h"
#include "nta/pipeline/pipeline.h"
#include "support/packet_builder.h"

namespace nta::test {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

// Packets in bursts of a given size; a live one answers kTimeout in between.
class BurstSource final : public PacketSource {
 public:
  BurstSource(const std::vector<Packet>& packets, std::size_t burst, bool live)
      : packets_(packets), burst_(burst), live_(live) {}

  absl::StatusOr<ReadResult> Read(PacketBatch& batch) override {
    batch.clear();
    if (live_ && (turn_++ % 2 == 1)) return ReadResult::kTimeout;
    if (next_ == packets_.size()) return ReadResult::kEnd;
    for (std::size_t i = 0; i < burst_ && next_ < packets_.size(); ++i) {
      batch.push_back(packets_[next_++].view());
    }
    return ReadResult::kPackets;
  }
  CaptureStats Stats() const override { return {}; }
  bool is_live() const override { return live_; }
  std::string name() const override { return "bursts"; }
  // A second after the last packet, as a capture that keeps up would be told.
  Timestamp Now() const {
    return next_ == 0 ? Timestamp{} : packets_[next_ - 1].view().time + seconds(1);
  }

 private:
  const std::vector<Packet>& packets_;
  const std::size_t burst_;
  const bool live_;
  std::size_t next_ = 0;
  int turn_ = 0;
};

// Something for every detector, over 27 hours.
class Traffic {
 public:
  std::vector<Packet> All() && {
    Ordinary();
    Flood();
    Scans();
    Guesses();
    Calls();
    Names();
    Leases();
    Uploads();
    std::stable_sort(packets_.begin(), packets_.end(), [](const Packet& a, const Packet& b) {
      return a.view().time < b.view().time;
    });
    return std::move(packets_);
  }

 private:
  struct Connection {
    std::string client;
    std::string server;
    std::uint16_t port = 443;
    std::uint16_t bytes = 1400;  // a segment, of which only the headers were captured
    int segments = 1;            // each way
    int answers = 1;             // each of this many segments
  };

  void Add(Duration at, PacketBuilder builder) { packets_.push_back(builder.Time(At(at)).Build()); }
  void Segment(Duration at, const Connection& c, bool is_forward, std::uint8_t flags,
               std::uint16_t bytes = 0) {
    const std::uint16_t source_port = is_forward ? client_port_ : c.port;
    const std::uint16_t port = is_forward ? c.port : client_port_;
    Ipv4Fields fields;
    fields.total_length = static_cast<std::uint16_t>(40 + bytes);
    Add(at, PacketBuilder()
                .Ethernet()
                .Ipv4(is_forward ? c.client : c.server, is_forward ? c.server : c.client, fields)
                .Tcp(source_port, port, {.flags = flags})
                .WireBytes(std::uint32_t{54} + bytes));
  }
  void Connect(Duration at, const Connection& c, Duration pace = milliseconds(5)) {
    client_port_ = static_cast<std::uint16_t>(20000 + ++connections_ % 40000);
    Segment(at, c, true, kTcpSyn);
    Segment(at += pace, c, false, kTcpSyn | kTcpAck);
    Segment(at += pace, c, true, kTcpAck);
    for (int i = 0; i < c.segments; ++i) {
      Segment(at += pace, c, true, kTcpAck | kTcpPsh, c.bytes);
      if (i % c.answers == 0) Segment(at += pace, c, false, kTcpAck | kTcpPsh, 1400);
    }
    Segment(at += pace, c, true, kTcpFin | kTcpAck);
    Segment(at += pace, c, false, kTcpFin | kTcpAck);
    Segment(at += pace, c, true, kTcpAck);
  }
  void Ordinary() {
    for (int i = 0; i < 6480; ++i) {
      Connect(i * seconds(15) + milliseconds(i * 7919 % 9000),
              {.client = "10.0.0.7", .server = "203.0.113." + std::to_string(i * 31 % 60)});
    }
  }
  void Flood() {
    for (int i = 0; i < 3000; ++i) {
      Add(seconds(3) + i * milliseconds(2),
          PacketBuilder()
              .Ethernet()
              .Ipv4("198.51." + std::to_string(i / 250) + "." + std::to_string(i % 250), "10.0.0.2")
              .Tcp(static_cast<std::uint16_t>(1024 + i), 443, {.flags = kTcpSyn}));
    }
  }
  void Scans() {
    for (int port = 1; port < 120; ++port) {
      Add(seconds(1) + port * milliseconds(70),
          PacketBuilder()
              .Ethernet()
              .Ipv4("10.0.0.9", "10.0.0.3")
              .Tcp(50000, static_cast<std::uint16_t>(port), {.flags = kTcpSyn}));
    }
    for (int host = 1; host < 100; ++host) {
      Add(seconds(2) + host * milliseconds(40),
          PacketBuilder()
              .Ethernet("02:00:00:00:00:77", "ff:ff:ff:ff:ff:ff")
              .Arp(1, "10.0.0.77", "10.0.0." + std::to_string(host)));
    }
  }
  void Guesses() {
    for (int i = 0; i < 15; ++i) {
      Connect(minutes(10) + i * seconds(4),
              {.client = "192.0.2.66", .server = "10.0.0.4", .port = 22, .bytes = 900});
    }
    Connect(minutes(15), {.client = "192.0.2.67", .server = "10.0.0.4", .port = 3389});
  }
  void Calls() {
    for (int i = 0; i < 40; ++i) {
      Connect(hours(2) + i * seconds(60) + milliseconds(i * 37 % 400),
              {.client = "10.0.0.8", .server = "198.51.100.200", .port = 8443, .bytes = 200});
    }
  }
  void Names() {
    for (int i = 0; i < 80; ++i) {
      Bytes question = {0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 50};
      std::uint64_t state = static_cast<std::uint64_t>(i) * 0x9e3779b97f4a7c15 + 1;
      for (int letter = 0; letter < 50; ++letter) {
        state = state * 6364136223846793005 + 1442695040888963407;
        question.push_back(
            static_cast<std::uint8_t>("abcdefghijklmnopqrstuvwxyz234567"[state >> 59]));
      }
      const std::string_view rest("\6pirate\7example\0\0\20\0\1", 20);
      question.insert(question.end(), rest.begin(), rest.end());
      Add(hours(3) + i * milliseconds(300), PacketBuilder()
                                                .Ethernet()
                                                .Ipv4("10.0.0.11", "10.0.0.1")
                                                .Udp(static_cast<std::uint16_t>(3000 + i), 53)
                                                .Payload(question));
    }
  }
  void Leases() {
    for (int i = 0; i < 400; ++i) {
      Bytes message(240);
      message[0] = 1;
      message[33] = static_cast<std::uint8_t>(i);
      const Bytes cookie = {0x63, 0x82, 0x53, 0x63};
      std::copy(cookie.begin(), cookie.end(), message.begin() + 236);
      message.push_back(255);
      Add(hours(4) + i * milliseconds(10), PacketBuilder()
                                               .Ethernet()
                                               .Ipv4("0.0.0.0", "255.255.255.255")
                                               .Udp(68, 67)
                                               .Payload(message));
    }
  }
  // Of a host that has sent little for a day, to somebody new.
  void Uploads() {
    Connect(hours(26),
            {.client = "10.0.0.7",
             .server = "198.51.100.99",
             .port = 9999,
             .bytes = 65000,
             .segments = 12000,
             .answers = 20},
            milliseconds(40));
  }

  std::vector<Packet> packets_;
  std::uint16_t client_port_ = 0;
  int connections_ = 0;
};

std::vector<Alert> AlertsOf(const std::vector<Packet>& packets, std::size_t burst, bool live) {
  BurstSource source(packets, burst, live);
  auto detectors = DefaultDetectors();
  EXPECT_TRUE(detectors.ok());
  PipelineOptions options;
  options.clock = [&source] { return source.Now(); };
  Pipeline pipeline(source, options);
  for (const auto& detector : *detectors) pipeline.AddDetector(*detector);
  std::vector<Alert> alerts;
  EXPECT_TRUE(pipeline
                  .Run([&](const Batch& batch) {
                    alerts.insert(alerts.end(), batch.alerts.begin(), batch.alerts.end());
                    return absl::OkStatus();
                  })
                  .ok());
  // Those of one burst come detector by detector.
  std::stable_sort(alerts.begin(), alerts.end(), [](const Alert& a, const Alert& b) {
    return std::tie(a.detector, a.time) < std::tie(b.detector, b.time);
  });
  return alerts;
}

// The meter notices the end of a flow with a packet that comes after it, which may be the next one:
// what rests on ends may be a packet later.
constexpr Duration kOnePacket = milliseconds(10);

bool IsSame(const Alert& said, const Alert& expected) {
  if (said.detector != "brute_force") return said == expected;
  const Duration difference = said.time - expected.time;
  return said.id == expected.id && said.state == expected.state && said.entity == expected.entity &&
         said.severity == expected.severity && said.observed == expected.observed &&
         said.summary == expected.summary && difference <= kOnePacket && difference >= -kOnePacket;
}

void ExpectSame(const std::vector<Alert>& said, const std::vector<Alert>& expected,
                const std::string& how) {
  ASSERT_EQ(said.size(), expected.size()) << how;
  for (std::size_t i = 0; i < said.size(); ++i) {
    EXPECT_TRUE(IsSame(said[i], expected[i]))
        << how << ": " << ToString(said[i].time) << " " << ToString(said[i].state) << " "
        << said[i].detector << " " << said[i].summary << "\nnot " << ToString(expected[i].time)
        << " " << ToString(expected[i].state) << " " << expected[i].detector << " "
        << expected[i].summary;
  }
}

TEST(DetectionReplay, GivesTheSameAlertsInAnyBurstsAndLive) {
  const std::vector<Packet> packets = Traffic().All();
  const std::vector<Alert> expected = AlertsOf(packets, 256, false);
  std::set<std::string> heard;
  for (const Alert& alert : expected) heard.insert(alert.detector);
  for (const std::string& name : DefaultDetectorNames()) {
    // These two need a wider world than one host with its sixty sites.
    if (name == "rare_peer" || name == "flow_anomaly") continue;
    EXPECT_TRUE(heard.contains(name)) << name << " has nothing to say";
  }
  for (const std::size_t burst : {1u, 17u, 100000u}) {
    ExpectSame(AlertsOf(packets, burst, false), expected, std::to_string(burst));
    ExpectSame(AlertsOf(packets, burst, true), expected, std::to_string(burst) + " live");
  }
}

TEST(DetectionReplay, ABacktestOfTheCaptureGivesTheAlertsOfTheCapture) {
  const std::vector<Packet> packets = Traffic().All();
  std::map<std::string, std::set<std::string>> ids;  // an alert may open again
  for (const Alert& alert : AlertsOf(packets, 256, false)) ids[alert.detector].insert(alert.id);
  std::map<std::string, std::uint64_t> expected;
  for (const auto& [detector, of_detector] : ids) expected[detector] = of_detector.size();
  BurstSource source(packets, 100, false);
  auto detectors = DefaultDetectors();
  ASSERT_TRUE(detectors.ok());
  std::vector<Detector*> pointers;
  for (const auto& detector : *detectors) pointers.push_back(detector.get());
  const auto report = BacktestCapture(pointers, source);
  ASSERT_TRUE(report.ok()) << report.status();
  const std::map<std::string, std::uint64_t> said(report->by_detector.begin(),
                                                  report->by_detector.end());
  EXPECT_EQ(said, expected);
}

}  // namespace
}  // namespace nta::test
