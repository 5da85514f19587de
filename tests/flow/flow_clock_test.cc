#include "nta/flow/flow_clock.h"

#include <gtest/gtest.h>

#include "support/packet_builder.h"

namespace nta::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(FlowClock, StandsStillForPacketsThatAreALittleLate) {
  FlowClock clock;
  EXPECT_EQ(clock.Pass(At(seconds(10))), At(seconds(10)));
  EXPECT_EQ(clock.Pass(At(milliseconds(9001))), At(seconds(10)));
  EXPECT_EQ(clock.Pass(At(seconds(9))), At(seconds(10)));
  EXPECT_EQ(clock.Pass(At(seconds(11))), At(seconds(11)));
}

TEST(FlowClock, IsSetBackByAPacketThatIsOlder) {
  FlowClock clock;
  clock.Pass(At(std::chrono::years(10)));
  EXPECT_EQ(clock.Pass(At({})), At({}));
  EXPECT_EQ(clock.now(), At({}));
}

TEST(FlowClock, SilenceOnlyAdvances) {
  FlowClock clock;
  clock.AdvanceTo(At(seconds(5)));
  clock.AdvanceTo(At(seconds(3)));
  EXPECT_EQ(clock.now(), At(seconds(5)));
}

TEST(FlowClock, NoTimeOverflows) {
  for (const Timestamp a :
       {Timestamp::min(), Timestamp::max(), Timestamp::max() - Duration(1), Timestamp()}) {
    for (const Timestamp b :
         {Timestamp::min(), Timestamp::max(), Timestamp::max() - Duration(1), Timestamp()}) {
      FlowClock clock;
      clock.Pass(a);
      const Timestamp now = clock.Pass(b);
      EXPECT_TRUE(now == a || now == b);
    }
  }
}

}  // namespace
}  // namespace nta::test
