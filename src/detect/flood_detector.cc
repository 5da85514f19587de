#include "nta/detect/flood_detector.h"

#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "base/status.h"
#include "detect/flood_engine.h"

namespace nta {

class FloodDetector::Impl {
 public:
  explicit Impl(FloodOptions options)
      : options_(std::move(options)),
        engine_(options_, options_.hash_seed ? *options_.hash_seed : base::RandomSeed()) {}

  detect::FloodEngine& engine() { return engine_; }
  absl::Status Load(std::string_view state) {
    NTA_ASSIGN_OR_RETURN(engine_, detect::FloodEngine::Load(options_, state));
    return absl::OkStatus();
  }

 private:
  FloodOptions options_;
  detect::FloodEngine engine_;
};

FloodDetector::FloodDetector(FloodOptions options)
    : impl_(std::make_unique<Impl>(std::move(options))) {}
FloodDetector::~FloodDetector() = default;
FloodDetector::FloodDetector(FloodDetector&&) noexcept = default;
FloodDetector& FloodDetector::operator=(FloodDetector&&) noexcept = default;

void FloodDetector::ObservePackets(std::span<const PacketView>,
                                   std::span<const DecodedPacket> decoded,
                                   std::vector<Alert>& alerts) {
  impl_->engine().ObservePackets(decoded, alerts);
}

void FloodDetector::AdvanceTo(Timestamp now, std::vector<Alert>& alerts) {
  impl_->engine().AdvanceTo(now, alerts);
}

void FloodDetector::Finish(std::vector<Alert>& alerts) { impl_->engine().Finish(alerts); }

std::size_t FloodDetector::memory_bytes() const { return impl_->engine().memory_bytes(); }

std::size_t FloodDetector::memory_limit_bytes() const {
  return impl_->engine().memory_limit_bytes();
}

std::uint64_t FloodDetector::evictions() const { return impl_->engine().evictions(); }

std::string FloodDetector::Save() const { return impl_->engine().Save(); }

absl::Status FloodDetector::Load(std::string_view state) { return impl_->Load(state); }

}  // namespace nta
