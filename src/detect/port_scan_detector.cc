#include "nta/detect/port_scan_detector.h"

#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "base/status.h"
#include "detect/scan_engine.h"

namespace nta {

class PortScanDetector::Impl {
 public:
  explicit Impl(PortScanOptions options)
      : options_(std::move(options)),
        engine_(options_, options_.hash_seed ? *options_.hash_seed : base::RandomSeed()) {}

  detect::ScanEngine& engine() { return engine_; }
  absl::Status Load(std::string_view state) {
    NTA_ASSIGN_OR_RETURN(engine_, detect::ScanEngine::Load(options_, state));
    return absl::OkStatus();
  }

 private:
  PortScanOptions options_;
  detect::ScanEngine engine_;
};

PortScanDetector::PortScanDetector(PortScanOptions options)
    : impl_(std::make_unique<Impl>(std::move(options))) {}
PortScanDetector::~PortScanDetector() = default;
PortScanDetector::PortScanDetector(PortScanDetector&&) noexcept = default;
PortScanDetector& PortScanDetector::operator=(PortScanDetector&&) noexcept = default;

void PortScanDetector::Observe(const FlowEvent& event, std::vector<Alert>& alerts) {
  impl_->engine().Observe(event, alerts);
}

void PortScanDetector::AdvanceTo(Timestamp now, std::vector<Alert>& alerts) {
  impl_->engine().AdvanceTo(now, alerts);
}

void PortScanDetector::Finish(std::vector<Alert>& alerts) { impl_->engine().Finish(alerts); }

std::size_t PortScanDetector::memory_bytes() const { return impl_->engine().memory_bytes(); }

std::size_t PortScanDetector::memory_limit_bytes() const {
  return impl_->engine().memory_limit_bytes();
}

std::uint64_t PortScanDetector::evictions() const { return impl_->engine().evictions(); }

std::string PortScanDetector::Save() const { return impl_->engine().Save(); }

absl::Status PortScanDetector::Load(std::string_view state) { return impl_->Load(state); }

}  // namespace nta
