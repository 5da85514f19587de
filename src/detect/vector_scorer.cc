#include "nta/detect/vector_scorer.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "base/keyed_hash.h"
#include "base/status.h"
#include "detect/feature_scale.h"
#include "detect/learning_share.h"
#include "detect/number_archive.h"
#include "detect/random_numbers.h"
#include "detect/saturating_time.h"
#include "nta/detect/tail_calibrator.h"

namespace nta {
namespace {

constexpr std::string_view kName = "vector_scorer";
constexpr std::uint16_t kVersion = 2;
constexpr std::size_t kMostDimensions = 1024;
constexpr std::size_t kMostKept = 1 << 20;
// One quarantined vector is looked at for so many that come.
constexpr std::uint64_t kReleaseEvery = 16;
// Of the vectors above the gate, one in so many still calibrates: without them the tail of normal
// traffic would seem thinner than it is.
constexpr std::uint64_t kCalibrateEvery = 10;

struct Kept {
  std::uint64_t source = 0;
  std::uint64_t target = 0;
  Timestamp time{};
  std::vector<float> vector;
};

}  // namespace

class VectorScorer::Impl {
 public:
  Impl(const VectorScorerOptions& options, std::vector<std::unique_ptr<VectorModel>> models)
      : options_(options),
        models_(std::move(models)),
        calibrators_(models_.size()),
        scale_(options.dimensions),
        share_(options.window, options.source_share, options.target_share, options.free_duplicates),
        random_(options.seed),
        scaled_(options.dimensions) {}

  VectorScore Add(std::span<const double> features, std::uint64_t source, Timestamp time,
                  std::uint64_t target);
  VectorScore Score(std::span<const double> features);
  std::vector<VectorScore::Feature> Explain(std::span<const double> features);
  void Reject(std::uint64_t source) {
    std::erase_if(quarantine_, [source](const Kept& kept) { return kept.source == source; });
  }
  void Freeze(bool frozen) { frozen_ = frozen; }
  std::size_t dimensions() const { return options_.dimensions; }
  std::size_t quarantined() const { return quarantine_.size(); }
  std::size_t memory_bytes() const;
  std::string Save() const;
  absl::Status Load(std::string_view state);

 private:
  void KeepForWarmUp(std::span<const double> features);
  void Begin();
  double Judge(std::span<const float> vector);
  double Learn(std::span<const float> vector, std::uint64_t source, std::uint64_t target);
  void Quarantine(std::uint64_t source, std::uint64_t target, Timestamp time);
  void Release(Timestamp time);
  std::uint64_t HashOf(std::span<const float> vector) const;
  void Restart();
  template <typename Archive>
  void Fields(Archive& archive);
  template <typename Archive>
  void QuarantineFields(Archive& archive);

  VectorScorerOptions options_;
  std::vector<std::unique_ptr<VectorModel>> models_;
  std::vector<TailCalibrator> calibrators_;
  detect::FeatureScale scale_;
  detect::LearningShare share_;
  detect::RandomNumbers random_;
  bool is_warm_ = false;
  bool frozen_ = false;
  std::vector<float> warm_up_;  // vectors one after another, until is_warm_
  std::vector<Kept> quarantine_;
  std::uint64_t seen_ = 0;
  std::uint64_t gated_ = 0;
  double calibrating_ = 0;          // weight of what came since the calibrators learnt
  std::vector<float> scaled_;       // of the vector in hand
  std::vector<double> raw_scores_;  // of it, model by model
};

void VectorScorer::Impl::KeepForWarmUp(std::span<const double> features) {
  for (const double value : features) {
    warm_up_.push_back(std::isfinite(value) ? static_cast<float>(std::clamp(value, -1e30, 1e30))
                                            : 0);
  }
  if (warm_up_.size() >= options_.warm_up * options_.dimensions) Begin();
}

void VectorScorer::Impl::Begin() {
  scale_.Fit(warm_up_);
  const std::size_t count = warm_up_.size() / options_.dimensions;
  std::vector<double> features(options_.dimensions);
  for (std::size_t i = 0; i < count; ++i) {
    const auto vector = std::span(warm_up_).subspan(i * options_.dimensions, options_.dimensions);
    std::ranges::copy(vector, features.begin());
    scale_.Apply(features, vector);
  }
  for (auto& model : models_) model->Begin(warm_up_, options_.dimensions);
  for (std::size_t i = 0; i < count; ++i) {
    const auto vector = std::span(warm_up_).subspan(i * options_.dimensions, options_.dimensions);
    for (std::size_t m = 0; m < models_.size(); ++m) {
      calibrators_[m].Add(models_[m]->Score(vector));
    }
  }
  std::vector<float>().swap(warm_up_);  // gives the memory back
  is_warm_ = true;
}

double VectorScorer::Impl::Judge(std::span<const float> vector) {
  raw_scores_.clear();
  std::array<double, 2> top{};
  for (std::size_t m = 0; m < models_.size(); ++m) {
    const double score = models_[m]->Score(vector);
    raw_scores_.push_back(score);
    const double bits = calibrators_[m].Bits(score);
    if (bits > top[0]) {
      top = {bits, top[0]};
    } else {
      top[1] = std::max(top[1], bits);
    }
  }
  return models_.size() == 1 ? top[0] : (top[0] + top[1]) / 2;
}

std::uint64_t VectorScorer::Impl::HashOf(std::span<const float> vector) const {
  std::array<std::int8_t, kMostDimensions> cells;
  for (std::size_t d = 0; d < vector.size(); ++d) {
    cells[d] = static_cast<std::int8_t>(std::lround(vector[d] * 4));
  }
  return base::KeyedHash(options_.seed).Bytes(cells.data(), vector.size());
}

// Returns what the vector counted.
double VectorScorer::Impl::Learn(std::span<const float> vector, std::uint64_t source,
                                 std::uint64_t target) {
  const double weight = share_.Next(source, target, HashOf(vector));
  for (auto& model : models_) model->Learn(vector, weight);
  return weight;
}

// A reservoir: each of those that came has the same chance to be in it.
void VectorScorer::Impl::Quarantine(std::uint64_t source, std::uint64_t target, Timestamp time) {
  ++gated_;
  if (options_.max_quarantined == 0) return;
  if (quarantine_.size() < options_.max_quarantined) {
    quarantine_.push_back({source, target, time, scaled_});
    return;
  }
  const std::size_t at = random_.Below(2 * options_.max_quarantined);
  if (at < quarantine_.size()) quarantine_[at] = {source, target, time, scaled_};
}

void VectorScorer::Impl::Release(Timestamp time) {
  if (quarantine_.empty() || seen_ % kReleaseEvery != 0) return;
  const std::size_t at = (seen_ / kReleaseEvery) % quarantine_.size();
  if (detect::After(quarantine_[at].time, options_.quarantine_time) > time) return;
  const Kept kept = std::move(quarantine_[at]);
  quarantine_[at] = std::move(quarantine_.back());
  quarantine_.pop_back();
  Learn(kept.vector, kept.source, kept.target);
}

VectorScore VectorScorer::Impl::Score(std::span<const double> features) {
  if (!is_warm_) return {};
  scale_.Apply(features, scaled_);
  return {Judge(scaled_), true, false};
}

VectorScore VectorScorer::Impl::Add(std::span<const double> features, std::uint64_t source,
                                    Timestamp time, std::uint64_t target) {
  if (!is_warm_) {
    if (!frozen_) KeepForWarmUp(features);
    return {0, false, true};
  }
  VectorScore result = Score(features);
  if (frozen_) return result;
  ++seen_;
  result.is_learnt = result.bits < options_.gate_bits;
  if (result.is_learnt) {
    // What many of the same kind score is no more usual than they are themselves.
    calibrating_ += Learn(scaled_, source, target);
  } else {
    Quarantine(source, target, time);
    // Nor may the same thing over and over make large scores usual.
    const bool is_new = share_.Next(source, target, HashOf(scaled_)) >= 1;
    if (is_new && gated_ % kCalibrateEvery == 0) calibrating_ += 1;
  }
  if (calibrating_ >= 1) {
    calibrating_ -= 1;
    for (std::size_t m = 0; m < models_.size(); ++m) calibrators_[m].Add(raw_scores_[m]);
  }
  Release(time);
  return result;
}

std::vector<VectorScore::Feature> VectorScorer::Impl::Explain(std::span<const double> features) {
  if (!is_warm_) return {};
  scale_.Apply(features, scaled_);
  std::vector<double> blame(options_.dimensions);
  std::vector<double> of_model(options_.dimensions);
  for (auto& model : models_) {
    std::ranges::fill(of_model, 0);
    model->Explain(scaled_, of_model);
    double sum = 0;
    for (const double value : of_model) sum += std::isfinite(value) ? std::max(value, 0.0) : 0;
    if (sum <= 0) continue;
    for (std::size_t d = 0; d < blame.size(); ++d) blame[d] += std::max(of_model[d], 0.0) / sum;
  }
  double all = 0;
  for (const double value : blame) all += value;
  std::vector<VectorScore::Feature> top;
  for (std::size_t d = 0; d < blame.size(); ++d) {
    if (blame[d] > 0) top.push_back({d, blame[d] / all});
  }
  std::ranges::stable_sort(top, std::ranges::greater{}, &VectorScore::Feature::share);
  if (top.size() > VectorScore::kTop) top.resize(VectorScore::kTop);
  return top;
}

std::size_t VectorScorer::Impl::memory_bytes() const {
  std::size_t bytes = sizeof(*this) + warm_up_.capacity() * sizeof(float) +
                      calibrators_.capacity() * sizeof(TailCalibrator) + share_.memory_bytes() +
                      options_.dimensions * (2 * sizeof(double) + sizeof(float));
  bytes += quarantine_.size() * (sizeof(Kept) + options_.dimensions * sizeof(float));
  for (const auto& model : models_) bytes += model->memory_bytes();
  return bytes;
}

template <typename Archive>
void VectorScorer::Impl::QuarantineFields(Archive& archive) {
  std::size_t size = quarantine_.size();
  archive.Size(size, kMostKept);
  if constexpr (Archive::kReads) quarantine_.assign(size, {});
  for (Kept& kept : quarantine_) {
    if constexpr (Archive::kReads) kept.vector.assign(options_.dimensions, 0);
    archive(kept.source);
    archive(kept.target);
    archive(kept.time);
    detect::Reals(archive, kept.vector);
  }
}

template <typename Archive>
void VectorScorer::Impl::Fields(Archive& archive) {
  archive(is_warm_);
  archive(seen_);
  archive(gated_);
  detect::Real(archive, calibrating_);
  archive(random_.state());
  scale_.Fields(archive);
  share_.Fields(archive);
  detect::RealVector(archive, warm_up_, kMostKept * kMostDimensions);
  QuarantineFields(archive);
  for (TailCalibrator& calibrator : calibrators_) {
    const bool is_sound = calibrator.Fields(archive);
    if constexpr (Archive::kReads) {
      if (!is_sound) archive.Fail();
    }
  }
}

std::string VectorScorer::Impl::Save() const {
  detect::StateWriter writer;
  writer(static_cast<std::uint64_t>(options_.dimensions));
  writer.Size(models_.size(), kMostKept);
  for (const auto& model : models_) writer(model->name());
  const_cast<Impl*>(this)->Fields(writer);
  for (const auto& model : models_) writer(is_warm_ ? model->Save() : std::string());
  return detect::SealState(kName, kVersion, std::move(writer).bytes());
}

void VectorScorer::Impl::Restart() {
  is_warm_ = false;
  warm_up_.clear();
  quarantine_.clear();
  seen_ = gated_ = 0;
  calibrating_ = 0;
  scale_ = detect::FeatureScale(options_.dimensions);
  share_ = detect::LearningShare(options_.window, options_.source_share, options_.target_share,
                                 options_.free_duplicates);
  calibrators_.assign(models_.size(), {});
  random_ = detect::RandomNumbers(options_.seed);
}

absl::Status VectorScorer::Impl::Load(std::string_view state) {
  NTA_ASSIGN_OR_RETURN(const auto payload, detect::OpenState(kName, kVersion, state));
  detect::StateReader reader(payload);
  std::uint64_t dimensions = 0;
  std::size_t models = 0;
  reader(dimensions);
  reader.Size(models, kMostKept);
  bool same = dimensions == options_.dimensions && models == models_.size();
  for (std::size_t m = 0; same && m < models; ++m) {
    std::string name;
    reader(name);
    same = name == models_[m]->name();
  }
  if (reader.ok() && !same) {
    return base::InvalidArgument("the state was saved with other dimensions or other models");
  }
  Impl loaded(options_, {});
  loaded.calibrators_.assign(models_.size(), {});
  loaded.Fields(reader);
  std::vector<std::string> parts(models_.size());
  for (std::string& part : parts) reader(part);
  if (!reader.ok() || reader.remaining() != 0 ||
      loaded.warm_up_.size() > options_.warm_up * options_.dimensions ||
      loaded.quarantine_.size() > options_.max_quarantined) {
    return base::MakeStatus(absl::StatusCode::kDataLoss,
                            "the saved vector scorer is damaged: its fields contradict each other");
  }
  for (std::size_t m = 0; loaded.is_warm_ && m < models_.size(); ++m) {
    const absl::Status status = models_[m]->Load(parts[m], options_.dimensions);
    if (status.ok()) continue;
    Restart();
    return status;
  }
  loaded.models_ = std::move(models_);
  *this = std::move(loaded);
  return absl::OkStatus();
}

absl::StatusOr<VectorScorer> VectorScorer::Create(const VectorScorerOptions& options,
                                                  std::vector<std::unique_ptr<VectorModel>> own) {
  if (options.dimensions == 0 || options.dimensions > kMostDimensions) {
    return base::InvalidArgument("a vector scorer needs 1 to 1024 dimensions, not " +
                                 std::to_string(options.dimensions));
  }
  std::vector<std::unique_ptr<VectorModel>> models;
  if (options.loda) models.push_back(MakeLoda({.seed = options.seed}));
  if (options.half_space_trees) models.push_back(MakeHalfSpaceTrees({.seed = options.seed}));
  if (options.autoencoders) models.push_back(MakeAutoencoders({.seed = options.seed}));
  for (auto& model : own) {
    if (model == nullptr) return base::InvalidArgument("a model of the vector scorer is null");
    models.push_back(std::move(model));
  }
  if (models.empty()) return base::InvalidArgument("a vector scorer needs a model");
  VectorScorerOptions bounded = options;
  bounded.warm_up = std::clamp<std::size_t>(options.warm_up, 32, 65536);
  bounded.max_quarantined = std::min<std::size_t>(options.max_quarantined, 65536);
  return VectorScorer(std::make_unique<Impl>(bounded, std::move(models)));
}

VectorScorer::VectorScorer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
VectorScorer::~VectorScorer() = default;
VectorScorer::VectorScorer(VectorScorer&&) noexcept = default;
VectorScorer& VectorScorer::operator=(VectorScorer&&) noexcept = default;

VectorScore VectorScorer::Add(std::span<const double> features, std::uint64_t source,
                              Timestamp time, std::uint64_t target) {
  return impl_->Add(features, source, time, target);
}
VectorScore VectorScorer::Score(std::span<const double> features) { return impl_->Score(features); }
std::vector<VectorScore::Feature> VectorScorer::Explain(std::span<const double> features) {
  return impl_->Explain(features);
}
void VectorScorer::Reject(std::uint64_t source) { impl_->Reject(source); }
void VectorScorer::Freeze(bool frozen) { impl_->Freeze(frozen); }
std::size_t VectorScorer::dimensions() const { return impl_->dimensions(); }
std::size_t VectorScorer::quarantined() const { return impl_->quarantined(); }
std::size_t VectorScorer::memory_bytes() const { return impl_->memory_bytes(); }
std::string VectorScorer::Save() const { return impl_->Save(); }
absl::Status VectorScorer::Load(std::string_view state) { return impl_->Load(state); }

}  // namespace nta
