// MemorySource: the host program's own packets as a PacketSource.
//
//   nta::MemorySource source({.capacity_bytes = 1 << 20});
//   source.Push(view);                        // from any thread
//   source.Close();                           // after the last one: Read then ends with kEnd
#ifndef NTA_CAPTURE_MEMORY_SOURCE_H_
#define NTA_CAPTURE_MEMORY_SOURCE_H_

#include <chrono>
#include <cstddef>
#include <deque>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "nta/capture/packet_source.h"

namespace nta {

struct MemorySourceOptions {
  std::string name = "memory";
  // Memory that waiting packets may take, about 100 bytes each beside what was captured; a packet
  // beyond that is dropped and counted.
  std::size_t capacity_bytes = 64 << 20;
  std::size_t max_batch = 256;
  // How long Read waits for a packet before it answers kTimeout. With 0 it never waits: for a loop
  // that has other things to do, because Pipeline::Run would ask without a pause.
  std::chrono::milliseconds timeout{100};
};

// Push and Close may be called from any thread, Read from one.
class MemorySource final : public PacketSource {
 public:
  explicit MemorySource(MemorySourceOptions options = {});

  // Copies the packet. False when it had to be dropped, or after Close.
  bool Push(const PacketView& packet);
  // No more packets will come.
  void Close();

  absl::StatusOr<ReadResult> Read(PacketBatch& batch) override;
  CaptureStats Stats() const override;
  bool is_live() const override { return false; }
  std::string name() const override { return options_.name; }

 private:
  bool HasInput() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return closed_ || !queue_.empty(); }

  const MemorySourceOptions options_;
  std::vector<Packet> handed_out_;
  mutable absl::Mutex mutex_;
  std::deque<Packet> queue_ ABSL_GUARDED_BY(mutex_);
  std::size_t queued_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  CaptureStats stats_ ABSL_GUARDED_BY(mutex_);
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace nta

#endif  // NTA_CAPTURE_MEMORY_SOURCE_H_
