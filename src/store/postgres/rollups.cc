#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "base/status.h"
#include "store/block_builder.h"
#include "store/postgres/flows.h"
#include "store/postgres/schema.h"
#include "store/postgres/traffic.h"
#include "store/rollup.h"

namespace nta::store {
namespace {

constexpr std::int64_t kIdsAtOnce = 1 << 18;
constexpr std::string_view kFirstWithoutTotals = "first_id_without_totals";

std::string TableOf(RollupLevel level) {
  constexpr std::array<const char*, kRollupLevels> kNames = {"rollup_minute", "rollup_hour",
                                                             "rollup_quarter", "rollup_day"};
  return kNames[static_cast<std::size_t>(level)];
}

// Adds the flows that `where` selects to the totals, part by part.
absl::Status AddToRollups(PgConnection& connection, Rollup& rollup, const std::string& where) {
  // All are read before any part is written: a connection does one thing at a time.
  std::vector<BlockBuilder> parts;
  NTA_RETURN_IF_ERROR(
      CopyFlowsOut(connection, FlowSelection(false), where, [&parts](StoredFlow flow) {
        if (parts.empty() || parts.back().size() >= kMaxBlockFlows) parts.emplace_back();
        parts.back().Add({&flow.flow, 1}, flow.id);
        return absl::OkStatus();
      }));
  for (BlockBuilder& part : parts) {
    part.Finish();
    NTA_RETURN_IF_ERROR(rollup.AddAs(part.Traffic(), kRolledUp));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::vector<PartSize>> PgRollupStorage::Sizes(RollupLevel level,
                                                             const IdRange& ids) {
  NTA_ASSIGN_OR_RETURN(
      const PgRows rows,
      connection_.Query(
          "SELECT id, (length(traffic) + coalesce(length(addresses), 0))::bigint FROM " +
              TableOf(level) + " WHERE id >= $1 AND id < $2 ORDER BY id",
          PgList(ids.first, ids.end)));
  std::vector<PartSize> parts;
  for (int i = 0; i < rows.size(); ++i) parts.push_back({rows.Integer(i, 0), rows.Integer(i, 1)});
  return parts;
}

absl::Status PgRollupStorage::Read(RollupLevel level, const IdRange& ids, Want want,
                                   absl::FunctionRef<absl::Status(const PartBytes&)> visit) {
  const bool with_traffic = want == Want::kTraffic || want == Want::kBoth;
  const bool with_addresses = want == Want::kAddresses || want == Want::kBoth;
  const std::string sql = std::string("SELECT id, ") + (with_traffic ? "traffic" : "NULL::bytea") +
                          ", " + (with_addresses ? "addresses" : "NULL::bytea") + " FROM " +
                          TableOf(level) + " WHERE id >= $1 AND id < $2" +
                          (want == Want::kAddresses ? " AND addresses IS NOT NULL" : "") +
                          " ORDER BY id LIMIT 64";
  // A few at a time: parts can be large.
  std::int64_t first = ids.first;
  while (true) {
    NTA_ASSIGN_OR_RETURN(const PgRows rows, connection_.Query(sql, PgList(first, ids.end)));
    for (int i = 0; i < rows.size(); ++i) {
      PartBytes part{.id = rows.Integer(i, 0), .traffic = {}, .addresses = std::nullopt};
      if (with_traffic) part.traffic = AsBytea(rows.Bytes(i, 1));
      if (with_addresses && !rows.IsNull(i, 2)) part.addresses = AsBytea(rows.Bytes(i, 2));
      NTA_RETURN_IF_ERROR(visit(part));
      first = part.id + 1;
    }
    if (rows.size() < 64) return absl::OkStatus();
  }
}

absl::Status PgRollupStorage::Insert(RollupLevel level, const PartBytes& part) {
  PgValues values;
  values.Add(part.id).Add(part.traffic).Add(part.addresses);
  return connection_.Run("INSERT INTO " + TableOf(level) + " VALUES($1, $2, $3)", values);
}

absl::Status PgRollupStorage::Delete(RollupLevel level, const IdRange& ids) {
  return connection_.Run("DELETE FROM " + TableOf(level) + " WHERE id >= $1 AND id < $2",
                         PgList(ids.first, ids.end));
}

absl::StatusOr<std::optional<std::pair<std::int64_t, std::int64_t>>> PgRollupStorage::Ends(
    RollupLevel level) {
  NTA_ASSIGN_OR_RETURN(const PgRows rows,
                       connection_.Query("SELECT min(id), max(id) FROM " + TableOf(level)));
  std::optional<std::pair<std::int64_t, std::int64_t>> ends;
  if (!rows.IsNull(0, 0)) ends = {rows.Integer(0, 0), rows.Integer(0, 1)};
  return ends;
}

absl::Status RollUpNewest(PgConnection& connection, std::size_t flows_per_part) {
  const auto part = static_cast<std::int64_t>(flows_per_part);
  NTA_ASSIGN_OR_RETURN(const std::int64_t next, ReadPgMeta(connection, "next_flow_id"));
  NTA_ASSIGN_OR_RETURN(std::int64_t first, ReadPgMeta(connection, kFirstWithoutTotals));
  if (next - first < part) return absl::OkStatus();
  PgRollupStorage storage(connection);
  RollupTable table(storage);
  Compressor compressor;
  Rollup rollup(table, compressor);
  for (; next - first >= part; first += part) {
    NTA_RETURN_IF_ERROR(AddToRollups(
        connection, rollup,
        "id >= " + std::to_string(first) + " AND id < " + std::to_string(first + part)));
  }
  return WritePgMeta(connection, kFirstWithoutTotals, first);
}

absl::Status RebuildPgRollups(PgConnection& connection, Timestamp time) {
  PgRollupStorage storage(connection);
  RollupTable table(storage);
  RollupLimits limits;
  for (const RollupLevel level : kAllLevels) {
    Minute& before = limits.before[static_cast<std::size_t>(level)];
    before = BucketCeil(CeilMinute(time), level);
    NTA_RETURN_IF_ERROR(table.DeleteBefore(level, before));
  }
  NTA_ASSIGN_OR_RETURN(const std::int64_t first, ReadPgMeta(connection, kFirstWithoutTotals));
  const TimeInterval affected{Timestamp::min(), StartOf(limits.before.back())};
  Compressor compressor;
  Rollup rollup(table, compressor, limits);
  NTA_ASSIGN_OR_RETURN(std::int64_t id, connection.QueryInteger("SELECT min(id) FROM flows WHERE " +
                                                                OverlapCondition(affected)));
  // Some at a time, because they are held in memory.
  for (; id < first; id += kIdsAtOnce) {
    NTA_RETURN_IF_ERROR(AddToRollups(connection, rollup,
                                     "id >= " + std::to_string(id) + " AND id < " +
                                         std::to_string(std::min(first, id + kIdsAtOnce)) +
                                         " AND " + OverlapCondition(affected)));
  }
  return absl::OkStatus();
}

}  // namespace nta::store
