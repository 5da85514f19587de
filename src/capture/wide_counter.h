// WideCounter: a counter of 32 bits, followed beyond its end.
#ifndef NTA_CAPTURE_WIDE_COUNTER_H_
#define NTA_CAPTURE_WIDE_COUNTER_H_

#include <cstdint>

namespace nta::internal {

// Right as long as it is followed more often than the counter goes round.
class WideCounter {
 public:
  void Follow(std::uint32_t value) {
    total_ += static_cast<std::uint32_t>(value - last_);
    last_ = value;
  }
  // The counter begins at 0 again; the total stays.
  void Restart() { last_ = 0; }
  std::uint64_t total() const { return total_; }

 private:
  std::uint32_t last_ = 0;
  std::uint64_t total_ = 0;
};

}  // namespace nta::internal

#endif  // NTA_CAPTURE_WIDE_COUNTER_H_
