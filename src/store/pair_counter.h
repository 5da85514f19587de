// PairCounter: the pairs of addresses that count most, however many pairs there are.
#ifndef NTA_STORE_PAIR_COUNTER_H_
#define NTA_STORE_PAIR_COUNTER_H_

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "nta/store/store.h"
#include "store/ranking.h"
#include "store/scan.h"

namespace nta::store {

// Who talks to whom is nearly as long a list as the flows themselves: it may not fit into memory.
// So the flows are read once; when there are more pairs than can be counted at once, that gave for
// groups of pairs how much they have together, which bounds each of them. Then they are read again
// to count those that can be among the greatest, and once more for each part of the rest when that
// was not enough. What comes out is exact.
class PairCounter {
 public:
  using Pair = std::pair<IpAddress, IpAddress>;  // the lesser first
  using Row = std::pair<Pair, DirectedTotals>;   // as seen from the first
  using Visit = absl::FunctionRef<absl::Status(const CountedFlows&)>;
  // Reads all flows, the same ones every time.
  using Scan = absl::FunctionRef<absl::Status(Visit)>;

  struct Limits {
    std::size_t first_pairs = 57'000;  // counted at once when all fit, in 6 MB
    std::size_t most_pairs = 900'000;  // later, in 100 MB
    std::size_t groups = 1 << 20;      // a power of two, in 8 MB
  };

  PairCounter(Measure by, std::size_t limit) : PairCounter(by, limit, Limits()) {}
  PairCounter(Measure by, std::size_t limit, const Limits& limits)
      : by_(by), limit_(limit), limits_(limits) {}

  absl::Status Count(Scan scan);
  // The greatest first; equal ones in the order of their addresses.
  const std::vector<Row>& rows() const { return rows_; }
  // Of all pairs.
  const TrafficTotals& total() const { return total_; }
  // How often the flows were read.
  int scans() const { return scans_; }

 private:
  // Groups from `first` to before `end` that have at least `least` and less than `before`.
  struct Chosen {
    std::size_t first = 0;
    std::size_t end = 0;
    std::uint64_t least = 0;
    std::uint64_t before = 0;
  };

  absl::Status AddFirst(const CountedFlows& flows);
  void AddToTotal(const Share& share);
  void AddToGroups(const CountedFlows& flows);
  absl::Status AddChosen(const CountedFlows& flows);
  // False when these are too many pairs.
  absl::StatusOr<bool> CountChosen(Scan scan, const Chosen& chosen);
  absl::Status CountRest(Scan scan, std::uint64_t before);

  void HashAddresses(const CountedFlows& flows);
  std::size_t GroupOf(std::size_t source, std::size_t destination) const;
  // Adds up flows by the places of their addresses first, which are quicker to look up.
  template <typename Wanted>
  absl::Status AddPairs(const CountedFlows& flows, Wanted wanted);
  void KeepGreatest();
  // What the last of the rows has; 0 as long as there are fewer than wanted.
  std::uint64_t Least() const;
  std::uint64_t MeasureOfGroups(std::size_t place) const;
  std::size_t GroupsAtOnce() const;

  const Measure by_;
  const std::size_t limit_;
  const Limits limits_;
  TrafficTotals total_;
  int scans_ = 0;
  HashMap<Pair, DirectedTotals> pairs_;
  std::vector<std::uint64_t> groups_;  // empty as long as all pairs are counted
  std::vector<bool> is_chosen_;        // by group: a bit each, which stays in the caches
  std::vector<std::uint32_t> group_of_flow_;
  std::vector<std::uint64_t> source_hashes_;
  std::vector<std::uint64_t> destination_hashes_;
  std::vector<Row> rows_;
};

}  // namespace nta::store

#endif  // NTA_STORE_PAIR_COUNTER_H_
