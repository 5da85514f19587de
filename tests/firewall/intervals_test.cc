#include "firewall/intervals.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "firewall/random_rules.h"

namespace nta::firewall {
namespace {

using test::A;
using test::P;
using testing::ElementsAre;

std::vector<AddressRange> UnionOf(const std::vector<IpPrefix>& prefixes) { return Union(prefixes); }

TEST(Intervals, OverlappingAndTouchingPrefixesBecomeOne) {
  EXPECT_THAT(UnionOf({P("10.1.0.0/16"), P("10.0.0.0/8"), P("11.0.0.0/8"), P("13.0.0.0/8")}),
              ElementsAre(AddressRange{A("10.0.0.0"), A("11.255.255.255")},
                          AddressRange{A("13.0.0.0"), A("13.255.255.255")}));
  EXPECT_THAT(UnionOf({P("::/0"), P("0.0.0.0/0")}),
              ElementsAre(AddressRange{A("0.0.0.0"), A("255.255.255.255")},
                          AddressRange{A("::"), A("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")}));
  EXPECT_TRUE(UnionOf({}).empty());
}

TEST(Intervals, StepsCarryAndStopAtTheEnds) {
  EXPECT_EQ(Successor(A("10.0.255.255")), A("10.1.0.0"));
  EXPECT_EQ(Predecessor(A("2001:db8::")), A("2001:db7:ffff:ffff:ffff:ffff:ffff:ffff"));
  EXPECT_EQ(Successor(A("255.255.255.255")), std::nullopt);
  EXPECT_EQ(Predecessor(A("::")), std::nullopt);
}

TEST(Intervals, PrefixesOfARangeAreTheFewest) {
  EXPECT_THAT(ToPrefixes(AddressRange{A("10.0.0.1"), A("10.0.0.6")}),
              ElementsAre(P("10.0.0.1/32"), P("10.0.0.2/31"), P("10.0.0.4/31"), P("10.0.0.6/32")));
  EXPECT_THAT(ToPrefixes(AddressRange{A("0.0.0.0"), A("255.255.255.255")}),
              ElementsAre(P("0.0.0.0/0")));
  EXPECT_THAT(ToPrefixes(AddressRange{A("::"), A("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")}),
              ElementsAre(P("::/0")));
}

TEST(Intervals, PrefixesOfAUnionMakeTheSameUnion) {
  test::RandomFirewall random(1);
  for (int i = 0; i < 1000; ++i) {
    std::vector<IpPrefix> prefixes;
    for (std::size_t n = random.Below(8); n > 0; --n) prefixes.push_back(random.Prefix());
    const auto ranges = UnionOf(prefixes);
    EXPECT_EQ(UnionOf(ToPrefixes(ranges)), ranges);
    for (int j = 0; j < 20; ++j) {
      const IpAddress address = random.Address();
      const auto in = [&](const auto& list, auto contains) {
        return std::any_of(list.begin(), list.end(), contains);
      };
      EXPECT_EQ(in(prefixes, [&](const IpPrefix& p) { return p.Contains(address); }),
                in(ranges, [&](const AddressRange& r) {
                  return r.first.version() == address.version() && r.first <= address &&
                         address <= r.last;
                }));
    }
  }
}

TEST(Intervals, PortsAreJoinedToo) {
  const std::vector<PortRange> ports{{80, 90}, {1, 1}, {85, 100}, {101, 101}, {65535, 65535}};
  EXPECT_THAT(Union(ports),
              ElementsAre(PortRange{1, 1}, PortRange{80, 101}, PortRange{65535, 65535}));
}

}  // namespace
}  // namespace nta::firewall
