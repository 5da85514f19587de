// Measures this machine every second and tells what is beyond its limits.
//
//   watch_health [SECONDS]
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "nta/health/health_watch.h"
#include "nta/health/rates.h"
#include "nta/schedule/scheduler.h"
#include "usage.h"

namespace {

using std::chrono::nanoseconds;

nta::ScheduleTime Now() {
  return std::chrono::time_point_cast<nanoseconds>(std::chrono::system_clock::now());
}

class Watcher {
 public:
  explicit Watcher(nta::HealthWatch watch) : watch_(std::move(watch)) {}

  absl::StatusOr<std::string> Look(const nta::JobContext& context) {
    const nta::HealthSample sample = nta::SampleHealth(context.now);
    const nta::HealthRates rates = nta::RatesBetween(before_.value_or(sample), sample);
    const auto values = nta::HealthValues(sample, rates);
    for (const nta::HealthFinding& finding : watch_.Observe(context.now, values)) {
      std::cout << ToString(finding.level) << ": " << finding.summary << '\n';
    }
    if (rates.cpu && sample.memory) {
      std::cout << "cpu " << rates.cpu->usage << ", " << values.size() << " values" << std::endl;
    }
    before_ = sample;
    return std::string();
  }

 private:
  nta::HealthWatch watch_;
  std::optional<nta::HealthSample> before_;
};

}  // namespace

int main(int argc, char** argv) {
  constexpr char kUsage[] =
      "watch_health [SECONDS]\n"
      "Measures this machine every second, a minute long, and tells what is beyond its limits.";
  if (const auto status = AnswerUsage(argc, argv, 0, 1, kUsage)) return *status;
  const int seconds = argc > 1 ? std::atoi(argv[1]) : 60;
  if (seconds < 1) {
    std::cerr << "usage: " << kUsage << '\n';
    return 2;
  }
  const auto until = Now() + std::chrono::seconds(seconds);
  Watcher watcher(*nta::HealthWatch::Create(nta::DefaultHealthThresholds()));
  nta::Scheduler scheduler({.clock = Now});
  const absl::Status added =
      scheduler.Add({.name = "look", .timing = nta::Every{std::chrono::seconds(1)}},
                    [&watcher](const nta::JobContext& context) { return watcher.Look(context); });
  if (!added.ok()) return EXIT_FAILURE;
  while (Now() < until) {
    std::this_thread::sleep_for(*scheduler.NextDue() - Now());
    scheduler.RunDue();
  }
  return EXIT_SUCCESS;
}
