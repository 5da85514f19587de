#include "base/nearest_name.h"

#include <algorithm>
#include <cstddef>
#include <vector>

namespace nta::base {
namespace {

// Insertions, deletions, substitutions and swaps of neighbours between two short names.
std::size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<std::vector<std::size_t>> cost(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) cost[i][0] = i;
  for (std::size_t j = 0; j <= b.size(); ++j) cost[0][j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t substituted = cost[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      cost[i][j] = std::min({cost[i - 1][j] + 1, cost[i][j - 1] + 1, substituted});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        cost[i][j] = std::min(cost[i][j], cost[i - 2][j - 2] + 1);
      }
    }
  }
  return cost[a.size()][b.size()];
}

}  // namespace

std::optional<std::string> NearestName(std::string_view text, std::span<const std::string> names) {
  constexpr std::size_t kLongestName = 24;
  if (text.size() > kLongestName) return std::nullopt;
  const std::size_t most = text.size() <= 3 ? 1 : 2;
  std::optional<std::string> best;
  std::size_t best_distance = most + 1;
  for (const std::string& name : names) {
    const std::size_t distance = EditDistance(text, name);
    if (distance < best_distance) {
      best_distance = distance;
      best = name;
    }
  }
  return best;
}

std::string DidYouMean(const std::optional<std::string>& name) {
  return name ? " (did you mean \"" + *name + "\"?)" : "";
}

}  // namespace nta::base
