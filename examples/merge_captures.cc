// merge_captures OUT FILE...: capture files as one pcapng file, in the order of time, packed.
#include <filesystem>
#include <iostream>
#include <string>
#include <system_error>
#include <vector>

#include "nta/capture/multi_source.h"
#include "nta/capture/pcapng_file_writer.h"
#include "usage.h"

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

// Written beside its place and renamed at the end, so that a failure leaves what was there.
absl::Status MergeInto(const std::string& path, nta::PacketSource& source) {
  std::error_code error;
  // A pipe or a device is written to as it is.
  if (path == "-" ||
      (std::filesystem::exists(path, error) && !std::filesystem::is_regular_file(path, error))) {
    return Merge(path, source);
  }
  const std::string part = path + ".part";
  absl::Status status = Merge(part, source);
  if (status.ok()) {
    std::filesystem::rename(part, path, error);
    if (error) status = absl::UnknownError("cannot write \"" + path + "\": " + error.message());
  }
  if (!status.ok()) std::filesystem::remove(part, error);
  return status;
}

int main(int argc, char** argv) {
  constexpr char kUsage[] =
      "merge_captures OUT FILE...\n"
      "Capture files as one pcapng file, in the order of time, packed.";
  if (const auto status = AnswerUsage(argc, argv, 2, 1 << 16, kUsage)) return *status;
  for (int i = 2; i < argc; ++i) {
    std::error_code missing;
    if (!std::filesystem::equivalent(argv[1], argv[i], missing)) continue;
    std::cerr << "merge_captures: \"" << argv[1] << "\" is one of the files to be merged\n";
    return 1;
  }
  auto source = nta::OpenCaptureFiles({argv + 2, argv + argc});
  const absl::Status status = source.ok() ? MergeInto(argv[1], **source) : source.status();
  if (!status.ok()) std::cerr << "merge_captures: " << status.message() << '\n';
  return status.ok() ? 0 : 1;
}
