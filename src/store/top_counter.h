// TopCounter: totals by one dimension, from flows and from totals alike.
#ifndef NTA_STORE_TOP_COUNTER_H_
#define NTA_STORE_TOP_COUNTER_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "nta/net/ip_address.h"
#include "nta/store/store.h"
#include "store/ranking.h"
#include "store/rollup_part.h"
#include "store/scan.h"

namespace nta::store {

class TopCounter {
 public:
  explicit TopCounter(TopDimension dimension, std::size_t parts = 1,
                      std::size_t most_keys = kMostKeys)
      : dimension_(dimension),
        addresses_(parts, std::min(most_keys, Ranking<IpAddress>::kMostKeys)),
        names_(parts, std::min(most_keys, Ranking<std::string>::kMostKeys)) {}

  static constexpr std::size_t kMostKeys = Ranking<IpAddress>::kMostKeys;

  bool counts_addresses() const;
  // False when only the flows themselves tell.
  bool has_totals() const;
  TrafficNeeds needs() const;

  TrafficSection section() const;

  absl::Status Add(const CountedFlows& flows);
  // The keys without the total, which is counted elsewhere.
  absl::Status AddKeysOnly(const CountedFlows& flows);
  absl::Status AddKeys(const AddressPart& part);
  absl::Status AddKeys(const TrafficPart& part);
  void AddTotal(const TrafficPart& part);

  // Too many different keys: to be counted by more parts.
  bool is_full() const { return addresses_.is_full() || names_.is_full(); }
  // Everything is to be added again, for other keys.
  void NextPart(Measure by, std::size_t limit);

  const TrafficTotals& total() const { return total_; }
  // What of the total belongs to no key: with ports, those that are not the service's.
  std::optional<TrafficTotals> Other() const;
  std::vector<TopRow> Rows(Measure by, std::size_t limit) const;

 private:
  absl::Status AddAddresses(const CountedFlows& flows);
  absl::Status AddNumbers(const CountedFlows& flows);
  absl::Status AddApplications(const CountedFlows& flows);
  absl::Status AddApplication(std::uint64_t key, const TrafficTotals& totals);
  absl::Status AddNames(const CountedFlows& flows);
  std::string NumberName(std::uint32_t number) const;
  bool counts_ports() const;
  bool counts_applications() const;

  TopDimension dimension_;
  TrafficTotals total_;
  TrafficTotals of_ports_;  // of protocols that have ports
  // All but one of these stay empty.
  Ranking<IpAddress> addresses_;
  Ranking<std::uint32_t> numbers_;
  Ranking<std::string> names_;
  Ranking<std::uint32_t> guessed_;  // what of the numbers is guessed by a port
  std::vector<std::pair<IpAddress, DirectedTotals>> by_address_;  // of what is being added
};

// What `count` adds to a counter, the same each time: once, or, where more than `most_keys` keys
// would have to be kept at once, once for each of as many parts of the keys as it takes.
absl::StatusOr<TopCounter> CountTop(TopDimension dimension, Measure by, std::size_t limit,
                                    absl::FunctionRef<absl::Status(TopCounter&)> count,
                                    std::size_t most_keys = TopCounter::kMostKeys);

}  // namespace nta::store

#endif  // NTA_STORE_TOP_COUNTER_H_
