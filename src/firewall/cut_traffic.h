// CutTraffic: which traffic blocks cut, now and a while ago, for whoever watches the packets.
#ifndef NTA_FIREWALL_CUT_TRAFFIC_H_
#define NTA_FIREWALL_CUT_TRAFFIC_H_

#include <atomic>
#include <cstddef>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "nta/firewall/response.h"

namespace nta::firewall {

// Thread-safe, with a lock of its own: whoever asks for each packet must not wait for the kernel.
class CutTraffic {
 public:
  explicit CutTraffic(std::size_t max_spans) : max_spans_(max_spans) {}

  // Cut from now on. One that is there already takes the new end.
  void Begin(const ActiveBlock& block, Timestamp now);
  // What the backend counted shows that it does cut.
  void Prove(const ActiveBlock& block, Timestamp now);
  void End(const ActiveBlock& block, Timestamp now);
  bool MayBeCut() const { return !is_empty_.load(std::memory_order_relaxed); }
  bool IsCut(const FiveTuple& flow, Timestamp time) const;

 private:
  struct Span {
    BlockScope scope{};
    Timestamp begin{};
    Timestamp end = Timestamp::max();
    bool is_proven = false;  // it was seen to cut
  };

  static bool Cuts(const std::vector<Span>& spans, const BlockScope& scope, Timestamp time);
  Span* FindOpen(const ActiveBlock& block, Timestamp now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void ForgetOld(Timestamp now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::size_t max_spans_;
  std::atomic<bool> is_empty_{true};
  mutable absl::Mutex mutex_;
  absl::flat_hash_map<IpAddress, std::vector<Span>> spans_ ABSL_GUARDED_BY(mutex_);
  std::size_t count_ ABSL_GUARDED_BY(mutex_) = 0;
  Timestamp next_forget_ ABSL_GUARDED_BY(mutex_){};
};

}  // namespace nta::firewall

#endif  // NTA_FIREWALL_CUT_TRAFFIC_H_
