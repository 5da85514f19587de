// live_top_talkers: who uses the network, as a view in the terminal that refreshes itself.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <memory>
#include <string>
#include <thread>

#include "nta/capture/live_capture.h"
#include "nta/capture/pcap_file_reader.h"
#include "nta/capture/replay_source.h"
#include "nta/pipeline/pipeline.h"
#include "nta/pipeline/traffic_sampler.h"

namespace {

using Clock = std::chrono::steady_clock;

volatile std::sig_atomic_t interrupted = 0;

struct Options {
  std::string interface;
  std::string replay;
  std::string filter;
  double speed = 1;
  double refresh = 1;
  std::size_t count = 10;
};

// "1.2 MB", "640 kbit/s": three digits and an SI prefix.
std::string Scaled(double value, const char* unit) {
  static constexpr const char* kPrefixes[] = {"", "k", "M", "G", "T"};
  std::size_t prefix = 0;
  for (; value >= 999.5 && prefix < 4; value /= 1000) ++prefix;
  char text[48];
  std::snprintf(text, sizeof(text), "%.*f %s%s", value < 9.995 && prefix > 0 ? 1 : 0, value,
                kPrefixes[prefix], unit);
  return text;
}

absl::StatusOr<std::unique_ptr<nta::PacketSource>> OpenSource(const Options& options) {
  if (!options.interface.empty()) {
    auto capture = nta::LiveCapture::Open(options.interface, {.filter = options.filter});
    if (!capture.ok()) return capture.status();
    return std::unique_ptr<nta::PacketSource>(std::move(*capture));
  }
  nta::ReplayOptions replay;
  replay.now = [] {
    return std::chrono::time_point_cast<nta::Duration>(std::chrono::system_clock::now());
  };
  replay.sleep = [](nta::Duration duration) { std::this_thread::sleep_for(duration); };
  replay.speed = options.speed;
  const auto open = [file =
                         options.replay]() -> absl::StatusOr<std::unique_ptr<nta::PacketSource>> {
    auto reader = nta::PcapFileReader::Open(file);
    if (!reader.ok()) return reader.status();
    return std::unique_ptr<nta::PacketSource>(std::move(*reader));
  };
  auto source = nta::ReplaySource::Open(open, std::move(replay));
  if (!source.ok()) return source.status();
  return std::unique_ptr<nta::PacketSource>(std::move(*source));
}

void Print(const nta::TrafficSampler& sampler, const nta::PipelineStats& stats,
           const std::string& source, std::size_t count) {
  // On a terminal the view is drawn over the one before; in a pipe each view follows the other.
  if (isatty(STDOUT_FILENO) != 0) std::printf("\033[H\033[J");
  const auto samples = sampler.Samples(nta::Timestamp::min());
  const double bits = samples.empty() ? 0 : 8.0 * static_cast<double>(samples.back().wire_bytes);
  std::printf("%s: %s now, %zu flows active, %llu packets, %llu dropped\n\n", source.c_str(),
              Scaled(bits, "bit/s").c_str(), stats.flow_table.active,
              static_cast<unsigned long long>(stats.ledger.received),
              static_cast<unsigned long long>(stats.ledger.dropped));
  std::printf("%-40s %12s %12s %12s\n", "address (last minute)", "bytes", "sent", "received");
  for (const nta::Talker& talker : sampler.TopTalkers(count)) {
    std::printf("%-40s %12s %12s %12s\n", talker.address.ToString().c_str(),
                Scaled(static_cast<double>(talker.wire_bytes), "B").c_str(),
                Scaled(static_cast<double>(talker.sent_wire_bytes), "B").c_str(),
                Scaled(static_cast<double>(talker.received_wire_bytes), "B").c_str());
  }
  std::fflush(stdout);
}

int Run(const Options& options) {
  auto source = OpenSource(options);
  if (!source.ok()) {
    std::fprintf(stderr, "live_top_talkers: %s\n", std::string(source.status().message()).c_str());
    return 1;
  }
  nta::Pipeline pipeline(**source);
  nta::TrafficSampler sampler;
  const auto refresh =
      std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(options.refresh));
  Clock::time_point next = Clock::now() + refresh;
  const absl::Status status = pipeline.Run([&](const nta::Batch& batch) {
    const nta::PipelineStats stats = pipeline.Stats();
    sampler.Observe(batch, stats);
    if (Clock::now() >= next) {
      next = Clock::now() + refresh;
      Print(sampler, stats, (*source)->name(), options.count);
    }
    return interrupted != 0 ? absl::CancelledError() : absl::OkStatus();
  });
  Print(sampler, pipeline.Stats(), (*source)->name(), options.count);
  if (status.ok() || absl::IsCancelled(status)) return 0;
  std::fprintf(stderr, "live_top_talkers: %s\n", std::string(status.message()).c_str());
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app{"The busiest addresses of the last minute, refreshed as traffic flows."};
  auto* source = app.add_option_group("source");
  source->add_option("--interface", options.interface, "capture from this network interface");
  source->add_option("--replay", options.replay, "replay this capture file at its own speed");
  source->require_option(1);
  app.add_option("--filter", options.filter, "capture filter (pcap-filter syntax) for --interface");
  app.add_option("--speed", options.speed, "how many times faster to replay")
      ->check(CLI::Range(0.001, 1e6))
      ->capture_default_str();
  app.add_option("--refresh", options.refresh, "seconds between two views")
      ->check(CLI::Range(0.1, 3600.0))
      ->capture_default_str();
  app.add_option("--count", options.count, "addresses to show")->capture_default_str();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  std::signal(SIGINT, [](int) { interrupted = 1; });
  std::signal(SIGTERM, [](int) { interrupted = 1; });
  return Run(options);
}
