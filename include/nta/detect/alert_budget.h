// AlertBudget: how surprising something has to be so that people get no more alerts than they want.
//
//   nta::AlertBudget budget({.alerts_per_day = 5});
//   if (budget.Test(now) <= bits) Raise(...);
#ifndef NTA_DETECT_ALERT_BUDGET_H_
#define NTA_DETECT_ALERT_BUDGET_H_

#include <cstdint>

#include "nta/net/time.h"

namespace nta {

struct AlertBudgetOptions {
  // Alerts that may come by chance alone, in normal traffic.
  double alerts_per_day = 5;
  // Never less surprising than this, however few tests there are.
  double min_bits = 10;
};

// The bits at which `tests_per_day` independent tests raise `alerts_per_day` by chance:
// log2(tests / alerts), at least 0.
double ThresholdBits(double tests_per_day, double alerts_per_day);

// Learns how often it is asked. Until a day has passed the rate seen so far counts as the whole
// day's, the first hour as an hour, so a start under load is not too strict and a quiet one not too
// lax. 32 bytes; a value to be saved by its owner.
class AlertBudget {
 public:
  explicit AlertBudget(AlertBudgetOptions options = {});

  // Counts tests and returns the bits that each has to reach.
  double Test(Timestamp now, std::uint64_t tests = 1);
  double threshold_bits() const;
  double tests_per_day() const;

  template <typename Archive, typename Self>
  static void Fields(Archive& archive, Self& budget) {
    archive(budget.day_start_);
    archive(budget.in_day_);
    archive(budget.day_before_);
    archive(budget.now_);
    archive(budget.started_);
  }

 private:
  AlertBudgetOptions options_;
  Timestamp day_start_{};
  Timestamp now_{};
  std::uint64_t in_day_ = 0;
  double day_before_ = 0;
  bool started_ = false;
};

}  // namespace nta

#endif  // NTA_DETECT_ALERT_BUDGET_H_
