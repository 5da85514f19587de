// A table that others wrote, as rules: what maps, and what is told to be left out.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "firewall/firewall_namespace.h"

namespace nta::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr char kTable[] = R"(
table inet theirs {
  set bad { type ipv4_addr; flags interval; elements = { 192.0.2.0/24, 198.51.100.7 } }
  set Odd.Name { type ipv6_addr; elements = { 2001:db8::1 } }
  set ports { type inet_service; elements = { 22 } }
  chain input {
    type filter hook input priority 0; policy drop;
    iif "lo" accept
    ct state established,related accept
    ip saddr @bad drop comment "bad; people"
    tcp dport { 22, 80-90 } ct state new log prefix "ssh " accept
    ip6 saddr @Odd.Name udp dport 53 reject with icmpx admin-prohibited
    meta l4proto { tcp, udp } th dport 111 drop
    icmp type { echo-request, timestamp-request } limit rate over 5/second burst 10 packets drop
    icmpv6 type nd-neighbor-solicit accept
    tcp dport 8080 jump web
    tcp dport @ports accept
    tcp flags syn drop
    meta mark 7 accept
    limit rate 5/second accept
    tcp dport 9 counter
    iifname "eth*" drop
    ip protocol gre drop
  }
  chain web {
    ip saddr 10.0.0.0/8 accept
    tcp dport 9090 accept
    drop
  }
  chain output { type filter hook output priority 0; oifname "eth0" ip daddr 10.1.2.3 reject; }
  chain nat { type nat hook postrouting priority 100; masquerade; }
}
table ip old {
  chain input {
    type filter hook input priority 0;
    tcp dport 23 drop
    counter drop
  }
}
)";

TEST(NftablesImport, MapsWhatMapsAndTellsTheRest) {
  InFirewall([](NftablesBackend& backend, const std::string& directory) {
    const std::string path = directory + "/table";
    WriteFile(path.c_str(), kTable);
    ASSERT_TRUE(Shell("nft -f " + path));
    const std::string before = Output("nft list ruleset");
    const auto import = backend.Import("inet", "theirs");
    ASSERT_TRUE(import.ok()) << import.status();
    std::vector<std::string> words;
    for (const Rule& rule : import->rules.rules()) words.push_back(ToString(rule));
    EXPECT_EQ(words.size(), 13U) << testing::PrintToString(words);
    EXPECT_EQ(import->rules.defaults().in, RuleVerdict::kDrop);
    EXPECT_EQ(import->rules.defaults().out, RuleVerdict::kAccept);
    const std::vector<Rule>& rules = import->rules.rules();
    EXPECT_EQ(rules[0].in_interface, "lo");
    EXPECT_EQ(rules[2].comment, "bad_ people");
    EXPECT_THAT(rules[2].source.sets, ElementsAre("bad"));
    EXPECT_THAT(rules[3].destination_ports, ElementsAre(PortRange{22, 22}, PortRange{80, 90}));
    EXPECT_TRUE(rules[3].log);
    EXPECT_THAT(rules[4].source.sets, ElementsAre("set-1"));
    EXPECT_EQ(rules[5].protocol, kProtocolTcp);
    EXPECT_EQ(rules[6].protocol, kProtocolUdp);
    EXPECT_EQ(rules[7].rate_limit, (RateLimit{.packets_per_second = 5, .burst = 10}));
    EXPECT_THAT(rules[9].source.prefixes, ElementsAre(Prefix("10.0.0.0/8")));
    EXPECT_THAT(rules[9].destination_ports, ElementsAre(PortRange{8080, 8080}));
    EXPECT_EQ(rules[11].protocol, kProtocolGre);

    EXPECT_THAT(import->unmapped,
                testing::IsSupersetOf(
                    {HasSubstr("set ports"), HasSubstr("chain input, rule 10"),
                     HasSubstr("chain input, rule 11"), HasSubstr("chain input, rule 12"),
                     HasSubstr("chain input, rule 13"), HasSubstr("chain input, rule 15"),
                     HasSubstr("chain web, rule 2"), HasSubstr("chain nat of type nat")}));
    EXPECT_EQ(Output("nft list ruleset"), before);
    // What was imported can be put into force.
    ASSERT_TRUE(backend.Replace(import->rules, Now()).ok());
    EXPECT_EQ(*backend.Current(Now()), import->rules);

    const auto old = backend.Import("ip", "old");
    ASSERT_TRUE(old.ok()) << old.status();
    ASSERT_EQ(old->rules.rules().size(), 2U);
    EXPECT_THAT(old->rules.rules()[1].source.prefixes, ElementsAre(Prefix("0.0.0.0/0")));
    EXPECT_EQ(backend.Import("ip", "none").status().code(), absl::StatusCode::kNotFound);
  });
}

TEST(NftablesImport, TextThatIsNoListingIsRefused) {
  for (const char* const text :
       {"", "{}", "[]", "{\"nftables\": 7}", "{\"nftables\": [7]}",
        "{\"nftables\": [{\"rule\": 7}]}", "{\"nftables\": [{\"rule\": {}, \"set\": {}}]}",
        "{\"nftables\": ["}) {
    EXPECT_EQ(ImportNftables(text, "inet", "x").status().code(), absl::StatusCode::kInvalidArgument)
        << text;
  }
  // Odd members of a listing are told or left out, never believed.
  const auto odd = ImportNftables(
      R"({"nftables": [{"table": {"family": "inet", "name": "x"}},
          {"chain": {"family": "inet", "table": "x", "name": "c", "hook": "input", "type": "filter", "prio": "no"}},
          {"rule": {"family": "inet", "table": "x", "chain": "c", "expr": [{"match": {"op": "==", "left": {"payload": {"protocol": "tcp", "field": "dport"}}, "right": {"range": [1]}}}, {"drop": null}]}},
          {"rule": {"family": "inet", "table": "x", "chain": "c", "expr": [{"match": {"op": "==", "left": {"payload": {"protocol": "ip", "field": "saddr"}}, "right": {"prefix": {"addr": "1.2.3.4", "len": 99}}}}, {"drop": null}]}},
          {"rule": {"family": "inet", "table": "x", "chain": "c", "expr": 7}},
          {"rule": {"family": "inet", "table": "x", "chain": "c", "expr": [{"jump": {"target": "c"}}]}},
          {"set": {"family": "inet", "table": "x", "name": "s", "type": ["a", "b"], "flags": 7, "elem": [null, 7, {"range": [1, 2]}]}}
         ]})",
      "inet", "x");
  ASSERT_TRUE(odd.ok()) << odd.status();
  EXPECT_TRUE(odd->rules.rules().empty());
  EXPECT_GE(odd->unmapped.size(), 4U);
}

}  // namespace
}  // namespace nta::test
