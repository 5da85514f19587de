// Rollup: totals per minute by protocol, address and port, added up in memory before they reach the
// file.
#ifndef NTA_STORE_ROLLUP_H_
#define NTA_STORE_ROLLUP_H_

#include <compare>
#include <cstdint>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "nta/flow/flow_record.h"
#include "store/minutes.h"
#include "store/sqlite.h"

namespace nta::store {

// True for protocols whose flows carry ports; flows of others have port 0 and no place in totals by
// port.
constexpr bool HasPorts(std::uint8_t protocol) {
  return protocol == kProtocolTcp || protocol == kProtocolUdp || protocol == kProtocolDccp ||
         protocol == kProtocolSctp || protocol == kProtocolUdpLite;
}

// A batch of flows costs one row per minute and key instead of one per flow.
class Rollup {
 public:
  // Only shares of minutes below `before` count.
  void Add(const FlowRecord& flow, Minute before = kLastMinute + 1);
  // Adds the totals to the tables and starts anew. In the caller's transaction.
  absl::Status Flush(Connection& connection);
  // Flush, when memory calls for it.
  absl::Status FlushIfLarge(Connection& connection);
  void Clear();

 private:
  struct Totals {
    std::uint64_t bytes = 0;
    std::uint64_t packets = 0;
    std::uint64_t flows = 0;

    void Add(const Share& share) {
      bytes += share.bytes();
      packets += share.packets;
      flows += share.flows;
    }
  };
  struct ProtocolKey {
    Minute minute;
    std::uint8_t protocol;
    friend auto operator<=>(const ProtocolKey&, const ProtocolKey&) = default;
    template <typename H>
    friend H AbslHashValue(H state, const ProtocolKey& key) {
      return H::combine(std::move(state), key.minute, key.protocol);
    }
  };
  struct AddressKey {
    Minute minute;
    IpAddress address;
    std::uint8_t protocol;
    friend auto operator<=>(const AddressKey&, const AddressKey&) = default;
    template <typename H>
    friend H AbslHashValue(H state, const AddressKey& key) {
      return H::combine(std::move(state), key.minute, key.address, key.protocol);
    }
  };
  struct PortKey {
    Minute minute;
    std::uint16_t port;
    std::uint8_t protocol;
    friend auto operator<=>(const PortKey&, const PortKey&) = default;
    template <typename H>
    friend H AbslHashValue(H state, const PortKey& key) {
      return H::combine(std::move(state), key.minute, key.port, key.protocol);
    }
  };
  struct AddressRole {
    std::uint64_t sent = 0;
    std::uint64_t received = 0;
    std::uint64_t packets = 0;
    std::uint64_t flows = 0;
  };
  struct AddressTotals {
    AddressRole source;
    AddressRole destination;
    Totals itself;
  };
  struct PortTotals {
    Totals source;
    Totals destination;
  };

  void AddAddresses(const FlowRecord& flow, Minute minute, const Share& share);
  void AddPorts(const FlowRecord& flow, Minute minute, const Share& share);
  absl::Status FlushProtocols(Connection& connection);
  absl::Status FlushAddresses(Connection& connection);
  absl::Status FlushPorts(Connection& connection);

  absl::flat_hash_map<ProtocolKey, Totals> protocols_;
  absl::flat_hash_map<AddressKey, AddressTotals> addresses_;
  absl::flat_hash_map<PortKey, PortTotals> ports_;
};

}  // namespace nta::store

#endif  // NTA_STORE_ROLLUP_H_
