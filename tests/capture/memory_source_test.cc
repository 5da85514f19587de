#include "nta/capture/memory_source.h"

#include <gtest/gtest.h>

#include <thread>

#include "support/packet_builder.h"

namespace nta::test {
namespace {

PacketView View(std::span<const std::uint8_t> bytes) {
  PacketView view;
  view.wire_bytes = static_cast<std::uint32_t>(bytes.size());
  view.bytes = bytes;
  return view;
}

TEST(MemorySource, HandsOutCopiesInOrderThenTimesOutThenEnds) {
  MemorySource source({.timeout = std::chrono::milliseconds(0)});
  Bytes buffer{1};
  for (std::uint8_t i = 0; i < 3; ++i) {
    buffer[0] = i;
    EXPECT_TRUE(source.Push(View(buffer)));
  }
  PacketBatch batch;
  ASSERT_EQ(*source.Read(batch), ReadResult::kPackets);
  ASSERT_EQ(batch.size(), 3U);
  for (std::uint8_t i = 0; i < 3; ++i) EXPECT_EQ(batch[i].bytes[0], i);
  EXPECT_EQ(*source.Read(batch), ReadResult::kTimeout);
  EXPECT_TRUE(batch.empty());
  EXPECT_TRUE(source.Push(View(buffer)));
  source.Close();
  EXPECT_FALSE(source.Push(View(buffer))) << "after Close";
  EXPECT_EQ(*source.Read(batch), ReadResult::kPackets);
  EXPECT_EQ(*source.Read(batch), ReadResult::kEnd);
  EXPECT_EQ(*source.Read(batch), ReadResult::kEnd);
  EXPECT_EQ(source.Stats().received, 4U);
  EXPECT_EQ(source.Stats().received_bytes, 4U);
  EXPECT_EQ(source.Stats().dropped(), 0U);
}

TEST(MemorySource, DropsAndCountsWhatExceedsItsCapacity) {
  MemorySource source({.capacity_bytes = 10'000});
  const Bytes bytes(1000, 0);
  int taken = 0;
  for (int i = 0; i < 20; ++i) taken += source.Push(View(bytes)) ? 1 : 0;
  EXPECT_GE(taken, 8);
  EXPECT_LT(taken, 10);
  EXPECT_EQ(source.Stats().dropped_buffer, static_cast<std::uint64_t>(20 - taken));
  PacketBatch batch;
  EXPECT_EQ(*source.Read(batch), ReadResult::kPackets);
  EXPECT_TRUE(source.Push(View(bytes))) << "there is room again";
  EXPECT_FALSE(source.Push(View(Bytes(20'000, 0)))) << "never fits";
}

TEST(MemorySource, EmptyPacketsDoNotFillTheMemoryEither) {
  MemorySource source({.capacity_bytes = 10'000});
  int taken = 0;
  for (int i = 0; i < 10'000; ++i) taken += source.Push(View({})) ? 1 : 0;
  EXPECT_LT(taken, 200);
}

TEST(MemorySource, BatchesNeverExceedTheirLimit) {
  MemorySource source({.max_batch = 2});
  for (int i = 0; i < 5; ++i) source.Push(View({}));
  PacketBatch batch;
  for (const std::size_t size : {2U, 2U, 1U}) {
    ASSERT_EQ(*source.Read(batch), ReadResult::kPackets);
    EXPECT_EQ(batch.size(), size);
  }
}

TEST(MemorySource, TakesPacketsOfManyThreads) {
  MemorySource source({.timeout = std::chrono::seconds(60)});
  std::vector<std::thread> writers;
  for (int t = 0; t < 4; ++t) {
    writers.emplace_back([&source] {
      const Bytes bytes(10, 1);
      for (int i = 0; i < 1000; ++i) source.Push(View(bytes));
    });
  }
  std::thread closer([&] {
    for (std::thread& writer : writers) writer.join();
    source.Close();
  });
  PacketBatch batch;
  std::size_t packets = 0;
  while (*source.Read(batch) != ReadResult::kEnd) packets += batch.size();
  closer.join();
  EXPECT_EQ(packets, 4000U);
}

}  // namespace
}  // namespace nta::test
