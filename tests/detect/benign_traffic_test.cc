// Packets of an ordinary network, with all default detectors at once: how many alerts would people
// get?
//
// 60 clients behind a tap that sees both directions: pages with a heavy tail of sizes, QUIC
// downloads, calls, games, a resolver, time, backups at night, updates that everybody fetches at
// once, syslog, a television stream, automated SSH, and a flash crowd a day.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "detect/packets.h"
#include "nta/detect/default_detectors.h"
#include "nta/flow/flow_table.h"

namespace nta {
namespace {

using namespace testing;  // NOLINT: the verbs of packets.h
using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::nanoseconds;
using std::chrono::seconds;

class Network {
 public:
  explicit Network(unsigned seed) : random_(seed) {}

  // The packets that begin in one minute, and those left over from minutes before, up to its end.
  std::vector<DecodedPacket> Minute(int minute) {
    now_ = minutes(minute);
    const int hour = minute / 60 % 24;
    // Nights are quiet, mornings are busiest.
    const double activity = 0.15 + 0.85 * std::pow(std::max(0.0, std::sin((hour - 5) * 0.17)), 1.5);
    Browse(activity);
    Resolve(activity);
    Talk(activity);
    Background(minute);
    if (hour == 2 && minute % 20 == 0) Backup();
    if (minute % 1440 == 11 * 60 + 7) Update();
    if (minute % 1440 == 15 * 60 + 30) crowd_minutes_ = 5;
    if (crowd_minutes_ > 0 && crowd_minutes_-- > 0) Crowd();
    SortByTime(packets_);
    const auto end = std::find_if(packets_.begin(), packets_.end(), [&](const auto& packet) {
      return packet.time >= PacketTime(now_ + minutes(1));
    });
    std::vector<DecodedPacket> result(packets_.begin(), end);
    packets_.erase(packets_.begin(), end);
    return result;
  }

 private:
  static IpAddress Client(int number) {
    return IpAddress::V4(192, 168, 1, static_cast<std::uint8_t>(10 + number % 60));
  }
  static IpAddress Site(std::uint32_t number) {
    const std::uint32_t mixed = number * 2654435761u;
    return IpAddress::V4(static_cast<std::uint8_t>(20 + (mixed >> 24) % 150),
                         static_cast<std::uint8_t>(mixed >> 16),
                         static_cast<std::uint8_t>(mixed >> 8), static_cast<std::uint8_t>(mixed));
  }
  double Uniform() { return std::uniform_real_distribution<double>(0, 1)(random_); }
  int Below(int limit) { return static_cast<int>(random_() % static_cast<unsigned>(limit)); }
  double Pareto(double shape, double most) {
    return std::min(std::pow(Uniform(), -1 / shape), most);
  }
  Duration Moment() { return now_ + nanoseconds(static_cast<std::int64_t>(Uniform() * 60e9)); }
  std::uint16_t Port() { return static_cast<std::uint16_t>(32768 + Below(28000)); }
  std::uint32_t Rank() { return static_cast<std::uint32_t>(Pareto(0.6, 1e6)); }
  void Add(const DecodedPacket& packet) { packets_.push_back(packet); }

  void Connection(Duration at, const IpAddress& client, const IpAddress& server,
                  std::uint16_t server_port, int exchanges, int per_answer, Duration pace) {
    const std::uint16_t port = Port();
    Add(Tcp(at, client, port, server, server_port, kTcpSyn));
    Add(Tcp(at + pace, server, server_port, client, port, kTcpSyn | kTcpAck));
    Add(Tcp(at + pace + microseconds(50), client, port, server, server_port, kTcpAck));
    Duration then = at + pace;
    for (int i = 0; i < exchanges; ++i) {
      then += pace;
      DecodedPacket request = Tcp(then, client, port, server, server_port, kTcpAck | kTcpPsh, 600);
      request.payload_bytes = 546;
      Add(request);
      for (int n = 0; n < per_answer; ++n) {
        DecodedPacket answer = Tcp(then + pace + n * microseconds(120), server, server_port, client,
                                   port, kTcpAck, 1514);
        answer.payload_bytes = 1460;
        Add(answer);
        if (n % 2 == 1) {
          Add(Tcp(then + pace + n * microseconds(121), client, port, server, server_port, kTcpAck));
        }
      }
    }
    then += 2 * pace + per_answer * microseconds(120);
    Add(Tcp(then, client, port, server, server_port, kTcpFin | kTcpAck));
    Add(Tcp(then + pace, server, server_port, client, port, kTcpFin | kTcpAck));
    Add(Tcp(then + pace, client, port, server, server_port, kTcpAck));
  }

  void Browse(double activity) {
    for (int page = 0; page < static_cast<int>(40 * activity); ++page) {
      const IpAddress client = Client(Below(60));
      const Duration at = Moment();
      for (int i = 0, hosts = static_cast<int>(Pareto(1.2, 40)); i < hosts; ++i) {
        const std::uint32_t rank = Rank();
        const Duration then = at + i * milliseconds(30);
        if (rank % 40 == 7) {  // gone: three tries
          const std::uint16_t port = Port();
          for (const int wait : {0, 1, 3}) {
            Add(Tcp(then + seconds(wait), client, port, Site(rank), 443, kTcpSyn));
          }
          continue;
        }
        Connection(then, client, Site(rank), 443, 1 + Below(3), static_cast<int>(Pareto(1.1, 400)),
                   milliseconds(5 + Below(80)));
      }
    }
    if (Uniform() < activity * 0.5) Download();
  }

  // QUIC at 20 to 200 Mbit/s for some seconds.
  void Download() {
    const IpAddress client = Client(Below(60));
    const IpAddress server = Site(Rank());
    const std::uint16_t port = Port();
    const auto gap = microseconds(60 + Below(500));
    Duration at = Moment();
    Add(Udp(at - milliseconds(20), client, port, server, 443, 1242));
    for (int n = 0, count = static_cast<int>(1000 * Pareto(1.1, 30)); n < count; ++n, at += gap) {
      Add(Udp(at, server, 443, client, port, 1300));
      if (n % 8 == 0) Add(Udp(at + microseconds(30), client, port, server, 443, 80));
    }
  }

  void Resolve(double activity) {
    const IpAddress resolver = IpAddress::V4(192, 168, 1, 2);
    for (int i = 0; i < static_cast<int>(300 * activity); ++i) {
      const Duration at = Moment();
      const IpAddress server = Site(Rank() + 77);
      const std::uint16_t port = Port();
      Add(Udp(at, resolver, port, server, 53, 90));
      if (Uniform() < 0.97) Add(Udp(at + milliseconds(20), server, 53, resolver, port, 400));
    }
  }

  void Talk(double activity) {
    if (Uniform() < activity) {  // a call of a minute, fifty packets a second each way
      const IpAddress a = Client(Below(60));
      const IpAddress b = Site(Rank());
      for (int n = 0; n < 3000; ++n) {
        Add(Udp(now_ + n * milliseconds(20), a, 16000, b, 3478, 214));
        Add(Udp(now_ + n * milliseconds(20) + milliseconds(7), b, 3478, a, 16000, 214));
      }
    }
    if (Uniform() < activity * 0.3) {  // a game server of ours with 30 players
      const IpAddress server = Client(59);
      for (int n = 0; n < 1800; ++n) {
        const IpAddress player = Site(static_cast<std::uint32_t>(n % 30));
        Add(Udp(now_ + n * milliseconds(33), player, 27005, server, 27015, 90));
        Add(Udp(now_ + n * milliseconds(33) + milliseconds(2), server, 27015, player, 27005, 300));
      }
    }
  }

  void Background(int minute) {
    for (int client = 0; client < 60; ++client) {
      if (Uniform() < 0.05) {
        const Duration at = Moment();
        Add(Udp(at, Client(client), 123, Site(3), 123, 90));
        Add(Udp(at + milliseconds(9), Site(3), 123, Client(client), 123, 90));
      }
      if (Uniform() < 0.3)
        Add(Udp(Moment(), Client(client), 514, IpAddress::V4(192, 168, 1, 5), 514));
    }
    // A failing disk writes 400 lines of syslog a second for a while.
    if (minute % 720 == 100) {
      for (int n = 0; n < 8000; ++n) {
        Add(Udp(now_ + n * microseconds(2500), Client(7), 514, IpAddress::V4(192, 168, 1, 5), 514));
      }
    }
    for (int n = 0; n < 600; ++n) {
      Add(Udp(now_ + n * milliseconds(100), IpAddress::V4(192, 168, 1, 9), 5004,
              IpAddress::V4(239, 1, 1, 1), 5004, 1358));
    }
    for (int host = 0; host < 40; ++host) {  // monitoring
      Add(Ping(now_ + host * milliseconds(20), Client(58), Client(host)));
      DecodedPacket answer = Ping(now_ + host * milliseconds(21), Client(host), Client(58));
      answer.icmp_type = 0;
      Add(answer);
    }
    Connection(Moment(), Client(57), IpAddress::V4(192, 168, 1, 200), 22, 8, 3, milliseconds(10));
  }

  // Eight hosts at 20,000 packets a second together, for five minutes of the twenty.
  void Backup() {
    for (int host = 0; host < 8; ++host) {
      Connection(Moment(), Client(host), IpAddress::V4(192, 168, 1, 250), 445, 20, 500,
                 milliseconds(300));
    }
  }

  // Everybody fetches the same file within seconds.
  void Update() {
    for (int client = 0; client < 60; ++client) {
      for (int part = 0; part < 8; ++part) {
        Connection(now_ + milliseconds(Below(4000)), Client(client), Site(5), 443, 2, 300,
                   milliseconds(20));
      }
    }
  }

  // A page of ours is on television.
  void Crowd() {
    for (int visitor = 0; visitor < 24000; ++visitor) {
      Connection(Moment(), Site(static_cast<std::uint32_t>(random_())), Client(50), 443, 1, 4,
                 milliseconds(40));
    }
  }

  std::mt19937_64 random_;
  Duration now_{};
  int crowd_minutes_ = 0;
  std::vector<DecodedPacket> packets_;
};

// All, or the one that the environment names.
DetectorList Detectors() {
  DetectionOptions options;
  const char* only = std::getenv("NTA_BENIGN_DETECTOR");
  for (const std::string& name : DefaultDetectorNames()) {
    if (only != nullptr && name != only) options.disabled.insert(name);
  }
  return *DefaultDetectors(options);
}

TEST(BenignTraffic, GivesAtMostFiveAlertsADay) {
  const char* asked = std::getenv("NTA_BENIGN_MINUTES");
  const int length = asked == nullptr ? 25 : std::atoi(asked);
  // By default the end of a morning and the flash crowd, else everything from midnight on.
  const int first = asked == nullptr ? 15 * 60 + 15 : 0;
  const DetectorList detectors = Detectors();
  auto table = FlowTable::Create({.events = FlowEventSelection::kAll});
  ASSERT_TRUE(table.ok());
  Network network(1);
  std::vector<Alert> alerts;
  std::vector<FlowEvent> events;
  std::uint64_t packets = 0;
  const std::vector<PacketView> views(256);
  for (int minute = first; minute < first + length; ++minute) {
    const std::vector<DecodedPacket> all = network.Minute(minute);
    packets += all.size();
    for (std::size_t at = 0; at < all.size(); at += views.size()) {
      const auto burst = std::span(all).subspan(at, std::min(views.size(), all.size() - at));
      events.clear();
      table->Add(burst, events);
      for (const auto& detector : detectors) {
        detector->ObservePackets(std::span(views).first(burst.size()), burst, alerts);
        for (const FlowEvent& event : events) detector->Observe(event, alerts);
        detector->AdvanceTo(burst.back().time, alerts);
      }
    }
  }
  for (const auto& detector : detectors) detector->Finish(alerts);
  std::map<std::string, int> opened;
  std::map<std::string, int> of_day;
  for (const Alert& alert : alerts) {
    if (alert.state != AlertState::kOpen) continue;
    const std::string time = ToString(alert.time);
    ++opened[std::string(ToString(alert.alert_class))];
    ++of_day[time.substr(0, 10)];
    std::printf("%s %s: %s\n", time.c_str(), alert.detector.c_str(), alert.summary.c_str());
  }
  for (const auto& [day, count] : of_day) {
    std::printf("%s: %d alerts\n", day.c_str(), count);
    EXPECT_LE(count, 5) << day;
  }
  std::printf("%llu packets, %.1f days\n", static_cast<unsigned long long>(packets),
              length / 1440.0);
  // What is no more than unusual may be said a few times a day; nothing here is an attack.
  opened.erase("flash_crowd");
  if (asked != nullptr) opened.erase("traffic_anomaly");
  EXPECT_TRUE(opened.empty()) << opened.begin()->first;
}

}  // namespace
}  // namespace nta
