#include <algorithm>
#include <optional>
#include <vector>

#include "base/status.h"
#include "store/blocks.h"
#include "store/free_pages.h"
#include "store/operations.h"
#include "store/rollup.h"
#include "store/rollup_table.h"
#include "store/rows.h"
#include "store/scan.h"
#include "store/sqlite_rollup_storage.h"

namespace nta::store {
namespace {

bool EndsBefore(const BlockInfo& block, Timestamp time) { return block.max_last_seen < time; }

// Up to which time at the most so many blocks go.
Timestamp EndOfStep(std::vector<BlockInfo> blocks, Timestamp time, std::size_t most_blocks) {
  std::erase_if(blocks, [time](const BlockInfo& block) { return !EndsBefore(block, time); });
  if (blocks.size() <= most_blocks) return time;
  const auto last = blocks.begin() + static_cast<std::ptrdiff_t>(most_blocks);
  std::nth_element(blocks.begin(), last, blocks.end(),
                   [](const auto& a, const auto& b) { return a.max_last_seen < b.max_last_seen; });
  return last->max_last_seen;
}

// Leaves those flows of a block that ended before `time` out; answers how many.
absl::StatusOr<std::uint64_t> CutBlock(Connection& connection, const BlockInfo& block,
                                       Timestamp time) {
  BlockReader reader(connection);
  BlockWriter writer(connection);
  NTA_ASSIGN_OR_RETURN(const auto batch, reader.Open(block));
  NTA_ASSIGN_OR_RETURN(const NumberColumn* last_seen, batch->Numbers(ColumnId::kLastSeen));
  std::vector<std::uint32_t> staying;
  for (std::uint32_t i = 0; i < batch->size(); ++i) {
    if (static_cast<std::int64_t>((*last_seen)[i]) >= ToInteger(time)) staying.push_back(i);
  }
  BlockBuilder builder;
  NTA_RETURN_IF_ERROR(builder.Add(*batch, staying));
  NTA_RETURN_IF_ERROR(writer.Replace(block, builder));
  return block.flows - staying.size();
}

absl::StatusOr<std::uint64_t> DeleteFlows(Connection& connection,
                                          const std::vector<BlockInfo>& blocks, Timestamp time) {
  BlockWriter writer(connection);
  std::uint64_t deleted = 0;
  for (const BlockInfo& block : blocks) {
    if (EndsBefore(block, time)) {
      NTA_RETURN_IF_ERROR(writer.Delete(block));
      deleted += block.flows;
    } else if (block.min_last_seen < time) {
      NTA_ASSIGN_OR_RETURN(const std::uint64_t cut, CutBlock(connection, block, time));
      deleted += cut;
    }
  }
  return deleted;
}

// Flows that stay have shares in times that go: totals are always those of the flows that are
// there, so they are made anew for these times.
absl::Status RebuildRollups(Connection& connection, Timestamp time) {
  SqliteRollupStorage storage(connection);
  RollupTable table(storage);
  RollupLimits limits;
  for (const RollupLevel level : kAllLevels) {
    Minute& before = limits.before[static_cast<std::size_t>(level)];
    before = BucketCeil(CeilMinute(time), level);
    NTA_RETURN_IF_ERROR(table.DeleteBefore(level, before));
  }
  Compressor compressor;
  Rollup rollup(table, compressor, limits);
  BlockReader reader(connection);
  NTA_ASSIGN_OR_RETURN(const std::vector<BlockInfo> blocks, reader.List());
  for (const BlockInfo& block : blocks) {
    if (block.rollups == 0 || block.min_first_seen >= StartOf(limits.before.back())) continue;
    NTA_ASSIGN_OR_RETURN(const auto batch, reader.Open(block));
    NTA_ASSIGN_OR_RETURN(const TrafficColumns columns, Traffic(*batch, TrafficNeeds::All()));
    NTA_RETURN_IF_ERROR(rollup.AddAs(columns, block.rollups));
  }
  return absl::OkStatus();
}

// What is gone must not look like silence.
absl::Status TrimCaptured(Connection& connection, Timestamp time) {
  const Minute before = FloorMinute(time);
  for (const char* sql : {"INSERT OR REPLACE INTO captured SELECT ?1, until_minute FROM captured "
                          "WHERE since_minute < ?1 AND until_minute > ?1",
                          "DELETE FROM captured WHERE since_minute < ?1",
                          "DELETE FROM capture_counts WHERE minute < ?1"}) {
    NTA_ASSIGN_OR_RETURN(Statement * statement, connection.Cached(sql));
    NTA_RETURN_IF_ERROR(statement->Bind(before).Run());
  }
  return absl::OkStatus();
}

absl::Status DeleteAlerts(Connection& connection, Timestamp time) {
  for (const char* sql : {"DELETE FROM alert_evidence WHERE alert_id IN "
                          "(SELECT id FROM alerts WHERE time < ?1)",
                          "DELETE FROM alerts WHERE time < ?1"}) {
    NTA_ASSIGN_OR_RETURN(Statement * statement, connection.Cached(sql));
    NTA_RETURN_IF_ERROR(statement->Bind(ToInteger(time)).Run());
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status MakeRollupsAnew(Connection& connection) {
  return RebuildRollups(connection, Timestamp::max());
}

absl::StatusOr<DeletionStep> DeleteSome(Connection& connection, Timestamp time,
                                        std::size_t most_blocks) {
  DeletionStep step;
  NTA_ASSIGN_OR_RETURN(Transaction transaction, Transaction::BeginWrite(connection));
  NTA_ASSIGN_OR_RETURN(const std::vector<BlockInfo> blocks, BlockReader(connection).List());
  const Timestamp until = EndOfStep(blocks, time, most_blocks);
  step.done = until == time;
  NTA_ASSIGN_OR_RETURN(step.flows, DeleteFlows(connection, blocks, until));
  if (step.flows > 0) NTA_RETURN_IF_ERROR(RebuildRollups(connection, until));
  if (step.done) {
    NTA_RETURN_IF_ERROR(TrimCaptured(connection, time));
  }
  NTA_RETURN_IF_ERROR(transaction.Commit());
  return step;
}

absl::StatusOr<std::uint64_t> DeleteAlertsBefore(Connection& connection, Timestamp time) {
  NTA_ASSIGN_OR_RETURN(Transaction transaction, Transaction::BeginWrite(connection));
  NTA_ASSIGN_OR_RETURN(const std::int64_t before,
                       connection.QueryInteger("SELECT count(*) FROM alerts"));
  NTA_RETURN_IF_ERROR(DeleteAlerts(connection, time));
  NTA_ASSIGN_OR_RETURN(const std::int64_t after,
                       connection.QueryInteger("SELECT count(*) FROM alerts"));
  NTA_RETURN_IF_ERROR(transaction.Commit());
  return static_cast<std::uint64_t>(before - after);
}

absl::StatusOr<Timestamp> AdvanceRetentionClock(Connection& connection, Timestamp now) {
  constexpr Duration kMostPerRun = std::chrono::hours(24);
  NTA_ASSIGN_OR_RETURN(Transaction transaction, Transaction::BeginWrite(connection));
  NTA_ASSIGN_OR_RETURN(Statement * read,
                       connection.Cached("SELECT value FROM meta WHERE name = 'retention_clock'"));
  NTA_ASSIGN_OR_RETURN(const bool found, read->Step());
  // The first run has nothing to go by but the flows.
  Timestamp last = found ? ToTimestamp(read->Integer(0)) : Timestamp::min();
  read->Reset();
  if (!found) {
    NTA_ASSIGN_OR_RETURN(const std::vector<BlockInfo> blocks, BlockReader(connection).List());
    for (const BlockInfo& block : blocks) last = std::max(last, block.max_last_seen);
    if (blocks.empty()) last = now;
  }
  // Back is always fine, because less is deleted, and is not remembered.
  const Timestamp clock = now > last && now - last > kMostPerRun ? last + kMostPerRun : now;
  NTA_ASSIGN_OR_RETURN(
      Statement * write,
      connection.Cached("INSERT OR REPLACE INTO meta VALUES('retention_clock', ?)"));
  NTA_RETURN_IF_ERROR(write->Bind(ToInteger(std::max(clock, last))).Run());
  NTA_RETURN_IF_ERROR(transaction.Commit());
  return clock;
}

absl::StatusOr<StoreSize> MeasureSize(Connection& connection) {
  StoreSize size;
  NTA_ASSIGN_OR_RETURN(const std::int64_t page, connection.QueryInteger("PRAGMA page_size"));
  NTA_ASSIGN_OR_RETURN(const std::int64_t pages, connection.QueryInteger("PRAGMA page_count"));
  NTA_ASSIGN_OR_RETURN(const std::int64_t free, connection.QueryInteger("PRAGMA freelist_count"));
  NTA_ASSIGN_OR_RETURN(
      const std::int64_t flows,
      connection.QueryInteger("SELECT (SELECT ifnull(sum(flows), 0) FROM flow_block) + "
                              "(SELECT ifnull(sum(flows), 0) FROM flow_tail)"));
  const auto free_bytes = static_cast<std::uint64_t>(free * page);
  const std::uint64_t holes = std::min(BytesOfHoles(connection), free_bytes);
  size.file_bytes = static_cast<std::uint64_t>(pages * page) - holes;
  size.free_bytes = free_bytes - holes;
  size.flows = static_cast<std::uint64_t>(flows);
  return size;
}

absl::StatusOr<std::optional<Timestamp>> EndOfOldest(Connection& connection, double part) {
  NTA_ASSIGN_OR_RETURN(std::vector<BlockInfo> blocks, BlockReader(connection).List());
  if (blocks.empty()) return std::optional<Timestamp>();
  std::sort(blocks.begin(), blocks.end(), [](const BlockInfo& a, const BlockInfo& b) {
    return a.max_last_seen < b.max_last_seen;
  });
  // Blocks differ little in what a flow takes; totals shrink with the flows.
  double flows = 0;
  for (const BlockInfo& block : blocks) flows += static_cast<double>(block.flows);
  double found = 0;
  for (const BlockInfo& block : blocks) {
    found += static_cast<double>(block.flows);
    if (found >= part * flows) {
      return std::optional<Timestamp>(block.max_last_seen + Duration(1));
    }
  }
  return std::optional<Timestamp>(blocks.back().max_last_seen + Duration(1));
}

namespace {

std::int64_t PagesWritten(Connection& connection) {
  int written = 0;
  int ignored = 0;
  sqlite3_db_status(connection.get(), SQLITE_DBSTATUS_CACHE_WRITE, &written, &ignored, 0);
  return written;
}

// Shortens the file by what is free at its end, and a little more: moving pages from there writes
// each of them twice while writers wait.
absl::Status ShortenFile(Connection& connection) {
  constexpr std::int64_t kPages = 1'024;
  constexpr std::int64_t kMostPages = 8 * kPages;
  for (std::int64_t pages = kPages;; pages = std::min(2 * pages, kMostPages)) {
    const std::int64_t before = PagesWritten(connection);
    NTA_RETURN_IF_ERROR(
        connection.Execute("PRAGMA incremental_vacuum(" + std::to_string(pages) + ")"));
    if (PagesWritten(connection) - before > pages / 8) return absl::OkStatus();
    NTA_ASSIGN_OR_RETURN(const std::int64_t left, connection.QueryInteger("PRAGMA freelist_count"));
    if (left == 0) return absl::OkStatus();
  }
}

}  // namespace

absl::Status ReturnSpace(Connection& connection) {
  // Statements that are not at their end would keep the log as it is.
  connection.ResetCached();
  // The rest also when that fails: a full disk may have room for it once the log is gone.
  absl::Status shortened = ShortenFile(connection);
  NTA_ASSIGN_OR_RETURN(const Punched punched, PunchFreePages(connection));
  if (punched == Punched::kNever) {
    shortened = connection.Execute("PRAGMA incremental_vacuum");
    NTA_RETURN_IF_ERROR(PunchFreePages(connection).status());
  }
  connection.owes_space = punched == Punched::kLater;
  return shortened;
}

}  // namespace nta::store
