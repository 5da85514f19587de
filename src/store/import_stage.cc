#include "store/import_stage.h"

#include <limits>

#include "base/status.h"
#include "store/blocks.h"
#include "store/rollup.h"
#include "store/rollup_table.h"
#include "store/schema.h"
#include "store/sqlite_rollup_storage.h"

namespace nta::store {
namespace {

constexpr IdRange kAllIds{std::numeric_limits<std::int64_t>::min(),
                          std::numeric_limits<std::int64_t>::max()};

// The row's columns from `first` on as they are, into the next parameters.
void BindSame(Statement& row, int first, int columns, Statement& target) {
  for (int column = first; column < columns; ++column) {
    if (row.IsBlob(column)) {
      target.Bind(row.Blob(column));
    } else {
      target.Bind(row.Integer(column));
    }
  }
}

}  // namespace

absl::StatusOr<ImportStage> ImportStage::Create(const std::string& path,
                                                std::size_t flows_per_block) {
  NTA_ASSIGN_OR_RETURN(auto stage, OpenScratch(path));
  stage->flows_per_block = flows_per_block;
  return ImportStage(std::move(stage));
}

absl::Status ImportStage::Add(std::span<const FlowRecord> flows, std::int64_t first_id) {
  NTA_ASSIGN_OR_RETURN(Transaction transaction, Transaction::BeginWrite(*stage_));
  NTA_RETURN_IF_ERROR(BlockWriter(*stage_).Write(flows, first_id));
  return transaction.Commit();
}

absl::Status ImportStage::MoveTo(Connection& store) {
  NTA_RETURN_IF_ERROR(MoveBlocks(store));
  NTA_RETURN_IF_ERROR(MoveTail(store));
  return MoveTotals(store);
}

absl::Status ImportStage::MoveBlocks(Connection& store) {
  constexpr auto kColumnsPerBlock = static_cast<std::int64_t>(kMaxColumns);
  NTA_ASSIGN_OR_RETURN(
      Statement blocks,
      stage_->Prepare("SELECT flow_block.*, data FROM flow_block JOIN flow_summary "
                      "ON block = flow_block.id ORDER BY flow_block.id"));
  NTA_ASSIGN_OR_RETURN(Statement data,
                       stage_->Prepare("SELECT id, data FROM flow_data WHERE id >= ? AND id < ? "
                                       "ORDER BY id"));
  while (true) {
    NTA_ASSIGN_OR_RETURN(const bool row, blocks.Step());
    if (!row) return absl::OkStatus();
    constexpr int kInfoColumns = 10;
    NTA_ASSIGN_OR_RETURN(
        Statement * insert,
        store.Cached("INSERT INTO flow_block VALUES(NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?)"));
    BindSame(blocks, 1, kInfoColumns, *insert);
    NTA_RETURN_IF_ERROR(insert->Run());
    const std::int64_t id = sqlite3_last_insert_rowid(store.get());
    NTA_ASSIGN_OR_RETURN(insert, store.Cached("INSERT INTO flow_summary VALUES(?, ?)"));
    NTA_RETURN_IF_ERROR(insert->Bind(id).Bind(blocks.Blob(kInfoColumns)).Run());
    NTA_ASSIGN_OR_RETURN(insert, store.Cached("INSERT INTO flow_data VALUES(?, ?)"));
    const std::int64_t first = blocks.Integer(0) * kColumnsPerBlock;
    data.Reset();
    data.BindAll(first, first + kColumnsPerBlock);
    while (true) {
      NTA_ASSIGN_OR_RETURN(const bool column, data.Step());
      if (!column) break;
      insert->Bind(id * kColumnsPerBlock + data.Integer(0) - first);
      NTA_RETURN_IF_ERROR(insert->Bind(data.Blob(1)).Run());
    }
  }
}

// The next write that finds the tail too large makes blocks of it.
absl::Status ImportStage::MoveTail(Connection& store) {
  NTA_ASSIGN_OR_RETURN(Statement tail, stage_->Prepare("SELECT * FROM flow_tail ORDER BY id"));
  while (true) {
    NTA_ASSIGN_OR_RETURN(const bool row, tail.Step());
    if (!row) return absl::OkStatus();
    constexpr int kColumns = 10;
    NTA_ASSIGN_OR_RETURN(
        Statement * insert,
        store.Cached("INSERT INTO flow_tail VALUES(NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?)"));
    BindSame(tail, 1, kColumns, *insert);
    NTA_RETURN_IF_ERROR(insert->Run());
  }
}

absl::Status ImportStage::MoveTotals(Connection& store) {
  SqliteRollupStorage from(*stage_);
  SqliteRollupStorage to(store);
  RollupTable table(to);
  Compressor compressor;
  for (const RollupLevel level : kAllLevels) {
    NTA_RETURN_IF_ERROR(from.Read(
        level, kAllIds, RollupStorage::Want::kBoth, [&](const PartBytes& bytes) -> absl::Status {
          EncodedPart part{.start = StartOfPart(level, bytes.id), .traffic = {}, .addresses = {}};
          part.traffic.assign(bytes.traffic.begin(), bytes.traffic.end());
          if (bytes.addresses)
            part.addresses.emplace(bytes.addresses->begin(), bytes.addresses->end());
          return table.Add(level, part, compressor);
        }));
  }
  return absl::OkStatus();
}

}  // namespace nta::store
