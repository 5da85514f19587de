// merge_captures OUT FILE...: capture files as one pcapng file, in the order of time, packed.
#include <iostream>
#include <string>
#include <vector>

#include "nta/capture/multi_source.h"
#include "nta/capture/pcapng_file_writer.h"

absl::Status Merge(const std::string& path, nta::PacketSource& source) {
  auto writer = nta::PcapngFileWriter::Create(path, {.compression = nta::Compression::kZstd});
  if (!writer.ok()) return writer.status();
  std::size_t described = 0;
  nta::PacketBatch batch;
  while (true) {
    auto result = source.Read(batch);
    if (!result.ok()) return result.status();
    if (*result == nta::ReadResult::kEnd) return writer->Close();
    // A file may describe further interfaces between its packets.
    const std::vector<nta::CaptureInterface> interfaces = source.Interfaces();
    for (; described < interfaces.size(); ++described) {
      if (auto id = writer->AddInterface(interfaces[described]); !id.ok()) return id.status();
    }
    for (const nta::PacketView& packet : batch) {
      if (absl::Status status = writer->Write(packet); !status.ok()) return status;
    }
  }
}

int main(int argc, char** argv) {
  if (argc < 3) {
    std::cerr << "usage: merge_captures OUT FILE...\n";
    return 2;
  }
  auto source = nta::OpenCaptureFiles({argv + 2, argv + argc});
  const absl::Status status = source.ok() ? Merge(argv[1], **source) : source.status();
  if (!status.ok()) std::cerr << "merge_captures: " << status.message() << '\n';
  return status.ok() ? 0 : 1;
}
