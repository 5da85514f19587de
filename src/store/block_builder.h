// BlockBuilder: flows on their way into a block.
#ifndef NTA_STORE_BLOCK_BUILDER_H_
#define NTA_STORE_BLOCK_BUILDER_H_

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "absl/status/status.h"
#include "nta/flow/flow_record.h"
#include "store/column_codec.h"
#include "store/flow_batch.h"
#include "store/hash_map.h"

namespace nta::store {

// What is known of a block without reading it.
struct BlockInfo {
  std::int64_t id = 0;
  bool is_tail = false;  // of flow_tail, else of flow_block
  std::size_t flows = 0;
  std::int64_t first_id = 0;
  std::int64_t last_id = 0;
  Timestamp min_first_seen{};
  Timestamp min_last_seen{};
  Timestamp max_last_seen{};
  std::uint64_t max_bytes = 0;  // of one flow, both directions
  std::uint64_t max_packets = 0;
  std::int64_t rollups = 0;  // bits of RollupBit: which totals its flows are in
};

// What rollups and queries count with: one value for each flow.
struct TrafficColumns {
  std::span<const std::uint64_t> first_seen;
  std::span<const std::uint64_t> last_seen;
  std::span<const std::uint64_t> protocol;
  std::span<const std::uint64_t> source_port;
  std::span<const std::uint64_t> destination_port;
  std::span<const std::uint64_t> application;
  std::span<const std::uint64_t> category;
  std::span<const std::uint64_t> evidence;
  std::span<const std::uint64_t> vlan;  // one more than the number; 0: absent
  std::span<const std::uint64_t> forward_bytes;
  std::span<const std::uint64_t> reverse_bytes;
  std::span<const std::uint64_t> forward_packets;
  std::span<const std::uint64_t> reverse_packets;
  const AddressColumn* source = nullptr;
  const AddressColumn* destination = nullptr;
  // Null when no flow has any.
  const TextColumn* source_name = nullptr;
  const TextColumn* destination_name = nullptr;
  const TextColumn* server_name = nullptr;

  std::size_t size() const { return first_seen.size(); }
};

class BlockBuilder {
 public:
  struct EncodedColumn {
    ColumnId id;
    Bytes bytes;
  };

  // Flows with the ids from `first_id` on.
  void Add(std::span<const FlowRecord> flows, std::int64_t first_id);
  // The flows of a batch at these places.
  absl::Status Add(FlowBatch& batch, std::span<const std::uint32_t> places);

  std::size_t size() const { return rows_; }
  // Texts can make few flows large.
  std::size_t text_bytes() const { return text_bytes_; }

  // Of at least one flow; sorts the dictionaries.
  void Finish();
  // After Finish.
  BlockInfo Info() const;
  TrafficColumns Traffic() const;
  std::vector<EncodedColumn> Encode(Compressor& compressor) const;

 private:
  struct Addresses {
    AddressColumn column;
    HashMap<IpAddress, std::uint32_t> places;
    std::uint32_t PlaceOf(const IpAddress& address);
  };
  struct Texts {
    TextColumn column;
    std::unordered_map<std::string, std::uint32_t> places;
  };

  NumberColumn& NumbersOf(ColumnId id);
  std::span<const std::uint64_t> NumbersOf(ColumnId id) const;
  const TextColumn* TextsOf(MetadataField field) const;
  void AddSome(std::span<const FlowRecord> flows, std::int64_t first_id);
  void AddText(ColumnId id, std::size_t row, std::string_view text);

  std::size_t rows_ = 0;
  std::size_t text_bytes_ = 0;
  std::vector<NumberColumn> numbers_ = std::vector<NumberColumn>(kMaxColumns);
  Addresses source_;
  Addresses destination_;
  std::map<ColumnId, Texts> texts_;
  std::string key_;  // of the last text, so that looking for it allocates nothing
};

}  // namespace nta::store

#endif  // NTA_STORE_BLOCK_BUILDER_H_
