// What the tests of the store share: a directory of their own, and flows.
#ifndef NTA_TESTS_STORE_STORE_FIXTURE_H_
#define NTA_TESTS_STORE_STORE_FIXTURE_H_

#include <gtest/gtest.h>
#include <stdlib.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "nta/store/store.h"

namespace nta {

class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string name = (std::filesystem::temp_directory_path() / "nta_store_XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) std::abort();
    path_ = name;
  }
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  std::string File(std::string_view name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

// 2026-11-22T08:00:00Z.
inline constexpr Timestamp kEight{std::chrono::seconds(1'795'334'400)};

inline Timestamp At(std::chrono::nanoseconds after_eight) { return kEight + after_eight; }

// A TCP flow from a to b.
inline FlowRecord TcpFlow(Timestamp first_seen, Duration duration, IpAddress a, IpAddress b,
                          std::uint16_t port = 443) {
  FlowRecord flow;
  flow.first_seen = first_seen;
  flow.last_seen = first_seen + duration;
  flow.protocol = kProtocolTcp;
  flow.source = {a, 50000};
  flow.destination = {b, port};
  flow.forward = {
      .packets = 10, .wire_bytes = 1000, .ip_bytes = 860, .payload_bytes = 300, .tcp_flags = 27};
  flow.reverse = {
      .packets = 20, .wire_bytes = 9000, .ip_bytes = 8720, .payload_bytes = 8000, .tcp_flags = 18};
  flow.outcome = ContactOutcome::kAnswered;
  flow.end_reason = FlowEndReason::kEndOfFlow;
  return flow;
}

inline const IpAddress kClient = IpAddress::V4(10, 0, 0, 1);
inline const IpAddress kServer = IpAddress::V4(192, 0, 2, 80);

// Flows of all kinds: v4 and v6, with and without ports, to themselves, of no duration and over
// many minutes, some on exact minutes.
class RandomFlows {
 public:
  // Flows begin within so many minutes.
  explicit RandomFlows(unsigned seed, std::uint64_t minutes = 60)
      : minutes_(minutes), random_(seed) {}

  std::vector<FlowRecord> Take(std::size_t count) {
    std::vector<FlowRecord> flows;
    while (flows.size() < count) flows.push_back(Next());
    return flows;
  }

  FlowRecord Next() {
    FlowRecord flow;
    flow.first_seen = RandomTime();
    flow.last_seen = flow.first_seen + RandomDuration();
    flow.protocol =
        Pick({kProtocolTcp, kProtocolTcp, kProtocolUdp, kProtocolIcmp, kProtocolIcmpV6});
    const bool ports = flow.protocol == kProtocolTcp || flow.protocol == kProtocolUdp;
    flow.source = {RandomAddress(),
                   ports ? static_cast<std::uint16_t>(Below(20)) : std::uint16_t{0}};
    flow.destination = {RandomAddress(),
                        ports ? static_cast<std::uint16_t>(Below(4)) : std::uint16_t{0}};
    if (Below(3) == 0) flow.vlan = static_cast<std::uint16_t>(Below(4096));
    flow.forward = RandomDirection();
    if (Below(4) != 0) flow.reverse = RandomDirection();
    flow.outcome = static_cast<ContactOutcome>(Below(5));
    flow.end_reason = static_cast<FlowEndReason>(Below(6));
    AddDetails(flow);
    return flow;
  }

  // A time within the hour that flows begin in.
  Timestamp RandomTime() {
    const Timestamp minute = At(std::chrono::minutes(Below(minutes_)));
    return Below(4) == 0 ? minute : minute + Duration(random_() % 60'000'000'000);
  }

  std::uint64_t Below(std::uint64_t limit) { return random_() % limit; }

 private:
  void AddDetails(FlowRecord& flow) {
    flow.tcp_state = static_cast<TcpState>(Below(8));
    if (flow.protocol == kProtocolIcmp) {
      flow.icmp =
          IcmpMessage{static_cast<std::uint8_t>(Below(256)), static_cast<std::uint8_t>(Below(2))};
    }
    if (Below(2) == 0) {
      flow.application = static_cast<Application>(Below(8));
      flow.category = static_cast<ApplicationCategory>(Below(4));
      flow.evidence = static_cast<ApplicationEvidence>(Below(4));
    }
    if (Below(5) == 0) {
      FlowMetadata metadata;
      metadata.Set(MetadataField::kServerName, "host-" + std::to_string(Below(50)) + ".example");
      if (Below(2) == 0) metadata.Set(MetadataField::kResponse, std::string(1 + Below(40), 'x'));
      flow.metadata = std::make_shared<FlowMetadata>(metadata);
    }
    if (Below(20) == 0) {
      FlowStatistics statistics;
      statistics.forward.ip_length = {.count = Below(9), .minimum = 40, .mean = 1.5};
      statistics.reverse.payload_entropy = 7.25;
      statistics.source_round_trip = Duration(Below(1'000'000));
      statistics.destination_mac = MacAddress{{1, 2, 3, 4, 5, 6}};
      statistics.first_packets = {{Duration(-5), 60, 0, true}, {Duration(7), 1500, 1460, false}};
      flow.statistics = std::make_shared<FlowStatistics>(statistics);
    }
  }
  Duration RandomDuration() {
    switch (Below(5)) {
      case 0:
        return Duration(0);
      case 1:
        return std::chrono::minutes(Below(5));
      case 2:
        return Duration(random_() % 2'000'000'000'000);
      default:
        return Duration(random_() % 1'000'000'000);
    }
  }
  std::uint8_t Pick(std::vector<std::uint8_t> choices) { return choices[Below(choices.size())]; }
  IpAddress RandomAddress() {
    // Few, so that they meet; the last looks like the first to whoever forgets the version.
    const char* const texts[] = {
        "10.0.0.1",    "10.0.0.2",        "10.0.1.1", "192.0.2.80", "2001:db8::1",
        "2001:db8::2", "::ffff:10.0.0.1", "a00:1::",  "0.0.0.0",    "::"};
    return *IpAddress::Parse(texts[Below(std::size(texts))]);
  }
  FlowDirection RandomDirection() {
    FlowDirection direction;
    direction.packets = 1 + Below(Below(10) == 0 ? 1'000'000 : 20);
    direction.wire_bytes = direction.packets * (60 + Below(1'400));
    direction.ip_bytes = direction.wire_bytes - 14;
    direction.payload_bytes = direction.ip_bytes / 2;
    direction.tcp_flags = static_cast<std::uint8_t>(Below(256));
    return direction;
  }

  const std::uint64_t minutes_;
  std::mt19937_64 random_;
};

class StoreTest : public ::testing::Test {
 protected:
  // Small, so that a few hundred flows already are in blocks and some of them in the tail.
  static constexpr std::size_t kFlowsPerBlock = 256;

  // With NTA_TEST_POSTGRES the same tests ask a PostgreSQL database, emptied for each.
  StoreTest() {
    if (!is_postgres()) return;
    const std::string empty = "psql -q '" + path() +
                              "' -c 'SET client_min_messages TO error' "
                              "-c 'DROP SCHEMA IF EXISTS nta CASCADE'";
    if (std::system(empty.c_str()) != 0) std::abort();
  }

  static const char* postgres() { return std::getenv("NTA_TEST_POSTGRES"); }
  static bool is_postgres() { return postgres() != nullptr; }
  std::string path() const { return is_postgres() ? postgres() : directory_.File("test.db"); }

  std::unique_ptr<Store> OpenStore(
      std::chrono::milliseconds query_timeout = std::chrono::seconds(60)) {
    auto store = Store::Open(
        {.path = path(), .query_timeout = query_timeout, .flows_per_block = kFlowsPerBlock});
    EXPECT_TRUE(store.ok()) << store.status();
    return store.ok() ? std::move(*store) : nullptr;
  }

  TemporaryDirectory directory_;
};

}  // namespace nta

#endif  // NTA_TESTS_STORE_STORE_FIXTURE_H_
