#include "flow/tcp_progress.h"

#include <gtest/gtest.h>

#include <random>
#include <set>
#include <string>

namespace nta::internal {
namespace {

class Stream {
 public:
  SegmentKind Add(std::uint32_t sequence, std::uint32_t length, bool may_probe = false) {
    return Add({.sequence = sequence, .length = length, .is_syn = false, .may_probe = may_probe});
  }
  SegmentKind Syn(std::uint32_t sequence) {
    return Add({.sequence = sequence, .length = 1, .is_syn = true, .may_probe = false});
  }
  std::uint32_t next() const { return progress_.next; }
  int holes() const { return progress_.hole_count; }

 private:
  SegmentKind Add(const TcpSegment& segment) {
    return progress_.Add(segment) ? SegmentKind::kNew : progress_.AddWithHoles(segment, holes_);
  }
  TcpProgress progress_{};
  TcpHoles holes_{};
};

constexpr auto kNew = SegmentKind::kNew;
constexpr auto kAgain = SegmentKind::kRetransmission;
constexpr auto kLate = SegmentKind::kOutOfOrder;

TEST(TcpProgress, SegmentsInOrderAreNew) {
  Stream stream;
  EXPECT_EQ(stream.Syn(100), kNew);
  EXPECT_EQ(stream.Add(101, 10), kNew);
  EXPECT_EQ(stream.Add(111, 0), kNew);
  EXPECT_EQ(stream.Add(111, 5), kNew);
  EXPECT_EQ(stream.next(), 116U);
}

TEST(TcpProgress, SegmentSeenInFullIsRetransmitted) {
  Stream stream;
  stream.Syn(100);
  stream.Add(101, 10);
  EXPECT_EQ(stream.Syn(100), kAgain);
  EXPECT_EQ(stream.Add(101, 10), kAgain);
  EXPECT_EQ(stream.Add(105, 3), kAgain);
  EXPECT_EQ(stream.Add(105, 10), kNew) << "the last four had not been seen";
  EXPECT_EQ(stream.Add(105, 10), kAgain);
}

TEST(TcpProgress, SegmentThatFillsAHoleIsOutOfOrder) {
  Stream stream;
  stream.Add(100, 10);
  EXPECT_EQ(stream.Add(130, 10), kNew);
  EXPECT_EQ(stream.Add(115, 5), kLate);
  EXPECT_EQ(stream.holes(), 2);
  EXPECT_EQ(stream.Add(115, 5), kAgain);
  EXPECT_EQ(stream.Add(105, 30), kLate);
  EXPECT_EQ(stream.holes(), 0);
  EXPECT_EQ(stream.Add(100, 40), kAgain);
}

TEST(TcpProgress, SegmentFromBeforeTheFirstSeenIsOutOfOrder) {
  Stream stream;
  stream.Add(1000, 10);
  EXPECT_EQ(stream.Add(980, 10), kLate);
  EXPECT_EQ(stream.Add(980, 10), kAgain);
  EXPECT_EQ(stream.Add(990, 10), kLate);
  EXPECT_EQ(stream.Add(980, 30), kAgain);
}

TEST(TcpProgress, KeepAlivesAreNeither) {
  Stream stream;
  stream.Add(100, 10);
  EXPECT_EQ(stream.Add(109, 0), kNew);
  EXPECT_EQ(stream.Add(109, 1, true), kNew);
  EXPECT_EQ(stream.Add(108, 1, true), kAgain);
  EXPECT_EQ(stream.next(), 110U);
}

TEST(TcpProgress, FifthHoleMakesTheLowestCountAsSeen) {
  Stream stream;
  stream.Add(0, 10);
  for (std::uint32_t begin = 20; begin <= 100; begin += 20) stream.Add(begin, 10);
  EXPECT_EQ(stream.holes(), 4);
  EXPECT_EQ(stream.Add(10, 10), kAgain);
  EXPECT_EQ(stream.Add(30, 10), kLate);
}

TEST(TcpProgress, NumbersWrap) {
  Stream stream;
  stream.Syn(0xfffffff0);
  EXPECT_EQ(stream.Add(0xfffffff1, 20), kNew);
  EXPECT_EQ(stream.next(), 5U);
  EXPECT_EQ(stream.Add(10, 10), kNew);
  EXPECT_EQ(stream.Add(0xfffffff1, 20), kAgain);
  EXPECT_EQ(stream.Add(0xfffffff1, 25), kLate);
}

TEST(TcpProgress, AnotherSynAndFarNumbersBeginAnew) {
  Stream stream;
  stream.Syn(100);
  stream.Add(101, 1000);
  EXPECT_EQ(stream.Syn(500), kNew);
  EXPECT_EQ(stream.next(), 501U);
  EXPECT_EQ(stream.Add(0x80000000, 10), kNew);
  EXPECT_EQ(stream.next(), 0x8000000aU);
  EXPECT_EQ(stream.Add(0x80000000, 10), kAgain);
}

TEST(TcpProgress, StreamsOfMoreThanFourGibibytesAreNewThroughout) {
  Stream stream;
  stream.Syn(7);
  std::uint32_t sequence = 8;
  for (int i = 0; i < 80'000; ++i, sequence += 64'000) {
    ASSERT_EQ(stream.Add(sequence, 64'000), kNew) << i;
    if (i % 1000 == 999) {
      ASSERT_EQ(stream.Add(sequence, 64'000), kAgain) << i;
      sequence += 100;  // lost for ever
    }
  }
}

// Every number by itself, in a set.
TEST(TcpProgress, AgreesWithASetOfNumbersWhileThereAreFewHoles) {
  std::mt19937 generator(1);
  const auto random = [&] { return static_cast<std::uint32_t>(generator()); };
  int counts[3] = {};
  for (int round = 0; round < 3000; ++round) {
    Stream stream;
    std::set<std::uint32_t> seen;
    std::uint32_t highest = 0;
    const std::uint32_t origin = random();
    const auto holes = [&] {
      int count = 0;
      for (auto it = seen.begin(); it != seen.end() && std::next(it) != seen.end(); ++it) {
        if (*std::next(it) != *it + 1) ++count;
      }
      return count;
    };
    for (int i = 0; i < 40 && holes() <= 4; ++i) {
      const std::uint32_t begin = 500 + random() % 60;
      const std::uint32_t length = 1 + random() % 12;
      bool all = true;
      bool late = false;
      for (std::uint32_t n = begin; n < begin + length; ++n) {
        const bool is_new = !seen.contains(n);
        all = all && !is_new;
        late = late || (is_new && n < highest);
      }
      const SegmentKind expected = seen.empty() ? kNew : all ? kAgain : late ? kLate : kNew;
      for (std::uint32_t n = begin; n < begin + length; ++n) seen.insert(n);
      highest = std::max(highest, begin + length);
      if (holes() > 4) break;
      ASSERT_EQ(stream.Add(origin + begin, length), expected) << "round " << round << ", " << i;
      ++counts[static_cast<int>(expected)];
    }
  }
  for (const int count : counts) EXPECT_GT(count, 1000);
}

}  // namespace
}  // namespace nta::internal
