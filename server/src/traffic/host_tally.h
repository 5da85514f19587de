// HostTally: what flows say about one address.
#ifndef NTA_SERVER_TRAFFIC_HOST_TALLY_H_
#define NTA_SERVER_TRAFFIC_HOST_TALLY_H_

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "traffic/flow_tally.h"

namespace nta::server {

class HostTally {
 public:
  // Strangers choose names: so many are kept.
  static constexpr std::size_t kMaxNames = 64;

  explicit HostTally(const IpAddress& address) : address_(address) {}

  // A flow of which the address is a side; newest first.
  void Add(const FlowRecord& flow);

  struct Seen {
    Timestamp first{};
    Timestamp last{};
  };
  const std::optional<Seen>& seen() const { return seen_; }
  std::uint64_t sent_bytes() const { return sent_bytes_; }
  std::uint64_t received_bytes() const { return received_bytes_; }
  // The latest first.
  std::vector<AddressName> Names() const;
  const PairTally& peers() const { return peers_; }
  // Ports of others that it reached, and its own that others reached.
  const KeyTally& ports() const { return ports_; }
  const KeyTally& served_ports() const { return served_ports_; }
  const KeyTally& applications() const { return applications_; }

 private:
  void AddName(std::string_view name, NameOrigin origin, const FlowRecord& flow);

  const IpAddress address_;
  std::optional<Seen> seen_;
  std::uint64_t sent_bytes_ = 0;
  std::uint64_t received_bytes_ = 0;
  std::map<std::pair<std::string, NameOrigin>, Seen> names_;
  PairTally peers_;
  KeyTally ports_;
  KeyTally served_ports_;
  KeyTally applications_;
};

}  // namespace nta::server

#endif  // NTA_SERVER_TRAFFIC_HOST_TALLY_H_
