// Rollup: the totals of the flows of a block, on their way into the tables of totals.
#ifndef NTA_STORE_ROLLUP_H_
#define NTA_STORE_ROLLUP_H_

#include <array>
#include <cstdint>
#include <limits>
#include <vector>

#include "absl/status/statusor.h"
#include "store/block_builder.h"
#include "store/hash_map.h"
#include "store/minutes.h"
#include "store/rollup_part.h"
#include "store/rollup_table.h"

namespace nta::store {

// Which totals have what the flows of a block say; the bits of BlockInfo::rollups.
enum RollupBit : std::int64_t {
  // Protocols, applications and ports per minute and longer; addresses per hour and longer.
  kRolledUp = 1,
  // Addresses per minute. Not where nearly every flow would be a row of its own.
  kAddressesPerMinute = 2,
};

// Ports of a flow are counted on the service's side: that with the lower number. Both are when they
// are equal. What the other side's ports would count is the rest of the total.
constexpr bool CountsAtSource(std::uint64_t source_port, std::uint64_t destination_port) {
  return source_port <= destination_port;
}
constexpr bool CountsAtDestination(std::uint64_t source_port, std::uint64_t destination_port) {
  return destination_port <= source_port;
}

// True for protocols whose flows carry ports; flows of others have port 0 and no place in totals by
// port.
constexpr bool HasPorts(std::uint64_t protocol) {
  return protocol == kProtocolTcp || protocol == kProtocolUdp || protocol == kProtocolDccp ||
         protocol == kProtocolSctp || protocol == kProtocolUdpLite;
}

inline Span SpanOf(const TrafficColumns& columns, std::size_t i) {
  const auto time = [](std::uint64_t number) {
    return Timestamp(Duration(static_cast<std::int64_t>(number)));
  };
  return {time(columns.first_seen[i]),
          time(columns.last_seen[i]),
          {columns.forward_bytes[i], columns.reverse_bytes[i],
           columns.forward_packets[i] + columns.reverse_packets[i], 1}};
}

// Only shares below these times count. For making totals anew when flows are deleted.
struct RollupLimits {
  std::array<Minute, kRollupLevels> before{kNone, kNone, kNone, kNone};  // in minutes

 private:
  static constexpr Minute kNone = std::numeric_limits<Minute>::max();
};

class Rollup {
 public:
  // Borrows both.
  Rollup(RollupTable& table, Compressor& compressor, RollupLimits limits = {});

  // Adds the totals of these flows to the tables, in the caller's transaction; answers the
  // RollupBits that now hold for them. `wanted` are those to be had; kAddressesPerMinute is left
  // out when it does not pay.
  absl::StatusOr<std::int64_t> Add(const TrafficColumns& columns, std::int64_t wanted);
  // The same with exactly these RollupBits: for flows that have been added before.
  absl::Status AddAs(const TrafficColumns& columns, std::int64_t bits);

 private:
  // Counts by minute and key.
  template <std::size_t kCounts>
  class Counter {
   public:
    using Row = std::pair<std::uint64_t, std::array<std::uint64_t, kCounts>>;
    std::array<std::uint64_t, kCounts>& At(std::uint64_t key) {
      const auto [place, is_new] =
          places_.try_emplace(key, static_cast<std::uint32_t>(rows_.size()));
      if (is_new) rows_.push_back({key, {}});
      return rows_[place->second].second;
    }
    std::size_t size() const { return rows_.size(); }
    const std::vector<Row>& rows() const { return rows_; }
    void Clear() {
      places_.clear();
      rows_.clear();
    }

   private:
    HashMap<std::uint64_t, std::uint32_t> places_;
    std::vector<Row> rows_;
  };
  // Per minute.
  struct Counts {
    Counter<kTotalCounts> protocols;
    Counter<kPortCounts> ports;
    Counter<kTotalCounts> applications;
    Counter<kAddressCounts> addresses;

    std::size_t size() const { return protocols.size() + ports.size() + addresses.size(); }
    void Clear() {
      protocols.Clear();
      ports.Clear();
      applications.Clear();
      addresses.Clear();
    }
  };

  void ListHosts(const TrafficColumns& columns);
  void Begin(const TrafficColumns& columns);
  void Count(const TrafficColumns& columns, std::size_t row);
  void CountShare(const TrafficColumns& columns, std::size_t row, Minute minute,
                  const Share& share);
  absl::Status Flush(bool with_addresses_per_minute);
  std::vector<EncodedPart> MakeParts(RollupLevel level, bool with_addresses);

  RollupTable& table_;
  Compressor& compressor_;
  const RollupLimits limits_;
  Minute base_ = 0;  // buckets are counted from here; the start of a day
  std::vector<IpAddress> hosts_;
  std::vector<std::uint32_t> source_hosts_;  // by place in the dictionary of the column
  std::vector<std::uint32_t> destination_hosts_;
  Counts counts_;
};

}  // namespace nta::store

#endif  // NTA_STORE_ROLLUP_H_
