#include "nta/net/mac_address.h"

#include <gtest/gtest.h>

namespace nta {
namespace {

TEST(MacAddress, ReadsBothSeparatorsAndWritesOne) {
  EXPECT_EQ(MacAddress::Parse("02:00:5e:10:AB:01")->ToString(), "02:00:5e:10:ab:01");
  EXPECT_EQ(MacAddress::Parse("02-00-5e-10-ab-01")->ToString(), "02:00:5e:10:ab:01");
}

TEST(MacAddress, RefusesWhatIsNone) {
  for (const std::string_view text :
       {"", "02:00:5e:10:00", "02:00:5e:10:00:01:02", "02:00:5e:10:00:0g", "2:0:5e:10:0:1",
        "02-00:5e:10:00:01", "0200.5e10.0001", "02005e100001", "02:00:5e:10:00:01 ",
        "0x:00:5e:10:00:01", "-2:00:5e:10:00:01", "02 00 5e 10 00 01"}) {
    EXPECT_EQ(MacAddress::Parse(text).status().code(), absl::StatusCode::kInvalidArgument) << text;
  }
}

TEST(MacAddress, GroupBitIsTheLowestOfTheFirstByte) {
  EXPECT_TRUE(MacAddress::Parse("01:00:5e:00:00:01")->is_multicast());
  EXPECT_TRUE(MacAddress::Parse("ff:ff:ff:ff:ff:ff")->is_multicast());
  EXPECT_FALSE(MacAddress::Parse("02:00:5e:00:00:01")->is_multicast());
}

}  // namespace
}  // namespace nta
