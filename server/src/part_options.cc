#include "part_options.h"

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "base/status.h"
#include "clock.h"
#include "nta/app/ndpi_namer.h"
#include "nta/capture/live_capture.h"
#include "nta/capture/multi_source.h"
#include "nta/capture/pcap_file_reader.h"
#include "nta/capture/replay_source.h"

namespace nta::server {
namespace {

// Headers and first messages are all that is read of a packet; whole segments of 64 KiB, as lo has
// them, fill a ring of 8 MiB at once.
constexpr std::uint32_t kSnapLength = 2048;
constexpr double kUserBurst = 120;
constexpr double kAddressBurst = 60;
constexpr double kAddressRate = 20;

Duration Seconds(double seconds) {
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
}

using Opener = std::function<absl::StatusOr<std::unique_ptr<PacketSource>>()>;

// One of several that goes away does not end the others; one alone fails, so that its state tells.
Opener InterfaceOpener(const ServerOptions& options) {
  return [names = options.interfaces,
          filter = options.filter]() -> absl::StatusOr<std::unique_ptr<PacketSource>> {
    const OutagePolicy outage = names.size() > 1 ? OutagePolicy::kReopen : OutagePolicy::kFail;
    std::vector<std::unique_ptr<PacketSource>> captures;
    for (const std::string& name : names) {
      NTA_ASSIGN_OR_RETURN(auto capture, LiveCapture::Open(name, {.snap_length = kSnapLength,
                                                                  .filter = filter,
                                                                  .outage = outage}));
      captures.push_back(std::move(capture));
    }
    if (captures.size() == 1) return std::move(captures.front());
    return MultiSource::Create(std::move(captures));
  };
}

Opener FileOpener(const std::string& path) {
  return [path]() -> absl::StatusOr<std::unique_ptr<PacketSource>> {
    return PcapFileReader::Open(path);
  };
}

Opener ReplayOpener(const std::string& path) {
  return [path]() -> absl::StatusOr<std::unique_ptr<PacketSource>> {
    return ReplaySource::Open(FileOpener(path),
                              {.now = SystemClock().wall,
                               .sleep = [](Duration time) { std::this_thread::sleep_for(time); },
                               .repeat = ReplayRepeat::kForever});
  };
}

std::string BaseName(const std::string& path) { return path.substr(path.rfind('/') + 1); }

}  // namespace

std::string InterfaceNames(const std::vector<std::string>& interfaces) {
  std::string names;
  for (const std::string& name : interfaces) names += (names.empty() ? "" : ", ") + name;
  return names;
}

std::string AlertPrefix() {
  const auto started = std::chrono::floor<std::chrono::seconds>(SystemClock().wall());
  return std::to_string(started.time_since_epoch().count()) + "-";
}

CaptureLoopOptions MakeCaptureOptions(const ServerOptions& options) {
  CaptureLoopOptions capture;
  if (!options.interfaces.empty()) {
    capture.kind = CaptureKind::kInterface;
    capture.source = InterfaceNames(options.interfaces);
    capture.open = InterfaceOpener(options);
  } else if (!options.replay.empty()) {
    capture.kind = CaptureKind::kReplay;
    capture.source = BaseName(options.replay);
    capture.open = ReplayOpener(options.replay);
  } else if (!options.file.empty()) {
    capture.source = BaseName(options.file);
    capture.open = FileOpener(options.file);
  }
  FlowTableOptions& flows = capture.pipeline.flow_table;
  flows.idle_timeout = Seconds(options.idle_timeout_seconds);
  flows.active_timeout = Seconds(options.active_timeout_seconds);
  flows.max_flows = options.max_flows;
  flows.events = FlowEventSelection::kAll;
  if (options.statistics) flows.statistics = FlowStatisticsOptions{};
  if (options.applications) capture.pipeline.applications = ApplicationInspectorOptions{};
  if (options.ndpi && options.applications) {
    capture.pipeline.applications->make_namer = [] { return CreateNdpiNamer(); };
  }
  capture.pipeline.clock = SystemClock().wall;
  capture.alert_prefix = AlertPrefix();
  return capture;
}

AppLimits MakeLimits(const ServerOptions& options) {
  AppLimits limits;
  // Bursts grow with the rate.
  const double factor = options.requests_per_second / kAddressRate;
  limits.per_address.per_second = options.requests_per_second;
  limits.per_address.burst = kAddressBurst * factor;
  limits.per_user.per_second = options.requests_per_second;
  limits.per_user.burst = kUserBurst * factor;
  limits.sign_in.per_address_per_minute = options.sign_ins_per_minute;
  limits.sign_in.per_account_per_minute = 2 * options.sign_ins_per_minute;
  return limits;
}

absl::StatusOr<LogsOptions> MakeLogOptions(const ServerOptions& options) {
  LogsOptions logs{.directory = options.log_dir,
                   .rotation = {.max_bytes = options.log_max_bytes,
                                .max_age = std::chrono::seconds(options.log_max_age_seconds),
                                .keep = options.log_keep},
                   .syslog = options.syslog,
                   .clock = SystemClock()};
  NTA_ASSIGN_OR_RETURN(logs.level, ParseLogLevel(options.log_level));
  NTA_ASSIGN_OR_RETURN(logs.format, ParseLogFormat(options.log_format));
  NTA_ASSIGN_OR_RETURN(logs.rotation.compression, ParseLogCompression(options.log_compression));
  return logs;
}

}  // namespace nta::server
