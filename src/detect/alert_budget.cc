#include "nta/detect/alert_budget.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "detect/saturating_time.h"

namespace nta {
namespace {

constexpr Duration kDay = std::chrono::hours(24);
constexpr Duration kFirstHour = std::chrono::hours(1);

}  // namespace

double ThresholdBits(double tests_per_day, double alerts_per_day) {
  if (!(alerts_per_day > 0)) return 1024;  // beyond every chance that a double holds
  return std::log2(std::max(tests_per_day / alerts_per_day, 1.0));
}

AlertBudget::AlertBudget(AlertBudgetOptions options) : options_(options) {}

double AlertBudget::Test(Timestamp now, std::uint64_t tests) {
  if (!started_) {
    started_ = true;
    day_start_ = now_ = now;
  }
  now_ = std::max(now_, now);
  if (detect::Since(day_start_, now_) >= kDay) {
    day_before_ = tests_per_day();
    day_start_ = now_;
    in_day_ = 0;
  }
  in_day_ += tests;
  return threshold_bits();
}

double AlertBudget::tests_per_day() const {
  const Duration seen = std::max(detect::Since(day_start_, now_), kFirstHour);
  const double rate = static_cast<double>(in_day_) * std::chrono::duration<double>(kDay).count() /
                      std::chrono::duration<double>(seen).count();
  return std::max(rate, day_before_);
}

double AlertBudget::threshold_bits() const {
  return std::max(ThresholdBits(tests_per_day(), options_.alerts_per_day), options_.min_bits);
}

}  // namespace nta
