#include "nta/store/store_writer.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/time/time.h"
#include "base/mutex_lock.h"
#include "store/operations.h"

namespace nta {
namespace {

// Puts what could not be written in front of what has come since.
template <typename T>
void PutBack(std::vector<T>& batch, std::vector<T>& queue) {
  batch.insert(batch.end(), std::make_move_iterator(queue.begin()),
               std::make_move_iterator(queue.end()));
  queue.swap(batch);
}

}  // namespace

StoreWriter::StoreWriter(Store& store, StoreWriterOptions options)
    : store_(store), options_(options) {}

void StoreWriter::Add(std::span<const FlowRecord> flows, std::span<const Alert> alerts) {
  base::MutexLock lock(&mutex_);
  for (const FlowRecord& flow : flows) {
    if (flows_.size() + flows_in_flight_ < options_.max_queued_flows &&
        store::CheckFlow(flow).ok()) {
      flows_.push_back(flow);
    } else {
      ++stats_.flows_dropped;
    }
  }
  for (const Alert& alert : alerts) {
    if (alerts_.size() + alerts_in_flight_ < options_.max_queued_alerts) {
      alerts_.push_back(alert);
    } else {
      ++stats_.alerts_dropped;
    }
  }
}

void StoreWriter::Run(std::stop_token stop) {
  // Conditions are looked at when somebody unlocks.
  const std::stop_callback wake(stop, [this] { const base::MutexLock lock(&mutex_); });
  bool failed = false;
  const auto due = [&] {
    // A queue that fills fast does not wait; after a failure it does, so as not to try without
    // pause.
    return stop.stop_requested() || (!failed && flows_.size() >= options_.max_queued_flows / 2);
  };
  while (!stop.stop_requested()) {
    {
      base::MutexLock lock(&mutex_);
      lock.AwaitWithTimeout(due, absl::FromChrono(options_.interval));
    }
    failed = !WriteQueue().ok();
  }
  // What came while the last batch was written.
  WriteQueue().IgnoreError();
}

absl::Status StoreWriter::WriteQueue() {
  std::vector<FlowRecord> flows;
  std::vector<Alert> alerts;
  {
    base::MutexLock lock(&mutex_);
    flows.swap(flows_);
    alerts.swap(alerts_);
    flows_in_flight_ = flows.size();
    alerts_in_flight_ = alerts.size();
  }
  if (flows.empty() && alerts.empty()) return absl::OkStatus();
  const absl::Status status = store_.Write(flows, alerts);
  base::MutexLock lock(&mutex_);
  flows_in_flight_ = 0;
  alerts_in_flight_ = 0;
  stats_.last_error = status;
  if (status.ok()) {
    stats_.flows_written += flows.size();
    stats_.alerts_written += alerts.size();
  } else if (absl::IsInvalidArgument(status)) {
    // The same values would fail again and keep everything after them out.
    stats_.flows_dropped += flows.size();
    stats_.alerts_dropped += alerts.size();
  } else {
    PutBack(flows, flows_);
    PutBack(alerts, alerts_);
  }
  return status;
}

StoreWriterStats StoreWriter::Stats() const {
  base::MutexLock lock(&mutex_);
  StoreWriterStats stats = stats_;
  stats.queue = flows_.size() + flows_in_flight_;
  return stats;
}

}  // namespace nta
