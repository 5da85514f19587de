#include "nta/detect/dhcp_detector.h"

#include <string>
#include <utility>
#include <vector>

#include "base/status.h"
#include "detect/dhcp_engine.h"

namespace nta {

class DhcpDetector::Impl {
 public:
  explicit Impl(DhcpOptions options) : options_(std::move(options)), engine_(options_) {}

  detect::DhcpEngine& engine() { return engine_; }
  absl::Status Load(std::string_view state) {
    NTA_ASSIGN_OR_RETURN(engine_, detect::DhcpEngine::Load(options_, state));
    return absl::OkStatus();
  }

 private:
  DhcpOptions options_;
  detect::DhcpEngine engine_;
};

DhcpDetector::DhcpDetector(DhcpOptions options)
    : impl_(std::make_unique<Impl>(std::move(options))) {}
DhcpDetector::~DhcpDetector() = default;
DhcpDetector::DhcpDetector(DhcpDetector&&) noexcept = default;
DhcpDetector& DhcpDetector::operator=(DhcpDetector&&) noexcept = default;

void DhcpDetector::ObservePackets(std::span<const PacketView> packets,
                                  std::span<const DecodedPacket> decoded,
                                  std::vector<Alert>& alerts) {
  impl_->engine().ObservePackets(packets, decoded, alerts);
}

void DhcpDetector::AdvanceTo(Timestamp now, std::vector<Alert>& alerts) {
  impl_->engine().AdvanceTo(now, alerts);
}

void DhcpDetector::Finish(std::vector<Alert>& alerts) { impl_->engine().Finish(alerts); }

std::size_t DhcpDetector::memory_bytes() const { return impl_->engine().memory_bytes(); }

std::size_t DhcpDetector::memory_limit_bytes() const {
  return impl_->engine().memory_limit_bytes();
}

std::uint64_t DhcpDetector::evictions() const { return impl_->engine().evictions(); }

std::string DhcpDetector::Save() const { return impl_->engine().Save(); }

absl::Status DhcpDetector::Load(std::string_view state) { return impl_->Load(state); }

}  // namespace nta
