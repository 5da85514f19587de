// capture_to_store CAPTURE DATABASE: the flows of a capture file, or of a network interface until
// Ctrl-C, into a store; then the busiest addresses in it.
#include <algorithm>
#include <csignal>
#include <filesystem>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "nta/capture/live_capture.h"
#include "nta/capture/pcap_file_reader.h"
#include "nta/pipeline/pipeline.h"
#include "nta/store/store.h"
#include "nta/store/store_writer.h"
#include "usage.h"

namespace {

volatile std::sig_atomic_t interrupted = 0;

absl::StatusOr<std::unique_ptr<nta::PacketSource>> OpenSource(const std::string& name) {
  if (std::filesystem::exists(name)) {
    auto reader = nta::PcapFileReader::Open(name);
    if (!reader.ok()) return reader.status();
    return std::unique_ptr<nta::PacketSource>(std::move(*reader));
  }
  auto capture = nta::LiveCapture::Open(name);
  if (!capture.ok()) return capture.status();
  return std::unique_ptr<nta::PacketSource>(std::move(*capture));
}

absl::Status Fill(nta::PacketSource& source, nta::Store& store) {
  nta::StoreWriter writer(store);
  std::jthread writing([&writer](std::stop_token stop) { writer.Run(stop); });
  nta::Pipeline pipeline(source);
  std::optional<nta::TimeInterval> captured;
  absl::Status status = pipeline.Run([&](const nta::Batch& batch) {
    writer.Add(batch.flows, batch.alerts);
    // A file is read faster than a disk writes, and can wait; live packets cannot.
    while (!source.is_live() && writer.Stats().queue > 50'000) std::this_thread::yield();
    if (!captured && !batch.packets.empty()) captured = {batch.packets.front().time, batch.time};
    if (captured) captured->until = std::max(captured->until, batch.time);
    if (interrupted != 0) pipeline.Stop();
    return absl::OkStatus();
  });
  writing.request_stop();
  writing.join();
  if (!captured) return status;
  // What makes answers honest: when nothing was captured, and what was lost.
  const nta::PipelineStats stats = pipeline.Stats();
  status.Update(store.MarkCaptured(*captured));
  status.Update(
      store.RecordCapture(captured->until, {.packets_seen = stats.ledger.received,
                                            .packets_dropped = stats.ledger.dropped,
                                            .flows_evicted = stats.flow_table.evicted,
                                            .flows_dropped = writer.Stats().flows_dropped}));
  status.Update(writer.Stats().last_error);
  return status;
}

int Fail(const absl::Status& status) {
  std::cerr << "capture_to_store: " << std::string(status.message()) << '\n';
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  constexpr char kUsage[] =
      "capture_to_store CAPTURE|INTERFACE DATABASE\n"
      "The flows of a capture file, or of an interface until Ctrl-C, into a store.";
  if (const auto status = AnswerUsage(argc, argv, 2, 2, kUsage)) return *status;
  auto source = OpenSource(argv[1]);
  if (!source.ok()) return Fail(source.status());
  auto store = nta::Store::Open({.path = argv[2]});
  if (!store.ok()) return Fail(store.status());
  std::signal(SIGINT, [](int) { interrupted = 1; });
  const absl::Status status = Fill(**source, **store);
  if (!status.ok()) return Fail(status);
  const auto top = (*store)->Top({.dimension = nta::TopDimension::kAddress, .limit = 5});
  if (!top.ok()) return Fail(top.status());
  std::cout << top->total.flows << " flows, " << top->total.bytes << " bytes; "
            << top->capture.packets_seen << " packets seen, " << top->capture.packets_dropped
            << " dropped\n";
  for (const nta::TopRow& row : top->rows) {
    std::cout << row.key << ' ' << row.totals.bytes << '\n';
  }
  return 0;
}
