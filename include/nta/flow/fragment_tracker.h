// FragmentTracker: gives later IP fragments the ports of their first one.
//
//   nta::FragmentTracker fragments;
//   fragments.Resolve(decoded_packet);        // before FlowTable::Add
#ifndef NTA_FLOW_FRAGMENT_TRACKER_H_
#define NTA_FLOW_FRAGMENT_TRACKER_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "nta/packet/decode.h"

namespace nta {

struct FragmentTrackerOptions {
  // Datagrams whose first fragment is remembered, at least 1. At the cap the oldest is forgotten.
  std::size_t max_datagrams = 4096;
  // RFC 791 recommends 15 s; most hosts keep 30 s.
  Duration timeout = std::chrono::seconds(30);
  std::optional<std::uint64_t> hash_seed{};  // random when absent
};

struct FragmentStats {
  std::uint64_t first_fragments = 0;
  std::uint64_t attributed = 0;  // later fragments that found their first one
  std::uint64_t unattributed =
      0;  // later fragments whose first one was not seen, expired or evicted
  std::uint64_t evicted = 0;
};

// Policy: no reassembly. The first fragment names the ports; a later one that arrives before the
// first, or after the timeout, stays without. Overlaps do not matter, because only headers of first
// fragments are read. One thread at a time.
class FragmentTracker {
 public:
  explicit FragmentTracker(FragmentTrackerOptions options = {});
  FragmentTracker(FragmentTracker&&) noexcept;
  FragmentTracker& operator=(FragmentTracker&&) noexcept;
  ~FragmentTracker();

  // Remembers a first fragment; fills in protocol, source_port, destination_port and has_ports of a
  // later one.
  void Resolve(DecodedPacket& packet);
  FragmentStats Stats() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace nta

#endif  // NTA_FLOW_FRAGMENT_TRACKER_H_
