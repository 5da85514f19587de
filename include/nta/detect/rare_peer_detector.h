// RarePeerDetector: hosts that start to talk to hosts they never talked to.
//
//   nta::RarePeerDetector detector({.warm_up = std::chrono::hours(48)});
//   pipeline.AddDetector(detector);
#ifndef NTA_DETECT_RARE_PEER_DETECTOR_H_
#define NTA_DETECT_RARE_PEER_DETECTOR_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "nta/detect/alert_budget.h"
#include "nta/detect/alert_tracker.h"
#include "nta/detect/detector.h"

namespace nta {

struct RarePeerOptions {
  // Nothing is said before so much time has been learnt, nor about a source with fewer contacts.
  Duration warm_up = std::chrono::hours(24);
  std::size_t min_contacts = 50;
  // A source's contacts count half after this time.
  Duration memory = std::chrono::hours(24);
  // Contacts remembered as made before, in each of two generations: 2 bytes each. A generation
  // lasts `generation`, so a contact is new again after one to two of them.
  std::size_t max_contacts = std::size_t{1} << 18;
  Duration generation = std::chrono::hours(14 * 24);
  // Sources that are watched at the most, 120 bytes each; beyond that the one that was silent
  // longest is forgotten.
  std::size_t max_sources = 4096;
  Duration quiet_close = std::chrono::minutes(30);
  AlertBudgetOptions budget{};
  AlertTrackerOptions alerts{};
};

// A contact is a source, a destination and a service that answered. Surprise is the bits of a first
// contact by how often this source makes new ones, and those of its rate by EdgeScorer. Sources
// that always make new contacts (browsers) are never surprising; a file server that suddenly logs
// in somewhere is.
class RarePeerDetector final : public Detector {
 public:
  explicit RarePeerDetector(RarePeerOptions options = {});
  ~RarePeerDetector() override;
  RarePeerDetector(RarePeerDetector&&) noexcept;
  RarePeerDetector& operator=(RarePeerDetector&&) noexcept;

  std::string_view name() const override { return "rare_peer"; }
  void Observe(const FlowEvent& event, std::vector<Alert>& alerts) override;
  void AdvanceTo(Timestamp now, std::vector<Alert>& alerts) override;
  void Finish(std::vector<Alert>& alerts) override;
  std::size_t memory_bytes() const override;
  std::size_t memory_limit_bytes() const override;
  std::uint64_t evictions() const override;
  std::string Save() const override;
  absl::Status Load(std::string_view state) override;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace nta

#endif  // NTA_DETECT_RARE_PEER_DETECTOR_H_
