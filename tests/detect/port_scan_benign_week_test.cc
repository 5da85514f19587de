// A week of an ordinary network of some 60 machines, as flow events: how many alerts would people
// get?
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "detect/flow_events.h"
#include "nta/detect/port_scan_detector.h"

namespace nta {
namespace {

using namespace testing;  // NOLINT: the verbs of flow_events.h

constexpr int kDays = 7;
constexpr int kClients = 50;

class Week {
 public:
  explicit Week(unsigned seed) : random_(seed) {}

  std::vector<Attempt> Attempts() {
    for (int client = 0; client < kClients; ++client) Browse(Client(client));
    for (int client = 0; client < kClients; ++client) KeepTryingDeadServers(Client(client));
    for (int client = 0; client < 3; ++client) ShareFiles(Client(client));
    Monitor(Client(60));
    DeliverMail(Client(61));
    Resolve(Client(62));
    PrintAndDiscover();
    StrayFromOutside();
    return std::move(attempts_);
  }

 private:
  static IpAddress Client(int number) {
    return IpAddress::V4(192, 168, 1, static_cast<std::uint8_t>(10 + number));
  }
  static IpAddress Site(std::uint32_t number) { return Host(number * 2654435761u >> 9); }

  double Uniform() { return std::uniform_real_distribution<double>(0, 1)(random_); }
  Duration Moment(double day_part = 1) {
    return std::chrono::nanoseconds(
        static_cast<std::int64_t>(Uniform() * day_part * 86400e9 * kDays));
  }
  // Popularity of sites has a heavy tail: most visits go to few, and there is always another one.
  std::uint32_t PopularRank() {
    return static_cast<std::uint32_t>(std::min(std::pow(Uniform(), -2.5), 4e6));
  }
  ContactOutcome Fails(double chance) {
    if (Uniform() >= chance) return ContactOutcome::kAnswered;
    return Uniform() < 0.3 ? ContactOutcome::kRefused : ContactOutcome::kPending;
  }
  void Add(Attempt attempt) {
    attempt.source_port = static_cast<std::uint16_t>(32768 + random_() % 28000);
    attempts_.push_back(attempt);
  }

  // Pages of 1 to 60 hosts at once; 4 % of new hosts fail, and QUIC is blocked for every third
  // client.
  void Browse(const IpAddress& client) {
    const bool quic_blocked = random_() % 3 == 0;
    for (int page = 0; page < 120 * kDays; ++page) {
      const Duration at = Moment();
      const int hosts = static_cast<int>(std::min(std::pow(Uniform(), -1.2), 60.0));
      for (int i = 0; i < hosts; ++i) {
        const std::uint32_t rank = PopularRank();
        const bool dead = rank * 40503u % 25 == 0;
        const Duration then = at + i * milliseconds(30);
        const IpAddress site = Site(rank);
        const ContactOutcome outcome = dead ? ContactOutcome::kPending : Fails(0.005);
        Add({.at = then, .from = client, .to = site, .port = 443, .outcome = outcome});
        if (quic_blocked) {
          Add({.at = then + milliseconds(1),
               .from = client,
               .to = site,
               .port = 443,
               .protocol = kProtocolUdp});
        }
      }
    }
  }

  // Mounts, printers, old bookmarks: each client has 1 to 4 servers that are gone, on ports of
  // their own.
  void KeepTryingDeadServers(const IpAddress& client) {
    static constexpr std::uint16_t kPorts[] = {445, 631, 9100, 8080, 3306, 22, 5432, 389};
    for (int dead = 1 + static_cast<int>(random_() % 4); dead > 0; --dead) {
      const IpAddress server =
          IpAddress::V4(192, 168, 2, static_cast<std::uint8_t>(random_() % 200));
      const std::uint16_t port = kPorts[random_() % std::size(kPorts)];
      const Duration pause = minutes(1 + static_cast<int>(random_() % 300));
      for (Duration at = Moment(0.01); at < hours(24 * kDays); at += pause) {
        Add({.at = at, .from = client, .to = server, .port = port});
      }
    }
  }

  // Evenings of five hours. Two of three peers do not answer; an eighth of them use the default
  // port.
  void ShareFiles(const IpAddress& client) {
    for (int i = 0; i < 12000 * kDays; ++i) {
      const auto port = random_() % 8 == 0 ? std::uint16_t{6881}
                                           : static_cast<std::uint16_t>(1024 + random_() % 64000);
      const Duration evening = (i % kDays) * hours(24) + hours(18);
      Add({.at = evening + std::chrono::seconds(random_() % (5 * 3600)),
           .from = client,
           .to = Host(static_cast<std::uint32_t>(random_())),
           .port = port,
           .outcome = Fails(0.66),
           .protocol = random_() % 2 == 0 ? kProtocolTcp : kProtocolUdp});
    }
  }

  // 150 hosts every five minutes, by ping and SSH; a tenth have been switched off.
  void Monitor(const IpAddress& client) {
    for (int round = 0; round < 12 * 24 * kDays; ++round) {
      for (std::uint32_t i = 0; i < 150; ++i) {
        const ContactOutcome outcome =
            i % 10 == 7 ? ContactOutcome::kPending : ContactOutcome::kAnswered;
        const Duration at = round * minutes(5) + i * milliseconds(100);
        const IpAddress host = IpAddress::V4(192, 168, 3, static_cast<std::uint8_t>(i));
        Add({.at = at, .from = client, .to = host, .outcome = outcome, .protocol = kProtocolIcmp});
        Add({.at = at, .from = client, .to = host, .port = 22, .outcome = outcome});
      }
    }
  }

  // One mail server in eight is gone, and mail to it is tried again.
  void DeliverMail(const IpAddress& client) {
    for (int i = 0; i < 3000 * kDays; ++i) {
      const std::uint32_t rank = PopularRank();
      Add({.at = Moment(),
           .from = client,
           .to = Site(rank),
           .port = 25,
           .outcome = rank * 9973u % 8 == 0 ? ContactOutcome::kPending : Fails(0.02)});
    }
  }

  // A resolver that asks the authoritative servers itself: 5 % of them are lame.
  void Resolve(const IpAddress& client) {
    for (int i = 0; i < 20000 * kDays; ++i) {
      const std::uint32_t rank = PopularRank();
      Add({.at = Moment(),
           .from = client,
           .to = Site(rank + 77),
           .port = 53,
           .outcome = rank % 20 == 3 ? ContactOutcome::kPending : ContactOutcome::kAnswered,
           .protocol = kProtocolUdp});
    }
  }

  // SSDP and mDNS to groups, the answers of devices to ever new ports, and syslog that nobody
  // answers.
  void PrintAndDiscover() {
    for (int client = 0; client < kClients; ++client) {
      for (int i = 0; i < 300 * kDays; ++i) {
        Attempt query{.at = Moment(), .from = Client(client), .protocol = kProtocolUdp};
        query.to = IpAddress::V4(239, 255, 255, 250);
        query.port = 1900;
        Add(query);
        Attempt answer{.at = query.at + milliseconds(5),
                       .from = IpAddress::V4(192, 168, 1, 250),
                       .to = Client(client),
                       .port = static_cast<std::uint16_t>(32768 + random_() % 28000),
                       .protocol = kProtocolUdp,
                       .source_port = 1900};
        attempts_.push_back(answer);
        Add({.at = query.at,
             .from = Client(client),
             .to = IpAddress::V4(192, 168, 1, 5),
             .port = 514,
             .protocol = kProtocolUdp});
      }
    }
  }

  // Strangers that try one to four things each and go away.
  void StrayFromOutside() {
    for (int i = 0; i < 4000 * kDays; ++i) {
      const IpAddress stranger = Host(static_cast<std::uint32_t>(random_()));
      const Duration at = Moment();
      for (int tries = 1 + static_cast<int>(random_() % 4); tries > 0; --tries) {
        Add({.at = at + tries * seconds(3),
             .from = stranger,
             .to = Client(static_cast<int>(random_() % 70)),
             .port = static_cast<std::uint16_t>(random_() % 4 == 0 ? 23 : random_() % 10000)});
      }
    }
  }

  std::mt19937_64 random_;
  std::vector<Attempt> attempts_;
};

std::vector<Alert> OpenedIn(const std::vector<Attempt>& attempts) {
  PortScanDetector detector;
  std::vector<Alert> alerts;
  Play(attempts, [&](const FlowEvent& event) { detector.Observe(event, alerts); });
  detector.Finish(alerts);
  std::erase_if(alerts, [](const Alert& alert) { return alert.state != AlertState::kOpen; });
  return alerts;
}

class PortScanBenignWeek : public ::testing::TestWithParam<unsigned> {};

TEST_P(PortScanBenignWeek, GivesAtMostFiveAlertsADayAndHidesNoScan) {
  const std::vector<Attempt> benign = Week(GetParam()).Attempts();
  const std::vector<Alert> alerts = OpenedIn(benign);
  for (const Alert& alert : alerts) {
    std::printf("%s (%s, %.1f bits)\n", alert.summary.c_str(),
                EvidenceOf<std::string>(alert, "trigger").c_str(), alert.score);
  }
  std::printf("%zu contacts, %zu alerts in %d days\n", benign.size(), alerts.size(), kDays);
  EXPECT_LE(alerts.size(), 5u * kDays);

  // The same week, in which one that browses and shares files also sweeps a port, one host in ten
  // minutes, and scans a server.
  std::vector<Attempt> sweep = HostSweep(40, minutes(10));
  for (Attempt& attempt : sweep) attempt.from = IpAddress::V4(192, 168, 1, 10);
  std::vector<Attempt> scan = PortScan(100, seconds(20));
  for (Attempt& attempt : scan) {
    attempt.from = IpAddress::V4(192, 168, 1, 10);
    attempt.at += hours(50);
  }
  const std::vector<Alert> with_scans = OpenedIn(benign + sweep + scan);
  EXPECT_EQ(with_scans.size(), alerts.size() + 2);
}

INSTANTIATE_TEST_SUITE_P(Seeds, PortScanBenignWeek, ::testing::Values(1u, 2u, 3u));

}  // namespace
}  // namespace nta
