#include <gtest/gtest.h>

#include "support/counting_allocator.h"
#include "support/packet_builder.h"

namespace nta::test {
namespace {

TEST(DecodeAllocation, NoPacketOfAnyKindAllocates) {
  const std::vector<NamedPacket> kinds = EveryKindOfPacket();
  std::uint64_t headers = 0;
  const AllocationCount count;
  for (const NamedPacket& kind : kinds) {
    for (std::size_t captured = 0; captured < 200; ++captured) {
      PacketView view = kind.packet.view();
      view.bytes = view.bytes.first(std::min(captured, view.bytes.size()));
      for (const DecodeView decode_view : {DecodeView::kOuter, DecodeView::kInner}) {
        headers += Decode(view, {.view = decode_view}).has_ip() ? 1 : 0;
      }
    }
  }
  EXPECT_EQ(count.allocations(), 0U);
  EXPECT_GT(headers, 1000U);
}

TEST(DecodeAllocation, CounterCounts) {
  const AllocationCount count;
  const auto bytes = std::make_unique<std::vector<int>>(1000);
  EXPECT_GE(count.allocations(), 2U);
  EXPECT_GE(count.bytes(), 4000U);
}

}  // namespace
}  // namespace nta::test
