#include <algorithm>
#include <map>
#include <numeric>
#include <string>
#include <utility>

#include "base/status.h"
#include "store/blocks.h"
#include "store/rollup.h"
#include "store/rows.h"
#include "store/sqlite_rollup_storage.h"

namespace nta::store {
namespace {

// Each part of the tail costs every query.
constexpr std::size_t kMostTailParts = 64;
// Texts of a block are bounded, too.
constexpr std::size_t kMostTextBytes = 8 << 20;

constexpr auto kColumnsPerBlock = static_cast<std::int64_t>(kMaxColumns);

std::int64_t DayOf(Timestamp time) {
  return FloorDivide(FloorMinute(time), MinutesOf(RollupLevel::kDay));
}

// Sorts flows into blocks of one day each and hands these on when they are full.
class Packer {
 public:
  using Emit = absl::FunctionRef<absl::Status(BlockBuilder&)>;

  Packer(std::size_t flows_per_block, Emit emit) : most_(flows_per_block), emit_(emit) {}

  absl::Status Add(std::span<const FlowRecord> flows, std::int64_t first_id) {
    // Slices, so that texts cannot go far beyond their bound.
    constexpr std::size_t kSlice = 256;
    for (std::size_t start = 0; start < flows.size();) {
      const std::int64_t day = DayOf(flows[start].last_seen);
      BlockBuilder& builder = days_[day];
      const std::size_t room = std::min(kSlice, most_ - builder.size());
      std::size_t end = start + 1;
      while (end < flows.size() && end - start < room && DayOf(flows[end].last_seen) == day) ++end;
      builder.Add(flows.subspan(start, end - start), first_id + static_cast<std::int64_t>(start));
      NTA_RETURN_IF_ERROR(EmitIfFull(day));
      start = end;
    }
    return absl::OkStatus();
  }

  absl::Status Add(FlowBatch& batch) {
    NTA_ASSIGN_OR_RETURN(const NumberColumn* last_seen, batch.Numbers(ColumnId::kLastSeen));
    std::map<std::int64_t, std::vector<std::uint32_t>> places;
    for (std::uint32_t i = 0; i < batch.size(); ++i) {
      places[DayOf(ToTimestamp(static_cast<std::int64_t>((*last_seen)[i])))].push_back(i);
    }
    for (const auto& [day, of_day] : places) {
      for (std::span<const std::uint32_t> left = of_day; !left.empty();) {
        BlockBuilder& builder = days_[day];
        const std::size_t count = std::min(left.size(), most_ - builder.size());
        NTA_RETURN_IF_ERROR(builder.Add(batch, left.first(count)));
        NTA_RETURN_IF_ERROR(EmitIfFull(day));
        left = left.subspan(count);
      }
    }
    return absl::OkStatus();
  }

  absl::Status Finish() {
    for (auto& [day, builder] : days_) NTA_RETURN_IF_ERROR(emit_(builder));
    days_.clear();
    return absl::OkStatus();
  }

 private:
  absl::Status EmitIfFull(std::int64_t day) {
    BlockBuilder& builder = days_[day];
    if (builder.size() < most_ && builder.text_bytes() < kMostTextBytes) return absl::OkStatus();
    NTA_RETURN_IF_ERROR(emit_(builder));
    days_.erase(day);
    return absl::OkStatus();
  }

  const std::size_t most_;
  const Emit emit_;
  std::map<std::int64_t, BlockBuilder> days_;
};

Bytes JoinTail(const std::vector<BlockBuilder::EncodedColumn>& columns) {
  Bytes data;
  ByteWriter writer(data);
  for (const auto& [id, bytes] : columns) {
    writer.U8(static_cast<std::uint8_t>(id));
    writer.Varint(bytes.size());
    writer.Raw(bytes);
  }
  return data;
}

void BindInfo(Statement& statement, const BlockInfo& block) {
  statement.BindAll(block.flows, block.first_id, block.last_id, ToInteger(block.min_first_seen),
                    ToInteger(block.min_last_seen), ToInteger(block.max_last_seen), block.max_bytes,
                    block.max_packets);
}

}  // namespace

absl::StatusOr<BlockWriter::Tail> BlockWriter::FindTail() {
  NTA_ASSIGN_OR_RETURN(Statement * statement,
                       connection_.Cached("SELECT count(*), sum(flows) FROM flow_tail"));
  NTA_RETURN_IF_ERROR(statement->Step().status());
  const Tail tail{static_cast<std::size_t>(statement->Count(0)),
                  static_cast<std::size_t>(statement->Count(1))};
  statement->Reset();
  return tail;
}

absl::Status BlockWriter::WriteTail(BlockBuilder& builder) {
  builder.Finish();
  const Bytes data = JoinTail(builder.Encode(no_compressor_));
  NTA_ASSIGN_OR_RETURN(Statement * insert,
                       connection_.Cached("INSERT INTO flow_tail VALUES(NULL, ?, ?, ?, ?, ?, ?, ?, "
                                          "?, ?)"));
  BindInfo(*insert, builder.Info());
  return insert->Bind(std::span<const std::uint8_t>(data)).Run();
}

absl::Status BlockWriter::WriteBlock(BlockBuilder& builder, std::int64_t rollups) {
  builder.Finish();
  const TrafficColumns traffic = builder.Traffic();
  if (rollups == 0) {
    SqliteRollupStorage storage(connection_);
    RollupTable table(storage);
    Rollup rollup(table, compressor_);
    NTA_ASSIGN_OR_RETURN(rollups, rollup.Add(traffic, kRolledUp | kAddressesPerMinute));
  }
  NTA_ASSIGN_OR_RETURN(
      Statement * insert,
      connection_.Cached("INSERT INTO flow_block VALUES(NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?)"));
  BindInfo(*insert, builder.Info());
  NTA_RETURN_IF_ERROR(insert->Bind(rollups).Run());
  const std::int64_t block = sqlite3_last_insert_rowid(connection_.get());
  const Bytes summary = BlockSummary::Of(traffic).Encode();
  NTA_ASSIGN_OR_RETURN(insert, connection_.Cached("INSERT INTO flow_summary VALUES(?, ?)"));
  NTA_RETURN_IF_ERROR(insert->Bind(block).Bind(std::span<const std::uint8_t>(summary)).Run());
  NTA_ASSIGN_OR_RETURN(insert, connection_.Cached("INSERT INTO flow_data VALUES(?, ?)"));
  auto columns = builder.Encode(compressor_);
  // In the order of their ids, so that rows are appended.
  std::sort(columns.begin(), columns.end(),
            [](const auto& a, const auto& b) { return a.id < b.id; });
  for (const auto& [id, bytes] : columns) {
    insert->Bind(block * kColumnsPerBlock + static_cast<std::int64_t>(id));
    NTA_RETURN_IF_ERROR(insert->Bind(std::span<const std::uint8_t>(bytes)).Run());
  }
  return absl::OkStatus();
}

absl::Status BlockWriter::MergeTail() {
  BlockReader reader(connection_);
  NTA_ASSIGN_OR_RETURN(const std::vector<BlockInfo> blocks, reader.List());
  const auto emit = [this](BlockBuilder& builder) { return WriteTail(builder); };
  Packer packer(connection_.flows_per_block, emit);
  for (const BlockInfo& block : blocks) {
    if (!block.is_tail) continue;
    NTA_ASSIGN_OR_RETURN(const auto batch, reader.Open(block));
    NTA_RETURN_IF_ERROR(packer.Add(*batch));
    NTA_RETURN_IF_ERROR(Delete(block));
  }
  return packer.Finish();
}

absl::Status BlockWriter::Seal(const Tail& tail, std::span<const FlowRecord> flows,
                               std::int64_t first_id) {
  const std::size_t all = tail.flows + flows.size();
  const std::size_t blocks = std::max<std::size_t>(all / connection_.flows_per_block, 1);
  const auto emit = [this](BlockBuilder& builder) { return WriteBlock(builder, 0); };
  Packer packer(std::min((all + blocks - 1) / blocks, kMaxBlockFlows), emit);
  if (tail.parts > 0) {
    BlockReader reader(connection_);
    NTA_ASSIGN_OR_RETURN(const std::vector<BlockInfo> list, reader.List());
    for (const BlockInfo& block : list) {
      if (!block.is_tail) continue;
      NTA_ASSIGN_OR_RETURN(const auto batch, reader.Open(block));
      NTA_RETURN_IF_ERROR(packer.Add(*batch));
      NTA_RETURN_IF_ERROR(Delete(block));
    }
  }
  NTA_RETURN_IF_ERROR(packer.Add(flows, first_id));
  return packer.Finish();
}

absl::Status BlockWriter::Write(std::span<const FlowRecord> flows, std::int64_t first_id) {
  NTA_ASSIGN_OR_RETURN(const Tail tail, FindTail());
  if (tail.flows + flows.size() >= connection_.flows_per_block) return Seal(tail, flows, first_id);
  const auto emit = [this](BlockBuilder& builder) { return WriteTail(builder); };
  Packer packer(connection_.flows_per_block, emit);
  NTA_RETURN_IF_ERROR(packer.Add(flows, first_id));
  NTA_RETURN_IF_ERROR(packer.Finish());
  return tail.parts + 1 > kMostTailParts ? MergeTail() : absl::OkStatus();
}

absl::Status BlockWriter::Replace(const BlockInfo& block, BlockBuilder& builder) {
  NTA_RETURN_IF_ERROR(Delete(block));
  return block.is_tail ? WriteTail(builder) : WriteBlock(builder, block.rollups);
}

absl::Status BlockWriter::Delete(const BlockInfo& block) {
  if (block.is_tail) {
    NTA_ASSIGN_OR_RETURN(Statement * remove,
                         connection_.Cached("DELETE FROM flow_tail WHERE id = ?"));
    return remove->Bind(block.id).Run();
  }
  NTA_ASSIGN_OR_RETURN(Statement * remove,
                       connection_.Cached("DELETE FROM flow_block WHERE id = ?"));
  NTA_RETURN_IF_ERROR(remove->Bind(block.id).Run());
  NTA_ASSIGN_OR_RETURN(remove, connection_.Cached("DELETE FROM flow_summary WHERE block = ?"));
  NTA_RETURN_IF_ERROR(remove->Bind(block.id).Run());
  NTA_ASSIGN_OR_RETURN(remove,
                       connection_.Cached("DELETE FROM flow_data WHERE id >= ?1 AND id < ?2"));
  const std::int64_t first = block.id * kColumnsPerBlock;
  return remove->BindAll(first, first + kColumnsPerBlock).Run();
}

}  // namespace nta::store
