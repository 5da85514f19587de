#include <algorithm>
#include <cmath>
#include <vector>

#include "base/status.h"
#include "detect/number_archive.h"
#include "detect/random_numbers.h"
#include "nta/detect/vector_model.h"

namespace nta {
namespace {

// Scaled features live in [-8, 8].
constexpr double kReach = 8;

class HalfSpaceTrees final : public VectorModel {
 public:
  explicit HalfSpaceTrees(const HalfSpaceTreesOptions& options) : options_(options) {
    options_.trees = std::clamp<std::size_t>(options_.trees, 1, 200);
    options_.depth = std::clamp<std::size_t>(options_.depth, 2, 14);
    options_.window = std::max(options_.window, 64.0);
  }

  std::string_view name() const override { return "half_space_trees"; }
  void Begin(std::span<const float> vectors, std::size_t dimensions) override;
  double Score(std::span<const float> vector) override;
  void Learn(std::span<const float> vector, double weight) override;
  std::size_t memory_bytes() const override {
    return sizeof(*this) + nodes_.capacity() * sizeof(Node);
  }
  std::string Save() const override;
  absl::Status Load(std::string_view state, std::size_t dimensions) override;

 private:
  struct Node {
    float split = 0;
    std::uint16_t feature = 0;
    std::uint16_t unused = 0;
    float reference = 0;  // mass in the last full window
    float latest = 0;     // and in the one that fills
  };

  std::size_t nodes_per_tree() const { return (std::size_t{2} << options_.depth) - 1; }
  void Draw(std::size_t dimensions);
  void Split(detect::RandomNumbers& random, std::size_t tree, std::size_t node,
             std::vector<std::pair<float, float>>& box);
  void Turn();
  template <typename Archive>
  void Fields(Archive& archive);

  HalfSpaceTreesOptions options_;
  std::vector<Node> nodes_;  // trees one after another, children of i at 2i+1 and 2i+2
  double filled_ = 0;
  bool has_reference_ = false;
};

void HalfSpaceTrees::Split(detect::RandomNumbers& random, std::size_t tree, std::size_t node,
                           std::vector<std::pair<float, float>>& box) {
  if (2 * node + 2 >= nodes_per_tree()) return;
  Node& here = nodes_[tree * nodes_per_tree() + node];
  here.feature = static_cast<std::uint16_t>(random.Below(box.size()));
  auto& [low, high] = box[here.feature];
  here.split = (low + high) / 2;
  const float old_low = low;
  const float old_high = high;
  high = here.split;
  Split(random, tree, 2 * node + 1, box);
  box[here.feature] = {here.split, old_high};
  Split(random, tree, 2 * node + 2, box);
  box[here.feature] = {old_low, old_high};
}

// The range of each feature in a tree is drawn around a random point of where values live, so that
// the trees cut it differently.
void HalfSpaceTrees::Draw(std::size_t dimensions) {
  detect::RandomNumbers random(options_.seed);
  nodes_.assign(options_.trees * nodes_per_tree(), {});
  for (std::size_t tree = 0; tree < options_.trees; ++tree) {
    std::vector<std::pair<float, float>> box(dimensions);
    for (auto& [low, high] : box) {
      const double centre = 4 * random.Uniform() - 2;
      const double half = std::min(kReach, 2 * std::max(2 + centre, 2 - centre));
      low = static_cast<float>(centre - half);
      high = static_cast<float>(centre + half);
    }
    Split(random, tree, 0, box);
  }
}

void HalfSpaceTrees::Begin(std::span<const float> vectors, std::size_t dimensions) {
  Draw(dimensions);
  for (std::size_t at = 0; at + dimensions <= vectors.size(); at += dimensions) {
    Learn(vectors.subspan(at, dimensions), 1);
  }
  if (!has_reference_) Turn();
}

void HalfSpaceTrees::Turn() {
  const auto scale = static_cast<float>(filled_ > 0 ? options_.window / filled_ : 0);
  for (Node& node : nodes_) {
    node.reference = node.latest * scale;
    node.latest = 0;
  }
  filled_ = 0;
  has_reference_ = true;
}

// How empty the place is: log2 of the mass that an even spread would put there at most over what is
// there, as deep as there still is mass.
double HalfSpaceTrees::Score(std::span<const float> vector) {
  double bits = 0;
  for (std::size_t tree = 0; tree < options_.trees; ++tree) {
    const Node* nodes = &nodes_[tree * nodes_per_tree()];
    std::size_t at = 0;
    double depth = 0;
    while (2 * at + 2 < nodes_per_tree()) {
      const std::size_t child = 2 * at + (vector[nodes[at].feature] < nodes[at].split ? 1 : 2);
      if (nodes[child].reference < 1) break;
      at = child;
      ++depth;
    }
    const double mass = nodes[at].reference;
    bits += std::max(0.0, std::log2((options_.window + 1) / (mass + 1)) +
                              static_cast<double>(options_.depth) - depth);
  }
  return bits / static_cast<double>(options_.trees);
}

void HalfSpaceTrees::Learn(std::span<const float> vector, double weight) {
  for (std::size_t tree = 0; tree < options_.trees; ++tree) {
    Node* nodes = &nodes_[tree * nodes_per_tree()];
    for (std::size_t at = 0; at < nodes_per_tree();
         at = 2 * at + (vector[nodes[at].feature] < nodes[at].split ? 1 : 2)) {
      nodes[at].latest += static_cast<float>(weight);
    }
  }
  filled_ += weight;
  if (filled_ >= options_.window) Turn();
}

template <typename Archive>
void HalfSpaceTrees::Fields(Archive& archive) {
  detect::Real(archive, filled_);
  archive(has_reference_);
  for (Node& node : nodes_) {
    detect::Real(archive, node.reference);
    detect::Real(archive, node.latest);
  }
}

std::string HalfSpaceTrees::Save() const {
  detect::StateWriter writer;
  const_cast<HalfSpaceTrees*>(this)->Fields(writer);
  return std::move(writer).bytes();
}

absl::Status HalfSpaceTrees::Load(std::string_view state, std::size_t dimensions) {
  Draw(dimensions);
  detect::StateReader reader({reinterpret_cast<const std::uint8_t*>(state.data()), state.size()});
  Fields(reader);
  if (!reader.ok() || reader.remaining() != 0) {
    return base::MakeStatus(absl::StatusCode::kDataLoss, "the saved half-space trees are damaged");
  }
  return absl::OkStatus();
}

}  // namespace

std::unique_ptr<VectorModel> MakeHalfSpaceTrees(const HalfSpaceTreesOptions& options) {
  return std::make_unique<HalfSpaceTrees>(options);
}

}  // namespace nta
