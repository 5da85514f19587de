#include <iostream>

#include "nta/nta.h"

int main(int argc, char** argv) {
  auto capture = nta::PcapFileReader::Open(argc > 1 ? argv[1] : "-");
  if (!capture.ok()) {
    std::cerr << capture.status().message() << '\n';
    return 1;
  }
  nta::PortScanDetector scans({.min_ports = 50, .window = std::chrono::seconds(30)});
  nta::Pipeline pipeline(**capture);
  pipeline.AddDetector(scans);
  const absl::Status status = pipeline.Run([](const nta::Batch& batch) {
    for (const nta::FlowRecord& flow : batch.flows) {
      std::cout << flow.five_tuple().ToString() << ' ' << flow.wire_bytes() << " bytes\n";
    }
    for (const nta::Alert& alert : batch.alerts) std::cout << alert.summary << '\n';
    return absl::OkStatus();
  });
  if (!status.ok()) std::cerr << status.message() << '\n';
  return status.ok() ? 0 : 1;
}
