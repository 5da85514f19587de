// NftablesBackend against the kernel: what is asked is what is there, and nothing else is.
#include "nta/firewall/nftables_backend.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <thread>

#include "firewall/firewall_namespace.h"

namespace nta::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

Rule Drop(const std::string& id) {
  return {.id = id, .direction = RuleDirection::kIn, .verdict = RuleVerdict::kDrop};
}
// The same, made a rule by a condition.
Rule DropDiscard(const std::string& id) {
  Rule rule = Drop(id);
  rule.protocol = kProtocolTcp;
  rule.destination_ports = {{9, 9}};
  return rule;
}

// One of everything that a rule can say.
RuleSetParts Everything(Timestamp now) {
  RuleSetParts parts;
  Rule web = Drop("web");
  web.protocol = kProtocolTcp;
  web.source.prefixes = {Prefix("10.0.0.0/8"), Prefix("10.1.0.0/16"), Prefix("2001:db8::/32")};
  web.destination_ports = {{80, 90}, {443, 443}};
  web.source_ports = {{1024, 65535}};
  web.states = {ConnectionState::kNew, ConnectionState::kRelated};
  web.comment = "no web, it is (not) good: really, 100 / day";
  web.author = "anna@example.org";
  web.log = true;
  Rule limited = Drop("limit-1");
  limited.verdict = RuleVerdict::kRateLimit;
  limited.rate_limit = RateLimit{.packets_per_second = 20, .burst = 7};
  limited.source.sets = {"bad", "nets"};
  limited.in_interface = "eth0.7";
  Rule reject{.id = "no_out", .direction = RuleDirection::kOut, .verdict = RuleVerdict::kReject};
  reject.destination.sets = {"bad"};
  reject.out_interface = "lo";
  Rule ping = Drop("ping");
  ping.protocol = kProtocolIcmp;
  ping.icmp_types = {8, 13, 14};
  ping.expires = now + std::chrono::hours(3) + milliseconds(123);
  Rule ping6 = Drop("ping6");
  ping6.protocol = kProtocolIcmpV6;
  ping6.icmp_types = {128};
  Rule sctp = Drop("sctp");
  sctp.protocol = kProtocolSctp;
  sctp.destination_ports = {{7, 7}};
  Rule gre = Drop("gre");
  gre.protocol = kProtocolGre;
  gre.verdict = RuleVerdict::kReject;
  Rule never = Drop("never");
  never.source.prefixes = {Prefix("10.0.0.1")};
  never.destination.prefixes = {Prefix("2001:db8::1")};
  Rule forward{.id = "fwd", .direction = RuleDirection::kForward, .verdict = RuleVerdict::kAccept};
  forward.in_interface = "a";
  forward.out_interface = "b";
  Rule all = Drop("all");
  all.allow_wide = true;
  all.source.prefixes = {Prefix("0.0.0.0/0"), Prefix("::/0")};
  Rule reset = Drop("reset");
  reset.verdict = RuleVerdict::kReject;
  reset.protocol = kProtocolTcp;
  parts.rules = {web, reject, limited, ping, ping6, sctp, gre, never, forward, reset, all};
  AddressSet bad{.name = "bad"};
  bad.elements = {{.prefix = Prefix("192.0.2.7"), .expires = now + std::chrono::minutes(5)},
                  {.prefix = Prefix("192.0.2.8")},
                  {.prefix = Prefix("2001:db8::7"), .expires = now + std::chrono::hours(5)}};
  AddressSet nets{.name = "nets", .kind = AddressSetKind::kPrefixes};
  nets.elements = {{.prefix = Prefix("198.51.100.0/24")},
                   {.prefix = Prefix("198.51.0.0/16")},
                   {.prefix = Prefix("2001:db8:1::/48")}};
  parts.sets = {bad, nets};
  parts.defaults.forward = RuleVerdict::kDrop;
  parts.protected_set.peers = {{Prefix("10.9.0.1"), ProtectedRole::kOwn},
                               {Prefix("fd09::1"), ProtectedRole::kOwn},
                               {Prefix("10.9.0.2"), ProtectedRole::kGateway},
                               {Prefix("10.9.0.3"), ProtectedRole::kResolver},
                               {Prefix("fd09::9"), ProtectedRole::kAdministrator},
                               {Prefix("172.16.0.0/12"), ProtectedRole::kConfigured},
                               {Prefix("172.16.5.0/24"), ProtectedRole::kConfigured}};
  return parts;
}

TEST(NftablesBackend, WhatWasAskedIsReadBackFromTheKernel) {
  InFirewall([](NftablesBackend& backend, const std::string& directory) {
    const Timestamp now = Now();
    const RuleSet rules = Rules(Everything(now));
    ASSERT_EQ(*backend.Current(now), RuleSet());
    const absl::Status status = backend.Replace(rules, now);
    ASSERT_TRUE(status.ok()) << status << Output("nft list ruleset");
    auto current = backend.Current(now);
    ASSERT_TRUE(current.ok()) << current.status();
    EXPECT_EQ(*current, rules) << Diff(*current, rules).ToString();
    EXPECT_TRUE(*backend.InForce(rules, now));

    // Another process that was never told: the same rules, networks joined where they overlap.
    auto other = NftablesBackend::Open({.lock_path = directory + "/lock"});
    ASSERT_TRUE(other.ok()) << other.status();
    auto read = (*other)->Current(now);
    ASSERT_TRUE(read.ok()) << read.status();
    ASSERT_EQ(read->rules().size(), rules.rules().size());
    for (std::size_t i = 0; i < rules.rules().size(); ++i) {
      Rule expected = rules.rules()[i];
      if (expected.id == "web")
        expected.source.prefixes.erase(expected.source.prefixes.begin() + 1);
      EXPECT_EQ(read->rules()[i], expected) << ToJson(read->rules()[i]);
    }
    EXPECT_EQ(read->defaults(), rules.defaults());
    EXPECT_EQ(read->protected_set().peers.size(), rules.protected_set().peers.size() - 1);
    EXPECT_TRUE(*(*other)->InForce(rules, now));
    EXPECT_EQ(*(*other)->Current(now), rules);
  });
}

TEST(NftablesBackend, EmptyRulesLeaveNoTable) {
  InFirewall([](NftablesBackend& backend, const std::string&) {
    ASSERT_TRUE(backend.Replace(Rules({.rules = {DropDiscard("a")}}), Now()).ok());
    ASSERT_NE(Output("nft list tables"), "");
    ASSERT_TRUE(backend.Replace(RuleSet(), Now()).ok());
    EXPECT_EQ(Output("nft list tables"), "");
    EXPECT_TRUE(*backend.InForce(RuleSet(), Now()));
    ASSERT_TRUE(backend.Replace(RuleSet(), Now()).ok());
  });
}

TEST(NftablesBackend, ForeignTablesStayByteEqual) {
  InFirewall([](NftablesBackend& backend, const std::string&) {
    ASSERT_TRUE(
        Shell("nft 'add table inet other; add chain inet other c { type filter hook input "
              "priority 0; policy drop; }; add rule inet other c tcp dport 22 counter accept; "
              "add table ip nat; add set ip nat s { type ipv4_addr; flags interval; elements "
              "= { 10.0.0.0/8 } }'"));
    const std::string before = Output("nft list ruleset");
    ASSERT_NE(before, "");
    const Timestamp now = Now();
    ASSERT_TRUE(backend.Replace(Rules(Everything(now)), now).ok());
    EXPECT_EQ(Output("nft list table inet other; nft list table ip nat"), before);
    const std::vector<SetElement> element{{.prefix = Prefix("203.0.113.1")}};
    ASSERT_TRUE(backend.AddToSet("bad", element, now).ok());
    ASSERT_TRUE(backend.Replace(RuleSet(), now).ok());
    EXPECT_EQ(Output("nft list ruleset"), before);
  });
}

TEST(NftablesBackend, EditsKeepCountersOfRulesThatStay) {
  OnTwoHosts([](Hosts& hosts, NftablesBackend& backend) {
    Rule a = Drop("a");
    a.protocol = kProtocolUdp;
    a.destination_ports = {{7001, 7001}};
    Rule b = a;
    b.id = "b";
    b.destination_ports = {{7002, 7002}};
    ASSERT_TRUE(backend.Replace(Rules({.rules = {a, b}}), Now()).ok());
    const Socket client = hosts.There(SOCK_DGRAM, "10.9.0.2", 0);
    ASSERT_TRUE(client.SendTo("10.9.0.1", 7001, "1234"));
    ASSERT_TRUE(client.SendTo("10.9.0.1", 7002, "1234"));
    Rule edited = b;
    edited.log = true;
    const Rule other = DropDiscard("other");
    ASSERT_TRUE(backend.Replace(Rules({.rules = {edited, a, other}}), Now()).ok());
    const auto counters = backend.Counters(Now());
    ASSERT_TRUE(counters.ok()) << counters.status();
    EXPECT_THAT(*counters, testing::ElementsAre(RuleCounters{"b", 0, 0}, RuleCounters{"a", 1, 32},
                                                RuleCounters{"other", 0, 0}));
  });
}

TEST(NftablesBackend, ElementsComeAndGoWithTheirTimes) {
  InFirewall([](NftablesBackend& backend, const std::string&) {
    const Timestamp now = Now();
    AddressSet hosts{.name = "bad"}, nets{.name = "nets", .kind = AddressSetKind::kPrefixes};
    ASSERT_TRUE(backend.Replace(Rules({.sets = {hosts, nets}}), now).ok());
    const std::vector<SetElement> some{
        {.prefix = Prefix("192.0.2.1"), .expires = now + seconds(60)},
        {.prefix = Prefix("192.0.2.2")},
        {.prefix = Prefix("2001:db8::1"), .expires = now + seconds(90)}};
    ASSERT_TRUE(backend.AddToSet("bad", some, now).ok());
    EXPECT_EQ(backend.Current(now)->FindSet("bad")->elements, some);
    // A new time for one that is there, in both directions; one without a time; one that is over.
    const std::vector<SetElement> again{
        {.prefix = Prefix("192.0.2.1"), .expires = now + seconds(10)},
        {.prefix = Prefix("192.0.2.2"), .expires = now + seconds(3000)},
        {.prefix = Prefix("2001:db8::1")}};
    ASSERT_TRUE(backend.AddToSet("bad", again, now).ok());
    EXPECT_EQ(backend.Current(now)->FindSet("bad")->elements, again);
    const std::vector<SetElement> over{{.prefix = Prefix("192.0.2.1"), .expires = now}};
    ASSERT_TRUE(backend.AddToSet("bad", over, now).ok());
    EXPECT_EQ(backend.Current(now)->FindSet("bad")->elements.size(), 2U);
    const std::vector<IpPrefix> gone{Prefix("192.0.2.2"), Prefix("192.0.2.99"),
                                     Prefix("10.0.0.0/8")};
    ASSERT_TRUE(backend.RemoveFromSet("bad", gone, now).ok());
    ASSERT_TRUE(backend.RemoveFromSet("bad", gone, now).ok());
    EXPECT_EQ(backend.Current(now)->FindSet("bad")->elements.size(), 1U);

    const std::vector<SetElement> nested{{.prefix = Prefix("10.0.0.0/8")},
                                         {.prefix = Prefix("10.1.0.0/16")},
                                         {.prefix = Prefix("2001:db8::/32")}};
    ASSERT_TRUE(backend.AddToSet("nets", nested, now).ok());
    EXPECT_EQ(backend.Current(now)->FindSet("nets")->elements, nested);
    const std::vector<IpPrefix> outer{Prefix("10.0.0.0/8")};
    ASSERT_TRUE(backend.RemoveFromSet("nets", outer, now).ok());
    EXPECT_EQ(backend.Current(now)->FindSet("nets")->elements.size(), 2U);

    EXPECT_EQ(backend.AddToSet("none", some, now).code(), absl::StatusCode::kNotFound);
    const std::vector<SetElement> wide{{.prefix = Prefix("0.0.0.0/0")}};
    EXPECT_EQ(backend.AddToSet("nets", wide, now).code(), absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(backend.AddToSet("bad", nested, now).code(), absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(backend.Current(now)->FindSet("nets")->elements.size(), 2U);
  });
}

TEST(NftablesBackend, OneProcessFindsTheSetsThatAnotherReplaced) {
  InFirewall([](NftablesBackend& backend, const std::string& directory) {
    const Timestamp now = Now();
    AddressSet bad{.name = "bad"};
    ASSERT_TRUE(backend.Replace(Rules({.sets = {bad}}), now).ok());
    const std::vector<SetElement> one{{.prefix = Prefix("192.0.2.1")}};
    const std::vector<SetElement> two{{.prefix = Prefix("192.0.2.2")}};
    ASSERT_TRUE(backend.AddToSet("bad", one, now).ok());
    auto other = NftablesBackend::Open({.lock_path = directory + "/lock"});
    ASSERT_TRUE(other.ok());
    bad.elements = two;
    ASSERT_TRUE((*other)->Replace(Rules({.sets = {bad}}), now).ok());
    ASSERT_TRUE(backend.AddToSet("bad", one, now).ok());
    EXPECT_EQ((*other)->Current(now)->FindSet("bad")->elements.size(), 2U);
  });
}

TEST(NftablesBackend, WhatOthersPutIntoTheTableGoesAway) {
  InFirewall([](NftablesBackend& backend, const std::string&) {
    const Timestamp now = Now();
    const RuleSet rules = Rules(Everything(now));
    ASSERT_TRUE(backend.Replace(rules, now).ok());
    const std::string right = Output("nft -s list table inet nta | grep -v expires");
    for (const char* const change :
         {"add rule inet nta input tcp dport 1 accept", "insert rule inet nta input accept",
          "flush chain inet nta input", "delete table inet nta", "flush ruleset",
          "add chain inet nta Drop",
          "add chain inet nta x { type filter hook prerouting priority 0; }",
          "add set inet nta s { type inet_service; }", "add counter inet nta foo",
          "add chain inet nta input { policy drop; }", "add rule inet nta protected_input drop",
          "insert rule inet nta protected_input drop", "add element inet nta h4_bad.1 { 7.7.7.7 }",
          "delete element inet nta h4_bad.2 { 192.0.2.8 }"}) {
      ASSERT_TRUE(Shell(std::string("nft '") + change + "'")) << change;
      EXPECT_FALSE(*backend.InForce(rules, now)) << change;
      const absl::Status status = backend.Replace(rules, now);
      EXPECT_TRUE(status.ok()) << change << ": " << status;
      EXPECT_TRUE(*backend.InForce(rules, now)) << change;
      EXPECT_EQ(*backend.Current(now), rules) << change;
    }
  });
}

TEST(NftablesBackend, WithoutPrivilegesTheErrorSaysWhatIsMissing) {
  if (!HaveNft()) GTEST_SKIP() << "no nft on this machine";
  const TemporaryDirectory directory;
  // A namespace without mappings leaves no capability in the network namespace that it came from.
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    if (unshare(CLONE_NEWUSER) != 0) _exit(kSkipped);
    const auto backend = NftablesBackend::Open({.lock_path = directory.path() + "/lock"});
    const bool right =
        absl::IsPermissionDenied(backend.status()) &&
        std::string(backend.status().message()).find("CAP_NET_ADMIN") != std::string::npos;
    if (!right) std::fprintf(stderr, "%s\n", backend.status().ToString().c_str());
    _exit(right ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  if (WIFEXITED(status) && WEXITSTATUS(status) == kSkipped) GTEST_SKIP() << "no user namespaces";
  EXPECT_EQ(status, 0);
}

TEST(NftablesBackend, WithoutNftTheErrorSaysSo) {
  const auto backend = NftablesBackend::Open({.nft_path = "/nowhere/nft"});
  EXPECT_FALSE(backend.ok());
  EXPECT_THAT(std::string(backend.status().message()), testing::HasSubstr("/nowhere/nft"));
  EXPECT_EQ(NftablesBackend::Open({.table = "a; drop"}).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(NftablesBackend::Open({.nft_path = "nft"}).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(NftablesBackend, TooManyRulesForTheNamespaceLeaveWhatWasInForce) {
  InFirewall([](NftablesBackend& backend, const std::string&) {
    const RuleSet before = Rules({.rules = {DropDiscard("before")}});
    ASSERT_TRUE(backend.Replace(before, Now()).ok());
    RuleSetParts parts;
    for (int i = 0; i < 2000; ++i) parts.rules.push_back(DropDiscard("r" + std::to_string(i)));
    const RuleSet many = Rules(std::move(parts));
    const absl::Status status = backend.Replace(many, Now());
    // As root of the first namespace it works; in a user's own the kernel takes no such message.
    if (status.ok()) {
      EXPECT_TRUE(*backend.InForce(many, Now()));
      return;
    }
    EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted) << status;
    EXPECT_TRUE(*backend.InForce(before, Now()));
  });
}

TEST(NftablesBackend, SecondWriterWaitsForTheFirst) {
  InFirewall([](NftablesBackend& backend, const std::string& directory) {
    auto other = NftablesBackend::Open({.lock_path = directory + "/lock"});
    ASSERT_TRUE(other.ok());
    const RuleSet a = Rules({.rules = {DropDiscard("a")}}),
                  b = Rules({.rules = {DropDiscard("b")}});
    absl::Status first, second;
    std::thread thread([&] {
      for (int i = 0; i < 20 && second.ok(); ++i) second = (*other)->Replace(b, Now());
    });
    for (int i = 0; i < 20 && first.ok(); ++i) first = backend.Replace(a, Now());
    thread.join();
    EXPECT_TRUE(first.ok()) << first;
    EXPECT_TRUE(second.ok()) << second;
    const auto current = backend.Current(Now());
    EXPECT_TRUE(*current == a || *current == b);
  });
}

}  // namespace
}  // namespace nta::test
