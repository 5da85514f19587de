// pcap_to_flows FILE...: the flows of capture files as CSV or JSON lines on stdout, the packet
// ledger as JSON on stderr.
#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <optional>
#include <string>
#include <vector>

#include "nta/app/ndpi_namer.h"
#include "nta/capture/multi_source.h"
#include "nta/export/flow_csv.h"
#include "nta/json/json.h"
#include "nta/pipeline/parallel_meter.h"
#include "nta/pipeline/pipeline.h"
#include "progress.h"

namespace {

struct Options {
  std::vector<std::string> files;
  double idle_timeout = 120;
  double active_timeout = 1800;
  std::size_t max_flows = 1'000'000;
  std::string view = "outer";
  std::size_t max_memory = 0;
  std::string output = "csv";
  bool statistics = false;
  std::size_t first_packets = nta::FlowStatisticsOptions{}.first_packets;
  std::size_t entropy_bytes = 0;
  bool no_defragment = false;
  bool applications = false;
  bool no_applications = false;
  bool ndpi = false;
  int workers = 1;
  bool progress = false;
};

nta::Duration Seconds(double seconds) {
  if (!(seconds > 0)) return {};  // not a number, either; the flow table refuses 0
  return std::chrono::duration_cast<nta::Duration>(std::chrono::duration<double>(seconds));
}

nta::PipelineOptions ToPipelineOptions(const Options& options) {
  nta::PipelineOptions result;
  result.flow_table.idle_timeout = Seconds(options.idle_timeout);
  result.flow_table.active_timeout = Seconds(options.active_timeout);
  result.flow_table.max_flows = options.max_flows;
  result.flow_table.max_memory_bytes = options.max_memory;
  if (options.statistics) {
    result.flow_table.statistics = nta::FlowStatisticsOptions{
        .first_packets = options.first_packets, .entropy_bytes = options.entropy_bytes};
  }
  result.decode.view = options.view == "inner" ? nta::DecodeView::kInner : nta::DecodeView::kOuter;
  // What nobody will see need not be found out.
  if (options.applications || (!options.no_applications && options.output != "none")) {
    result.applications.emplace();
  }
  if (options.ndpi && result.applications) {
    result.applications->make_namer = [] { return nta::CreateNdpiNamer(); };
  }
  if (options.no_defragment) result.defragment = nta::Defragment::kOff;
  return result;
}

// {"received":..,"decoded":..,...,"flows":..,"evicted":..,"seconds":..}
void PrintLedger(const nta::PipelineStats& stats, double seconds) {
  std::string ledger = nta::ToJson(stats.ledger);
  ledger.pop_back();
  std::fprintf(stderr, "%s,\"flows\":%llu,\"evicted\":%llu,\"seconds\":%.3f}\n", ledger.c_str(),
               static_cast<unsigned long long>(stats.flow_table.ended),
               static_cast<unsigned long long>(stats.flow_table.evicted), seconds);
}

int Run(const Options& options) {
  const auto start = std::chrono::steady_clock::now();
  auto files = nta::OpenCaptureFiles(options.files);
  if (!files.ok()) {
    std::fprintf(stderr, "pcap_to_flows: %s\n", std::string(files.status().message()).c_str());
    return 1;
  }
  std::optional<ProgressSource> progress;
  if (options.progress) progress.emplace(**files);
  nta::PacketSource& source = progress ? *progress : **files;
  const auto columns =
      options.statistics ? nta::FlowCsvColumns::kStatistics : nta::FlowCsvColumns::kStandard;
  const bool prints = options.output != "none";
  const bool is_json = options.output == "json";
  if (prints && !is_json) std::printf("%s\n", nta::FlowCsvHeader(columns).c_str());
  std::string lines;
  const auto print = [&](std::span<const nta::FlowRecord> flows) {
    if (!prints) return absl::OkStatus();
    lines.clear();
    for (const nta::FlowRecord& flow : flows) {
      if (is_json) {
        lines += nta::ToJson(flow) + '\n';
      } else {
        nta::AppendFlowCsv(flow, lines, columns);
      }
    }
    if (std::fwrite(lines.data(), 1, lines.size(), stdout) == lines.size()) return absl::OkStatus();
    return absl::UnavailableError("cannot write to standard output");
  };
  nta::PipelineStats stats;
  absl::Status status;
  if (options.workers == 1) {
    nta::Pipeline pipeline(source, ToPipelineOptions(options));
    status = pipeline.Run([&](const nta::Batch& batch) { return print(batch.flows); });
    stats = pipeline.Stats();
  } else {
    nta::ParallelMeter meter(source,
                             {.pipeline = ToPipelineOptions(options), .workers = options.workers});
    status = meter.Run(print);
    stats = meter.Stats();
  }
  progress.reset();
  const bool flushed = std::fflush(stdout) == 0;
  if (!status.ok()) {
    std::fprintf(stderr, "pcap_to_flows: %s\n", std::string(status.message()).c_str());
  } else if (!flushed) {
    std::fprintf(stderr, "pcap_to_flows: cannot write to standard output\n");
  }
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  PrintLedger(stats, seconds.count());
  return status.ok() && flushed ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app{"The flows of capture files (pcap or pcapng, also packed by gzip or zstd) as CSV."};
  app.add_option("FILE", options.files,
                 "capture files, merged by time when there are several; - is standard input")
      ->required();
  app.add_option("--idle-timeout", options.idle_timeout,
                 "end a flow after this many seconds of silence")
      ->check(CLI::Range(0.001, 86400.0))
      ->capture_default_str();
  app.add_option("--active-timeout", options.active_timeout,
                 "report a flow at least every so many seconds")
      ->check(CLI::Range(0.001, 86400.0))
      ->capture_default_str();
  app.add_option("--max-flows", options.max_flows, "flows kept at once")
      ->check(CLI::Range(1, 100'000'000))
      ->capture_default_str();
  app.add_option("--view", options.view, "which header of a tunnelled packet counts")
      ->check(CLI::IsMember({"outer", "inner"}))
      ->capture_default_str();
  app.add_option("--max-memory", options.max_memory,
                 "bytes that flows may take; fewer of them are kept at once then; 0: no such limit")
      ->check(CLI::Range(std::size_t{0}, std::size_t{1} << 40))
      ->capture_default_str();
  app.add_flag("--statistics", options.statistics,
               "add how packets were made and timed: lengths, gaps, retransmissions, round trips");
  app.add_option("--first-packets", options.first_packets,
                 "with --statistics: packets of each flow that are listed one by one")
      ->check(CLI::Range(0, 255))
      ->capture_default_str();
  app.add_option("--entropy-bytes", options.entropy_bytes,
                 "with --statistics: payload bytes of each direction that the entropy is taken of")
      ->check(CLI::Range(0, 65'535))
      ->capture_default_str();
  app.add_option("--output,--format", options.output,
                 "csv, json (a line for each flow), or none to count only")
      ->check(CLI::IsMember({"csv", "json", "none"}))
      ->capture_default_str();
  app.add_flag("--no-defragment", options.no_defragment,
               "leave later fragments out instead of counting them with their first one");
  app.add_flag("--applications", options.applications,
               "look into payloads though nothing is printed: what that costs");
  app.add_flag("--no-applications", options.no_applications,
               "do not look into payloads: the column application stays empty");
  app.add_flag("--ndpi", options.ndpi,
               "ask nDPI about flows that have no name (a build with NTA_WITH_NDPI)");
  app.add_option("--workers", options.workers,
                 "threads that count flows; the order of lines is theirs")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  app.add_flag("--progress", options.progress,
               "show on stderr, if that is a terminal, how far reading has come");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  return Run(options);
}
