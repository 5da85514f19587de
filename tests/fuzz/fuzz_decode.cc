// Any bytes of any link type through Decode, the fragment tracker and the flow table.
#include <cstdlib>
#include <vector>

#include "nta/flow/flow_table.h"
#include "nta/flow/fragment_tracker.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 3) return 0;
  nta::PacketView view;
  view.link_type = static_cast<nta::LinkType>(data[0] | (data[1] & 1) << 8);
  view.bytes = {data + 3, size - 3};
  view.wire_bytes = static_cast<std::uint32_t>(size - 3 + ((data[1] & 2) != 0 ? 1000 : 0));
  static nta::FlowTable table = nta::FlowTable::Create({.max_flows = 100, .hash_seed = 1}).value();
  static nta::FragmentTracker fragments({.max_datagrams = 16, .hash_seed = 1});
  std::vector<nta::FlowEvent> events;
  for (const nta::DecodeView decode_view : {nta::DecodeView::kOuter, nta::DecodeView::kInner}) {
    nta::DecodedPacket packet = nta::Decode(view, {.view = decode_view, .max_headers = data[2]});
    if (!packet.payload.empty() && (packet.payload.data() < view.bytes.data() ||
                                    packet.payload.data() + packet.payload.size() > data + size)) {
      std::abort();
    }
    packet.time += std::chrono::milliseconds(data[2]);
    fragments.Resolve(packet);
    table.Add({&packet, 1}, events);
  }
  return 0;
}
