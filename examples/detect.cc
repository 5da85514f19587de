// detect FILE: what the detectors find in a capture file, one JSON object per line and alert state.
#include <cstdio>
#include <string>

#include "nta/capture/pcap_file_reader.h"
#include "nta/detect/port_scan_detector.h"
#include "nta/json/json.h"
#include "nta/pipeline/pipeline.h"

namespace {

absl::Status PrintAlerts(const std::string& file) {
  auto capture = nta::PcapFileReader::Open(file);
  if (!capture.ok()) return capture.status();
  nta::PortScanDetector scans;
  nta::Pipeline pipeline(**capture);
  pipeline.AddDetector(scans);
  absl::Status status = pipeline.Run([](const nta::Batch& batch) {
    for (const nta::Alert& alert : batch.alerts) std::puts(nta::ToJson(alert).c_str());
    return absl::OkStatus();
  });
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
    status.Update(absl::UnavailableError("cannot write to standard output"));
  }
  return status;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2 || argv[1][0] == '\0') {
    std::fputs("usage: detect FILE\n", stderr);
    return 2;
  }
  const absl::Status status = PrintAlerts(argv[1]);
  if (status.ok()) return 0;
  std::fprintf(stderr, "detect: %s\n", std::string(status.message()).c_str());
  return 1;
}
