#include "detect/series_view.h"

#include <algorithm>
#include <cmath>

namespace nta::detect {
namespace {

constexpr std::size_t kStep = static_cast<std::size_t>(SeriesAspect::kStep);
constexpr std::size_t kSeason = static_cast<std::size_t>(SeriesAspect::kSeason);
constexpr std::size_t kSeasonShift = static_cast<std::size_t>(SeriesAspect::kSeasonShift);
constexpr std::size_t kLevel = static_cast<std::size_t>(SeriesAspect::kLevel);
constexpr std::size_t kVolatility = static_cast<std::size_t>(SeriesAspect::kVolatility);
constexpr std::size_t kShape = static_cast<std::size_t>(SeriesAspect::kShape);
constexpr std::size_t kPattern = static_cast<std::size_t>(SeriesAspect::kPattern);

constexpr double kSlowRate = 0.01;
constexpr double kSpreadRate = 0.002;
constexpr double kHourRate = 0.02;
constexpr double kHalfHourRate = 0.05;
constexpr double kVolatilityRate = 0.01;
constexpr double kShiftSeconds = 6 * 3600;
constexpr std::size_t kLevelValues = 48;
constexpr std::size_t kShapeValues = 24;
constexpr std::size_t kPatternValues = 96;
constexpr double kShapeRadius = 0.25;  // of the spread
// Differences below this part of the spread are no news, or rounding errors of a series without
// noise would surprise.
constexpr double kFloor = 0.01;

double Rate(double least, double count) { return std::max(least, 1 / std::max(count, 1.0)); }

}  // namespace

SeriesMoment MomentOf(Timestamp time, double step_seconds) {
  using std::chrono::days;
  using std::chrono::floor;
  const auto day = floor<days>(time);
  const std::size_t weekday = std::chrono::weekday(day).c_encoding();
  const auto seconds = static_cast<std::size_t>(floor<std::chrono::seconds>(time - day).count());
  const bool is_weekend = weekday == 0 || weekday == 6;
  return {seconds / 3600 + (is_weekend ? 24 : 0), weekday * 48 + seconds / 1800, step_seconds};
}

SeriesView::SeriesView(bool logarithmic, SeriesScorerOptions::Detail detail)
    : logarithmic_(logarithmic), ring_(kRing), hours_(kHours) {
  const bool full = detail == SeriesScorerOptions::Detail::kFull;
  if (full) week_.resize(kHalfHours);
  together_.resize(full ? kAspects - 1 : kSigned);
  if (!full) return;
  above_.resize(kSigned);
  below_.resize(kSigned);
}

double SeriesView::Forward(double value) const {
  if (!logarithmic_) return value;
  return value >= 0 ? std::log1p(value) : -std::log1p(-value);
}

double SeriesView::Backward(double value) const {
  if (!logarithmic_) return value;
  return value >= 0 ? std::expm1(std::min(value, 700.0)) : -std::expm1(std::min(-value, 700.0));
}

bool SeriesView::SeasonAt(const SeriesMoment& moment, double& mean) const {
  const Slot& hour = hours_[moment.hour_slot];
  if (hour.count < 3 * std::max(1.0, 3600 / moment.step_seconds)) return false;
  mean = hour.mean;
  if (!is_full()) return true;
  const Slot& half_hour = week_[moment.week_slot];
  if (half_hour.count >= 2 * std::max(1.0, 1800 / moment.step_seconds)) mean = half_hour.mean;
  return true;
}

double SeriesView::Expected(const SeriesMoment& moment) const {
  double mean = slow_;
  SeasonAt(moment, mean);
  return Backward(mean);
}

double SeriesView::BandAt(double bits) const {
  const TailCalibrator& season = together_[kSeason];
  return (season.samples() >= 100 ? season : together_[kLevel]).ScoreAt(bits);
}

void SeriesView::Push(double y) {
  ring_[ring_next_] = static_cast<float>(y);
  ring_next_ = (ring_next_ + 1) % kRing;
}

double SeriesView::MeanOfLast(std::size_t values) const {
  values = std::min<std::size_t>(values, seen_ + 1);
  double sum = 0;
  for (std::size_t i = 1; i <= values; ++i) sum += ring_[(ring_next_ + kRing - i) % kRing];
  return sum / static_cast<double>(values);
}

double SeriesView::VolatilityOfLast(std::size_t values) const {
  const double mean = MeanOfLast(values);
  values = std::min<std::size_t>(values, seen_ + 1);
  double square = 0;
  for (std::size_t i = 1; i <= values; ++i) {
    const double difference = ring_[(ring_next_ + kRing - i) % kRing] - mean;
    square += difference * difference;
  }
  return 0.5 * std::log(square / static_cast<double>(values) + floor_ * floor_ + 1e-18);
}

ShapeMemory::Shape SeriesView::ShapeOfLast(std::size_t values) const {
  ShapeMemory::Shape shape{};
  const std::size_t each = values / ShapeMemory::kMeans;
  std::size_t at = ring_next_ + kRing - values;
  for (float& mean : shape) {
    for (std::size_t i = 0; i < each; ++i) mean += ring_[at++ % kRing];
    mean /= static_cast<float>(each);
  }
  return shape;
}

void SeriesView::CountResidual(std::size_t aspect, double residual) {
  residuals_[aspect] = residual;
  known_[aspect] = true;
}

void SeriesView::Residuals(const SeriesMoment& moment, double y) {
  known_.fill(false);
  CountResidual(kStep, y - previous_);
  double season = slow_;
  const bool has_season = SeasonAt(moment, season);
  if (has_season) CountResidual(kSeason, y - season);
  const double rate = std::min(0.3, moment.step_seconds / kShiftSeconds);
  shift_ += rate * (y - season - shift_);
  if (seen_ > 20) CountResidual(kSeasonShift, shift_);
  CountResidual(kLevel, MeanOfLast(kLevelValues) - slow_);
  if (seen_ == kShapeValues) volatility_ = VolatilityOfLast(kShapeValues);
  if (seen_ >= kShapeValues) {
    CountResidual(kVolatility, VolatilityOfLast(kShapeValues) - volatility_);
  }
  if (!is_full()) return;
  const double radius = kShapeRadius * spread_;
  if (seen_ + 1 >= kShapeValues) {
    const double distance = shapes_.Learn(ShapeOfLast(kShapeValues), radius);
    if (seen_ > 2 * kShapeValues) CountResidual(kShape, distance);
  }
  if (seen_ + 1 >= kPatternValues) {
    const double distance = patterns_.Learn(ShapeOfLast(kPatternValues), radius);
    if (seen_ > 3 * kPatternValues / 2) CountResidual(kPattern, distance);
  }
}

SeriesView::Bits SeriesView::Score(double value, const SeriesMoment& moment) {
  y_ = Forward(value);
  moment_ = moment;
  if (seen_ == 0) slow_ = previous_ = y_;
  floor_ = kFloor * spread_ + 1e-9;
  Push(y_);
  Residuals(moment, y_);
  Bits bits;
  for (std::size_t i = 0; i < together_.size(); ++i) {
    if (!known_[i]) continue;
    // The volatility is a logarithm: its floor is one of its own.
    const double least = i == kVolatility ? kFloor : floor_;
    residuals_[i] = std::copysign(std::max(std::abs(residuals_[i]), least), residuals_[i]);
    const double size = std::abs(residuals_[i]);
    bits.together[i] = together_[i].Bits(size);
    bits.apart[i] = bits.together[i];
    if (i < above_.size()) {
      bits.apart[i] = (residuals_[i] >= 0 ? above_ : below_)[i].Bits(size);
    }
  }
  return bits;
}

void SeriesView::Calibrate() {
  for (std::size_t i = 0; i < together_.size(); ++i) {
    if (!known_[i]) continue;
    const double size = std::abs(residuals_[i]);
    together_[i].Add(size);
    if (i >= above_.size()) continue;
    // To exceed nothing on the other side is a sample of that side, too.
    const double least = i == kVolatility ? kFloor : floor_;
    above_[i].Add(residuals_[i] >= 0 ? size : least);
    below_[i].Add(residuals_[i] < 0 ? size : least);
  }
}

void SeriesView::Learn(const Lesson& lesson) {
  if (lesson.calibrate) Calibrate();
  Advance(lesson.weight);
}

void SeriesView::Advance(double weight) {
  ++seen_;
  const auto count = static_cast<double>(seen_);
  if (known_[kVolatility]) {
    volatility_ += weight * kVolatilityRate * residuals_[kVolatility];
  }
  spread_ += weight * Rate(kSpreadRate, count) * (std::abs(y_ - slow_) - spread_);
  slow_ += weight * Rate(kSlowRate, count) * (y_ - slow_);
  previous_ = y_;
  const auto learn = [this, weight](Slot& slot, double least) {
    slot.count = std::min(slot.count + 1, 1e6f);
    slot.mean += static_cast<float>(weight * Rate(least, slot.count) * (y_ - slot.mean));
  };
  learn(hours_[moment_.hour_slot], kHourRate);
  if (is_full()) learn(week_[moment_.week_slot], kHalfHourRate);
}

std::size_t SeriesView::memory_bytes() const {
  return sizeof(*this) + ring_.capacity() * sizeof(float) +
         (hours_.capacity() + week_.capacity()) * sizeof(Slot) + shapes_.memory_bytes() +
         patterns_.memory_bytes() +
         (together_.capacity() + above_.capacity() + below_.capacity()) * sizeof(TailCalibrator);
}

}  // namespace nta::detect
