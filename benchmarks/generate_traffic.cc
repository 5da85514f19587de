// generate_traffic mix|small|flood PACKETS FILE: writes the benchmarks' traffic as a pcap file, for
// use with other programs.
#include <cstdio>
#include <cstdlib>
#include <string>

#include "nta/capture/pcap_file_writer.h"
#include "traffic_generator.h"

namespace {

int Fail(const std::string& message) {
  std::fprintf(stderr, "generate_traffic: %s\n", message.c_str());
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  const auto kind = argc == 4 ? nta::bench::ParseTrafficKind(argv[1]) : std::nullopt;
  const std::uint64_t packets = argc == 4 ? std::strtoull(argv[2], nullptr, 10) : 0;
  if (!kind || packets == 0) {
    std::fprintf(stderr, "usage: generate_traffic mix|small|flood PACKETS FILE\n");
    return 2;
  }
  auto writer = nta::PcapFileWriter::Create(argv[3], {});
  if (!writer.ok()) return Fail(std::string(writer.status().message()));
  nta::bench::TrafficGenerator traffic({.kind = *kind, .packets = packets});
  nta::PacketView packet;
  while (traffic.Next(packet)) {
    if (const absl::Status status = writer->Write(packet); !status.ok()) {
      return Fail(std::string(status.message()));
    }
  }
  const absl::Status status = writer->Close();
  return status.ok() ? 0 : Fail(std::string(status.message()));
}
