#include "nta/net/time.h"

#include <gtest/gtest.h>

#include <random>

namespace nta {
namespace {

Timestamp Time(std::string_view text) { return ParseTimestamp(text).value(); }

TEST(Timestamp, WritesRfc3339WithNineDigits) {
  EXPECT_EQ(ToString(Timestamp()), "1970-01-01T00:00:00.000000000Z");
  EXPECT_EQ(ToString(Timestamp(Duration(-1))), "1969-12-31T23:59:59.999999999Z");
  EXPECT_EQ(ToString(Time("2026-11-22T08:00:00.5Z")), "2026-11-22T08:00:00.500000000Z");
}

TEST(Timestamp, ReadsOffsetsAndFractions) {
  EXPECT_EQ(Time("2026-01-01T01:30:00+01:30"), Time("2026-01-01T00:00:00Z"));
  EXPECT_EQ(Time("2025-12-31T23:00:00-01:00"), Time("2026-01-01T00:00:00Z"));
  EXPECT_EQ(Time("2026-01-01t00:00:00z"), Time("2026-01-01 00:00:00Z"));
  EXPECT_EQ(Time("2026-01-01T00:00:00.000000001Z") - Time("2026-01-01T00:00:00Z"), Duration(1));
  EXPECT_EQ(Time("2026-01-01T00:00:00.1Z") - Time("2026-01-01T00:00:00Z"), Duration(100'000'000));
  EXPECT_EQ(Time("2024-02-29T00:00:00Z") + std::chrono::days(1), Time("2024-03-01T00:00:00Z"));
  EXPECT_EQ(Time("2016-12-31T23:59:60Z"), Time("2017-01-01T00:00:00Z")) << "a leap second";
}

TEST(Timestamp, RefusesWhatIsNoTime) {
  for (const std::string_view text : {"",
                                      "2026",
                                      "2026-01-01",
                                      "2026-01-01T00:00Z",
                                      "2026-01-01T00:00:00",
                                      "2026-13-01T00:00:00Z",
                                      "2026-00-01T00:00:00Z",
                                      "2026-02-30T00:00:00Z",
                                      "2025-02-29T00:00:00Z",
                                      "2026-01-01T24:00:00Z",
                                      "2026-01-01T00:60:00Z",
                                      "2026-01-01T00:00:61Z",
                                      "2026-01-01T00:00:00.Z",
                                      "2026-01-01T00:00:00.1234567890Z",
                                      "2026-01-01T00:00:00+1:00",
                                      "2026-01-01T00:00:00+24:00",
                                      "2026-01-01T00:00:00+01:60",
                                      "2026-01-01T00:00:00ZZ",
                                      "2026-01-01T00:00:00Z ",
                                      "+026-01-01T00:00:00Z",
                                      "-026-01-01T00:00:00Z",
                                      "1677-12-31T23:59:59Z",
                                      "2262-01-01T00:00:00Z",
                                      "0000-01-01T00:00:00Z",
                                      "9999-01-01T00:00:00Z"}) {
    const auto time = ParseTimestamp(text);
    ASSERT_FALSE(time.ok()) << text;
    EXPECT_EQ(time.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_NE(std::string(time.status().message()).find(": "), std::string::npos) << "says why";
  }
}

TEST(Timestamp, RoundTripsThroughTextOverItsWholeRange) {
  std::mt19937_64 random(1);
  const std::int64_t first = Time("1678-01-01T00:00:00Z").time_since_epoch().count();
  const std::int64_t last = Time("2261-12-31T23:59:59.999999999Z").time_since_epoch().count();
  std::uniform_int_distribution<std::int64_t> any(first, last);
  for (int i = 0; i < 2000; ++i) {
    const Timestamp time{Duration(any(random))};
    EXPECT_EQ(Time(ToString(time)), time);
  }
}

TEST(Timestamp, EndsOfTheRangeAreWritten) {
  EXPECT_EQ(ToString(Timestamp::min()), "1677-09-21T00:12:43.145224192Z");
  EXPECT_EQ(ToString(Timestamp::max()), "2262-04-11T23:47:16.854775807Z");
}

TEST(Timestamp, AnyTwoPacketTimesSubtract) {
  EXPECT_GT((kMaxPacketTime - kMinPacketTime).count(), 0);
  EXPECT_LT((kMinPacketTime - kMaxPacketTime).count(), 0);
}

}  // namespace
}  // namespace nta
