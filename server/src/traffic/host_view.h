// HostView: what the store knows of one address.
//
//   auto view = LookAtHost(store, {.address = address, .interval = interval}, control);
//   std::cout << view->traffic.total.bytes << " bytes, " << view->peers.size() << " peers\n";
#ifndef NTA_SERVER_TRAFFIC_HOST_VIEW_H_
#define NTA_SERVER_TRAFFIC_HOST_VIEW_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "nta/store/store.h"
#include "traffic/peers.h"

namespace nta::server {

struct HostQuery {
  IpAddress address;
  TimeInterval interval{};
  std::string where{};  // a filter that parses; of the address' own flows those that it selects
};

struct HostView {
  // Of all flows with the address on either side: `total`, `source`, `capture`.
  TopResult traffic;
  std::uint64_t sent_bytes = 0;
  std::uint64_t received_bytes = 0;
  std::optional<Timestamp> first_seen;  // when the flow began that ended first
  std::optional<Timestamp> last_seen;
  NameResult names;  // one row, whatever the filter
  std::vector<Peers> peers;
  // Services of others that it reached, and its own that others reached; what was none is `other`.
  TopResult ports;
  TopResult served_ports;
  TopResult applications;
  std::vector<StoredFlow> latest;  // newest first
};

// Every count is of all flows, by the store's own tops, however many there are. DeadlineExceeded
// when that takes more than ten seconds.
absl::StatusOr<HostView> LookAtHost(const Store& store, const HostQuery& query,
                                    const QueryControl& control);

}  // namespace nta::server

#endif  // NTA_SERVER_TRAFFIC_HOST_VIEW_H_
