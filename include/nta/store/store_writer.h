// StoreWriter: a bounded queue in front of a store, so that capture never waits for the disk.
//
//   nta::StoreWriter writer(*store);
//   std::jthread thread([&](std::stop_token stop) { writer.Run(stop); });
//   writer.Add(batch.flows, batch.alerts);
#ifndef NTA_STORE_STORE_WRITER_H_
#define NTA_STORE_STORE_WRITER_H_

#include <chrono>
#include <cstdint>
#include <span>
#include <stop_token>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "nta/store/store.h"

namespace nta {

struct StoreWriterOptions {
  std::size_t max_queued_flows = 200'000;  // beyond that flows are dropped and counted
  std::size_t max_queued_alerts = 10'000;
  // Flows wait this long for others to share their transaction.
  std::chrono::milliseconds interval{500};
};

struct StoreWriterStats {
  std::uint64_t flows_written = 0;
  std::uint64_t flows_dropped = 0;
  std::uint64_t alerts_written = 0;
  std::uint64_t alerts_dropped = 0;
  std::size_t queue = 0;    // flows waiting
  absl::Status last_error;  // of the last write; OK when it succeeded
};

// Thread-safe. A failed write is tried again with what has come since, until the queue is full.
class StoreWriter {
 public:
  // Borrows `store` until the writer ends.
  explicit StoreWriter(Store& store, StoreWriterOptions options = {});

  // Never blocks on the disk. A flow that no store can keep (see Store::Write) counts as dropped.
  void Add(std::span<const FlowRecord> flows, std::span<const Alert> alerts);
  // Writes until `stop` is requested, then writes what is left. The caller's thread; one at a time.
  // What the last write could not bring into the store stays in the queue, and Stats() tells why.
  void Run(std::stop_token stop);
  StoreWriterStats Stats() const;

 private:
  absl::Status WriteQueue();

  Store& store_;
  const StoreWriterOptions options_;
  mutable absl::Mutex mutex_;
  // Handed to the store and not known to be written yet; they count as queued.
  std::size_t flows_in_flight_ ABSL_GUARDED_BY(mutex_) = 0;
  std::size_t alerts_in_flight_ ABSL_GUARDED_BY(mutex_) = 0;
  std::vector<FlowRecord> flows_ ABSL_GUARDED_BY(mutex_);
  std::vector<Alert> alerts_ ABSL_GUARDED_BY(mutex_);
  StoreWriterStats stats_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace nta

#endif  // NTA_STORE_STORE_WRITER_H_
