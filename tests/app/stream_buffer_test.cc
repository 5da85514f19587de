#include "app/stream_buffer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <random>
#include <string>

namespace nta::internal {
namespace {

std::span<const std::uint8_t> Bytes(const std::string& text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

std::string Prefix(const StreamBuffer& buffer) {
  const auto bytes = buffer.Prefix();
  return {bytes.begin(), bytes.end()};
}

TEST(StreamBuffer, PutsPartsInOrder) {
  StreamBuffer buffer;
  EXPECT_TRUE(buffer.Write(3, Bytes("def"), 100));
  EXPECT_EQ(Prefix(buffer), "");
  EXPECT_TRUE(buffer.Write(8, Bytes("i"), 100));
  EXPECT_TRUE(buffer.Write(0, Bytes("abc"), 100));
  EXPECT_EQ(Prefix(buffer), "abcdef");
  EXPECT_TRUE(buffer.Write(5, Bytes("fgh"), 100));
  EXPECT_EQ(Prefix(buffer), "abcdefghi");
}

TEST(StreamBuffer, RefusesWhatEndsBeyondTheLimit) {
  StreamBuffer buffer;
  EXPECT_FALSE(buffer.Write(8, Bytes("abc"), 10));
  EXPECT_FALSE(buffer.Write(SIZE_MAX - 1, Bytes("abc"), 10));
  EXPECT_TRUE(buffer.empty());
  EXPECT_TRUE(buffer.Write(7, Bytes("abc"), 10));
}

TEST(StreamBuffer, RefusesTooManyHoles) {
  StreamBuffer buffer;
  for (std::size_t i = 0; i < StreamBuffer::kMaxRanges; ++i) {
    EXPECT_TRUE(buffer.Write(i * 2, Bytes("x"), 1000));
  }
  EXPECT_FALSE(buffer.Write(500, Bytes("x"), 1000));
  EXPECT_TRUE(buffer.Write(1, Bytes("y"), 1000)) << "fills a hole";
  EXPECT_EQ(Prefix(buffer), "xyx");
}

TEST(StreamBuffer, MakesRoomBeforeTheFirstByte) {
  StreamBuffer buffer;
  buffer.Write(0, Bytes("def"), 10);
  EXPECT_FALSE(buffer.Prepend(8, 10));
  EXPECT_TRUE(buffer.Prepend(3, 10));
  EXPECT_EQ(Prefix(buffer), "");
  buffer.Write(0, Bytes("abc"), 10);
  EXPECT_EQ(Prefix(buffer), "abcdef");
}

TEST(StreamBuffer, DropsFromTheFrontAcrossHoles) {
  StreamBuffer buffer;
  buffer.Write(0, Bytes("abc"), 100);
  buffer.Write(5, Bytes("fgh"), 100);
  buffer.Drop(2);
  EXPECT_EQ(Prefix(buffer), "c");
  buffer.Drop(4);
  EXPECT_EQ(Prefix(buffer), "gh");
  buffer.Drop(100);
  EXPECT_TRUE(buffer.empty());
}

TEST(StreamBuffer, AnyOrderOfPartsGivesTheWhole) {
  std::mt19937 random(7);
  std::string whole(200, ' ');
  for (char& c : whole) c = static_cast<char>('a' + random() % 26);
  for (int round = 0; round < 200; ++round) {
    std::vector<std::size_t> cuts(11);
    for (auto& cut : cuts) cut = random() % whole.size();
    cuts.front() = 0;
    cuts.push_back(whole.size());
    std::ranges::sort(cuts);
    std::vector<std::size_t> order(cuts.size() - 1);
    std::iota(order.begin(), order.end(), 0);
    std::shuffle(order.begin(), order.end(), random);
    StreamBuffer buffer;
    for (const std::size_t part : order) {
      ASSERT_TRUE(buffer.Write(cuts[part],
                               Bytes(whole.substr(cuts[part], cuts[part + 1] - cuts[part])), 200));
    }
    ASSERT_EQ(Prefix(buffer), whole);
  }
}

}  // namespace
}  // namespace nta::internal
