#include "nta/detect/brute_force_detector.h"

#include <string>
#include <utility>
#include <vector>

#include "base/status.h"
#include "detect/guess_engine.h"

namespace nta {

class BruteForceDetector::Impl {
 public:
  explicit Impl(BruteForceOptions options) : options_(std::move(options)), engine_(options_) {}

  detect::GuessEngine& engine() { return engine_; }
  absl::Status Load(std::string_view state) {
    NTA_ASSIGN_OR_RETURN(engine_, detect::GuessEngine::Load(options_, state));
    return absl::OkStatus();
  }

 private:
  BruteForceOptions options_;
  detect::GuessEngine engine_;
};

BruteForceDetector::BruteForceDetector(BruteForceOptions options)
    : impl_(std::make_unique<Impl>(std::move(options))) {}
BruteForceDetector::~BruteForceDetector() = default;
BruteForceDetector::BruteForceDetector(BruteForceDetector&&) noexcept = default;
BruteForceDetector& BruteForceDetector::operator=(BruteForceDetector&&) noexcept = default;

void BruteForceDetector::Observe(const FlowEvent& event, std::vector<Alert>& alerts) {
  impl_->engine().Observe(event, alerts);
}

void BruteForceDetector::ObserveEvent(const SecurityEvent& event, std::vector<Alert>& alerts) {
  impl_->engine().ObserveEvent(event, alerts);
}

void BruteForceDetector::AdvanceTo(Timestamp now, std::vector<Alert>& alerts) {
  impl_->engine().AdvanceTo(now, alerts);
}

void BruteForceDetector::Finish(std::vector<Alert>& alerts) { impl_->engine().Finish(alerts); }

std::size_t BruteForceDetector::memory_bytes() const { return impl_->engine().memory_bytes(); }

std::size_t BruteForceDetector::memory_limit_bytes() const {
  return impl_->engine().memory_limit_bytes();
}

std::uint64_t BruteForceDetector::evictions() const { return impl_->engine().evictions(); }

std::string BruteForceDetector::Save() const { return impl_->engine().Save(); }

absl::Status BruteForceDetector::Load(std::string_view state) { return impl_->Load(state); }

}  // namespace nta
