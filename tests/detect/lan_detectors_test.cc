// What happens on the local network: ARP and DHCP.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "detect/packets.h"
#include "detect/state_archive.h"
#include "nta/detect/arp_spoof_detector.h"
#include "nta/detect/dhcp_detector.h"

namespace nta {
namespace {

using namespace testing;  // NOLINT: the verbs of packets.h
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using Packets = std::vector<DecodedPacket>;

MacAddress Card(std::uint8_t number) { return {{2, 0, 0, 0, 0, number}}; }
IpAddress Lan(int number) { return IpAddress::V4(192, 168, 1, static_cast<std::uint8_t>(number)); }
constexpr MacAddress kBroadcast{{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};

DecodedPacket Arp(Duration at, std::uint16_t operation, std::uint8_t card, int sender, int target,
                  const MacAddress& to = kBroadcast) {
  DecodedPacket packet;
  packet.time = PacketTime(at);
  packet.has_mac = true;
  packet.source_mac = Card(card);
  packet.destination_mac = to;
  packet.arp = ArpHeader{operation, Card(card), Lan(sender), {}, Lan(target)};
  return packet;
}
DecodedPacket Request(Duration at, std::uint8_t card, int sender, int target) {
  return Arp(at, 1, card, sender, target);
}
DecodedPacket Reply(Duration at, std::uint8_t card, int sender, int target) {
  return Arp(at, 2, card, sender, target, Card(static_cast<std::uint8_t>(target)));
}

std::vector<Alert> Spoofs(Packets packets) {
  SortByTime(packets);
  ArpSpoofDetector detector;
  return AlertsOfPackets(detector, packets);
}

// The gateway (.1, card 1) and two hosts that resolve each other now and then.
Packets OrdinaryLan(Duration length) {
  Packets packets;
  for (Duration at{}; at < length; at += seconds(60)) {
    for (const std::uint8_t host : {std::uint8_t{10}, std::uint8_t{11}}) {
      packets.push_back(Request(at, host, host, 1));
      packets.push_back(Reply(at + milliseconds(1), 1, 1, host));
    }
  }
  return packets;
}

// Card 66, address .66, tells host 10 that it is the gateway, and the gateway that it is host 10.
Packets Poisoning(Duration start, int times) {
  Packets packets = {Request(start - seconds(5), 66, 66, 1)};
  for (int i = 0; i < times; ++i) {
    packets.push_back(Reply(start + i * seconds(2), 66, 1, 10));
    packets.push_back(Reply(start + i * seconds(2), 66, 10, 1));
  }
  return packets;
}

TEST(ArpSpoof, PoisoningIsFoundAndTheAttackerNamed) {
  Packets packets = OrdinaryLan(minutes(10));
  const Packets attack = Poisoning(minutes(5) + seconds(20), 60);
  packets.insert(packets.end(), attack.begin(), attack.end());
  const std::vector<Alert> alerts = Spoofs(packets);
  ASSERT_FALSE(alerts.empty());
  EXPECT_EQ(alerts[0].alert_class, AlertClass::kArpSpoof);
  EXPECT_EQ(alerts[0].entity.source, Lan(66));
  EXPECT_EQ(alerts[0].technique, "T1557.002");
  EXPECT_EQ(std::get<std::string>(alerts[0].evidence.at("attacker_mac")), Card(66).ToString());
  EXPECT_LT(alerts[0].time, PacketTime(minutes(5) + seconds(30)));
}

TEST(ArpSpoof, LeasesThatChangeHandsAndFailoverAreSilent) {
  Packets packets = OrdinaryLan(minutes(60));
  // A lease ends; an hour later another machine has the address.
  packets.push_back(Request(minutes(1), 20, 50, 1));
  for (int i = 0; i < 10; ++i) packets.push_back(Request(minutes(40 + i), 21, 50, 1));
  // The router's twin, with an address of its own, takes over and stays.
  packets.push_back(Request(minutes(2), 2, 2, 10));
  for (int i = 0; i < 3; ++i) packets.push_back(Arp(minutes(30) + i * seconds(1), 1, 2, 3, 3));
  packets.push_back(Arp(minutes(29), 1, 3, 3, 3));
  EXPECT_THAT(Spoofs(packets), IsEmpty());
}

TEST(ArpSweep, AskingForEveryAddressIsASweepByTheTenthSilentOne) {
  Packets packets = OrdinaryLan(seconds(30));
  for (int i = 0; i < 250; ++i)
    packets.push_back(Request(seconds(30) + i * milliseconds(20), 66, 66, i + 3));
  const std::vector<Alert> alerts = Spoofs(packets);
  ASSERT_FALSE(alerts.empty());
  EXPECT_EQ(alerts[0].alert_class, AlertClass::kHostSweep);
  EXPECT_EQ(alerts[0].entity.source, Lan(66));
  EXPECT_LE(alerts[0].observed, 10);
  EXPECT_EQ(alerts.back().state, AlertState::kClosed);
}

TEST(ArpSweep, AskingForADeadPrinterForADayIsSilent) {
  Packets packets;
  for (int i = 0; i < 20000; ++i) packets.push_back(Request(i * seconds(4), 10, 10, 200 + i % 7));
  EXPECT_THAT(Spoofs(packets), IsEmpty());
}

TEST(ArpSweep, AGatewayThatRefreshesItsHostsIsSilentThoughAnswersAreNotSeen) {
  Packets packets;
  for (int round = 0; round < 100; ++round) {
    for (int host = 10; host < 200; ++host) {
      packets.push_back(Request(round * minutes(5) + host * milliseconds(50), 1, 1, host));
      packets.push_back(Request(round * minutes(5) + host * milliseconds(49),
                                static_cast<std::uint8_t>(host), host, 1));
    }
  }
  EXPECT_THAT(Spoofs(packets), IsEmpty());
}

TEST(ArpSpoof, GoesOnFromASavedStateAndStaysWithinItsLimit) {
  Packets packets = OrdinaryLan(minutes(10));
  const Packets attack = Poisoning(minutes(3), 60);
  packets.insert(packets.end(), attack.begin(), attack.end());
  for (int i = 0; i < 250; ++i)
    packets.push_back(Request(minutes(4) + i * milliseconds(20), 67, 67, i + 3));
  SortByTime(packets);
  ArpSpoofDetector whole;
  const std::vector<Alert> expected = AlertsOfPackets(whole, packets);
  const std::vector<PacketView> views(packets.size());
  for (std::size_t split = 0; split < packets.size(); split += 50) {
    ArpSpoofDetector before;
    std::vector<Alert> alerts;
    before.ObservePackets(std::span(views).first(split), std::span(packets).first(split), alerts);
    ArpSpoofDetector after;
    ASSERT_TRUE(after.Load(before.Save()).ok());
    after.ObservePackets(std::span(views).subspan(split), std::span(packets).subspan(split),
                         alerts);
    after.Finish(alerts);
    ASSERT_EQ(alerts, expected) << split;
  }
  EXPECT_FALSE(whole.Load(detect::SealState("arp_spoof", 1, "x")).ok());
  EXPECT_FALSE(whole.Load("").ok());

  ArpSpoofDetector flooded({.max_addresses = 100});
  std::vector<Alert> alerts;
  std::mt19937 random(1);
  for (int i = 0; i < 50000; ++i) {
    DecodedPacket packet = Request(i * milliseconds(1), 1, 1, 1);
    packet.arp->sender = IpAddress::V4(10, static_cast<std::uint8_t>(random()),
                                       static_cast<std::uint8_t>(random()), 1);
    packet.arp->target = IpAddress::V4(10, static_cast<std::uint8_t>(random()),
                                       static_cast<std::uint8_t>(random()), 2);
    flooded.ObservePackets(std::span(views).first(1), std::span(&packet, 1), alerts);
  }
  EXPECT_LE(flooded.memory_bytes(), flooded.memory_limit_bytes());
  EXPECT_GT(flooded.evictions(), 1000u);
}

// A DHCP message; the bytes live as long as the caller keeps them.
struct Dhcp {
  std::vector<std::uint8_t> bytes;
  DecodedPacket packet;
};

Dhcp Message(Duration at, bool is_request, std::uint32_t client, const IpAddress& server) {
  Dhcp message;
  message.bytes.assign(240, 0);
  message.bytes[0] = is_request ? 1 : 2;
  for (std::size_t i = 0; i < 4; ++i) {
    message.bytes[30 + i] = static_cast<std::uint8_t>(client >> (24 - 8 * i));
  }
  const std::vector<std::uint8_t> cookie = {0x63, 0x82, 0x53, 0x63};
  std::copy(cookie.begin(), cookie.end(), message.bytes.begin() + 236);
  if (!is_request) {
    message.bytes.insert(message.bytes.end(), {54, 4});
    message.bytes.insert(message.bytes.end(), server.bytes().begin(), server.bytes().end());
  }
  message.bytes.push_back(255);
  message.packet = is_request ? Udp(at, IpAddress(), 68, IpAddress::V4(255, 255, 255, 255), 67, 300)
                              : Udp(at, server, 67, Lan(50), 68, 300);
  return message;
}

std::vector<Alert> DhcpAlerts(const std::vector<Dhcp>& messages) {
  DhcpDetector detector;
  std::vector<Alert> alerts;
  const PacketView view;
  for (const Dhcp& message : messages) {
    DecodedPacket packet = message.packet;
    packet.payload = message.bytes;
    detector.ObservePackets(std::span(&view, 1), std::span(&packet, 1), alerts);
  }
  detector.Finish(alerts);
  return alerts;
}

TEST(Dhcp, AFloodOfRequestsIsFoundThoughAllHaveTheSameTime) {
  std::vector<Dhcp> messages;
  for (std::uint32_t i = 0; i < 10000; ++i) messages.push_back(Message(seconds(0), true, i, {}));
  const std::vector<Alert> alerts = DhcpAlerts(messages);
  ASSERT_EQ(alerts.size(), 2u);
  EXPECT_EQ(alerts[0].alert_class, AlertClass::kUdpFlood);
  EXPECT_THAT(alerts[1].summary, HasSubstr("DHCP flood"));
  EXPECT_GT(std::get<std::int64_t>(alerts[1].evidence.at("distinct_clients")), 6000);
}

TEST(Dhcp, OfficeHoursAreSilent) {
  std::vector<Dhcp> messages;
  for (std::uint32_t i = 0; i < 2000; ++i) {
    messages.push_back(Message(i * milliseconds(150), true, i % 300, {}));
    messages.push_back(Message(i * milliseconds(150), false, i % 300, Lan(1)));
  }
  EXPECT_THAT(DhcpAlerts(messages), IsEmpty());
}

TEST(Dhcp, AServerThatAppearsBesideTheKnownOneIsReported) {
  std::vector<Dhcp> messages;
  for (int i = 0; i < 200; ++i) messages.push_back(Message(i * minutes(1), false, 1, Lan(1)));
  messages.push_back(Message(minutes(201), false, 1, Lan(66)));
  messages.push_back(Message(minutes(202), false, 1, Lan(66)));
  const std::vector<Alert> alerts = DhcpAlerts(messages);
  ASSERT_EQ(alerts.size(), 2u);
  EXPECT_EQ(alerts[0].alert_class, AlertClass::kPolicy);
  EXPECT_EQ(alerts[0].entity.source, Lan(66));
  EXPECT_EQ(alerts[0].technique, "T1557.003");
}

TEST(Dhcp, NonsenseIsNoMessage) {
  std::mt19937 random(1);
  DhcpDetector detector;
  std::vector<Alert> alerts;
  const PacketView view;
  for (int i = 0; i < 20000; ++i) {
    Dhcp message = Message(i * milliseconds(1), i % 2 == 0, 1, Lan(1));
    for (int changes = 0; changes < 8; ++changes) {
      message.bytes[random() % message.bytes.size()] = static_cast<std::uint8_t>(random());
    }
    message.bytes.resize(random() % message.bytes.size());
    message.packet.payload = message.bytes;
    detector.ObservePackets(std::span(&view, 1), std::span(&message.packet, 1), alerts);
  }
  EXPECT_LE(detector.memory_bytes(), detector.memory_limit_bytes());
  DhcpDetector restored;
  EXPECT_TRUE(restored.Load(detector.Save()).ok());
  EXPECT_EQ(restored.Save(), detector.Save());
  EXPECT_FALSE(restored.Load(detect::SealState("dhcp", 1, "x")).ok());
}

}  // namespace
}  // namespace nta
