// Floods, and what looks like one.
#include "nta/detect/flood_detector.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "detect/distinct_count.h"
#include "detect/packets.h"
#include "detect/state_archive.h"

namespace nta {
namespace {

using namespace testing;  // NOLINT: the verbs of packets.h
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::nanoseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using Packets = std::vector<DecodedPacket>;
const IpAddress kVictim = IpAddress::V4(192, 0, 2, 10);

IpAddress Stranger(std::uint64_t number) {
  const std::uint64_t mixed = number * 0x9e3779b97f4a7c15;
  return IpAddress::V4(
      static_cast<std::uint8_t>(1 + (mixed >> 56) % 220), static_cast<std::uint8_t>(mixed >> 48),
      static_cast<std::uint8_t>(mixed >> 40), static_cast<std::uint8_t>(mixed >> 32));
}

// `rate` packets a second from `start` on for `length`; `make` makes the n-th.
Packets Stream(double rate, Duration start, Duration length,
               const std::function<DecodedPacket(Duration, std::uint64_t)>& make) {
  Packets packets;
  const auto gap = nanoseconds(static_cast<std::int64_t>(1e9 / rate));
  std::uint64_t n = 0;
  for (Duration at = start; at < start + length; at += gap) packets.push_back(make(at, n++));
  return packets;
}

Packets operator+(Packets a, const Packets& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

DecodedPacket Syn(Duration at, std::uint64_t n) {
  return Tcp(at, Stranger(n), static_cast<std::uint16_t>(1024 + n % 60000), kVictim, 443, kTcpSyn);
}

std::vector<Alert> Detect(Packets packets, FloodOptions options = {}) {
  SortByTime(packets);
  FloodDetector detector(options);
  return AlertsOfPackets(detector, packets);
}

Alert FirstOf(const std::vector<Alert>& alerts) {
  EXPECT_FALSE(alerts.empty());
  return alerts.empty() ? Alert{} : alerts.front();
}

// A TCP connection with `exchanges` requests and answers.
Packets Connection(Duration at, const IpAddress& client, std::uint16_t port,
                   const IpAddress& server, int exchanges, Duration round_trip = milliseconds(30)) {
  Packets packets = {Tcp(at, client, port, server, 443, kTcpSyn),
                     Tcp(at + round_trip, server, 443, client, port, kTcpSyn | kTcpAck),
                     Tcp(at + round_trip, client, port, server, 443, kTcpAck)};
  for (int i = 1; i <= exchanges; ++i) {
    const Duration then = at + (i + 1) * round_trip;
    packets.push_back(Tcp(then, client, port, server, 443, kTcpAck | kTcpPsh, 500));
    packets.push_back(Tcp(then + milliseconds(1), server, 443, client, port, kTcpAck, 1400));
  }
  return packets;
}

TEST(FloodDetector, SynFloodNamesTheVictimItsRateAndItsSources) {
  const std::vector<Alert> alerts = Detect(Stream(2000, seconds(10), seconds(5), Syn));
  const Alert& alert = FirstOf(alerts);
  EXPECT_EQ(alert.alert_class, AlertClass::kSynFlood);
  EXPECT_EQ(alert.entity.destination, kVictim);
  EXPECT_FALSE(alert.entity.source.has_value());
  EXPECT_EQ(alert.technique, "T1499.001");
  EXPECT_LE(alert.time, PacketTime(seconds(10) + milliseconds(1000)));
  const Alert& last = alerts.back();
  EXPECT_EQ(last.state, AlertState::kClosed);
  EXPECT_NEAR(last.observed, 2000, 50);
  EXPECT_NEAR(static_cast<double>(std::get<std::int64_t>(last.evidence.at("distinct_sources"))),
              10000, 4000);
  EXPECT_THAT(std::get<std::string>(last.evidence.at("filter")), HasSubstr("dst host 192.0.2.10"));
  EXPECT_THAT(last.summary, HasSubstr("192.0.2.10 gets 2000 SYN packets/s that nobody completes"));
  EXPECT_LT(last.expected, 10);
  EXPECT_FALSE(last.advice.empty());
  EXPECT_GE(last.score, 34);
}

TEST(FloodDetector, UdpIcmpAndTcpFloodsHaveTheirClass) {
  const auto udp = [](Duration at, std::uint64_t n) {
    return Udp(at, Stranger(n), 5000, kVictim, static_cast<std::uint16_t>(n % 60000));
  };
  EXPECT_EQ(FirstOf(Detect(Stream(3000, seconds(0), seconds(5), udp))).alert_class,
            AlertClass::kUdpFlood);
  const auto ping = [](Duration at, std::uint64_t n) { return Ping(at, Stranger(n % 7), kVictim); };
  EXPECT_EQ(FirstOf(Detect(Stream(500, seconds(0), seconds(5), ping))).alert_class,
            AlertClass::kIcmpFlood);
}

TEST(FloodDetector, OneSourceIsNamed) {
  const auto udp = [](Duration at, std::uint64_t n) {
    return Udp(at, Stranger(1), static_cast<std::uint16_t>(n), kVictim, 80);
  };
  // Something that is answered shows that the tap sees both directions.
  Packets ordinary;
  for (std::uint16_t port = 2000; port < 2040; ++port) {
    ordinary = std::move(ordinary) + Connection(seconds(0), Stranger(9), port, kVictim, 30);
  }
  const Alert alert = FirstOf(Detect(ordinary + Stream(5000, seconds(40), seconds(5), udp)));
  EXPECT_EQ(alert.alert_class, AlertClass::kUdpFlood);
  EXPECT_EQ(alert.entity.source, Stranger(1));
}

TEST(FloodDetector, AmplificationNamesTheService) {
  const auto answer = [](Duration at, std::uint64_t n) {
    return Udp(at, Stranger(n % 500), 11211, kVictim, 40000, 1400);
  };
  const Alert alert = FirstOf(Detect(Stream(1000, seconds(0), seconds(5), answer)));
  EXPECT_EQ(alert.alert_class, AlertClass::kAmplification);
  EXPECT_EQ(std::get<std::string>(alert.evidence.at("reflector_service")), "memcached");
  EXPECT_EQ(alert.entity.service, "udp/11211");
  EXPECT_EQ(alert.technique, "T1498.002");
}

TEST(FloodDetector, AnswersThatWereAskedForAreNoAmplification) {
  Packets packets;
  for (std::uint64_t n = 0; n < 20000; ++n) {
    const Duration at = n * milliseconds(1);
    const auto port = static_cast<std::uint16_t>(1024 + n % 60000);
    packets.push_back(Udp(at, kVictim, port, Stranger(n % 300), 53, 80));
    packets.push_back(Udp(at + milliseconds(20), Stranger(n % 300), 53, kVictim, port, 1200));
  }
  EXPECT_THAT(Detect(packets), IsEmpty());
}

TEST(FloodDetector, SynAckReflectionIsAmplificationAndOutgoingConnectionsAreNot) {
  const auto reflected = [](Duration at, std::uint64_t n) {
    return Tcp(at, Stranger(n), 443, kVictim, static_cast<std::uint16_t>(n), kTcpSyn | kTcpAck);
  };
  EXPECT_EQ(FirstOf(Detect(Stream(2000, seconds(0), seconds(3), reflected))).alert_class,
            AlertClass::kAmplification);
  Packets crawler;
  for (std::uint64_t n = 0; n < 6000; ++n) {
    const auto port = static_cast<std::uint16_t>(1024 + n % 60000);
    crawler = std::move(crawler) + Connection(n * milliseconds(1), kVictim, port, Stranger(n), 1);
  }
  EXPECT_THAT(Detect(crawler), IsEmpty());
}

TEST(FloodDetector, CarpetBombingIsOneAlertAboutThePrefix) {
  const auto udp = [](Duration at, std::uint64_t n) {
    const auto host = static_cast<std::uint8_t>(n * 2654435761u >> 24);
    return Udp(at, Stranger(n), 5000, IpAddress::V4(198, 51, 100, host), 80);
  };
  const auto quiet = [](Duration at, std::uint64_t n) {
    return Udp(at, Stranger(n % 20), 5000, IpAddress::V4(198, 51, 100, 5), 80);
  };
  const std::vector<Alert> alerts = Detect(Stream(10, seconds(0), seconds(60), quiet) +
                                           Stream(20000, seconds(60), seconds(4), udp));
  ASSERT_EQ(FirstOf(alerts).alert_class, AlertClass::kUdpFlood);
  EXPECT_EQ(std::get<std::string>(FirstOf(alerts).evidence.at("prefix")), "198.51.100.0/24");
  EXPECT_THAT(FirstOf(alerts).summary, HasSubstr("carpet bombing"));
  for (const Alert& alert : alerts) EXPECT_EQ(alert.id, FirstOf(alerts).id);
}

TEST(FloodDetector, AFloodOfOneHostOfABusyPrefixIsNoCarpet) {
  Packets packets;
  for (std::uint8_t host = 1; host < 60; ++host) {
    const IpAddress server = IpAddress::V4(192, 0, 2, host);
    for (int i = 0; i < 60; ++i) {
      packets = std::move(packets) + Connection(i * milliseconds(333), Stranger(host),
                                                static_cast<std::uint16_t>(2000 + i), server, 3);
    }
  }
  const std::vector<Alert> alerts = Detect(packets + Stream(3000, seconds(10), seconds(5), Syn));
  for (const Alert& alert : alerts) {
    EXPECT_FALSE(alert.evidence.contains("prefix")) << alert.summary;
    EXPECT_EQ(alert.entity.destination, kVictim);
  }
  EXPECT_FALSE(alerts.empty());
}

TEST(FloodDetector, PulsesAreOneAlertThatCountsThem) {
  Packets packets;
  for (int pulse = 0; pulse < 12; ++pulse) {
    packets = std::move(packets) + Stream(3000, pulse * seconds(5), milliseconds(500), Syn);
  }
  const std::vector<Alert> alerts = Detect(packets);
  for (const Alert& alert : alerts) EXPECT_EQ(alert.id, FirstOf(alerts).id);
  ASSERT_FALSE(alerts.empty());
  EXPECT_EQ(alerts.back().state, AlertState::kClosed);
  EXPECT_LE(alerts.front().time, PacketTime(seconds(16))) << "by the third or fourth pulse";
}

TEST(FloodDetector, FlashCrowdIsToldApart) {
  // What is usual: a visitor every other second, for a quarter of an hour.
  Packets packets;
  for (std::uint64_t n = 0; n < 450; ++n) {
    packets = std::move(packets) + Connection(n * seconds(2), Stranger(n + 99999),
                                              static_cast<std::uint16_t>(n + 1024), kVictim, 2);
  }
  for (std::uint64_t n = 0; n < 8000; ++n) {
    packets = std::move(packets) + Connection(minutes(15) + n * milliseconds(2), Stranger(n),
                                              static_cast<std::uint16_t>(n + 1024), kVictim, 2);
  }
  const std::vector<Alert> alerts = Detect(packets);
  ASSERT_FALSE(alerts.empty());
  for (const Alert& alert : alerts) {
    EXPECT_EQ(alert.alert_class, AlertClass::kFlashCrowd);
    EXPECT_EQ(alert.severity, Severity::kInfo);
  }
}

TEST(FloodDetector, AFloodAmongBusyConnectionsIsNoCrowd) {
  Packets packets;
  for (std::uint64_t n = 0; n < 600; ++n) {
    packets = std::move(packets) + Connection(n * milliseconds(50), Stranger(n + 77),
                                              static_cast<std::uint16_t>(n + 1024), kVictim, 30);
  }
  const Alert alert = FirstOf(Detect(packets + Stream(400, seconds(15), seconds(10), Syn)));
  EXPECT_EQ(alert.alert_class, AlertClass::kSynFlood);
  EXPECT_LT(std::get<double>(alert.evidence.at("handshake_completion")), 0.5);
}

TEST(FloodDetector, DownloadsBackupsCallsAndScansAreSilent) {
  // QUIC at 100 Mbit/s, with an acknowledgement for each ten packets.
  Packets download;
  for (std::uint64_t n = 0; n < 80000; ++n) {
    const Duration at = n * std::chrono::microseconds(120);
    download.push_back(Udp(at, Stranger(1), 443, kVictim, 50000, 1300));
    if (n % 10 == 0) download.push_back(Udp(at, kVictim, 50000, Stranger(1), 443, 80));
  }
  EXPECT_THAT(Detect(download), IsEmpty());
  EXPECT_THAT(Detect(Connection(seconds(0), Stranger(5), 5000, kVictim, 50000,
                                std::chrono::microseconds(200))),
              IsEmpty());
  const auto port_scan = [](Duration at, std::uint64_t n) {
    return Tcp(at, Stranger(1), 40000, kVictim, static_cast<std::uint16_t>(n), kTcpSyn);
  };
  EXPECT_THAT(Detect(Stream(1000, seconds(0), seconds(10), port_scan)), IsEmpty());
  const auto sweep = [](Duration at, std::uint64_t n) {
    return Tcp(at, Stranger(1), 40000, IpAddress::V4(10, 1, 2, static_cast<std::uint8_t>(n)), 445,
               kTcpSyn);
  };
  EXPECT_THAT(Detect(Stream(1000, seconds(0), seconds(10), sweep)), IsEmpty());
  const auto television = [](Duration at, std::uint64_t) {
    return Udp(at, Stranger(1), 5000, IpAddress::V4(239, 1, 1, 1), 5000, 1300);
  };
  EXPECT_THAT(Detect(Stream(3000, seconds(0), seconds(10), television)), IsEmpty());
}

TEST(FloodDetector, ALoneBurstOfAQuarterSecondIsSilent) {
  EXPECT_THAT(Detect(Stream(3000, milliseconds(1000), milliseconds(240), Syn)), IsEmpty());
}

// Twenty times what the victim is used to, started at any moment, in the traffic of forty hosts.
struct Injection {
  double median = 0;
  double p99 = 0;
  std::size_t missed = 0;
};

Injection InjectFloods(int trials) {
  std::vector<double> delays;
  Injection result;
  std::mt19937 random(1);
  const auto uniform = [&](double low, double high) {
    return std::uniform_real_distribution<double>(low, high)(random);
  };
  for (int trial = 0; trial < trials; ++trial) {
    Packets packets;
    const double usual = uniform(3, 30);  // connections a second to the victim
    for (int host = 0; host < 40; ++host) {
      const IpAddress server = IpAddress::V4(192, 0, 2, static_cast<std::uint8_t>(host));
      const double mean = server == kVictim ? usual : uniform(0.5, 20);
      Duration at{};
      while (at < seconds(20)) {
        at += nanoseconds(
            static_cast<std::int64_t>(std::exponential_distribution<double>(mean)(random) * 1e9));
        packets = std::move(packets) + Connection(at, Stranger(random()),
                                                  static_cast<std::uint16_t>(random()), server,
                                                  1 + static_cast<int>(random() % 5));
      }
    }
    const Duration onset = nanoseconds(static_cast<std::int64_t>(uniform(10, 12) * 1e9));
    const std::uint64_t salt = random();
    switch (trial % 4) {
      case 0:
        packets = std::move(packets) +
                  Stream(20 * usual, onset, seconds(6),
                         [&](Duration t, std::uint64_t n) { return Syn(t, n + salt); });
        break;
      case 1:
        packets = std::move(packets) + Stream(std::max(20 * 8 * usual, 700.0), onset, seconds(6),
                                              [&](Duration t, std::uint64_t n) {
                                                return Udp(t, Stranger(n + salt), 999, kVictim,
                                                           static_cast<std::uint16_t>(n));
                                              });
        break;
      case 2:
        packets = std::move(packets) + Stream(std::max(20 * usual, 150.0), onset, seconds(6),
                                              [&](Duration t, std::uint64_t n) {
                                                return Ping(t, Stranger(n + salt), kVictim);
                                              });
        break;
      default:
        packets = std::move(packets) +
                  Stream(std::max(20 * usual, 150.0), onset, seconds(6),
                         [&](Duration t, std::uint64_t n) {
                           return Udp(t, Stranger(n % 300 + salt), 123, kVictim, 999, 480);
                         });
    }
    const std::vector<Alert> alerts = Detect(std::move(packets));
    for (const Alert& alert : alerts) EXPECT_EQ(alert.entity.destination, kVictim) << alert.summary;
    if (alerts.empty()) {
      ++result.missed;
      delays.push_back(99);
    } else {
      delays.push_back(std::chrono::duration<double>(alerts[0].time - PacketTime(onset)).count());
      EXPECT_GT(delays.back(), 0) << alerts[0].summary;
    }
  }
  std::sort(delays.begin(), delays.end());
  result.median = delays[delays.size() / 2];
  result.p99 = delays[delays.size() * 99 / 100];
  return result;
}

TEST(FloodDetector, TwentyfoldFloodIsFoundWithinThreeQuartersOfASecond) {
  const char* trials = std::getenv("NTA_FLOOD_TRIALS");
  const Injection result = InjectFloods(trials == nullptr ? 60 : std::atoi(trials));
  std::printf("median %.2f s, p99 %.2f s, missed %zu\n", result.median, result.p99, result.missed);
  EXPECT_EQ(result.missed, 0u);
  EXPECT_LE(result.median, 0.75);
  EXPECT_LE(result.p99, 2);
}

TEST(FloodDetector, BurstsAndTheKeyChangeNothing) {
  Packets packets = Stream(700, seconds(1), seconds(8), Syn);
  for (std::uint64_t n = 0; n < 400; ++n) {
    packets = std::move(packets) + Connection(n * milliseconds(40), Stranger(n + 5),
                                              static_cast<std::uint16_t>(n + 1024), kVictim, 4);
  }
  SortByTime(packets);
  FloodDetector one({.hash_seed = 1});
  const std::vector<Alert> expected = AlertsOfPackets(one, packets, 1);
  ASSERT_FALSE(expected.empty());
  for (const std::size_t burst : {7u, 64u, 1000u}) {
    FloodDetector other({.hash_seed = burst});
    EXPECT_EQ(AlertsOfPackets(other, packets, burst), expected) << burst;
  }
}

TEST(FloodDetector, GoesOnFromASavedState) {
  Packets packets = Stream(900, seconds(2), seconds(4), Syn);
  for (std::uint64_t n = 0; n < 300; ++n) {
    packets = std::move(packets) + Connection(n * milliseconds(30), Stranger(n + 5),
                                              static_cast<std::uint16_t>(n + 1024), kVictim, 4);
  }
  SortByTime(packets);
  FloodDetector whole;
  const std::vector<Alert> expected = AlertsOfPackets(whole, packets);
  ASSERT_FALSE(expected.empty());
  for (std::size_t split = 0; split < packets.size(); split += packets.size() / 9) {
    FloodDetector before;
    std::vector<Alert> alerts;
    const std::vector<PacketView> views(packets.size());
    before.ObservePackets(std::span(views).first(split), std::span(packets).first(split), alerts);
    FloodDetector after;
    ASSERT_TRUE(after.Load(before.Save()).ok());
    after.ObservePackets(std::span(views).subspan(split), std::span(packets).subspan(split),
                         alerts);
    after.Finish(alerts);
    ASSERT_EQ(alerts, expected) << split;
  }
}

TEST(FloodDetector, RefusesDamagedStatesAndStaysAsItWas) {
  FloodDetector detector({.max_destinations = 64, .max_prefixes = 64, .hash_seed = 1});
  const Packets packets = Stream(500, seconds(0), seconds(2), Syn);
  const std::vector<PacketView> views(packets.size());
  std::vector<Alert> alerts;
  detector.ObservePackets(views, packets, alerts);
  const std::string state = detector.Save();
  for (std::size_t size = 0; size < state.size(); size += 41) {
    ASSERT_FALSE(detector.Load(state.substr(0, size)).ok()) << size;
  }
  EXPECT_FALSE(detector.Load(detect::SealState("flood", 3, "x")).ok());
  EXPECT_FALSE(detector.Load(detect::SealState("port_scan", 1, "x")).ok());
  EXPECT_EQ(detector.Save(), state);
  const auto payload = detect::OpenState("flood", 3, state);
  ASSERT_TRUE(payload.ok());
  std::mt19937 random(1);
  for (int round = 0; round < 300; ++round) {
    std::string forged(payload->begin(), payload->end());
    forged[random() % forged.size()] = static_cast<char>(random());
    FloodDetector other;
    if (!other.Load(detect::SealState("flood", 3, forged)).ok()) continue;
    other.ObservePackets(views, packets, alerts);
    other.AdvanceTo(Timestamp::max(), alerts);
    other.Finish(alerts);
  }
}

TEST(FloodDetector, MemoryStaysWithinItsLimitUnderManyDestinations) {
  FloodDetector detector;
  const std::size_t limit = detector.memory_limit_bytes();
  EXPECT_LT(limit, std::size_t{12} << 20);
  std::vector<Alert> alerts;
  const char* count = std::getenv("NTA_FLOOD_DESTINATIONS");
  const std::uint64_t destinations = count == nullptr ? 300'000 : std::strtoull(count, nullptr, 10);
  Packets burst(64);
  const std::vector<PacketView> views(burst.size());
  for (std::uint64_t n = 0; n < destinations; n += burst.size()) {
    for (std::size_t i = 0; i < burst.size(); ++i) {
      burst[i] =
          Udp((n + i) * std::chrono::microseconds(2), Stranger(n + i), 999, Stranger(~(n + i)), 53);
    }
    detector.ObservePackets(views, burst, alerts);
  }
  EXPECT_LE(detector.memory_bytes(), limit);
  // And somebody who is flooded meanwhile is still seen.
  Packets flood;
  for (std::uint64_t n = 0; n < 200'000; ++n) {
    const Duration at =
        destinations * std::chrono::microseconds(2) + n * std::chrono::microseconds(20);
    flood.push_back(n % 10 == 0 ? Syn(at, n) : Udp(at, Stranger(n), 9, Stranger(~n * 3), 9));
  }
  const std::vector<PacketView> more(flood.size());
  alerts.clear();
  detector.ObservePackets(more, flood, alerts);
  ASSERT_FALSE(alerts.empty());
  EXPECT_EQ(alerts[0].entity.destination, kVictim);
  EXPECT_EQ(alerts[0].alert_class, AlertClass::kSynFlood);
}

TEST(FloodDetector, MoreFloodedDestinationsThanFitTakeEachOthersPlaces) {
  FloodDetector detector({.max_destinations = 64, .max_prefixes = 64});
  std::vector<Alert> alerts;
  for (std::uint64_t n = 0; n < 400; ++n) {
    const Packets burst = Stream(
        100'000, n * milliseconds(20), milliseconds(5),
        [&](Duration at, std::uint64_t i) { return Udp(at, Stranger(i), 999, Stranger(~n), 53); });
    const std::vector<PacketView> views(burst.size());
    detector.ObservePackets(views, burst, alerts);
  }
  EXPECT_GT(detector.evictions(), 100u);
  EXPECT_LE(detector.memory_bytes(), detector.memory_limit_bytes());
}

TEST(FloodDetector, TimesInAnyOrderDoNoHarm) {
  FloodDetector detector;
  std::vector<Alert> alerts;
  std::mt19937_64 random(3);
  Packets packets;
  for (int i = 0; i < 5000; ++i) {
    DecodedPacket packet = Syn(Duration(0), static_cast<std::uint64_t>(i));
    packet.time = i % 3 == 0   ? kMaxPacketTime
                  : i % 3 == 1 ? kMinPacketTime
                               : Timestamp(Duration(static_cast<std::int64_t>(random() >> 3)));
    packets.push_back(packet);
  }
  const std::vector<PacketView> views(packets.size());
  detector.ObservePackets(views, packets, alerts);
  detector.AdvanceTo(Timestamp::max(), alerts);
  detector.Finish(alerts);
  EXPECT_LE(detector.memory_bytes(), detector.memory_limit_bytes());
}

// The definition, place by place.
class PlainHeavyBytes {
 public:
  void Add(std::uint8_t byte) {
    std::size_t free = leads_.size();
    for (std::size_t i = 0; i < leads_.size(); ++i) {
      if (leads_[i] == 0) {
        free = i;
      } else if (bytes_[i] == byte) {
        ++leads_[i];
        return;
      }
    }
    if (free == leads_.size()) {
      for (std::uint16_t& lead : leads_) --lead;
      return;
    }
    bytes_[free] = byte;
    leads_[free] = 1;
  }
  std::uint32_t Sum() const { return std::accumulate(leads_.begin(), leads_.end(), 0u); }

 private:
  std::array<std::uint8_t, 7> bytes_{};
  std::array<std::uint16_t, 7> leads_{};
};

TEST(HeavyBytes, CountInOneWordWhatTheDefinitionCountsPlaceByPlace) {
  std::mt19937 random(5);
  for (const unsigned values : {1u, 2u, 7u, 8u, 9u, 16u, 40u, 256u}) {
    detect::HeavyBytes bytes;
    PlainHeavyBytes plain;
    // 0, 0x7f, 0x80 and 0xff are the ones that arithmetic on words may get wrong.
    const std::uint8_t first = values == 256 ? 0 : static_cast<std::uint8_t>(random());
    for (int i = 0; i < 20'000; ++i) {
      const auto draw = static_cast<unsigned>(random() % values);
      // A few values come more often than others.
      const unsigned picked = random() % 3 == 0 ? draw % 3 : draw;
      const auto byte = static_cast<std::uint8_t>(first + picked * (256 / values));
      bytes.Add(byte);
      plain.Add(byte);
      ASSERT_EQ(bytes.Sum(), plain.Sum()) << values << " values, after " << i;
    }
  }
}

}  // namespace
}  // namespace nta
