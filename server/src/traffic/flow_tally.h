// Counting flows by what they carry and by who they are between.
#ifndef NTA_SERVER_TRAFFIC_FLOW_TALLY_H_
#define NTA_SERVER_TRAFFIC_FLOW_TALLY_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "nta/flow/flow_record.h"
#include "nta/store/store.h"

namespace nta::server {

void Add(TrafficTotals& totals, const FlowRecord& flow);
std::uint64_t Measured(const TrafficTotals& totals, Measure measure);

struct KeyTotals {
  std::string key;
  TrafficTotals totals;
};

// Totals by a key. The empty key is what has none: it is in the total only.
class KeyTally {
 public:
  void Add(std::string_view key, const FlowRecord& flow);

  const TrafficTotals& total() const { return total_; }
  const TrafficTotals& without_key() const { return without_key_; }
  // The greatest first, those of equal measure by key.
  std::vector<KeyTotals> Rows(Measure by, std::size_t limit) const;

 private:
  TrafficTotals total_;
  TrafficTotals without_key_;
  std::map<std::string, TrafficTotals, std::less<>> rows_;
};

// Two addresses of which `source` spoke first.
struct PeerPair {
  IpAddress source;
  IpAddress destination;
  // The latest by which they were known; empty: none.
  std::string source_name;
  std::string destination_name;
  TrafficTotals totals;
  std::uint64_t forward_bytes = 0;
  std::uint64_t reverse_bytes = 0;
};

class PairTally {
 public:
  // Newest flows first: the first name of an address stays.
  void Add(const FlowRecord& flow);

  const TrafficTotals& total() const { return total_; }
  std::vector<PeerPair> Rows(Measure by, std::size_t limit) const;

 private:
  TrafficTotals total_;
  absl::flat_hash_map<std::pair<IpAddress, IpAddress>, PeerPair> rows_;
};

// The name by which an address was known when the flow ran; empty: none.
std::string_view SourceName(const FlowRecord& flow);
std::string_view DestinationName(const FlowRecord& flow);
// "tls"; empty for unknown.
std::string_view ApplicationKey(const FlowRecord& flow);

}  // namespace nta::server

#endif  // NTA_SERVER_TRAFFIC_FLOW_TALLY_H_
