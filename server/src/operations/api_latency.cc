#include "operations/api_latency.h"

#include <algorithm>
#include <cmath>

namespace nta::server {
namespace {

constexpr double kPerOctave = 4;

}  // namespace

void LatencyHistogram::Add(Duration time) {
  const double microseconds =
      std::max(1.0, std::chrono::duration<double, std::micro>(time).count());
  const auto index = static_cast<std::size_t>(std::ceil(std::log2(microseconds) * kPerOctave));
  ++classes_[std::min(index, kClasses - 1)];
  ++count_;
}

LatencyHistogram LatencyHistogram::Since(const LatencyHistogram& before) const {
  LatencyHistogram result;
  for (std::size_t i = 0; i < kClasses; ++i) result.classes_[i] = classes_[i] - before.classes_[i];
  result.count_ = count_ - before.count_;
  return result;
}

Duration LatencyHistogram::Quantile(double share) const {
  if (count_ == 0) return Duration(0);
  const auto wanted = static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(count_)));
  std::uint64_t seen = 0;
  std::size_t index = 0;
  while (index + 1 < kClasses && (seen += classes_[index]) < std::max<std::uint64_t>(1, wanted)) {
    ++index;
  }
  const double microseconds = std::exp2(static_cast<double>(index) / kPerOctave);
  return std::chrono::duration_cast<Duration>(
      std::chrono::duration<double, std::micro>(microseconds));
}

void ApiLatency::Record(std::string_view route, int status, Duration time) {
  absl::MutexLock lock(&mutex_);
  all_.Add(time);
  if (status >= 500) ++server_errors_;
  auto found = routes_.find(route);
  if (found == routes_.end()) found = routes_.emplace(route, LatencyHistogram()).first;
  found->second.Add(time);
}

LatencySnapshot ApiLatency::Snapshot() const {
  absl::MutexLock lock(&mutex_);
  LatencySnapshot snapshot{all_, server_errors_, {}};
  for (const auto& [route, times] : routes_) snapshot.routes.push_back({route, times});
  return snapshot;
}

}  // namespace nta::server
