// The busiest pairs of more than fit into memory at once.

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>
#include <random>
#include <set>

#include "store/pair_counter.h"
#include "store/store_fixture.h"
#include "store/top_counter.h"

namespace nta {
namespace {

using store::DirectedTotals;
using store::PairCounter;

// Columns of flows as a scan shows them.
struct Block {
  store::AddressColumn source;
  store::AddressColumn destination;
  std::vector<std::uint64_t> forward_bytes;
  std::vector<std::uint64_t> reverse_bytes;
  std::vector<std::uint64_t> packets;
  std::vector<std::uint64_t> nothing;
  std::vector<std::uint8_t> mask;

  void Add(std::uint32_t from, std::uint32_t to, std::uint64_t bytes) {
    source.index.push_back(from);
    destination.index.push_back(to);
    forward_bytes.push_back(bytes);
    reverse_bytes.push_back(bytes / 3);
    packets.push_back(1 + bytes % 7);
    nothing.push_back(0);
    mask.push_back(1);
  }
  store::TrafficColumns columns() const {
    store::TrafficColumns columns;
    columns.first_seen = columns.last_seen = nothing;
    columns.forward_bytes = forward_bytes;
    columns.reverse_bytes = reverse_bytes;
    columns.forward_packets = packets;
    columns.reverse_packets = nothing;
    columns.source = &source;
    columns.destination = &destination;
    return columns;
  }
};

std::vector<IpAddress> Hosts(std::uint32_t count) {
  std::vector<IpAddress> hosts;
  for (std::uint32_t i = 0; i < count; ++i) {
    hosts.push_back(IpAddress::V4(10, static_cast<std::uint8_t>(i >> 16),
                                  static_cast<std::uint8_t>(i >> 8), static_cast<std::uint8_t>(i)));
  }
  return hosts;
}

class StorePairs : public testing::Test {
 protected:
  // Blocks of flows among so many hosts; the bytes of a flow are one of so many values.
  void Make(unsigned seed, std::uint32_t hosts, std::uint64_t values, std::size_t flows) {
    std::mt19937_64 random(seed);
    blocks_.clear();
    for (int b = 0; b < 4; ++b) {
      Block& block = blocks_.emplace_back();
      block.source.dictionary = block.destination.dictionary = Hosts(hosts);
      for (std::size_t i = 0; i < flows / 4; ++i) {
        block.Add(static_cast<std::uint32_t>(random() % hosts),
                  static_cast<std::uint32_t>(random() % hosts), 60 + random() % values * 100);
      }
      block.mask[random() % block.mask.size()] = 0;
    }
  }
  absl::Status Count(PairCounter& counter) {
    return counter.Count([this](PairCounter::Visit visit) -> absl::Status {
      const TimeInterval everything;
      for (const Block& block : blocks_) {
        const store::TrafficColumns columns = block.columns();
        const absl::Status status =
            visit(store::CountedFlows(columns, block.mask, everything, true));
        if (!status.ok()) return status;
      }
      return absl::OkStatus();
    });
  }
  // Each pair on its own, in order.
  std::vector<PairCounter::Row> Expected(Measure by, std::size_t limit) const {
    std::map<PairCounter::Pair, DirectedTotals> pairs;
    for (const Block& block : blocks_) {
      for (std::size_t i = 0; i < block.mask.size(); ++i) {
        if (block.mask[i] == 0) continue;
        const IpAddress from = block.source.dictionary[block.source.index[i]];
        const IpAddress to = block.destination.dictionary[block.destination.index[i]];
        DirectedTotals& totals = pairs[{std::min(from, to), std::max(from, to)}];
        const bool in_order = from <= to;
        totals.totals.bytes += block.forward_bytes[i] + block.reverse_bytes[i];
        totals.totals.packets += block.packets[i];
        totals.totals.flows += 1;
        totals.sent += in_order ? block.forward_bytes[i] : block.reverse_bytes[i];
        totals.received += in_order ? block.reverse_bytes[i] : block.forward_bytes[i];
        totals.begun += in_order ? 1 : 0;
      }
    }
    std::vector<PairCounter::Row> rows(pairs.begin(), pairs.end());
    std::stable_sort(rows.begin(), rows.end(), [by](const auto& a, const auto& b) {
      return store::Measured(a.second.totals, by) > store::Measured(b.second.totals, by);
    });
    rows.resize(std::min(limit, rows.size()));
    return rows;
  }
  void ExpectSame(const std::vector<PairCounter::Row>& rows,
                  const std::vector<PairCounter::Row>& expected) {
    ASSERT_EQ(rows.size(), expected.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
      EXPECT_EQ(rows[i].first, expected[i].first) << i;
      EXPECT_EQ(rows[i].second.totals, expected[i].second.totals) << i;
      EXPECT_EQ(rows[i].second.sent, expected[i].second.sent) << i;
      EXPECT_EQ(rows[i].second.received, expected[i].second.received) << i;
      EXPECT_EQ(rows[i].second.begun, expected[i].second.begun) << i;
    }
  }

  std::vector<Block> blocks_;
};

TEST_F(StorePairs, AreExactHoweverFewAreCountedAtOnce) {
  std::set<int> scans;
  std::mt19937_64 random(91);
  for (unsigned round = 0; round < 300; ++round) {
    // Of many values, of few, all the same; each pair often, or once.
    const std::uint64_t values = std::array{1, 3, 100'000}[round % 3];
    Make(round, 2 + static_cast<std::uint32_t>(random() % 60), values, 2'000);
    const PairCounter::Limits limits{.first_pairs = 1 + random() % 100,
                                     .most_pairs = 20 + random() % 400,
                                     .groups = std::size_t{1} << (6 + random() % 6)};
    for (const Measure by : {Measure::kBytes, Measure::kPackets, Measure::kFlows}) {
      const std::size_t limit = 1 + random() % 30;
      PairCounter counter(by, limit, limits);
      const absl::Status status = Count(counter);
      if (absl::IsResourceExhausted(status)) continue;  // one group alone was too much
      ASSERT_TRUE(status.ok()) << status;
      ExpectSame(counter.rows(), Expected(by, limit));
      EXPECT_EQ(counter.total().flows, 2'000u - 4);
      scans.insert(counter.scans());
    }
  }
  EXPECT_TRUE(scans.contains(1)) << "all at once";
  EXPECT_TRUE(scans.contains(2)) << "the likely ones were enough";
  EXPECT_GT(*scans.rbegin(), 4) << "part by part";
}

TEST_F(StorePairs, OfRealTrafficTakeTwoReadings) {
  // Some talk much more than others, as is usual: 80,000 pairs.
  std::mt19937_64 random(92);
  for (int b = 0; b < 4; ++b) {
    Block& block = blocks_.emplace_back();
    block.source.dictionary = block.destination.dictionary = Hosts(40'000);
    for (int i = 0; i < 32'000; ++i) {
      const double uniform = static_cast<double>(random() % 65'536) / 65'536;
      block.Add(static_cast<std::uint32_t>(uniform * uniform * uniform * 40'000),
                static_cast<std::uint32_t>(random() % 40'000), random() % 100'000);
      if (i % 100 == 0) block.Add(7, static_cast<std::uint32_t>(random() % 100), 5'000'000);
    }
  }
  PairCounter counter(Measure::kBytes, 50);
  ASSERT_TRUE(Count(counter).ok());
  EXPECT_EQ(counter.scans(), 2);
  ExpectSame(counter.rows(), Expected(Measure::kBytes, 50));
}

TEST_F(StorePairs, ReadingThatFailsIsTold) {
  Make(93, 50, 100, 2'000);
  for (const std::size_t reading : {1u, 2u, 3u}) {
    PairCounter counter(Measure::kFlows, 10, {.first_pairs = 10, .most_pairs = 50, .groups = 256});
    std::size_t readings = 0;
    const absl::Status status = counter.Count([&](PairCounter::Visit visit) -> absl::Status {
      if (++readings == reading) return absl::DeadlineExceededError("late");
      const TimeInterval everything;
      for (const Block& block : blocks_) {
        const store::TrafficColumns columns = block.columns();
        const absl::Status visited =
            visit(store::CountedFlows(columns, block.mask, everything, true));
        if (!visited.ok()) return visited;
      }
      return absl::OkStatus();
    });
    EXPECT_TRUE(absl::IsDeadlineExceeded(status)) << reading << " " << status;
  }
}

TEST_F(StorePairs, TopOfMoreKeysThanFitIsCountedByParts) {
  Make(7, 3'000, 40, 20'000);
  const auto top = [this](TopDimension dimension, std::size_t most_keys, int* readings) {
    return store::CountTop(
        dimension, Measure::kBytes, 50,
        [&](store::TopCounter& counter) -> absl::Status {
          ++*readings;
          const TimeInterval everything;
          for (const Block& block : blocks_) {
            store::TrafficColumns columns = block.columns();
            if (dimension == TopDimension::kSourceAddress) columns.destination = nullptr;
            const absl::Status status =
                counter.Add(store::CountedFlows(columns, block.mask, everything, true));
            if (!status.ok()) return status;
          }
          return absl::OkStatus();
        },
        most_keys);
  };
  for (const auto dimension : {TopDimension::kAddress, TopDimension::kSourceAddress}) {
    int once = 0;
    int often = 0;
    const auto whole = top(dimension, store::TopCounter::kMostKeys, &once);
    const auto parts = top(dimension, 300, &often);
    ASSERT_TRUE(whole.ok() && parts.ok());
    EXPECT_EQ(once, 1);
    EXPECT_GT(often, 16) << "a try, four parts of 750 that did not fit either, sixteen that do";
    const auto expected = whole->Rows(Measure::kBytes, 50);
    const auto rows = parts->Rows(Measure::kBytes, 50);
    ASSERT_EQ(rows.size(), 50u);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      EXPECT_EQ(rows[i].key, expected[i].key) << i;
      EXPECT_EQ(rows[i].totals, expected[i].totals) << i;
      EXPECT_EQ(rows[i].sent_bytes, expected[i].sent_bytes) << i;
    }
    EXPECT_EQ(parts->total(), whole->total());
  }
  // 3,000 keys in 64 parts of at most 20: too many.
  int readings = 0;
  EXPECT_EQ(top(TopDimension::kAddress, 20, &readings).status().code(),
            absl::StatusCode::kResourceExhausted);
}

}  // namespace
}  // namespace nta
