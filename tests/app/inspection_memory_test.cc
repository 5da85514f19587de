// What flows under inspection take is given back to the byte, by the heap's own count.
#include <gtest/gtest.h>

#include <string>

#include "app/flow_talk.h"
#include "support/counting_allocator.h"

namespace nta {
namespace {

using test::AllocationCount;
using test::Bytes;

constexpr FlowSlot kFlows = 5'000;

class InspectionMemory : public testing::Test {
 protected:
  InspectionMemory() {
    // The state that goes with the places of the table is there as long as the inspector is.
    ShowAll("\x16\x03\x01");
    FinishAll();
  }

  InspectResult Show(FlowSlot slot, std::string_view text, std::uint32_t sequence = 0) {
    const Bytes bytes = test::ToBytes(text);
    DecodedPacket packet;
    packet.time = Timestamp{std::chrono::hours(24 * 365 * 50)};
    packet.protocol = kProtocolTcp;
    packet.has_ports = true;
    packet.source = IpAddress::V4(10, 0, 0, 1);
    packet.destination = IpAddress::V4(192, 0, 2, 1);
    packet.source_port = 50'000;
    packet.destination_port = 9'999;
    packet.tcp_sequence = sequence;
    packet.payload = bytes;
    packet.payload_bytes = static_cast<std::uint32_t>(bytes.size());
    return inspector_.Inspect(slot, true, packet);
  }
  void ShowAll(std::string_view text, std::uint32_t sequence = 0) {
    for (FlowSlot slot = 0; slot < kFlows; ++slot) Show(slot, text, sequence);
  }
  void FinishAll() {
    for (FlowSlot slot = 0; slot < kFlows; ++slot) inspector_.Finish(slot);
  }

  ApplicationInspector inspector_ = ApplicationInspector::Create().value();
};

TEST_F(InspectionMemory, OfFlowsThatNobodyRecognisesIsReturnedAtTheBound) {
  const std::size_t own = inspector_.Stats().memory_bytes;
  const std::uint64_t heap = AllocationCount::live();
  for (int round = 0; round < 3; ++round) {
    constexpr std::string_view kText = "\x01 no protocol";
    ShowAll(kText);
    EXPECT_GE(AllocationCount::live(), heap + kFlows * kText.size()) << "something is kept";
    EXPECT_EQ(inspector_.Stats().active, kFlows);
    for (std::uint32_t i = 1; i < 6; ++i) ShowAll(kText, i * std::uint32_t{kText.size()});
    // The flows go on, nothing of them is kept.
    EXPECT_EQ(inspector_.Stats().active, 0u);
    EXPECT_EQ(inspector_.Stats().buffered_bytes, 0u);
    EXPECT_EQ(inspector_.Stats().memory_bytes, own);
    EXPECT_EQ(AllocationCount::live(), heap);
    FinishAll();
    EXPECT_EQ(AllocationCount::live(), heap);
  }
}

TEST_F(InspectionMemory, OfMessagesThatNeverEndIsReturnedAtTheBoundAndTheirMetadataWithTheFlow) {
  const std::string head = "GET / HTTP/1.1\r\nHost: a.example\r\n";
  const std::string more = "X-More: " + std::string(1'000, 'x') + "\r\n";
  const std::size_t own = inspector_.Stats().memory_bytes;
  const std::uint64_t heap = AllocationCount::live();
  for (int round = 0; round < 3; ++round) {
    std::uint32_t sequence = 0;
    ShowAll(head, sequence);
    sequence += static_cast<std::uint32_t>(head.size());
    EXPECT_EQ(inspector_.Stats().active, kFlows);
    for (int i = 0; i < 10; ++i, sequence += static_cast<std::uint32_t>(more.size())) {
      ShowAll(more, sequence);
      EXPECT_LE(inspector_.Stats().buffered_bytes,
                ApplicationInspectorOptions{}.max_buffered_bytes);
    }
    const ApplicationInspectorStats stats = inspector_.Stats();
    EXPECT_EQ(stats.active, 0u);
    EXPECT_EQ(stats.buffered_bytes, 0u);
    EXPECT_EQ(stats.memory_bytes, own + stats.metadata_bytes) << "what is known of the flows";
    FinishAll();
    EXPECT_EQ(inspector_.Stats().memory_bytes, own);
    EXPECT_EQ(AllocationCount::live(), heap);
  }
}

}  // namespace
}  // namespace nta
