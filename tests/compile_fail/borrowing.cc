// What would leave a view without its bytes, or a pipeline without its parts, does not compile.
// Each case is compiled alone; with none of them this file is right, so that a case fails for its
// own line only.
#include <span>
#include <vector>

#include "nta/capture/memory_source.h"
#include "nta/detect/port_scan_detector.h"
#include "nta/flow/flow_table.h"
#include "nta/packet/decode.h"
#include "nta/pipeline/parallel_meter.h"
#include "nta/pipeline/pipeline.h"

namespace {

nta::Packet MakePacket() { return nta::Packet(); }
nta::MemorySource MakeSource() { return nta::MemorySource(); }
nta::PortScanDetector MakeDetector() { return nta::PortScanDetector(nta::PortScanOptions{}); }

class Inspector final : public nta::FlowInspector {
 public:
  nta::InspectResult Inspect(nta::FlowSlot, bool, const nta::DecodedPacket&) override { return {}; }
  void Describe(nta::FlowSlot, bool, nta::FlowRecord&) override {}
  void Finish(nta::FlowSlot) override {}
};

}  // namespace

int main() {
  const nta::Packet packet = MakePacket();
  nta::PacketView view = packet.view();
  nta::DecodedPacket decoded = nta::Decode(view);
  nta::MemorySource source = MakeSource();
  nta::PortScanDetector detector = MakeDetector();
  nta::Pipeline pipeline(source);
  pipeline.AddDetector(detector);
  nta::ParallelMeter meter(source);
  nta::FlowTable table = nta::FlowTable::Create().value();
  Inspector inspector;
  table.SetInspector(&inspector);
#if defined(VIEW_OF_A_TEMPORARY_PACKET)
  view = MakePacket().view();
#elif defined(VIEW_OF_A_MOVED_PACKET)
  nta::Packet other = MakePacket();
  view = std::move(other).view();
#elif defined(DECODED_TEMPORARY_PACKET)
  decoded = nta::Decode(MakePacket().view());
#elif defined(PIPELINE_OF_A_TEMPORARY_SOURCE)
  nta::Pipeline another(MakeSource());
#elif defined(METER_OF_A_TEMPORARY_SOURCE)
  nta::ParallelMeter another(MakeSource());
#elif defined(TEMPORARY_DETECTOR)
  pipeline.AddDetector(MakeDetector());
#elif defined(TEMPORARY_INSPECTOR)
  table.SetInspector(&Inspector());
#endif
  return decoded.has_ip() ? 1 : 0;
}
