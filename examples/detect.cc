// detect FILE: what is suspicious in a capture file, as JSON lines on stdout: one for each state of
// an alert.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <string>

#include "nta/capture/pcap_file_reader.h"
#include "nta/detect/default_detectors.h"
#include "nta/json/json.h"
#include "nta/pipeline/pipeline.h"

namespace {

int Fail(const absl::Status& status) {
  std::fprintf(stderr, "detect: %s\n", std::string(status.message()).c_str());
  return 1;
}

absl::Status Print(const nta::Batch& batch) {
  for (const nta::Alert& alert : batch.alerts) {
    if (std::printf("%s\n", nta::ToJson(alert).c_str()) < 0) {
      return absl::UnavailableError("cannot write to standard output");
    }
  }
  return absl::OkStatus();
}

}  // namespace

int main(int argc, char** argv) {
  std::string file;
  nta::DetectionOptions detection;
  CLI::App app{"What is suspicious in a capture file (pcap or pcapng), as JSON lines."};
  app.add_option("FILE", file, "capture file; - is standard input")->required();
  app.add_option("--without", detection.disabled, "names of detectors to leave out");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }

  auto reader = nta::PcapFileReader::Open(file);
  if (!reader.ok()) return Fail(reader.status());
  auto detectors = nta::DefaultDetectors(detection);
  if (!detectors.ok()) return Fail(detectors.status());
  // Log-ins are judged by what the servers answered.
  nta::Pipeline pipeline(**reader, {.applications = nta::ApplicationInspectorOptions{}});
  for (const auto& detector : *detectors) pipeline.AddDetector(*detector);
  if (const absl::Status status = pipeline.Run(Print); !status.ok()) return Fail(status);
  return std::fflush(stdout) == 0 ? 0
                                  : Fail(absl::UnavailableError("cannot write to standard output"));
}
