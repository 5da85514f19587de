// An outside program: prints how many flows a capture has, how many packets are in them, and how
// many were received. With a second argument the flows stay in that store.
#include <cstdio>
#include <string>

#include "nta/nta.h"

int main(int argc, char** argv) {
  auto capture = nta::PcapFileReader::Open(argc > 1 ? argv[1] : "-");
  if (!capture.ok()) {
    std::fprintf(stderr, "%s\n", std::string(capture.status().message()).c_str());
    return 1;
  }
  nta::PortScanDetector scans;
  nta::Pipeline pipeline(**capture);
  pipeline.AddDetector(scans);
  auto store = nta::Store::Open({.path = argc > 2 ? argv[2] : ":memory:"});
  if (!store.ok()) return 1;
  unsigned long long flows = 0;
  unsigned long long packets = 0;
  const absl::Status status = pipeline.Run([&](const nta::Batch& batch) {
    for (const nta::FlowRecord& flow : batch.flows) {
      ++flows;
      packets += flow.packets();
    }
    return (*store)->Write(batch.flows, batch.alerts);
  });
  std::printf("%llu %llu %llu\n", flows, packets,
              static_cast<unsigned long long>(pipeline.Stats().ledger.received));
  return status.ok() ? 0 : 1;
}
