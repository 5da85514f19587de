// What should be in force comes back after others, and after us.
#include <gtest/gtest.h>

#include <thread>

#include "firewall/firewall_namespace.h"
#include "nta/firewall/change_guard.h"
#include "nta/firewall/response.h"

namespace nta::test {
namespace {

using std::chrono::seconds;
using Clock = std::chrono::steady_clock;

RuleSet Desired(Timestamp now) {
  Rule rule{.id = "web", .direction = RuleDirection::kIn, .verdict = RuleVerdict::kDrop};
  rule.protocol = kProtocolTcp;
  rule.destination_ports = {{80, 80}};
  rule.source.sets = {"bad"};
  AddressSet bad{.name = "bad"};
  bad.elements = {{.prefix = Prefix("192.0.2.1"), .expires = now + seconds(3600)},
                  {.prefix = Prefix("192.0.2.2")}};
  return Rules({.rules = {rule}, .sets = {bad}});
}

TEST(Reconcile, ForeignChangesArePutRightWithinTwoSeconds) {
  InFirewall([](NftablesBackend& backend, const std::string&) {
    const RuleSet desired = Desired(Now());
    ASSERT_TRUE(*Reconcile(backend, desired, Now()));
    auto monitor = NftablesMonitor::Open("nta");
    ASSERT_TRUE(monitor.ok()) << monitor.status();
    for (const char* const change :
         {"flush ruleset", "delete table inet nta", "flush chain inet nta input",
          "add rule inet nta input accept", "delete element inet nta h4_bad.1 { 192.0.2.2 }"}) {
      const auto begin = Clock::now();
      ASSERT_TRUE(Shell(std::string("nft '") + change + "'")) << change;
      bool repaired = false;
      while (!repaired && Clock::now() - begin < seconds(5)) {
        const auto changed = (*monitor)->Wait(seconds(2));
        ASSERT_TRUE(changed.ok()) << changed.status();
        if (!*changed) continue;
        const auto result = Reconcile(backend, desired, Now());
        ASSERT_TRUE(result.ok()) << result.status();
        repaired = *result;
      }
      EXPECT_TRUE(repaired) << change;
      EXPECT_LT(Clock::now() - begin, seconds(2)) << change;
      EXPECT_EQ(*backend.Current(Now()), desired) << change;
    }
  });
}

TEST(Reconcile, OtherTablesAndOurOwnElementsDoNotWakeTheMonitor) {
  InFirewall([](NftablesBackend& backend, const std::string&) {
    ASSERT_TRUE(*Reconcile(backend, Desired(Now()), Now()));
    auto monitor = NftablesMonitor::Open("nta");
    ASSERT_TRUE(monitor.ok());
    ASSERT_TRUE(Shell("nft 'add table inet other; add chain inet other nta'"));
    const std::vector<SetElement> element{{.prefix = Prefix("192.0.2.9")}};
    ASSERT_TRUE(backend.AddToSet("bad", element, Now()).ok());
    EXPECT_FALSE(*(*monitor)->Wait(std::chrono::milliseconds(50)));
    ASSERT_TRUE(Shell("nft 'add chain inet nta theirs'"));
    EXPECT_TRUE(*(*monitor)->Wait(seconds(5)));
  });
}

TEST(Reconcile, TwentyRestartsLeaveAnEqualRuleSet) {
  InFirewall([](NftablesBackend& first, const std::string& directory) {
    const RuleSet desired = Desired(Now());
    ASSERT_TRUE(*Reconcile(first, desired, Now()));
    const std::string before = Output("nft -s list table inet nta | sed 's/ expires [0-9a-z]*//'");
    for (int i = 0; i < 20; ++i) {
      auto backend = NftablesBackend::Open({.lock_path = directory + "/lock"});
      ASSERT_TRUE(backend.ok());
      EXPECT_FALSE(*Reconcile(**backend, desired, Now()));
    }
    EXPECT_EQ(Output("nft -s list table inet nta | sed 's/ expires [0-9a-z]*//'"), before);
  });
}

TEST(Reconcile, WhatExpiredWhileDownIsGoneAndTheRestKeepsItsTime) {
  InFirewall([](NftablesBackend& backend, const std::string& directory) {
    const Timestamp then = Now() - seconds(100);
    Response before(backend, {});
    // Blocked a hundred seconds ago, by a process that is no more, in a machine that restarted.
    const std::vector<ActiveBlock> kept = {
        {.address = Address("192.0.2.1"), .since = then, .until = then + seconds(50)},
        {.address = Address("192.0.2.2"), .since = then, .until = then + seconds(600)},
        {.address = Address("2001:db8::2"), .since = then}};
    auto fresh = NftablesBackend::Open({.lock_path = directory + "/lock"});
    ASSERT_TRUE(fresh.ok());
    Response response(**fresh, {});
    response.Restore(kept, Now());
    const auto desired = response.Desired(RuleSet(), Now());
    ASSERT_TRUE(desired.ok()) << desired.status();
    ASSERT_TRUE(*Reconcile(**fresh, *desired, Now()));
    const auto current = backend.Current(Now());
    ASSERT_TRUE(current.ok());
    const AddressSet* const set = current->FindSet("blocked");
    ASSERT_NE(set, nullptr);
    ASSERT_EQ(set->elements.size(), 2U);
    EXPECT_EQ(set->elements[0].prefix, Prefix("192.0.2.2"));
    ASSERT_TRUE(set->elements[0].expires);
    EXPECT_LT(std::chrono::abs(*set->elements[0].expires - (then + seconds(600))), seconds(2));
    EXPECT_EQ(set->elements[1].expires, std::nullopt);
  });
}

}  // namespace
}  // namespace nta::test
