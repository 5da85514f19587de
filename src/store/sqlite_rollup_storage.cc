#include "store/sqlite_rollup_storage.h"

#include <array>

#include "base/status.h"

namespace nta::store {
namespace {

// One statement for each level.
using LevelSql = std::array<const char*, kRollupLevels>;

constexpr LevelSql kInsert{
    "INSERT INTO rollup_minute VALUES(?, ?, ?)", "INSERT INTO rollup_hour VALUES(?, ?, ?)",
    "INSERT INTO rollup_quarter VALUES(?, ?, ?)", "INSERT INTO rollup_day VALUES(?, ?, ?)"};
constexpr LevelSql kSizes{
    "SELECT id, length(traffic) + ifnull(length(addresses), 0) "
    "FROM rollup_minute WHERE id >= ?1 AND id < ?2 ORDER BY id",
    "SELECT id, length(traffic) + ifnull(length(addresses), 0) "
    "FROM rollup_hour WHERE id >= ?1 AND id < ?2 ORDER BY id",
    "SELECT id, length(traffic) + ifnull(length(addresses), 0) "
    "FROM rollup_quarter WHERE id >= ?1 AND id < ?2 ORDER BY id",
    "SELECT id, length(traffic) + ifnull(length(addresses), 0) "
    "FROM rollup_day WHERE id >= ?1 AND id < ?2 ORDER BY id"};
constexpr LevelSql kRead{
    "SELECT id, traffic, addresses FROM rollup_minute WHERE id >= ?1 AND id < ?2 ORDER BY id",
    "SELECT id, traffic, addresses FROM rollup_hour WHERE id >= ?1 AND id < ?2 ORDER BY id",
    "SELECT id, traffic, addresses FROM rollup_quarter WHERE id >= ?1 AND id < ?2 ORDER BY id",
    "SELECT id, traffic, addresses FROM rollup_day WHERE id >= ?1 AND id < ?2 ORDER BY id"};
constexpr LevelSql kReadTraffic{
    "SELECT id, traffic FROM rollup_minute WHERE id >= ?1 AND id < ?2 ORDER BY id",
    "SELECT id, traffic FROM rollup_hour WHERE id >= ?1 AND id < ?2 ORDER BY id",
    "SELECT id, traffic FROM rollup_quarter WHERE id >= ?1 AND id < ?2 ORDER BY id",
    "SELECT id, traffic FROM rollup_day WHERE id >= ?1 AND id < ?2 ORDER BY id"};
constexpr LevelSql kReadAddresses{
    "SELECT id, addresses FROM rollup_minute WHERE id >= ?1 AND id < ?2 AND addresses IS NOT NULL "
    "ORDER BY id",
    "SELECT id, addresses FROM rollup_hour WHERE id >= ?1 AND id < ?2 AND addresses IS NOT NULL "
    "ORDER BY id",
    "SELECT id, addresses FROM rollup_quarter WHERE id >= ?1 AND id < ?2 AND addresses IS NOT NULL "
    "ORDER BY id",
    "SELECT id, addresses FROM rollup_day WHERE id >= ?1 AND id < ?2 AND addresses IS NOT NULL "
    "ORDER BY id"};
constexpr LevelSql kReadIds{"SELECT id FROM rollup_minute WHERE id >= ?1 AND id < ?2 ORDER BY id",
                            "SELECT id FROM rollup_hour WHERE id >= ?1 AND id < ?2 ORDER BY id",
                            "SELECT id FROM rollup_quarter WHERE id >= ?1 AND id < ?2 ORDER BY id",
                            "SELECT id FROM rollup_day WHERE id >= ?1 AND id < ?2 ORDER BY id"};
constexpr LevelSql kDelete{"DELETE FROM rollup_minute WHERE id >= ?1 AND id < ?2",
                           "DELETE FROM rollup_hour WHERE id >= ?1 AND id < ?2",
                           "DELETE FROM rollup_quarter WHERE id >= ?1 AND id < ?2",
                           "DELETE FROM rollup_day WHERE id >= ?1 AND id < ?2"};

const char* Of(const LevelSql& sql, RollupLevel level) {
  return sql[static_cast<std::size_t>(level)];
}

constexpr LevelSql kEnds{
    "SELECT (SELECT min(id) FROM rollup_minute), (SELECT max(id) FROM rollup_minute)",
    "SELECT (SELECT min(id) FROM rollup_hour), (SELECT max(id) FROM rollup_hour)",
    "SELECT (SELECT min(id) FROM rollup_quarter), (SELECT max(id) FROM rollup_quarter)",
    "SELECT (SELECT min(id) FROM rollup_day), (SELECT max(id) FROM rollup_day)"};

const LevelSql& SqlFor(RollupStorage::Want want) {
  switch (want) {
    case RollupStorage::Want::kIds:
      return kReadIds;
    case RollupStorage::Want::kTraffic:
      return kReadTraffic;
    case RollupStorage::Want::kAddresses:
      return kReadAddresses;
    case RollupStorage::Want::kBoth:
      return kRead;
  }
  return kRead;
}

}  // namespace

absl::StatusOr<std::vector<PartSize>> SqliteRollupStorage::Sizes(RollupLevel level,
                                                                 const IdRange& ids) {
  NTA_ASSIGN_OR_RETURN(Statement * sizes, connection_.Cached(Of(kSizes, level)));
  sizes->BindAll(ids.first, ids.end);
  std::vector<PartSize> parts;
  while (true) {
    NTA_ASSIGN_OR_RETURN(const bool row, sizes->Step());
    if (!row) break;
    parts.push_back({sizes->Integer(0), sizes->Integer(1)});
  }
  sizes->Reset();
  return parts;
}

absl::Status SqliteRollupStorage::Read(RollupLevel level, const IdRange& ids, Want want,
                                       absl::FunctionRef<absl::Status(const PartBytes&)> visit) {
  NTA_ASSIGN_OR_RETURN(Statement * read, connection_.Cached(Of(SqlFor(want), level)));
  read->BindAll(ids.first, ids.end);
  while (true) {
    NTA_ASSIGN_OR_RETURN(const bool row, read->Step());
    if (!row) break;
    PartBytes part{.id = read->Integer(0), .traffic = {}, .addresses = std::nullopt};
    if (want == Want::kTraffic || want == Want::kBoth) part.traffic = read->Blob(1);
    if (want == Want::kAddresses) part.addresses = read->Blob(1);
    if (want == Want::kBoth && !read->IsNull(2)) part.addresses = read->Blob(2);
    NTA_RETURN_IF_ERROR(visit(part));
  }
  read->Reset();
  return absl::OkStatus();
}

absl::Status SqliteRollupStorage::Insert(RollupLevel level, const PartBytes& part) {
  NTA_ASSIGN_OR_RETURN(Statement * insert, connection_.Cached(Of(kInsert, level)));
  insert->Bind(part.id).Bind(part.traffic);
  if (part.addresses) {
    insert->Bind(*part.addresses);
  } else {
    insert->Bind(nullptr);
  }
  return insert->Run();
}

absl::Status SqliteRollupStorage::Delete(RollupLevel level, const IdRange& ids) {
  NTA_ASSIGN_OR_RETURN(Statement * remove, connection_.Cached(Of(kDelete, level)));
  return remove->BindAll(ids.first, ids.end).Run();
}

absl::StatusOr<std::optional<std::pair<std::int64_t, std::int64_t>>> SqliteRollupStorage::Ends(
    RollupLevel level) {
  NTA_ASSIGN_OR_RETURN(Statement * ends, connection_.Cached(Of(kEnds, level)));
  NTA_RETURN_IF_ERROR(ends->Step().status());
  std::optional<std::pair<std::int64_t, std::int64_t>> range;
  if (!ends->IsNull(0)) range = {ends->Integer(0), ends->Integer(1)};
  ends->Reset();
  return range;
}

}  // namespace nta::store
