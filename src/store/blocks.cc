#include "store/blocks.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "base/status.h"
#include "store/rows.h"

namespace nta::store {
namespace {

// The columns of a block have the ids block * kMaxColumns + column.
constexpr auto kColumnsPerBlock = static_cast<std::int64_t>(kMaxColumns);

absl::Status Damaged(const BlockInfo& block, std::string_view what) {
  return base::MakeStatus(
      absl::StatusCode::kDataLoss,
      "the store is damaged: block " + std::to_string(block.id) + " " + std::string(what));
}

BlockInfo ReadInfo(Statement& row) {
  BlockInfo block;
  block.id = row.Integer(0);
  block.is_tail = row.Integer(1) != 0;
  block.flows = row.Count(2);
  block.first_id = row.Integer(3);
  block.last_id = row.Integer(4);
  block.min_first_seen = ToTimestamp(row.Integer(5));
  block.min_last_seen = ToTimestamp(row.Integer(6));
  block.max_last_seen = ToTimestamp(row.Integer(7));
  block.max_bytes = row.Count(8);
  block.max_packets = row.Count(9);
  block.rollups = row.Integer(10);
  return block;
}

// The columns of a part of the tail: id, size, bytes, one after the other.
using TailColumns = std::map<ColumnId, std::span<const std::uint8_t>>;

bool SplitTail(std::span<const std::uint8_t> data, TailColumns& columns) {
  ByteReader in(data);
  while (in.ok() && in.left() > 0) {
    const auto id = static_cast<ColumnId>(in.U8());
    columns[id] = in.Take(in.Varint());
  }
  return in.ok();
}

}  // namespace

absl::StatusOr<std::vector<BlockInfo>> BlockReader::List() {
  NTA_ASSIGN_OR_RETURN(
      Statement * statement,
      connection_.Cached(
          "SELECT id, 0, flows, first_id, last_id, min_first_seen, min_last_seen, max_last_seen, "
          "max_bytes, max_packets, rollups FROM flow_block UNION ALL "
          "SELECT id, 1, flows, first_id, last_id, min_first_seen, min_last_seen, max_last_seen, "
          "max_bytes, max_packets, 0 FROM flow_tail"));
  std::vector<BlockInfo> blocks;
  while (true) {
    NTA_ASSIGN_OR_RETURN(const bool row, statement->Step());
    if (!row) break;
    blocks.push_back(ReadInfo(*statement));
    if (blocks.back().flows == 0 || blocks.back().flows > kMaxBlockFlows) {
      return Damaged(blocks.back(), "has an impossible size");
    }
  }
  statement->Reset();
  std::sort(blocks.begin(), blocks.end(),
            [](const BlockInfo& a, const BlockInfo& b) { return a.first_id < b.first_id; });
  return blocks;
}

absl::StatusOr<bool> BlockReader::MayMatch(const BlockInfo& block, const FlowFilter& filter) {
  if (block.is_tail || filter.root() == nullptr) return true;
  NTA_ASSIGN_OR_RETURN(Statement * statement,
                       connection_.Cached("SELECT data FROM flow_summary WHERE block = ?"));
  statement->Bind(block.id);
  NTA_ASSIGN_OR_RETURN(const bool row, statement->Step());
  if (!row) return Damaged(block, "has no summary");
  NTA_ASSIGN_OR_RETURN(const BlockSummary summary, BlockSummary::Decode(statement->Blob(0)));
  statement->Reset();
  return summary.MayMatch(*filter.root(), block);
}

absl::StatusOr<std::unique_ptr<FlowBatch>> BlockReader::OpenTail(const BlockInfo& block) {
  NTA_ASSIGN_OR_RETURN(Statement * statement,
                       connection_.Cached("SELECT data FROM flow_tail WHERE id = ?"));
  statement->Bind(block.id);
  NTA_ASSIGN_OR_RETURN(const bool row, statement->Step());
  if (!row) return Damaged(block, "of the tail is missing");
  const auto data = statement->Blob(0);
  struct Part {
    Bytes data;
    TailColumns columns;
  };
  // The function that holds it is copied, the part is not.
  auto part = std::make_shared<Part>();
  part->data.assign(data.begin(), data.end());
  statement->Reset();
  if (!SplitTail(part->data, part->columns)) return Damaged(block, "of the tail is damaged");
  return std::make_unique<FlowBatch>(
      block.flows,
      [part](ColumnId id) -> absl::StatusOr<std::span<const std::uint8_t>> {
        const auto column = part->columns.find(id);
        return column == part->columns.end() ? std::span<const std::uint8_t>() : column->second;
      },
      decompressor_);
}

absl::StatusOr<std::unique_ptr<FlowBatch>> BlockReader::Open(const BlockInfo& block) {
  if (block.is_tail) return OpenTail(block);
  return std::make_unique<FlowBatch>(
      block.flows,
      [this, id = block.id](ColumnId column) -> absl::StatusOr<std::span<const std::uint8_t>> {
        NTA_ASSIGN_OR_RETURN(Statement * statement,
                             connection_.Cached("SELECT data FROM flow_data WHERE id = ?"));
        statement->Bind(id * kColumnsPerBlock + static_cast<std::int64_t>(column));
        NTA_ASSIGN_OR_RETURN(const bool row, statement->Step());
        return row ? statement->Blob(0) : std::span<const std::uint8_t>();
      },
      decompressor_);
}

}  // namespace nta::store
