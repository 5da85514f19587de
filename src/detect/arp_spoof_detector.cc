#include "nta/detect/arp_spoof_detector.h"

#include <string>
#include <utility>
#include <vector>

#include "base/status.h"
#include "detect/arp_engine.h"

namespace nta {

class ArpSpoofDetector::Impl {
 public:
  explicit Impl(ArpSpoofOptions options) : options_(std::move(options)), engine_(options_) {}

  detect::ArpEngine& engine() { return engine_; }
  absl::Status Load(std::string_view state) {
    NTA_ASSIGN_OR_RETURN(engine_, detect::ArpEngine::Load(options_, state));
    return absl::OkStatus();
  }

 private:
  ArpSpoofOptions options_;
  detect::ArpEngine engine_;
};

ArpSpoofDetector::ArpSpoofDetector(ArpSpoofOptions options)
    : impl_(std::make_unique<Impl>(std::move(options))) {}
ArpSpoofDetector::~ArpSpoofDetector() = default;
ArpSpoofDetector::ArpSpoofDetector(ArpSpoofDetector&&) noexcept = default;
ArpSpoofDetector& ArpSpoofDetector::operator=(ArpSpoofDetector&&) noexcept = default;

void ArpSpoofDetector::ObservePackets(std::span<const PacketView> packets,
                                      std::span<const DecodedPacket> decoded,
                                      std::vector<Alert>& alerts) {
  impl_->engine().ObservePackets(packets, decoded, alerts);
}

void ArpSpoofDetector::AdvanceTo(Timestamp now, std::vector<Alert>& alerts) {
  impl_->engine().AdvanceTo(now, alerts);
}

void ArpSpoofDetector::Finish(std::vector<Alert>& alerts) { impl_->engine().Finish(alerts); }

std::size_t ArpSpoofDetector::memory_bytes() const { return impl_->engine().memory_bytes(); }

std::size_t ArpSpoofDetector::memory_limit_bytes() const {
  return impl_->engine().memory_limit_bytes();
}

std::uint64_t ArpSpoofDetector::evictions() const { return impl_->engine().evictions(); }

std::string ArpSpoofDetector::Save() const { return impl_->engine().Save(); }

absl::Status ArpSpoofDetector::Load(std::string_view state) { return impl_->Load(state); }

}  // namespace nta
