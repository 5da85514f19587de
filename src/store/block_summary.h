// BlockSummary: which addresses, ports and protocols a block may have, so that queries can skip it.
#ifndef NTA_STORE_BLOCK_SUMMARY_H_
#define NTA_STORE_BLOCK_SUMMARY_H_

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "nta/flow/flow_filter.h"
#include "store/block_builder.h"

namespace nta::store {

class BlockSummary {
 public:
  static BlockSummary Of(const TrafficColumns& traffic);
  Bytes Encode() const;
  // DataLoss when the bytes are damaged.
  static absl::StatusOr<BlockSummary> Decode(std::span<const std::uint8_t> bytes);

  // False: no flow of the block matches. True: perhaps one does.
  bool MayMatch(const FilterNode& node, const BlockInfo& info) const;

 private:
  // Ports in ascending order; absent when there are too many to list.
  using Ports = std::optional<std::vector<std::uint16_t>>;

  bool MayHave(const IpPrefix& prefix) const;
  bool MayCompare(const FilterNode& node, const BlockInfo& info) const;
  void Insert(std::uint64_t hash);

  std::array<std::uint8_t, 32> protocols_{};  // one bit each
  Ports source_ports_;
  Ports destination_ports_;
  // A blocked Bloom filter over addresses and their networks (/24, /64).
  Bytes bloom_;
};

}  // namespace nta::store

#endif  // NTA_STORE_BLOCK_SUMMARY_H_
