#include "nta/detect/baseline_detector.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "detect/baseline_engine.h"
#include "detect/load_anew.h"
#include "detect/number_archive.h"

namespace nta {

class BaselineDetector::Impl final : public detect::BaselineEngine {
 public:
  using detect::BaselineEngine::BaselineEngine;
};

BaselineDetector::BaselineDetector(BaselineOptions options)
    : impl_(std::make_unique<Impl>(options)) {}
BaselineDetector::~BaselineDetector() = default;
BaselineDetector::BaselineDetector(BaselineDetector&&) noexcept = default;
BaselineDetector& BaselineDetector::operator=(BaselineDetector&&) noexcept = default;

void BaselineDetector::Observe(const FlowEvent& event, std::vector<Alert>& alerts) {
  impl_->Observe(event, alerts);
}
void BaselineDetector::ObservePackets(std::span<const PacketView>,
                                      std::span<const DecodedPacket> decoded,
                                      std::vector<Alert>& alerts) {
  impl_->ObservePackets(decoded, alerts);
}
void BaselineDetector::AdvanceTo(Timestamp now, std::vector<Alert>& alerts) {
  impl_->AdvanceTo(now, alerts);
}
void BaselineDetector::Finish(std::vector<Alert>& alerts) { impl_->Finish(alerts); }
std::size_t BaselineDetector::memory_bytes() const { return impl_->memory_bytes(); }
std::size_t BaselineDetector::memory_limit_bytes() const { return impl_->memory_limit_bytes(); }
std::uint64_t BaselineDetector::evictions() const { return impl_->evictions(); }
std::string BaselineDetector::Save() const { return impl_->Save(); }
absl::Status BaselineDetector::Load(std::string_view state) {
  return detect::LoadAnew(impl_, state);
}

}  // namespace nta
