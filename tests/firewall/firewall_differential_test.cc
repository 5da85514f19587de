// The model against the kernel: for rule sets drawn at random, Evaluate() says of a packet what
// becomes of it.
#include <gtest/gtest.h>
// clang-format off: <linux/netfilter.h> needs what <arpa/inet.h> defines.
#include <arpa/inet.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
// clang-format on
#include <linux/netlink.h>

#include <set>

#include "firewall/firewall_namespace.h"
#include "firewall/kernel_sets.h"
#include "firewall/netlink.h"
#include "firewall/random_rules.h"
#include "nta/firewall/rule_set.h"
#include "support/packet_builder.h"

namespace nta::test {
namespace {

using firewall::KernelSets;
using firewall::NetlinkMessages;
using firewall::NetlinkSocket;

constexpr std::uint8_t kMark = 0x28;  // in the traffic class: these packets are ours

// One interface, eth0, whose other end sends raw frames. Addresses 10.1.0.x and 2001:db8:1::x are
// this machine's; 10.0.0.x and 10.2.0.x lie behind the interface. A table of its own counts what
// comes to each hook, and what is left of it behind the firewall.
class Bench {
 public:
  static std::unique_ptr<Bench> Create() {
    const std::string counting = [] {
      // Without a rule that asks for connections, nothing would track them before our table does.
      std::string script =
          "add table inet watch\nadd chain inet watch track { type filter hook input priority "
          "-300; "
          "}\nadd rule inet watch track ct state new counter\n";
      for (const std::string when : {"pre", "post"}) {
        script += "add counter inet watch " + when + "\n";
        for (const std::string hook : {"input", "output", "forward"}) {
          const std::string chain = when + hook;
          script += "add chain inet watch " + chain + " { type filter hook " + hook + " priority " +
                    (when == "pre" ? "-300" : "300") + "; }\n";
          script += "add rule inet watch " + chain + " ip dscp 10 counter name " + when + "\n";
          script += "add rule inet watch " + chain + " ip6 dscp 10 counter name " + when + "\n";
        }
      }
      return script;
    }();
    std::string addresses;
    for (int i = 0; i < 4; ++i) {
      addresses += "address add 10.1.0." + std::to_string(i) + "/32 dev eth0\n";
      addresses += "address add 2001:db8:1::" + std::to_string(i) + "/128 dev eth0 nodad\n";
    }
    WriteFile("/proc/sys/net/ipv4/conf/all/rp_filter", "0");
    WriteFile("/proc/sys/net/ipv4/conf/default/rp_filter", "0");
    WriteFile("/proc/sys/net/ipv6/conf/default/accept_dad", "0");
    WriteFile("/proc/sys/net/ipv6/conf/default/autoconf", "0");
    const TemporaryDirectory directory;
    const std::string batch = directory.path() + "/ip", script = directory.path() + "/nft";
    WriteFile(batch.c_str(),
              "link add eth0 address 02:00:00:00:00:02 type veth peer name far\n"
              "link set far up\nlink set eth0 up\n" +
                  addresses + "route add 10.0.0.0/8 dev eth0\nroute add 2001:db8::/32 dev eth0\n");
    WriteFile(script.c_str(), counting);
    if (!Shell("ip -batch " + batch) || !Shell("nft -f " + script)) return nullptr;
    WriteFile("/proc/sys/net/ipv4/ip_forward", "1");
    WriteFile("/proc/sys/net/ipv6/conf/all/forwarding", "1");
    auto watch = KernelSets::Open("watch");
    if (!watch.ok()) return nullptr;
    return std::unique_ptr<Bench>(new Bench(*std::move(watch)));
  }

  // Whether it came through; absent when it never came to the firewall.
  std::optional<bool> Passes(const PacketFacts& facts) {
    const auto before = Counts();
    Send(facts);
    for (int i = 0; i < 100'000; ++i) {
      const auto after = Counts();
      if (after.first == before.first) continue;
      return after.second != before.second;
    }
    return std::nullopt;
  }

  void Send(const PacketFacts& facts) {
    PacketBuilder builder;
    if (facts.direction != RuleDirection::kOut) {
      builder.Ethernet("02:00:00:00:00:01", "02:00:00:00:00:02");
    }
    if (facts.source->is_v4()) {
      builder.Ipv4(facts.source->ToString(), facts.destination->ToString(), {.tos = kMark});
    } else {
      builder.Ipv6(facts.source->ToString(), facts.destination->ToString(),
                   {.traffic_class = kMark});
    }
    const std::uint16_t from = facts.source_port.value_or(0),
                        to = facts.destination_port.value_or(0);
    if (facts.protocol == kProtocolTcp) builder.Tcp(from, to, {.flags = kTcpSyn});
    if (facts.protocol == kProtocolUdp) builder.Udp(from, to);
    if (facts.protocol == kProtocolIcmp) builder.Icmp(*facts.icmp_type, 0);
    if (facts.protocol == kProtocolIcmpV6) builder.IcmpV6(*facts.icmp_type, 0);
    if (facts.protocol == kProtocolGre) builder.Gre();
    const Bytes bytes = builder.Payload(8).BuildBytes();
    if (facts.direction != RuleDirection::kOut) {
      ASSERT_TRUE(sender_.Send(bytes));
      return;
    }
    const SocketAddress to_address(*facts.destination, 0);
    // A packet that the firewall drops is an error here, too.
    sendto(facts.source->is_v4() ? raw4_ : raw6_, bytes.data(), bytes.size(), 0, to_address.get(),
           to_address.size);
  }

  // Connection tracking forgets everything.
  void Forget() {
    NetlinkMessages request;
    const std::uint32_t sequence = conntrack_.NextSequence();
    request.Begin(NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_DELETE, NLM_F_REQUEST | NLM_F_ACK,
                  sequence);
    request.Header(nfgenmsg{});
    request.End();
    int error = 0;
    const absl::Status status = conntrack_.Transact(request.bytes(), sequence, &error);
    ASSERT_TRUE(status.ok()) << status;
  }

 private:
  explicit Bench(KernelSets watch)
      : watch_(std::move(watch)),
        conntrack_(NetlinkSocket::Open(NETLINK_NETFILTER).value()),
        sender_("far"),
        raw4_(socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW)),
        raw6_(socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW)) {}

  std::pair<std::uint64_t, std::uint64_t> Counts() {
    std::pair<std::uint64_t, std::uint64_t> counts;
    const auto counters = watch_.Counters();
    if (!counters.ok()) return counts;
    for (const firewall::KernelCounter& counter : *counters) {
      (counter.name == "pre" ? counts.first : counts.second) = counter.packets;
    }
    return counts;
  }

  KernelSets watch_;
  NetlinkSocket conntrack_;
  RawSender sender_;
  int raw4_;
  int raw6_;
};

IpAddress WithNetwork(const IpAddress& address, std::uint8_t network) {
  std::array<std::uint8_t, 16> bytes = address.padded_bytes();
  bytes[address.is_v4() ? 1 : 5] = network;
  if (address.is_v4()) return IpAddress::V4(std::span(bytes).first<4>());
  return IpAddress::V6(bytes);
}

// A packet that this machine can really get, with what connection tracking will say of it.
PacketFacts RealPacket(RandomFirewall& random) {
  PacketFacts packet = random.Packet();
  const bool in = packet.direction == RuleDirection::kIn,
             out = packet.direction == RuleDirection::kOut;
  packet.source = WithNetwork(*packet.source, out ? 1 : 0);
  packet.destination = WithNetwork(*packet.destination, in ? 1 : 2);
  packet.in_interface = out ? "" : "eth0";
  packet.out_interface = in ? "" : "eth0";
  packet.time = Now();
  packet.state = ConnectionState::kNew;
  packet.is_reply = false;
  if (!packet.icmp_type) return packet;
  const bool v4 = packet.source->is_v4();
  if (random.Chance(60)) {
    packet.icmp_type = v4 ? 8 : 128;
  } else if (*packet.icmp_type == 135) {
    // Neighbour discovery is not tracked at all; whoever forges it in IPv4 sends nonsense.
    packet.state.reset();
    packet.is_reply.reset();
    if (v4) packet.state = ConnectionState::kInvalid;
  } else {
    packet.state = ConnectionState::kInvalid;
  }
  return packet;
}

// What the kernel can be asked for: no limits, whose answer depends on the time, and what has
// expired is gone.
RuleSet RealRules(RandomFirewall& random) {
  RuleSetParts parts = random.Parts(12);
  for (Rule& rule : parts.rules) {
    if (rule.verdict == RuleVerdict::kRateLimit) rule.verdict = RuleVerdict::kDrop;
    rule.rate_limit.reset();
    if (rule.in_interface == "wan") rule.in_interface = "eth0";
  }
  return Rules(std::move(parts)).WithoutExpired(Now());
}

std::string Words(const PacketFacts& packet) {
  std::string text(ToString(*packet.direction));
  text += " " + packet.source->ToString() + " > " + packet.destination->ToString() + " " +
          ProtocolName(packet.protocol);
  if (packet.source_port) {
    text += " " + std::to_string(*packet.source_port) + " > " +
            std::to_string(*packet.destination_port);
  }
  if (packet.icmp_type) text += " type " + std::to_string(*packet.icmp_type);
  if (packet.state) text += " " + std::string(ToString(*packet.state));
  return text;
}

TEST(FirewallDifferential, TheKernelDecidesAsTheModelDoes) {
  const std::size_t sets = CountFromEnvironment("NTA_FIREWALL_DIFFERENTIAL_SETS", 15);
  InFirewall([&](NftablesBackend& backend, const std::string&) {
    const auto bench = Bench::Create();
    if (bench == nullptr) GTEST_SKIP() << "this machine makes no veth pairs: no packet was sent";
    std::size_t decided[4] = {}, lost = 0, replies = 0, by_protection = 0;
    for (std::size_t seed = 1; seed <= sets; ++seed) {
      RandomFirewall random(seed);
      const RuleSet rules = RealRules(random);
      std::vector<PacketFacts> packets;
      ASSERT_TRUE(backend.Replace(RuleSet(), Now()).ok());
      bench->Forget();
      std::set<std::string> tuples;
      for (int i = 0; i < 30; ++i) {
        PacketFacts packet = RealPacket(random);
        // Two packets of one connection would not both be new.
        if (!tuples.insert(Words(packet)).second) continue;
        const bool is_reply = packet.protocol == kProtocolUdp &&
                              packet.direction == RuleDirection::kIn && random.Chance(50);
        if (is_reply) {
          PacketFacts first = packet;
          first.direction = RuleDirection::kOut;
          std::swap(first.source, first.destination);
          std::swap(first.source_port, first.destination_port);
          bench->Passes(first);
          packet.state = ConnectionState::kEstablished;
          packet.is_reply = true;
          ++replies;
        }
        packets.push_back(packet);
      }
      const absl::Status status = backend.Replace(rules, Now());
      ASSERT_TRUE(status.ok()) << "seed " << seed << ": " << status << ToJson(rules);
      ASSERT_EQ(*backend.Current(Now()), rules) << "seed " << seed;
      for (const PacketFacts& packet : packets) {
        const Evaluation expected = Evaluate(rules, packet);
        const auto passes = bench->Passes(packet);
        if (!passes) {
          ++lost;
          continue;
        }
        ++decided[static_cast<std::size_t>(expected.decision)];
        by_protection += expected.by_protected_set ? 1 : 0;
        if (expected.decision == Decision::kUndecidable) continue;
        EXPECT_EQ(*passes, expected.decision == Decision::kAccept)
            << "seed " << seed << ": " << Words(packet) << " by \"" << expected.rule_id << "\"\n"
            << Output("nft list table inet nta");
      }
    }
    std::printf(
        "%zu accepted (%zu by protection), %zu dropped, %zu rejected, %zu undecided, "
        "%zu never came; %zu were replies\n",
        decided[0], by_protection, decided[1], decided[2], decided[3], lost, replies);
    const std::size_t all = decided[0] + decided[1] + decided[2];
    EXPECT_GT(decided[0], all / 10);
    EXPECT_GT(decided[1], all / 10);
    EXPECT_GT(decided[2], all / 50);
    EXPECT_LT(lost, all / 20);
  });
}

// Whatever the rules are, who is protected gets through, both ways.
TEST(FirewallDifferential, ProtectedPeersPassTheKernelUnderRandomRules) {
  const std::size_t sets = CountFromEnvironment("NTA_FIREWALL_PROTECTED_SETS", 15);
  InFirewall([&](NftablesBackend& backend, const std::string&) {
    const auto bench = Bench::Create();
    if (bench == nullptr) GTEST_SKIP() << "this machine makes no veth pairs: no packet was sent";
    for (std::size_t seed = 1; seed <= sets; ++seed) {
      RandomFirewall random(seed);
      RuleSetParts parts = RealRules(random).parts();
      parts.defaults = {RuleVerdict::kDrop, RuleVerdict::kDrop, RuleVerdict::kDrop};
      for (const RuleDirection direction : {RuleDirection::kIn, RuleDirection::kOut}) {
        Rule all{.id = "all-" + std::string(ToString(direction)), .direction = direction};
        all.verdict = RuleVerdict::kDrop;
        all.allow_wide = true;
        parts.rules.insert(parts.rules.begin(), all);
      }
      PacketFacts packet = RealPacket(random);
      while (packet.direction == RuleDirection::kForward) packet = RealPacket(random);
      const IpAddress peer =
          packet.direction == RuleDirection::kIn ? *packet.source : *packet.destination;
      const auto role = static_cast<ProtectedRole>(1 + random.Below(4));
      parts.protected_set.peers.push_back({*IpPrefix::Create(peer, peer.is_v4() ? 32 : 128), role});
      const RuleSet rules = Rules(parts);
      ASSERT_TRUE(CheckProtection(rules).ok());
      ASSERT_TRUE(backend.Replace(rules, Now()).ok()) << "seed " << seed;
      bench->Forget();
      EXPECT_EQ(bench->Passes(packet), true) << "seed " << seed << ": " << Words(packet);
    }
  });
}

// The same by model alone, for many more.
TEST(FirewallDifferential, ProtectedPeersPassTheModelUnderRandomRules) {
  const std::size_t sets = CountFromEnvironment("NTA_FIREWALL_MODEL_SETS", 10'000);
  for (std::size_t seed = 1; seed <= sets; ++seed) {
    RandomFirewall random(seed);
    RuleSetParts parts = random.Parts(20);
    const IpAddress peer = random.Address();
    parts.protected_set.loopback = true;
    parts.protected_set.neighbour_discovery = true;
    parts.protected_set.replies = true;
    parts.protected_set.peers.push_back({*IpPrefix::Create(peer, peer.is_v4() ? 32 : 128),
                                         static_cast<ProtectedRole>(1 + random.Below(4))});
    const RuleSet rules = Rules(parts);
    const absl::Status status = CheckProtection(rules);
    ASSERT_TRUE(status.ok()) << "seed " << seed << ": " << status;
    for (int i = 0; i < 10; ++i) {
      PacketFacts packet = random.Packet();
      if (packet.direction == RuleDirection::kForward) continue;
      packet.destination = random.Address(peer.is_v4());
      packet.source = random.Address(peer.is_v4());
      (packet.direction == RuleDirection::kIn ? packet.source : packet.destination) = peer;
      const Evaluation answer = Evaluate(rules, packet);
      ASSERT_EQ(answer.decision, Decision::kAccept) << "seed " << seed;
      ASSERT_TRUE(answer.by_protected_set);
    }
  }
}

}  // namespace
}  // namespace nta::test
