// GatherProtectedSet asks the machine that it runs on.
#include "nta/firewall/system_protection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "firewall/firewall_namespace.h"

namespace nta::test {
namespace {

TEST(SystemProtection, FindsAddressesGatewaysAndResolvers) {
  const TemporaryDirectory directory;
  const std::string path = directory.path() + "/resolv.conf";
  WriteFile(path.c_str(),
            "# nameserver 192.0.2.1\nsearch example.org\nnameserver 192.0.2.53\n"
            "nameserver\t2001:db8::53 # ours\nnameserver fe80::53%eth0\nnameserver 127.0.0.53\n"
            "nameserverx 192.0.2.2\nnameserver nonsense\n");
  InNamespace([&] {
    if (!MakeVethPair("left", "right")) GTEST_SKIP() << "no veth pairs";
    ASSERT_TRUE(Shell("ip addr add 10.9.0.1/24 dev left"));
    ASSERT_TRUE(Shell("ip addr add 10.8.0.1 peer 10.8.0.2 dev left"));
    WriteFile("/proc/sys/net/ipv6/conf/left/disable_ipv6", "0");
    ASSERT_TRUE(Shell("ip addr add fd09::1/64 dev left nodad"));
    ASSERT_TRUE(Shell("ip route add default via 10.9.0.254"));
    ASSERT_TRUE(Shell(
        "ip -6 route add default nexthop via fd09::fe dev left nexthop via fd09::ff dev left"));
    const auto safe =
        GatherProtectedSet({.administrators = {Address("203.0.113.5"), Address("127.0.0.1")},
                            .networks = {Prefix("172.16.0.0/12")},
                            .resolv_conf = path});
    ASSERT_TRUE(safe.ok()) << safe.status();
    const auto of = [&](ProtectedRole role) {
      std::vector<std::string> texts;
      for (const ProtectedPeer& peer : safe->peers) {
        if (peer.role == role) texts.push_back(peer.prefix.ToString());
      }
      return texts;
    };
    EXPECT_THAT(of(ProtectedRole::kOwn),
                testing::IsSupersetOf({"10.9.0.1/32", "10.8.0.1/32", "fd09::1/128"}));
    EXPECT_THAT(of(ProtectedRole::kOwn), testing::Not(testing::Contains("10.8.0.2/32")));
    EXPECT_THAT(of(ProtectedRole::kGateway),
                testing::UnorderedElementsAre("10.9.0.254/32", "fd09::fe/128", "fd09::ff/128"));
    EXPECT_THAT(of(ProtectedRole::kResolver),
                testing::UnorderedElementsAre("192.0.2.53/32", "2001:db8::53/128", "fe80::53/128"));
    EXPECT_THAT(of(ProtectedRole::kAdministrator), testing::ElementsAre("203.0.113.5/32"));
    EXPECT_THAT(of(ProtectedRole::kConfigured), testing::ElementsAre("172.16.0.0/12"));
    EXPECT_TRUE(safe->loopback && safe->replies && safe->neighbour_discovery);
    EXPECT_TRUE(RuleSet::Create({.protected_set = *safe}).ok());
  });
}

TEST(SystemProtection, MissingResolvConfIsNoErrorAndAWideNetworkIs) {
  EXPECT_TRUE(GatherProtectedSet({.resolv_conf = "/nowhere/resolv.conf"}).ok());
  EXPECT_EQ(GatherProtectedSet({.networks = {Prefix("0.0.0.0/0")}}).status().code(),
            absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace nta::test
