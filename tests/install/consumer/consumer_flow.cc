// A program that needs no more than decoding and flows.
#include <array>
#include <cstdint>
#include <vector>

#include "nta/flow/flow_table.h"

int main() {
  // Ethernet, IPv4, UDP without payload.
  std::array<std::uint8_t, 42> frame{};
  frame[12] = 0x08;
  frame[14] = 0x45;
  frame[17] = 28;
  frame[23] = 17;
  frame[39] = 8;
  const nta::DecodedPacket packet = nta::Decode({.wire_bytes = frame.size(), .bytes = frame});
  auto table = nta::FlowTable::Create();
  std::vector<nta::FlowEvent> events;
  table->Add({&packet, 1}, events);
  table->EndAll(events);
  return events.size() == 1 && events[0].flow.packets() == 1 ? 0 : 1;
}
