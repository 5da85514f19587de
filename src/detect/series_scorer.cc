#include "nta/detect/series_scorer.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>
#include <vector>

#include "base/status.h"
#include "detect/series_view.h"
#include "detect/state_archive.h"

namespace nta {
namespace {

using detect::AspectBits;
using detect::SeriesMoment;
using detect::SeriesView;

constexpr std::string_view kName = "series_scorer";
constexpr std::uint16_t kVersion = 1;
// What several aspects say together counts a little more than what the loudest says.
constexpr double kOthersShare = 0.1;
constexpr double kOthersAbove = 6;
constexpr double kRangeMargin = 0.05;
constexpr double kBandBits = 10;  // 99.9 %

struct ViewBits {
  double bits = 0;
  std::size_t aspect = 0;
};

ViewBits Fuse(const AspectBits& aspects) {
  ViewBits fused;
  double others = 0;
  for (std::size_t i = 0; i < aspects.size(); ++i) {
    others += std::max(0.0, aspects[i] - kOthersAbove);
    if (aspects[i] <= fused.bits) continue;
    fused = {aspects[i], i};
  }
  others -= std::max(0.0, fused.bits - kOthersAbove);
  fused.bits += kOthersShare * others;
  return fused;
}

}  // namespace

std::string_view ToString(SeriesAspect aspect) {
  constexpr std::array<std::string_view, 8> kNames = {
      "step", "season", "season_shift", "level", "volatility", "shape", "pattern", "range"};
  return kNames[static_cast<std::size_t>(aspect)];
}

class SeriesScorer::Impl {
 public:
  explicit Impl(SeriesScorerOptions options) : options_(options) {
    options_.warm_up = std::max<std::uint32_t>(options_.warm_up, 10);
    options_.refractory = std::max(options_.refractory, Duration(1));
    if (is_full()) views_.emplace_back(false, options_.detail);
    views_.emplace_back(true, options_.detail);
  }

  SeriesScore Add(Timestamp time, double value);
  double Expected(Timestamp time) const {
    return views_.back().Expected(detect::MomentOf(time, step_seconds_));
  }
  std::uint64_t values() const { return values_; }
  std::size_t memory_bytes() const;
  std::string Save() const;
  absl::Status Load(std::string_view state);

 private:
  bool is_full() const { return options_.detail == SeriesScorerOptions::Detail::kFull; }
  void Step(Timestamp time);
  bool IsOutOfRange(double value) const;
  void Judge(double value, const SeriesMoment& moment, SeriesScore& result);
  void HoldDown(Timestamp time, SeriesScore& result);
  SeriesView::Lesson LessonOf(Timestamp time, double bits);
  void Band(const SeriesMoment& moment, SeriesScore& result) const;
  template <typename Archive>
  void Fields(Archive& archive);

  SeriesScorerOptions options_;
  std::vector<SeriesView> views_;
  std::uint64_t values_ = 0;
  Timestamp time_{};
  double step_seconds_ = 300;
  double minimum_ = 0;
  double maximum_ = 0;
  bool has_surprised_ = false;
  Timestamp surprised_{};  // the last one that was let through
  double surprise_ = 0;
  // Gate: since when values have surprised without a pause.
  bool is_gated_ = false;
  Timestamp gated_since_{};
  std::uint32_t gated_values_ = 0;
};

void SeriesScorer::Impl::Step(Timestamp time) {
  if (values_ > 0 && time > time_) {
    step_seconds_ = std::clamp(std::chrono::duration<double>(time - time_).count(), 1e-3, 1e7);
  }
  if (values_ == 0 || time > time_) time_ = time;
}

bool SeriesScorer::Impl::IsOutOfRange(double value) const {
  if (values_ < options_.warm_up) return false;
  const double margin = kRangeMargin * (maximum_ - minimum_);
  return value > maximum_ + margin || value < minimum_ - margin;
}

void SeriesScorer::Impl::Judge(double value, const SeriesMoment& moment, SeriesScore& result) {
  double sum = 0;
  double most = -1;
  double count = 0;
  for (SeriesView& view : views_) {
    const SeriesView::Bits bits = view.Score(value, moment);
    std::array<ViewBits, 2> fused = {Fuse(bits.together), Fuse(bits.apart)};
    const std::size_t used = is_full() ? 2 : 1;
    for (std::size_t i = 0; i < used; ++i) {
      sum += fused[i].bits;
      ++count;
      if (fused[i].bits <= most) continue;
      most = fused[i].bits;
      result.aspect = static_cast<SeriesAspect>(fused[i].aspect);
    }
  }
  result.bits = sum / count;
  if (!IsOutOfRange(value)) return;
  if (result.bits < options_.range_bits) result.aspect = SeriesAspect::kRange;
  result.bits += options_.range_bits;
}

// A linear recovery rather than a dead time: what is as large as before still shows, a little
// lower.
void SeriesScorer::Impl::HoldDown(Timestamp time, SeriesScore& result) {
  double recovered = 1;
  if (has_surprised_) {
    recovered = std::min(1.0, std::chrono::duration<double>(time - surprised_) /
                                  std::chrono::duration<double>(options_.refractory));
  }
  if (recovered < 1 && result.bits > surprise_ + options_.refractory_bits) recovered = 1;
  result.score = result.bits * recovered;
  if (!result.is_warm || result.score <= options_.surprise_bits) return;
  has_surprised_ = true;
  surprised_ = time;
  surprise_ = result.bits;
}

SeriesView::Lesson SeriesScorer::Impl::LessonOf(Timestamp time, double bits) {
  if (options_.gate_bits <= 0 || values_ < options_.warm_up) return {};
  if (bits < options_.gate_bits) {
    is_gated_ = false;
    return {};
  }
  if (!is_gated_) {
    is_gated_ = true;
    gated_since_ = time;
    gated_values_ = 0;
  }
  if (time - gated_since_ >= options_.regime_change) return {};
  return {0.1, ++gated_values_ % 10 == 0};
}

void SeriesScorer::Impl::Band(const SeriesMoment& moment, SeriesScore& result) const {
  const SeriesView& view = views_.back();
  result.expected = view.Expected(moment);
  const double middle = view.Forward(result.expected);
  const double half = view.BandAt(kBandBits);
  result.band_low = view.Backward(middle - half);
  result.band_high = view.Backward(middle + half);
  if (minimum_ >= 0) result.band_low = std::max(result.band_low, 0.0);
}

SeriesScore SeriesScorer::Impl::Add(Timestamp time, double value) {
  SeriesScore result;
  if (!std::isfinite(value)) return result;
  Step(time);
  const SeriesMoment moment = detect::MomentOf(time_, step_seconds_);
  if (values_ == 0) minimum_ = maximum_ = value;
  result.is_warm = values_ >= options_.warm_up;
  Judge(value, moment, result);
  Band(moment, result);
  HoldDown(time_, result);
  const SeriesView::Lesson lesson = LessonOf(time_, result.bits);
  for (SeriesView& view : views_) view.Learn(lesson);
  minimum_ = std::min(minimum_, value);
  maximum_ = std::max(maximum_, value);
  ++values_;
  return result;
}

std::size_t SeriesScorer::Impl::memory_bytes() const {
  std::size_t bytes = sizeof(*this);
  for (const SeriesView& view : views_) bytes += view.memory_bytes();
  return bytes;
}

template <typename Archive>
void SeriesScorer::Impl::Fields(Archive& archive) {
  archive(values_);
  archive(time_);
  for (double* number : {&step_seconds_, &minimum_, &maximum_, &surprise_}) {
    detect::Real(archive, *number);
  }
  archive(has_surprised_);
  archive(surprised_);
  archive(is_gated_);
  archive(gated_since_);
  archive(gated_values_);
  for (SeriesView& view : views_) view.Fields(archive);
}

std::string SeriesScorer::Impl::Save() const {
  detect::StateWriter writer;
  writer(is_full());
  // Writing changes nothing; one Fields() serves both ways.
  const_cast<Impl*>(this)->Fields(writer);
  return detect::SealState(kName, kVersion, std::move(writer).bytes());
}

absl::Status SeriesScorer::Impl::Load(std::string_view state) {
  NTA_ASSIGN_OR_RETURN(const auto payload, detect::OpenState(kName, kVersion, state));
  detect::StateReader reader(payload);
  bool full = false;
  reader(full);
  if (reader.ok() && full != is_full()) {
    return base::InvalidArgument("the series scorer was saved with another detail");
  }
  Impl loaded(options_);
  loaded.Fields(reader);
  if (!reader.ok() || reader.remaining() != 0 || !(loaded.step_seconds_ > 0)) {
    return base::MakeStatus(absl::StatusCode::kDataLoss,
                            "the saved series scorer is damaged: its fields contradict each other");
  }
  *this = std::move(loaded);
  return absl::OkStatus();
}

SeriesScorer::SeriesScorer(SeriesScorerOptions options) : impl_(std::make_unique<Impl>(options)) {}
SeriesScorer::~SeriesScorer() = default;
SeriesScorer::SeriesScorer(SeriesScorer&&) noexcept = default;
SeriesScorer& SeriesScorer::operator=(SeriesScorer&&) noexcept = default;

SeriesScore SeriesScorer::Add(Timestamp time, double value) { return impl_->Add(time, value); }
double SeriesScorer::Expected(Timestamp time) const { return impl_->Expected(time); }
std::uint64_t SeriesScorer::values() const { return impl_->values(); }
std::size_t SeriesScorer::memory_bytes() const { return impl_->memory_bytes(); }
std::string SeriesScorer::Save() const { return impl_->Save(); }
absl::Status SeriesScorer::Load(std::string_view state) { return impl_->Load(state); }

}  // namespace nta
