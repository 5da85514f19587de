// Blocks and their columns: what goes in comes out, and damaged bytes are told.

#include <gtest/gtest.h>
#include <sqlite3.h>
#include <zstd.h>

#include <algorithm>
#include <bit>
#include <limits>
#include <numeric>

#include "store/block_builder.h"
#include "store/block_summary.h"
#include "store/checksum.h"
#include "store/column_codec.h"
#include "store/rollup_part.h"
#include "store/store_fixture.h"
#include "store/version_1.h"

namespace nta {
namespace {

using store::AddressColumn;
using store::BlockBuilder;
using store::Bytes;
using store::ColumnId;
using store::Compressor;
using store::Decompressor;
using store::NumberColumn;

// zstd's own checksum is the low half of the same hash.
TEST(StoreChecksum, IsXxh64) {
  for (const std::size_t size : {0, 1, 3, 4, 7, 8, 15, 31, 32, 33, 100, 1'000}) {
    Bytes bytes(size);
    std::iota(bytes.begin(), bytes.end(), std::uint8_t{7});
    ZSTD_CCtx* context = ZSTD_createCCtx();
    ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
    Bytes frame(ZSTD_compressBound(size) + 8);
    frame.resize(ZSTD_compress2(context, frame.data(), frame.size(), bytes.data(), size));
    ZSTD_freeCCtx(context);
    EXPECT_EQ(store::Checksum(bytes), store::ByteReader(std::span(frame).last(4)).U32()) << size;
  }
  EXPECT_EQ(store::Hash64({}), 0xEF46DB3751D8E999u);
}

NumberColumn RandomNumbers(RandomFlows& random, int kind) {
  NumberColumn numbers(1 + random.Below(300));
  const auto shift = random.Below(64);
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const std::uint64_t word = random.Below(~std::uint64_t{0}) >> shift;
    numbers[i] = kind == 0   ? word
                 : kind == 1 ? 0 - word
                 : kind == 2 ? (i == 0 ? 0 : numbers[i - 1]) + random.Below(1'000)
                 : kind == 3 ? 12'345
                             : (random.Below(1'000) - 500) * 1'000'000;
  }
  return numbers;
}

TEST(StoreNumbers, ComeBackWhateverTheyAre) {
  RandomFlows random(91);
  Compressor compressor;
  Decompressor decompressor;
  for (int round = 0; round < 500; ++round) {
    NumberColumn numbers = RandomNumbers(random, round % 5);
    if (round % 7 == 0) numbers[0] = std::numeric_limits<std::uint64_t>::max();
    if (round % 11 == 0) numbers.back() = std::uint64_t{1} << 63;
    for (const auto order : {store::NumberOrder::kPlain, store::NumberOrder::kDelta}) {
      Bytes bytes;
      store::EncodeNumbers(numbers, order, compressor, bytes);
      store::ByteReader in(bytes);
      NumberColumn decoded(numbers.size());
      ASSERT_TRUE(store::DecodeNumbers(in, decompressor, decoded));
      EXPECT_EQ(in.left(), 0u);
      EXPECT_EQ(decoded, numbers);
      std::vector<std::uint32_t> places;
      for (std::uint32_t i = 0; i < numbers.size(); i += 1 + i % 3) places.push_back(i);
      NumberColumn some(places.size());
      store::ByteReader again(bytes);
      ASSERT_TRUE(store::DecodeNumbersAt(again, decompressor, numbers.size(), places, some));
      for (std::size_t i = 0; i < places.size(); ++i) EXPECT_EQ(some[i], numbers[places[i]]);
    }
  }
}

// Encodes a block of random flows and reads it back through `change`.
class Block {
 public:
  explicit Block(const std::vector<FlowRecord>& flows) {
    BlockBuilder builder;
    builder.Add(flows, 1'000);
    builder.Finish();
    info_ = builder.Info();
    Compressor compressor;
    columns_ = builder.Encode(compressor);
    summary_ = store::BlockSummary::Of(builder.Traffic()).Encode();
  }
  std::vector<BlockBuilder::EncodedColumn>& columns() { return columns_; }
  const Bytes& summary() const { return summary_; }
  const store::BlockInfo& info() const { return info_; }

  absl::Status Read(std::vector<StoredFlow>& flows) {
    store::FlowBatch batch(
        info_.flows,
        [this](ColumnId id) -> absl::StatusOr<std::span<const std::uint8_t>> {
          for (const auto& column : columns_) {
            if (column.id == id) return std::span<const std::uint8_t>(column.bytes);
          }
          return std::span<const std::uint8_t>();
        },
        decompressor_);
    std::vector<std::uint32_t> places(info_.flows);
    std::iota(places.begin(), places.end(), 0);
    return batch.Rows(places, flows);
  }

 private:
  store::BlockInfo info_;
  std::vector<BlockBuilder::EncodedColumn> columns_;
  Bytes summary_;
  Decompressor decompressor_;
};

TEST(StoreBlock, HasEveryFieldOfItsFlows) {
  const std::vector<FlowRecord> flows = RandomFlows(92).Take(1'000);
  Block block(flows);
  std::vector<StoredFlow> read;
  ASSERT_TRUE(block.Read(read).ok());
  ASSERT_EQ(read.size(), flows.size());
  for (std::size_t i = 0; i < flows.size(); ++i) {
    EXPECT_EQ(read[i].id, static_cast<std::int64_t>(1'000 + i));
    EXPECT_EQ(read[i].flow, flows[i]) << i;
  }
  EXPECT_TRUE(std::any_of(flows.begin(), flows.end(), [](const auto& f) { return f.statistics; }));
  EXPECT_TRUE(std::any_of(flows.begin(), flows.end(), [](const auto& f) { return f.metadata; }));
}

TEST(StoreBlock, WithoutAColumnItReadsAsAbsent) {
  std::vector<FlowRecord> flows = RandomFlows(93).Take(300);
  Block block(flows);
  std::erase_if(block.columns(), [](const auto& column) {
    return column.id == ColumnId::kVlan || column.id == ColumnId::kApplication ||
           column.id >= ColumnId::kFirstMetadata;
  });
  std::vector<StoredFlow> read;
  ASSERT_TRUE(block.Read(read).ok());
  for (std::size_t i = 0; i < flows.size(); ++i) {
    flows[i].vlan.reset();
    flows[i].application = Application::kUnknown;
    flows[i].metadata.reset();
    EXPECT_EQ(read[i].flow, flows[i]);
  }
}

TEST(StoreBlock, AnyChangedByteIsTold) {
  Block block(RandomFlows(94).Take(100));
  for (std::size_t column = 0; column < block.columns().size(); ++column) {
    Bytes& bytes = block.columns()[column].bytes;
    for (std::size_t i = 0; i < bytes.size(); i += 1 + i / 16) {
      bytes[i] ^= 0x10;
      std::vector<StoredFlow> read;
      EXPECT_TRUE(absl::IsDataLoss(block.Read(read))) << column << " " << i;
      bytes[i] ^= 0x10;
    }
  }
}

// With checksums that are right, as whoever means harm would make them.
TEST(StoreBlock, HostileBytesNeverCrash) {
  const std::vector<FlowRecord> flows = RandomFlows(95).Take(100);
  RandomFlows random(96);
  int refused = 0;
  for (int round = 0; round < 3'000; ++round) {
    Block block(flows);
    Bytes& bytes = block.columns()[random.Below(block.columns().size())].bytes;
    for (std::uint64_t changes = 1 + random.Below(3); changes > 0; --changes) {
      bytes[random.Below(bytes.size() - 4)] = static_cast<std::uint8_t>(random.Below(256));
    }
    bytes.erase(bytes.end() - 4, bytes.end());
    const std::uint32_t checksum = store::Checksum(bytes);
    store::ByteWriter(bytes).U32(checksum);
    std::vector<StoredFlow> read;
    const absl::Status status = block.Read(read);
    EXPECT_TRUE(status.ok() || absl::IsDataLoss(status)) << status;
    refused += status.ok() ? 0 : 1;
  }
  EXPECT_GT(refused, 300);
}

TEST(StoreSummary, NeverHidesAFlow) {
  const std::vector<FlowRecord> flows = RandomFlows(97).Take(500);
  const Block block(flows);
  const auto summary = store::BlockSummary::Decode(block.summary());
  ASSERT_TRUE(summary.ok()) << summary.status();
  const auto may_match = [&](const std::string& text) {
    return summary->MayMatch(*FlowFilter::Parse(text)->root(), block.info());
  };
  for (const FlowRecord& flow : flows) {
    EXPECT_TRUE(may_match("src=" + flow.source.address.ToString()));
    EXPECT_TRUE(may_match("host=" + flow.destination.address.ToString() +
                          " and dport=" + std::to_string(flow.destination.port)));
    EXPECT_TRUE(may_match("bytes>=" + std::to_string(flow.wire_bytes())));
    EXPECT_TRUE(may_match("proto=" + std::to_string(flow.protocol)));
  }
  EXPECT_TRUE(may_match("src in (10.0.0.0/25,192.0.2.0/24)"));
  EXPECT_TRUE(may_match("not host=203.0.113.77"));
  int skipped = 0;
  for (int host = 0; host < 200; ++host) {
    skipped += may_match("host=203.0.113." + std::to_string(host)) ? 0 : 1;
  }
  EXPECT_GT(skipped, 180) << "and of what is not there it hides nearly everything";
  EXPECT_FALSE(may_match("dport=60000"));
  EXPECT_FALSE(may_match("proto=99"));
  EXPECT_FALSE(may_match("bytes>1e15"));
  EXPECT_FALSE(may_match("host=2001:db9::/64 and bytes>0"));
}

TEST(StoreRollupPart, ComesBackAndAddsUp) {
  Compressor compressor;
  Decompressor decompressor;
  store::AddressPart a;
  store::AddressPart b;
  for (std::uint8_t i = 0; i < 100; ++i) {
    std::array<std::uint64_t, store::kAddressCounts> counts{};
    counts.fill(i);
    a.Append({IpAddress::V4(10, 0, 0, i), 6}, counts);
    if (i % 3 == 0) b.Append({IpAddress::V4(10, 0, 0, i), 6}, counts);
    if (i % 3 == 0) b.Append({IpAddress::V4(10, 0, 0, i), 17}, counts);
  }
  b.Append({*IpAddress::Parse("2001:db8::1"), 6}, {});
  const Bytes bytes = EncodePart(MergeParts(a, b), compressor);
  const auto merged = store::DecodeAddressPart(bytes, decompressor);
  ASSERT_TRUE(merged.ok()) << merged.status();
  ASSERT_EQ(merged->keys.size(), 100u + 34 + 1);
  EXPECT_EQ(merged->keys[1], (store::AddressKey{IpAddress::V4(10, 0, 0, 0), 17}));
  const auto sum = [](const store::AddressPart& part) {
    return std::accumulate(part.counts[3].begin(), part.counts[3].end(), std::uint64_t{0});
  };
  EXPECT_EQ(sum(*merged), sum(a) + sum(b));
  const IpAddress missing = IpAddress::V4(9, 9, 9, 9);
  EXPECT_TRUE(store::DecodeAddressPart(bytes, decompressor, &missing)->empty());
  Bytes damaged = bytes;
  damaged[damaged.size() / 2] ^= 1;
  EXPECT_TRUE(absl::IsDataLoss(store::DecodeAddressPart(damaged, decompressor).status()));
}

class StoreBlocks : public StoreTest {};

std::int64_t QueryInteger(const std::string& path, const std::string& sql) {
  sqlite3* database = nullptr;
  EXPECT_EQ(sqlite3_open(path.c_str(), &database), SQLITE_OK);
  std::int64_t value = -1;
  const auto read = [](void* out, int, char** values, char**) {
    *static_cast<std::int64_t*>(out) = values[0] == nullptr ? -1 : std::stoll(values[0]);
    return 0;
  };
  char* error = nullptr;
  EXPECT_EQ(sqlite3_exec(database, sql.c_str(), read, &value, &error), SQLITE_OK) << error;
  sqlite3_close(database);
  return value;
}

TEST_F(StoreBlocks, FewFlowsAreInTheTailManyInBlocksOfOneDay) {
  const auto store = OpenStore();
  RandomFlows random(98, 3 * 24 * 60);
  ASSERT_TRUE(store->Write(random.Take(100), {}).ok());
  EXPECT_EQ(QueryInteger(path(), "SELECT sum(flows) FROM flow_tail"), 100);
  EXPECT_EQ(QueryInteger(path(), "SELECT count(*) FROM flow_block"), 0);
  ASSERT_TRUE(store->Write(random.Take(2'000), {}).ok());
  EXPECT_EQ(QueryInteger(path(), "SELECT count(*) FROM flow_tail"), 0);
  EXPECT_EQ(QueryInteger(path(), "SELECT sum(flows) FROM flow_block"), 2'100);
  EXPECT_EQ(QueryInteger(path(),
                         "SELECT max(max_last_seen / 86400000000000 - "
                         "min_last_seen / 86400000000000) FROM flow_block"),
            0);
}

TEST_F(StoreBlocks, ManySmallWritesDoNotMakeManyParts) {
  const auto store = OpenStore();
  RandomFlows random(99);
  for (int i = 0; i < 200; ++i) ASSERT_TRUE(store->Write(random.Take(1), {}).ok());
  EXPECT_LE(QueryInteger(path(), "SELECT count(*) FROM flow_tail"), 65);
  EXPECT_EQ(store->Flows({.limit = 1'000})->flows.size(), 200u);
}

TEST_F(StoreBlocks, AStoreOfVersion1IsRaised) {
  sqlite3* database = nullptr;
  ASSERT_EQ(sqlite3_open(path().c_str(), &database), SQLITE_OK);
  char* error = nullptr;
  ASSERT_EQ(sqlite3_exec(database, kVersion1, nullptr, nullptr, &error), SQLITE_OK) << error;
  sqlite3_close(database);
  auto store = OpenStore();
  ASSERT_NE(store, nullptr);
  EXPECT_EQ(store->Top({})->total.flows, 40'001u);
  EXPECT_EQ(store->Top({.filter = *FlowFilter::Parse("bytes>=0")})->total, store->Top({})->total);
  const auto page = store->Flows({.order = FlowOrder::kOldestFirst, .limit = 2});
  ASSERT_EQ(page->flows.size(), 2u);
  EXPECT_EQ(page->flows[0].id, 1);
  FlowRecord expected = TcpFlow(kEight, std::chrono::seconds(1), kClient, kServer);
  EXPECT_EQ(page->flows[0].flow, expected);
  EXPECT_EQ(page->flows[1].id, 5) << "ids stay as they were";
  EXPECT_EQ(page->flows[1].flow.vlan, 7);
  EXPECT_EQ(store->GetUser("mia")->role, "admin");
  ASSERT_TRUE(store->Write({&expected, 1}, {}).ok());
  EXPECT_EQ(store->Flows({.filter = *FlowFilter::Parse("proto=tcp")})->flows.at(0).id, 40'005);
  store = nullptr;
  EXPECT_NE(OpenStore(), nullptr) << "and is one of this version from then on";
}

}  // namespace
}  // namespace nta
