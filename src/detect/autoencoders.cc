#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "base/status.h"
#include "detect/number_archive.h"
#include "detect/random_numbers.h"
#include "nta/detect/vector_model.h"

namespace nta {
namespace {

constexpr std::size_t kMostDimensions = 4096;

float Sigmoid(float x) { return 1 / (1 + std::exp(-x)); }

// One hidden layer, sigmoid, weights tied between the layers.
class Autoencoder {
 public:
  Autoencoder(std::size_t inputs, std::size_t hidden, detect::RandomNumbers& random)
      : inputs_(inputs),
        hidden_(hidden),
        weights_(inputs * hidden),
        hidden_bias_(hidden),
        input_bias_(inputs),
        code_(hidden),
        output_(inputs),
        delta_(hidden) {
    const double reach = 1 / std::sqrt(static_cast<double>(inputs));
    for (float& weight : weights_) {
      weight = static_cast<float>((2 * random.Uniform() - 1) * reach);
    }
  }

  // Root mean square error of the reconstruction; inputs are within [0, 1].
  float Error(std::span<const float> input) {
    for (std::size_t h = 0; h < hidden_; ++h) {
      float sum = hidden_bias_[h];
      for (std::size_t i = 0; i < inputs_; ++i) sum += weights_[h * inputs_ + i] * input[i];
      code_[h] = Sigmoid(sum);
    }
    std::ranges::copy(input_bias_, output_.begin());
    for (std::size_t h = 0; h < hidden_; ++h) {
      for (std::size_t i = 0; i < inputs_; ++i) output_[i] += weights_[h * inputs_ + i] * code_[h];
    }
    float square = 0;
    for (std::size_t i = 0; i < inputs_; ++i) {
      output_[i] = Sigmoid(output_[i]);
      square += (output_[i] - input[i]) * (output_[i] - input[i]);
    }
    return std::sqrt(square / static_cast<float>(inputs_));
  }

  // One step of gradient descent.
  float Train(std::span<const float> input, float rate) {
    const float error = Error(input);
    for (std::size_t i = 0; i < inputs_; ++i) {  // output_ becomes the gradient of its sum
      output_[i] = (output_[i] - input[i]) * output_[i] * (1 - output_[i]);
    }
    for (std::size_t h = 0; h < hidden_; ++h) {
      float sum = 0;
      for (std::size_t i = 0; i < inputs_; ++i) sum += weights_[h * inputs_ + i] * output_[i];
      delta_[h] = sum * code_[h] * (1 - code_[h]);
    }
    for (std::size_t h = 0; h < hidden_; ++h) {
      for (std::size_t i = 0; i < inputs_; ++i) {
        weights_[h * inputs_ + i] -= rate * (output_[i] * code_[h] + delta_[h] * input[i]);
      }
      hidden_bias_[h] -= rate * delta_[h];
    }
    for (std::size_t i = 0; i < inputs_; ++i) input_bias_[i] -= rate * output_[i];
    return error;
  }

  std::size_t memory_bytes() const {
    return sizeof(*this) + sizeof(float) * (weights_.size() + 3 * hidden_ + 2 * inputs_);
  }
  template <typename Archive>
  void Fields(Archive& archive) {
    detect::Reals(archive, weights_);
    detect::Reals(archive, hidden_bias_);
    detect::Reals(archive, input_bias_);
  }

 private:
  std::size_t inputs_;
  std::size_t hidden_;
  std::vector<float> weights_;
  std::vector<float> hidden_bias_;
  std::vector<float> input_bias_;
  std::vector<float> code_;
  std::vector<float> output_;
  std::vector<float> delta_;
};

class Autoencoders final : public VectorModel {
 public:
  explicit Autoencoders(const AutoencodersOptions& options) : options_(options) {
    options_.largest_group = std::clamp<std::size_t>(options_.largest_group, 2, 64);
    options_.hidden_share = std::clamp(options_.hidden_share, 0.1, 1.0);
    options_.learning_rate = std::clamp(options_.learning_rate, 1e-5, 1.0);
  }

  std::string_view name() const override { return "autoencoders"; }
  void Begin(std::span<const float> vectors, std::size_t dimensions) override;
  double Score(std::span<const float> vector) override;
  void Learn(std::span<const float> vector, double weight) override;
  void Explain(std::span<const float> vector, std::span<double> contributions) override;
  std::size_t memory_bytes() const override;
  std::string Save() const override;
  absl::Status Load(std::string_view state, std::size_t dimensions) override;

 private:
  void Group(std::span<const float> vectors, std::size_t dimensions);
  void Build();
  std::span<const float> Gather(std::size_t group, std::span<const float> vector);
  float Scaled(std::size_t group, float error) const {
    return std::min(1.0f, error / (4 * typical_error_[group] + 1e-6f));
  }
  template <typename Archive>
  void Fields(Archive& archive);

  AutoencodersOptions options_;
  std::vector<std::vector<std::uint32_t>> groups_;
  std::vector<Autoencoder> encoders_;  // one a group, and last the one over the errors
  std::vector<float> typical_error_;
  std::vector<float> input_;
  std::vector<float> errors_;
};

// Greedy: each feature joins the group with the member that it correlates with most, if that has
// room.
void Autoencoders::Group(std::span<const float> vectors, std::size_t dimensions) {
  const std::size_t count = std::min<std::size_t>(vectors.size() / dimensions, 1024);
  std::vector<double> mean(dimensions);
  std::vector<double> deviation(dimensions);
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t d = 0; d < dimensions; ++d) mean[d] += vectors[i * dimensions + d];
  }
  for (double& value : mean) value /= static_cast<double>(std::max<std::size_t>(count, 1));
  const auto covariance = [&](std::size_t a, std::size_t b) {
    double sum = 0;
    for (std::size_t i = 0; i < count; ++i) {
      sum += (vectors[i * dimensions + a] - mean[a]) * (vectors[i * dimensions + b] - mean[b]);
    }
    return sum;
  };
  for (std::size_t d = 0; d < dimensions; ++d) deviation[d] = std::sqrt(covariance(d, d)) + 1e-9;
  groups_.clear();
  for (std::uint32_t d = 0; d < dimensions; ++d) {
    double best = -1;
    std::vector<std::uint32_t>* home = nullptr;
    for (auto& group : groups_) {
      if (group.size() >= options_.largest_group) continue;
      for (const std::uint32_t member : group) {
        const double correlation =
            std::abs(covariance(d, member)) / (deviation[d] * deviation[member]);
        if (correlation <= best) continue;
        best = correlation;
        home = &group;
      }
    }
    const std::size_t wanted = (dimensions + options_.largest_group - 1) / options_.largest_group;
    if (home == nullptr || (best < 0.3 && groups_.size() < 2 * wanted)) {
      groups_.push_back({d});
    } else {
      home->push_back(d);
    }
  }
}

void Autoencoders::Build() {
  detect::RandomNumbers random(options_.seed);
  const auto hidden = [this](std::size_t inputs) {
    return std::max<std::size_t>(
        1, static_cast<std::size_t>(options_.hidden_share * static_cast<double>(inputs)));
  };
  encoders_.clear();
  for (const auto& group : groups_) {
    encoders_.emplace_back(group.size(), hidden(group.size()), random);
  }
  encoders_.emplace_back(groups_.size(), hidden(groups_.size()), random);
  typical_error_.assign(groups_.size(), 0.1f);
  errors_.assign(groups_.size(), 0);
}

std::span<const float> Autoencoders::Gather(std::size_t group, std::span<const float> vector) {
  input_.clear();
  // Into [0, 1], with the usual values in the middle where the sigmoid is steep.
  for (const std::uint32_t feature : groups_[group]) {
    input_.push_back(0.5f + 0.5f * vector[feature] / (1 + std::abs(vector[feature])));
  }
  return input_;
}

void Autoencoders::Begin(std::span<const float> vectors, std::size_t dimensions) {
  Group(vectors, dimensions);
  Build();
  for (int pass = 0; pass < 3; ++pass) {
    for (std::size_t at = 0; at + dimensions <= vectors.size(); at += dimensions) {
      Learn(vectors.subspan(at, dimensions), 1);
    }
  }
}

double Autoencoders::Score(std::span<const float> vector) {
  float worst = 0;
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    const float error = encoders_[g].Error(Gather(g, vector));
    worst = std::max(worst, error / (typical_error_[g] + 1e-3f));
    errors_[g] = Scaled(g, error);
  }
  return encoders_.back().Error(errors_) + 0.01 * worst;
}

void Autoencoders::Learn(std::span<const float> vector, double weight) {
  const auto rate = static_cast<float>(options_.learning_rate * weight);
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    const float error = encoders_[g].Train(Gather(g, vector), rate);
    typical_error_[g] += 0.01f * static_cast<float>(weight) * (error - typical_error_[g]);
    errors_[g] = Scaled(g, error);
  }
  encoders_.back().Train(errors_, rate);
}

void Autoencoders::Explain(std::span<const float> vector, std::span<double> contributions) {
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    const double error = encoders_[g].Error(Gather(g, vector)) / (typical_error_[g] + 1e-3);
    for (const std::uint32_t feature : groups_[g]) {
      if (feature < contributions.size()) contributions[feature] = error;
    }
  }
}

std::size_t Autoencoders::memory_bytes() const {
  std::size_t bytes = sizeof(*this) + (typical_error_.size() + errors_.size()) * sizeof(float);
  for (const Autoencoder& encoder : encoders_) bytes += encoder.memory_bytes();
  for (const auto& group : groups_) bytes += group.capacity() * sizeof(std::uint32_t);
  return bytes;
}

template <typename Archive>
void Autoencoders::Fields(Archive& archive) {
  detect::Reals(archive, typical_error_);
  for (Autoencoder& encoder : encoders_) encoder.Fields(archive);
}

std::string Autoencoders::Save() const {
  detect::StateWriter writer;
  writer.Size(groups_.size(), kMostDimensions);
  for (const auto& group : groups_) {
    writer.Size(group.size(), kMostDimensions);
    for (const std::uint32_t feature : group) writer(feature);
  }
  const_cast<Autoencoders*>(this)->Fields(writer);
  return std::move(writer).bytes();
}

absl::Status Autoencoders::Load(std::string_view state, std::size_t dimensions) {
  detect::StateReader reader({reinterpret_cast<const std::uint8_t*>(state.data()), state.size()});
  std::size_t count = 0;
  reader.Size(count, dimensions);
  groups_.assign(count, {});
  std::size_t features = 0;
  for (auto& group : groups_) {
    std::size_t size = 0;
    reader.Size(size, dimensions);
    group.resize(size);
    features += size;
    for (std::uint32_t& feature : group) {
      reader(feature);
      if (feature >= dimensions) reader.Fail();
    }
    if (size == 0) reader.Fail();
  }
  if (reader.ok() && features == dimensions) {
    Build();
    Fields(reader);
  }
  if (!reader.ok() || reader.remaining() != 0 || features != dimensions) {
    return base::MakeStatus(absl::StatusCode::kDataLoss, "the saved autoencoders are damaged");
  }
  return absl::OkStatus();
}

}  // namespace

std::unique_ptr<VectorModel> MakeAutoencoders(const AutoencodersOptions& options) {
  return std::make_unique<Autoencoders>(options);
}

}  // namespace nta
