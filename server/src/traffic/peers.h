// Peers: two addresses that talked, who began, and by what names they were known.
#ifndef NTA_SERVER_TRAFFIC_PEERS_H_
#define NTA_SERVER_TRAFFIC_PEERS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "nta/store/store.h"

namespace nta::server {

// Two addresses of which `source` began more of the flows.
struct Peers {
  IpAddress source;
  IpAddress destination;
  // The latest by which they were known; empty: none.
  std::string source_name;
  std::string destination_name;
  TrafficTotals totals;
  std::uint64_t forward_bytes = 0;
  std::uint64_t reverse_bytes = 0;
};

// With the names by which the addresses were known last, as far as the newest 5,000 of their flows
// tell: of names the store has no totals.
absl::StatusOr<std::vector<Peers>> NamedPeers(const Store& store,
                                              const ConversationResult& conversations,
                                              const QueryControl& control);

std::string ToJson(const Peers& peers);

}  // namespace nta::server

#endif  // NTA_SERVER_TRAFFIC_PEERS_H_
