// Packets between two hosts: what rules and blocks do to them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/tcp.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <optional>
#include <thread>

#include "firewall/firewall_namespace.h"
#include "firewall/random_rules.h"
#include "nta/firewall/response.h"

namespace nta::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Clock = std::chrono::steady_clock;

// Sends from there to here and tells what arrives. Packets on the link keep their order, so once a
// later one from 10.9.0.9 is here, an earlier one that is not was dropped: nothing is waited for.
class Probe {
 public:
  explicit Probe(Hosts& hosts)
      : hosts_(hosts),
        marker_server_(hosts.Here(SOCK_DGRAM, "10.9.0.1", 9)),
        marker_client_(hosts.There(SOCK_DGRAM, "10.9.0.9", 0)) {}

  std::size_t Arriving(const std::string& from, const std::string& to, std::uint16_t port,
                       int count = 1) {
    const Socket server = hosts_.Here(SOCK_DGRAM, to, port);
    const Socket client = hosts_.There(SOCK_DGRAM, from, 0);
    for (int i = 0; i < count; ++i) client.SendTo(to, port, "probe");
    EXPECT_TRUE(marker_client_.SendTo("10.9.0.1", 9, "marker"));
    EXPECT_FALSE(marker_server_.Receive().empty()) << "the marker got lost";
    return server.Receive(milliseconds(0)).size();
  }
  bool Arrives(const std::string& from, std::uint16_t port = 7000) {
    return Arriving(from, from.find(':') == std::string::npos ? "10.9.0.1" : "fd09::1", port) == 1;
  }

 private:
  Hosts& hosts_;
  Socket marker_server_;
  Socket marker_client_;
};

Rule Udp(const std::string& id, RuleVerdict verdict, PortRange ports) {
  Rule rule{.id = id, .direction = RuleDirection::kIn, .verdict = verdict};
  rule.protocol = kProtocolUdp;
  rule.destination_ports = {ports};
  return rule;
}

BlockRequest BlockOf(const std::string& address, Duration ttl = seconds(600)) {
  return {.address = Address(address), .ttl = ttl, .author = "test", .reason = "test"};
}

TEST(FirewallPackets, BlockStopsAHostBothWaysAndUnblockLetsItGo) {
  OnTwoHosts([](Hosts& hosts, NftablesBackend& backend) {
    Probe probe(hosts);
    Response response(backend, {});
    for (const std::string host : {"10.9.0.3", "fd09::3"}) {
      const std::string here = host == "10.9.0.3" ? "10.9.0.1" : "fd09::1";
      EXPECT_TRUE(probe.Arrives(host));
      const auto block = response.Block(BlockOf(host), Now());
      ASSERT_TRUE(block.ok()) << block.status();
      EXPECT_FALSE(probe.Arrives(host));
      EXPECT_TRUE(probe.Arrives("10.9.0.4"));
      EXPECT_FALSE(hosts.Here(SOCK_DGRAM, here, 0).SendTo(host, 7000, "out"));
      EXPECT_EQ(hosts.There(SOCK_STREAM, host, 0).Connect(here, 7001, milliseconds(100)),
                ETIMEDOUT);
      const auto ended = response.AdvanceTo(Now());
      ASSERT_TRUE(ended.ok()) << ended.status();
      ASSERT_EQ(response.BlocksOf(Address(host)).size(), 1U);
      EXPECT_GE(response.BlocksOf(Address(host))[0].effect.packets, 3U);
      ASSERT_TRUE(response.Unblock(Address(host), Now()).ok());
      EXPECT_TRUE(probe.Arrives(host));
      EXPECT_EQ(response.Unblock(Address(host), Now()).code(), absl::StatusCode::kNotFound);
    }
  });
}

TEST(FirewallPackets, BlockEndsByItselfInTheKernel) {
  OnTwoHosts([](Hosts& hosts, NftablesBackend& backend) {
    Probe probe(hosts);
    Response response(backend, {});
    // The rules that blocks need are there before the time is taken.
    ASSERT_TRUE(response.Block(BlockOf("10.9.0.4"), Now()).ok());
    const auto begin = Clock::now();
    ASSERT_TRUE(response.Block(BlockOf("10.9.0.3", milliseconds(400)), Now()).ok());
    EXPECT_FALSE(probe.Arrives("10.9.0.3"));
    while (!probe.Arrives("10.9.0.3") && Clock::now() - begin < seconds(10)) {
    }
    const auto lasted = std::chrono::duration_cast<milliseconds>(Clock::now() - begin);
    // The kernel counts in ticks, which may end a little early.
    constexpr milliseconds kTick(20);
    EXPECT_GE(lasted + kTick, milliseconds(400));
    EXPECT_LT(lasted.count(), 5000);
    EXPECT_FALSE(probe.Arrives("10.9.0.4"));
    const auto ended = response.AdvanceTo(Now() + kTick);
    ASSERT_TRUE(ended.ok());
    ASSERT_EQ(ended->size(), 1U);
    EXPECT_EQ((*ended)[0].end, BlockEnd::kExpired);
  });
}

TEST(FirewallPackets, RuleEndsByItselfInTheKernel) {
  OnTwoHosts([](Hosts& hosts, NftablesBackend& backend) {
    Probe probe(hosts);
    Rule rule = Udp("a", RuleVerdict::kDrop, {7000, 7000});
    rule.expires = Now() + seconds(1);
    ASSERT_TRUE(backend.Replace(Rules({.rules = {rule}}), Now()).ok());
    EXPECT_FALSE(probe.Arrives("10.9.0.3"));
    const auto begin = Clock::now();
    while (!probe.Arrives("10.9.0.3") && Clock::now() - begin < seconds(10)) {
    }
    EXPECT_LT(Clock::now() - begin, seconds(4));
    EXPECT_GE(Now(), *rule.expires);
  });
}

TEST(FirewallPackets, FirstRuleThatMatchesDecidesAndPortRangesHaveBothEnds) {
  OnTwoHosts([](Hosts& hosts, NftablesBackend& backend) {
    Probe probe(hosts);
    Rule friends = Udp("friends", RuleVerdict::kAccept, {7000, 7010});
    friends.source.prefixes = {Prefix("10.9.0.4"), Prefix("fd09::4")};
    const std::vector<Rule> rules{Udp("five", RuleVerdict::kAccept, {7005, 7005}), friends,
                                  Udp("range", RuleVerdict::kDrop, {7001, 7009})};
    ASSERT_TRUE(backend.Replace(Rules({.rules = rules}), Now()).ok());
    for (const std::string host : {"10.9.0.3", "fd09::3"}) {
      EXPECT_TRUE(probe.Arrives(host, 7000));
      EXPECT_FALSE(probe.Arrives(host, 7001));
      EXPECT_TRUE(probe.Arrives(host, 7005));
      EXPECT_FALSE(probe.Arrives(host, 7009));
      EXPECT_TRUE(probe.Arrives(host, 7010));
    }
    EXPECT_TRUE(probe.Arrives("10.9.0.4", 7001));
    EXPECT_TRUE(probe.Arrives("fd09::4", 7009));
    // The other order, the other result.
    ASSERT_TRUE(backend.Replace(Rules({.rules = {rules[2], rules[0], rules[1]}}), Now()).ok());
    EXPECT_FALSE(probe.Arrives("10.9.0.3", 7005));
    EXPECT_FALSE(probe.Arrives("10.9.0.4", 7001));
    const auto counters = backend.Counters(Now());
    ASSERT_TRUE(counters.ok());
    EXPECT_THAT(*counters,
                testing::ElementsAre(testing::AllOf(testing::Field(&RuleCounters::rule_id, "range"),
                                                    testing::Field(&RuleCounters::packets, 6U)),
                                     testing::Field(&RuleCounters::packets, 2U),
                                     testing::Field(&RuleCounters::packets, 2U)));
  });
}

TEST(FirewallPackets, RateLimitLetsTheBurstThroughAndThenTheRate) {
  OnTwoHosts([](Hosts& hosts, NftablesBackend& backend) {
    Probe probe(hosts);
    Rule rule = Udp("limit", RuleVerdict::kRateLimit, {7000, 7000});
    rule.rate_limit = RateLimit{.packets_per_second = 50, .burst = 5};
    // Two ways to match, and one limit for both together.
    rule.source.prefixes = {Prefix("10.9.0.0/24"), Prefix("fd09::/64")};
    ASSERT_TRUE(backend.Replace(Rules({.rules = {rule}}), Now()).ok());
    const auto begin = Clock::now();
    std::size_t arrived = probe.Arriving("10.9.0.3", "10.9.0.1", 7000, 40);
    EXPECT_GE(arrived, 5U);
    EXPECT_LT(arrived, 40U);
    while (Clock::now() - begin < milliseconds(400)) {
      arrived += probe.Arriving("fd09::3", "fd09::1", 7000, 3);
    }
    const double passed = std::chrono::duration<double>(Clock::now() - begin).count();
    EXPECT_NEAR(static_cast<double>(arrived), 5 + 50 * passed, 5 + 5 * passed);
    const auto counters = backend.Counters(Now());
    ASSERT_TRUE(counters.ok());
    EXPECT_GE((*counters)[0].packets, 20U) << "what it cut";
  });
}

TEST(FirewallPackets, RejectAnswers) {
  OnTwoHosts([](Hosts& hosts, NftablesBackend& backend) {
    Rule all{.id = "all", .direction = RuleDirection::kIn, .verdict = RuleVerdict::kReject};
    all.source.prefixes = {Prefix("10.9.0.3"), Prefix("fd09::3")};
    Rule tcp{.id = "tcp", .direction = RuleDirection::kIn, .verdict = RuleVerdict::kReject};
    tcp.protocol = kProtocolTcp;
    tcp.destination_ports = {{7001, 7001}};
    ASSERT_TRUE(backend.Replace(Rules({.rules = {all, tcp}}), Now()).ok());
    const Socket server = hosts.Here(SOCK_STREAM, "10.9.0.1", 7001);
    const Socket server6 = hosts.Here(SOCK_STREAM, "fd09::1", 7001);
    for (const std::string host : {"10.9.0.3", "fd09::3", "10.9.0.4", "fd09::4"}) {
      const std::string to = host[0] == 'f' ? "fd09::1" : "10.9.0.1";
      EXPECT_EQ(hosts.There(SOCK_STREAM, host, 0).Connect(to, 7001, seconds(2)), ECONNREFUSED)
          << host;
    }
    const Socket client = hosts.There(SOCK_DGRAM, "10.9.0.3", 0);
    EXPECT_EQ(client.Connect("10.9.0.1", 7000), 0);
    ASSERT_EQ(send(client.fd(), "x", 1, 0), 1);
    EXPECT_THAT(client.Receive(), testing::ElementsAre("error: No route to host"));
  });
}

TEST(FirewallPackets, ProtectedPeersGetThroughADropOfEverything) {
  OnTwoHosts([](Hosts& hosts, NftablesBackend& backend) {
    RuleSetParts parts;
    Rule everything{.id = "all", .direction = RuleDirection::kIn, .verdict = RuleVerdict::kDrop};
    everything.allow_wide = true;
    Rule out = everything;
    out.id = "out";
    out.direction = RuleDirection::kOut;
    parts.rules = {everything, out};
    parts.defaults = {RuleVerdict::kDrop, RuleVerdict::kDrop, RuleVerdict::kDrop};
    parts.protected_set.peers = {{Prefix("10.9.0.2"), ProtectedRole::kAdministrator},
                                 {Prefix("fd09::2"), ProtectedRole::kAdministrator}};
    ASSERT_TRUE(backend.Replace(Rules(parts), Now()).ok());
    const Socket server = hosts.Here(SOCK_STREAM, "10.9.0.1", 22);
    const Socket server6 = hosts.Here(SOCK_STREAM, "fd09::1", 22);
    // IPv6 finds its neighbours although everything is dropped: the cache is emptied first.
    ASSERT_TRUE(Shell("ip neigh flush all"));
    hosts.InThere([] { Shell("ip neigh flush all"); });
    EXPECT_EQ(hosts.There(SOCK_STREAM, "10.9.0.2", 0).Connect("10.9.0.1", 22, seconds(3)), 0);
    EXPECT_EQ(hosts.There(SOCK_STREAM, "fd09::2", 0).Connect("fd09::1", 22, seconds(3)), 0);
    EXPECT_EQ(hosts.There(SOCK_STREAM, "10.9.0.3", 0).Connect("10.9.0.1", 22), ETIMEDOUT);
    EXPECT_EQ(hosts.There(SOCK_STREAM, "fd09::3", 0).Connect("fd09::1", 22), ETIMEDOUT);
    const Socket local = hosts.Here(SOCK_STREAM, "127.0.0.1", 0);
    const Socket listener = hosts.Here(SOCK_STREAM, "127.0.0.1", 7007);
    EXPECT_EQ(local.Connect("127.0.0.1", 7007), 0);
  });
}

TEST(FirewallPackets, AnswersToWhatWeBeganPassAndACutConnectionStops) {
  OnTwoHosts([](Hosts& hosts, NftablesBackend& backend) {
    RuleSetParts parts;
    parts.defaults.in = RuleVerdict::kDrop;
    Rule ssh{.id = "ssh", .direction = RuleDirection::kIn, .verdict = RuleVerdict::kAccept};
    ssh.protocol = kProtocolTcp;
    ssh.destination_ports = {{22, 22}};
    parts.rules = {ssh};
    ASSERT_TRUE(backend.Replace(Rules(parts), Now()).ok());
    const Socket there = hosts.There(SOCK_DGRAM, "10.9.0.3", 53);
    const Socket here = hosts.Here(SOCK_DGRAM, "10.9.0.1", 7000);
    ASSERT_TRUE(here.SendTo("10.9.0.3", 53, "question"));
    ASSERT_EQ(there.Receive().size(), 1U);
    ASSERT_TRUE(there.SendTo("10.9.0.1", 7000, "answer"));
    EXPECT_THAT(here.Receive(), testing::ElementsAre("answer"));

    const Socket server = hosts.Here(SOCK_STREAM, "10.9.0.1", 22);
    const Socket client = hosts.There(SOCK_STREAM, "10.9.0.3", 0);
    ASSERT_EQ(client.Connect("10.9.0.1", 22, seconds(3)), 0);
    const int accepted = accept4(server.fd(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    ASSERT_GE(accepted, 0);
    ASSERT_EQ(send(client.fd(), "1", 1, 0), 1);
    pollfd entry{.fd = accepted, .events = POLLIN, .revents = 0};
    ASSERT_EQ(poll(&entry, 1, 2000), 1);
    char byte = 0;
    ASSERT_EQ(read(accepted, &byte, 1), 1);
    Response response(backend, {});
    ASSERT_TRUE(response.Block(BlockOf("10.9.0.3"), Now()).ok());
    ASSERT_EQ(send(client.fd(), "2", 1, 0), 1);
    EXPECT_EQ(poll(&entry, 1, 300), 0) << "an established connection went on after the block";
    close(accepted);
  });
}

// The kernel, and what is told as soon as an address is in one of its sets.
class ToldBackend final : public FirewallBackend {
 public:
  explicit ToldBackend(FirewallBackend& inner) : inner_(inner) {}
  std::string_view name() const override { return inner_.name(); }
  absl::StatusOr<RuleSet> Current(Timestamp now) override { return inner_.Current(now); }
  absl::Status Replace(const RuleSet& rules, Timestamp now) override {
    return inner_.Replace(rules, now);
  }
  absl::StatusOr<std::vector<RuleCounters>> Counters(Timestamp now) override {
    return inner_.Counters(now);
  }
  absl::Status AddToSet(std::string_view set, std::span<const SetElement> elements,
                        Timestamp now) override {
    const absl::Status status = inner_.AddToSet(set, elements, now);
    if (status.ok() && on_added) on_added();
    return status;
  }
  absl::Status RemoveFromSet(std::string_view set, std::span<const IpPrefix> prefixes,
                             Timestamp now) override {
    return inner_.RemoveFromSet(set, prefixes, now);
  }

  std::function<void()> on_added;

 private:
  FirewallBackend& inner_;
};

// From an alert until the first packet of that host is dropped.
milliseconds BlockOne(Probe& probe, ToldBackend& backend, Response& response, int host,
                      bool narrow) {
  const std::string address = "10.9.0." + std::to_string(host);
  const auto port = static_cast<std::uint16_t>(7'000 + host);
  EXPECT_TRUE(probe.Arrives(address, port));
  ResponseSubject subject{.alert_id = "1",
                          .alert_class = "port_scan",
                          .offender = Address(address),
                          .packets_per_second = 100};
  if (narrow) {
    subject.protocol = kProtocolUdp;
    subject.port = port;
  }
  std::optional<milliseconds> passed;
  const auto begin = Clock::now();
  backend.on_added = [&] {
    if (passed) return;
    passed = std::chrono::ceil<milliseconds>(Clock::now() - begin);
    EXPECT_FALSE(probe.Arrives(address, port));
  };
  const auto answer = response.Handle(subject, Now());
  backend.on_added = {};
  EXPECT_TRUE(answer.ok()) << answer.status();
  EXPECT_FALSE(probe.Arrives(address, port));
  // Only what is to be cut is, once the rules are there.
  EXPECT_EQ(probe.Arrives(address, 6'999), narrow);
  EXPECT_TRUE(response.Unblock(Address(address), Now()).ok());
  return passed.value_or(milliseconds::max());
}

TEST(FirewallPackets, FirstPacketIsDroppedTenMillisecondsAfterTheAlert) {
  OnTwoHosts([](Hosts& hosts, NftablesBackend& backend) {
    Probe probe(hosts);
    ToldBackend told(backend);
    Response response(told, {.default_policy = ResponsePolicy::kAutomatic});
    // As a server does at its start, so that the first alert need not wait for rules.
    ASSERT_TRUE(backend.Replace(*response.Desired(RuleSet(), Now()), Now()).ok());
    // Of a whole host; and of a port that no block had before, which needs new rules.
    for (const bool narrow : {false, true}) {
      auto best = milliseconds::max();
      for (int host = 3; host < 9; ++host) {
        best = std::min(best, BlockOne(probe, told, response, host, narrow));
      }
      // The best of six, because other programs share this machine.
      EXPECT_LE(best.count(), 10);
      std::printf("block from alert, %s: %d ms or less\n", narrow ? "a port" : "a host",
                  static_cast<int>(best.count()));
    }
  });
}

TEST(FirewallPackets, TenThousandBlocksTakeHalfASecondAndOneMoreOnAHundredThousandOne) {
  InFirewall([](NftablesBackend& backend, const std::string&) {
    const auto host = [](int number) {
      return IpAddress::V4(11, static_cast<std::uint8_t>(number >> 16),
                           static_cast<std::uint8_t>(number >> 8),
                           static_cast<std::uint8_t>(number));
    };
    const auto took = [](const auto& act) {
      const auto begin = Clock::now();
      act();
      return std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
    };
    Response response(backend, {.max_blocks = 200'000});
    ASSERT_TRUE(backend.Replace(*response.Desired(RuleSet(), Now()), Now()).ok());
    std::vector<BlockRequest> requests;
    std::vector<IpAddress> addresses;
    for (int i = 1; i <= 10'000; ++i) {
      requests.push_back({.address = host(i), .ttl = std::chrono::hours(1)});
      addresses.push_back(host(i));
    }
    double block = 1e9, unblock = 1e9;
    for (int turn = 0; turn < 3; ++turn) {
      block = std::min(block, took([&] { ASSERT_TRUE(response.BlockAll(requests, Now()).ok()); }));
      ASSERT_EQ(response.blocks().size(), 10'000U);
      unblock =
          std::min(unblock, took([&] { ASSERT_TRUE(response.UnblockAll(addresses, Now()).ok()); }));
    }
    ASSERT_EQ(backend.Current(Now())->FindSet("blocked")->elements.size(), 0U);
    const int many = static_cast<int>(CountFromEnvironment("NTA_FIREWALL_BLOCKS", 100'000));
    requests.clear();
    for (int i = 1; i <= many; ++i) requests.push_back({.address = host(i)});
    const double all = took([&] { ASSERT_TRUE(response.BlockAll(requests, Now()).ok()); });
    double one = 1e9;
    for (int i = 1; i <= 20; ++i) {
      one = std::min(
          one, took([&] { ASSERT_TRUE(response.Block({.address = host(many + i)}, Now()).ok()); }));
    }
    std::printf(
        "10,000 blocked in %.0f ms, unblocked in %.0f ms; %d in %.0f ms; one more in %.2f ms\n",
        block, unblock, many, all, one);
    EXPECT_LE(block, 500);
    EXPECT_LE(unblock, 500);
    EXPECT_LE(one, 1);
  });
}

}  // namespace
}  // namespace nta::test
