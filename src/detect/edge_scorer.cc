#include "nta/detect/edge_scorer.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <utility>

#include "base/status.h"
#include "detect/state_archive.h"

namespace nta {
namespace {

constexpr std::string_view kName = "edge_scorer";
constexpr std::uint16_t kVersion = 1;
constexpr std::size_t kMostWidth = std::size_t{1} << 22;

__extension__ using Wide = unsigned __int128;

std::uint64_t Fold(std::uint64_t a, std::uint64_t b) {
  const Wide product = static_cast<Wide>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

std::uint64_t Hash(std::uint64_t value, std::uint64_t key) {
  return Fold(Fold(value ^ key, 0x9e3779b97f4a7c15) ^ 0xbf58476d1ce4e5b9, key);
}

// splitmix64
std::uint64_t Next(std::uint64_t& state) {
  state += 0x9e3779b97f4a7c15;
  std::uint64_t z = state;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

bool IsSound(float value) { return value >= 0 && value <= std::numeric_limits<float>::max(); }

}  // namespace

EdgeScorer::EdgeScorer(EdgeScorerOptions options) : options_(options) {
  options_.width = std::bit_ceil(std::clamp<std::size_t>(options_.width, 16, kMostWidth));
  options_.decay = std::isfinite(options_.decay) ? std::clamp(options_.decay, 0.0, 0.99) : 0.85;
  options_.merge_threshold = std::max(options_.merge_threshold, 0.0);
  options_.horizon = std::max<std::uint32_t>(options_.horizon, 2);
  cells_.resize(kReplicas * kParts * options_.width);
  std::uint64_t state = options_.hash_seed;
  for (std::uint64_t& key : keys_) key = Next(state) | 1;
  for (std::size_t k = 0; k < powers_.size(); ++k) {
    powers_[k] = static_cast<float>(std::pow(options_.decay, static_cast<double>(k)));
  }
}

// The sum over the missed ticks in closed form: what MIDAS-F does in a sweep over all counters at
// each tick.
void EdgeScorer::CatchUp(Cell& cell) const {
  const std::uint32_t missed = tick_ - cell.tick;
  if (missed == 0) return;
  if (cell.tick != 0) {
    const float kept = missed < powers_.size() ? powers_[missed] : 0;
    if (cell.surprise < static_cast<float>(options_.merge_threshold) || cell.total == 0) {
      cell.total += cell.recent * (1 - kept) / (1 - powers_[1]);
    } else if (cell.tick < options_.horizon) {
      const std::uint32_t until = std::min(tick_, options_.horizon);
      cell.total *= static_cast<float>(until - 1) / static_cast<float>(std::max(cell.tick - 1, 1u));
    }
    if (tick_ > options_.horizon) {
      const float beyond = static_cast<float>(tick_ - std::max(cell.tick, options_.horizon));
      const float forgotten = beyond / static_cast<float>(options_.horizon);
      // A blocked mean stays; a taught one forgets at the pace at which it learns.
      if (cell.surprise < static_cast<float>(options_.merge_threshold)) {
        cell.total *= std::exp(-forgotten);
      }
    }
    cell.recent *= kept;
  }
  cell.tick = tick_;
}

EdgeScorer::Touch EdgeScorer::Count(std::size_t array, std::uint64_t key) {
  const std::size_t slot = (Hash(key, keys_[array]) >> 32) & (options_.width - 1);
  Cell& cell = cells_[array * options_.width + slot];
  CatchUp(cell);
  cell.recent += 1;
  cell.surprise = 0;
  const auto ticks = static_cast<float>(std::min(tick_, options_.horizon));
  if (cell.total > 0 && ticks > 1) {
    const float excess = cell.recent * ticks - cell.recent - cell.total;
    cell.surprise = excess * excess / (cell.total * (ticks - 1));
  }
  return {cell.surprise, cell.recent, cell.total / ticks};
}

EdgeScorer::Result EdgeScorer::Observe(std::uint64_t source, std::uint64_t destination,
                                       std::uint64_t tick) {
  if (tick_ == 0) {
    first_tick_ = tick;
    tick_ = 1;
  } else if (tick > first_tick_) {
    const std::uint64_t since = std::min<std::uint64_t>(tick - first_tick_, 0xfffffffe) + 1;
    tick_ = std::max(tick_, static_cast<std::uint32_t>(since));
  }
  const std::array<std::uint64_t, kParts> of_part = {
      Fold(source ^ 0x94d049bb133111eb, 0x9e3779b97f4a7c15) + destination, source, destination};
  Result result;
  double product = 1;  // of three chi-squared below 1e38 each
  float largest = -1;
  for (std::size_t replica = 0; replica < kReplicas; ++replica) {
    float highest = 0;
    for (std::size_t part = 0; part < kParts; ++part) {
      const Touch touch = Count(replica * kParts + part, of_part[part]);
      highest = std::max(highest, touch.surprise);
      if (touch.surprise <= largest) continue;
      largest = touch.surprise;
      result.part = static_cast<Part>(part);
      result.observed = touch.recent;
      result.expected = touch.mean / (1 - powers_[1]);
    }
    product *= 1 + static_cast<double>(highest);
  }
  result.score = std::log2(product) / kReplicas;
  return result;
}

std::string EdgeScorer::Save() const {
  detect::StateWriter writer;
  writer(static_cast<std::uint64_t>(options_.width));
  writer(options_.decay);
  writer(options_.hash_seed);
  writer(first_tick_);
  writer(tick_);
  for (const Cell& cell : cells_) {
    writer(std::bit_cast<std::uint32_t>(cell.recent));
    writer(std::bit_cast<std::uint32_t>(cell.total));
    writer(std::bit_cast<std::uint32_t>(cell.surprise));
    writer(cell.tick);
  }
  return detect::SealState(kName, kVersion, std::move(writer).bytes());
}

absl::Status EdgeScorer::Load(std::string_view state) {
  NTA_ASSIGN_OR_RETURN(const auto payload, detect::OpenState(kName, kVersion, state));
  detect::StateReader reader(payload);
  std::uint64_t width = 0;
  double decay = 0;
  EdgeScorer loaded(options_);
  reader(width);
  reader(decay);
  reader(loaded.options_.hash_seed);
  if (reader.ok() && (width != options_.width || decay != options_.decay)) {
    return base::InvalidArgument("the edge scorer was saved with another width or decay");
  }
  loaded = EdgeScorer(loaded.options_);
  reader(loaded.first_tick_);
  reader(loaded.tick_);
  for (Cell& cell : loaded.cells_) {
    std::array<std::uint32_t, 3> bits{};
    reader(bits);
    cell = {std::bit_cast<float>(bits[0]), std::bit_cast<float>(bits[1]),
            std::bit_cast<float>(bits[2]), 0};
    reader(cell.tick);
    if (!IsSound(cell.recent) || !IsSound(cell.total) || !IsSound(cell.surprise) ||
        cell.tick > loaded.tick_) {
      reader.Fail();
    }
  }
  if (!reader.ok() || reader.remaining() != 0) {
    return base::MakeStatus(absl::StatusCode::kDataLoss,
                            "the saved edge scorer is damaged: its fields contradict each other");
  }
  *this = std::move(loaded);
  return absl::OkStatus();
}

}  // namespace nta
