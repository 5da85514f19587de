#include "store/rollup_table.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/status.h"

namespace nta::store {
namespace {

// A bucket's parts have the ids bucket * kPartsPerBucket + 0, 1, 2, ...
constexpr std::int64_t kPartsPerBucket = 65'536;
// So many parts of a bucket are read as one; more of them cost every query.
constexpr std::size_t kMostParts = 8;
// Larger parts stay as they are: bounds the memory of whoever reads or merges them.
constexpr std::int64_t kMostMergedBytes = 8 << 20;

std::int64_t FirstId(RollupLevel level, Minute start) {
  return FloorDivide(start, MinutesOf(level)) * kPartsPerBucket;
}

// One statement for each level.
using LevelSql = std::array<const char*, kRollupLevels>;

constexpr LevelSql kInsert{
    "INSERT INTO rollup_minute VALUES(?, ?, ?)", "INSERT INTO rollup_hour VALUES(?, ?, ?)",
    "INSERT INTO rollup_quarter VALUES(?, ?, ?)", "INSERT INTO rollup_day VALUES(?, ?, ?)"};
constexpr LevelSql kSizes{
    "SELECT id, length(traffic) + ifnull(length(addresses), 0) FROM rollup_minute "
    "WHERE id >= ?1 AND id < ?2 ORDER BY id",
    "SELECT id, length(traffic) + ifnull(length(addresses), 0) FROM rollup_hour "
    "WHERE id >= ?1 AND id < ?2 ORDER BY id",
    "SELECT id, length(traffic) + ifnull(length(addresses), 0) FROM rollup_quarter "
    "WHERE id >= ?1 AND id < ?2 ORDER BY id",
    "SELECT id, length(traffic) + ifnull(length(addresses), 0) FROM rollup_day "
    "WHERE id >= ?1 AND id < ?2 ORDER BY id"};
constexpr LevelSql kRead{
    "SELECT id, traffic, addresses FROM rollup_minute WHERE id >= ?1 AND id < ?2",
    "SELECT id, traffic, addresses FROM rollup_hour WHERE id >= ?1 AND id < ?2",
    "SELECT id, traffic, addresses FROM rollup_quarter WHERE id >= ?1 AND id < ?2",
    "SELECT id, traffic, addresses FROM rollup_day WHERE id >= ?1 AND id < ?2"};
constexpr LevelSql kReadTraffic{"SELECT id, traffic FROM rollup_minute WHERE id >= ?1 AND id < ?2",
                                "SELECT id, traffic FROM rollup_hour WHERE id >= ?1 AND id < ?2",
                                "SELECT id, traffic FROM rollup_quarter WHERE id >= ?1 AND id < ?2",
                                "SELECT id, traffic FROM rollup_day WHERE id >= ?1 AND id < ?2"};
constexpr LevelSql kReadAddresses{
    "SELECT id, addresses FROM rollup_minute WHERE id >= ?1 AND id < ?2 AND addresses IS NOT NULL",
    "SELECT id, addresses FROM rollup_hour WHERE id >= ?1 AND id < ?2 AND addresses IS NOT NULL",
    "SELECT id, addresses FROM rollup_quarter WHERE id >= ?1 AND id < ?2 AND addresses IS NOT NULL",
    "SELECT id, addresses FROM rollup_day WHERE id >= ?1 AND id < ?2 AND addresses IS NOT NULL"};
constexpr LevelSql kReadIds{"SELECT id FROM rollup_minute WHERE id >= ?1 AND id < ?2",
                            "SELECT id FROM rollup_hour WHERE id >= ?1 AND id < ?2",
                            "SELECT id FROM rollup_quarter WHERE id >= ?1 AND id < ?2",
                            "SELECT id FROM rollup_day WHERE id >= ?1 AND id < ?2"};
constexpr LevelSql kDelete{"DELETE FROM rollup_minute WHERE id >= ?1 AND id < ?2",
                           "DELETE FROM rollup_hour WHERE id >= ?1 AND id < ?2",
                           "DELETE FROM rollup_quarter WHERE id >= ?1 AND id < ?2",
                           "DELETE FROM rollup_day WHERE id >= ?1 AND id < ?2"};

const char* Of(const LevelSql& sql, RollupLevel level) {
  return sql[static_cast<std::size_t>(level)];
}

void AddRange(RollupLevel level, Minute since, Minute until, std::vector<LevelRange>& ranges) {
  if (since < until) ranges.push_back({level, {since, until}});
}

// Appends the buckets of `level` and, at their edges, of the shorter ones.
void Split(RollupLevel level, RollupLevel finest, const MinuteRange& range,
           std::vector<LevelRange>& ranges) {
  const Minute since = BucketCeil(range.since, level);
  const Minute until = BucketFloor(range.until, level);
  if (level == finest) return AddRange(level, since, until, ranges);
  const auto shorter = static_cast<RollupLevel>(static_cast<int>(level) - 1);
  if (since >= until) return Split(shorter, finest, range, ranges);
  Split(shorter, finest, {range.since, since}, ranges);
  AddRange(level, since, until, ranges);
  Split(shorter, finest, {until, range.until}, ranges);
}

}  // namespace

std::vector<LevelRange> SplitByLevel(const MinuteRange& range, RollupLevel finest) {
  std::vector<LevelRange> ranges;
  Split(RollupLevel::kDay, finest, range, ranges);
  return ranges;
}

absl::StatusOr<std::vector<RollupTable::PartSize>> RollupTable::PartsOf(RollupLevel level,
                                                                        Minute start) {
  NTA_ASSIGN_OR_RETURN(Statement * sizes, connection_.Cached(Of(kSizes, level)));
  const std::int64_t first = FirstId(level, start);
  sizes->BindAll(first, first + kPartsPerBucket);
  std::vector<PartSize> parts;
  while (true) {
    NTA_ASSIGN_OR_RETURN(const bool row, sizes->Step());
    if (!row) break;
    parts.push_back({sizes->Integer(0), sizes->Integer(1)});
  }
  sizes->Reset();
  return parts;
}

absl::Status RollupTable::Insert(RollupLevel level, std::int64_t id, const EncodedPart& part) {
  NTA_ASSIGN_OR_RETURN(Statement * insert, connection_.Cached(Of(kInsert, level)));
  insert->Bind(id).Bind(std::span<const std::uint8_t>(part.traffic));
  if (part.addresses) {
    insert->Bind(std::span<const std::uint8_t>(*part.addresses));
  } else {
    insert->Bind(nullptr);
  }
  return insert->Run();
}

absl::Status RollupTable::Add(RollupLevel level, const EncodedPart& part, Compressor& compressor) {
  NTA_ASSIGN_OR_RETURN(std::vector<PartSize> parts, PartsOf(level, part.start));
  const std::int64_t id = parts.empty() ? FirstId(level, part.start) : parts.back().id + 1;
  NTA_RETURN_IF_ERROR(Insert(level, id, part));
  if (parts.empty()) {
    // A new bucket: the one before it is as good as complete.
    NTA_ASSIGN_OR_RETURN(std::vector<PartSize> complete,
                         PartsOf(level, part.start - MinutesOf(level)));
    return MergeNewest(level, std::move(complete), 1, compressor);
  }
  parts.push_back({id, static_cast<std::int64_t>(part.traffic.size() +
                                                 (part.addresses ? part.addresses->size() : 0))});
  return parts.size() < kMostParts ? absl::OkStatus()
                                   : MergeNewest(level, std::move(parts), kMostParts, compressor);
}

absl::Status RollupTable::MergeNewest(RollupLevel level, std::vector<PartSize> parts,
                                      std::size_t most, Compressor& compressor) {
  if (parts.size() < 2) return absl::OkStatus();
  // From the newest back, as long as parts are not much larger than what they would be merged with:
  // so that each byte is merged a few times only, however many parts come.
  std::size_t first = parts.size() - 1;
  std::int64_t bytes = parts[first].bytes;
  while (first > 0 && bytes + parts[first - 1].bytes <= kMostMergedBytes &&
         (parts[first - 1].bytes <= 2 * bytes || first >= most)) {
    bytes += parts[--first].bytes;
  }
  parts.erase(parts.begin(), parts.begin() + static_cast<std::ptrdiff_t>(first));
  return parts.size() > 1 ? Merge(level, parts, compressor) : absl::OkStatus();
}

absl::Status RollupTable::Merge(RollupLevel level, const std::vector<PartSize>& parts,
                                Compressor& compressor) {
  const std::int64_t first = parts.front().id;
  const std::int64_t end = parts.back().id + 1;
  // Two by two, so that rows are merged as often as there are halvings, not as often as parts.
  std::vector<TrafficPart> traffic;
  std::vector<AddressPart> addresses;
  NTA_ASSIGN_OR_RETURN(Statement * read, connection_.Cached(Of(kRead, level)));
  read->BindAll(first, end);
  while (true) {
    NTA_ASSIGN_OR_RETURN(const bool row, read->Step());
    if (!row) break;
    NTA_ASSIGN_OR_RETURN(TrafficPart part,
                         DecodeTrafficPart(read->Blob(1), TrafficSection::kAll, decompressor_));
    traffic.push_back(std::move(part));
    if (read->IsNull(2)) continue;
    NTA_ASSIGN_OR_RETURN(AddressPart hosts, DecodeAddressPart(read->Blob(2), decompressor_));
    addresses.push_back(std::move(hosts));
  }
  read->Reset();
  const auto merge_all = [](auto& list) {
    for (; list.size() > 1; list.resize((list.size() + 1) / 2)) {
      for (std::size_t i = 0; i < list.size(); i += 2) {
        list[i / 2] = i + 1 < list.size() ? MergeParts(list[i], list[i + 1]) : std::move(list[i]);
      }
    }
  };
  merge_all(traffic);
  merge_all(addresses);
  NTA_ASSIGN_OR_RETURN(Statement * remove, connection_.Cached(Of(kDelete, level)));
  NTA_RETURN_IF_ERROR(remove->BindAll(first, end).Run());
  EncodedPart merged;
  merged.traffic = EncodePart(traffic.front(), compressor);
  if (!addresses.empty()) merged.addresses = EncodePart(addresses.front(), compressor);
  return Insert(level, first, merged);
}

absl::Status RollupTable::DeleteBefore(RollupLevel level, Minute minute) {
  NTA_ASSIGN_OR_RETURN(Statement * remove, connection_.Cached(Of(kDelete, level)));
  remove->BindAll(std::numeric_limits<std::int64_t>::min(), FirstId(level, minute));
  return remove->Run();
}

absl::Status RollupTable::ForEachTraffic(
    const LevelRange& range, TrafficSection section,
    absl::FunctionRef<absl::Status(Minute, const TrafficPart&)> visit) {
  NTA_ASSIGN_OR_RETURN(Statement * read, connection_.Cached(Of(kReadTraffic, range.level)));
  read->BindAll(FirstId(range.level, range.range.since), FirstId(range.level, range.range.until));
  while (true) {
    NTA_ASSIGN_OR_RETURN(const bool row, read->Step());
    if (!row) break;
    NTA_ASSIGN_OR_RETURN(const TrafficPart part,
                         DecodeTrafficPart(read->Blob(1), section, decompressor_));
    NTA_RETURN_IF_ERROR(
        visit(FloorDivide(read->Integer(0), kPartsPerBucket) * MinutesOf(range.level), part));
  }
  read->Reset();
  return absl::OkStatus();
}

absl::Status RollupTable::ForEachAddresses(
    const LevelRange& range, absl::FunctionRef<absl::Status(Minute, const AddressPart&)> visit,
    const IpAddress* only) {
  NTA_ASSIGN_OR_RETURN(Statement * read, connection_.Cached(Of(kReadAddresses, range.level)));
  read->BindAll(FirstId(range.level, range.range.since), FirstId(range.level, range.range.until));
  while (true) {
    NTA_ASSIGN_OR_RETURN(const bool row, read->Step());
    if (!row) break;
    NTA_ASSIGN_OR_RETURN(const AddressPart part,
                         DecodeAddressPart(read->Blob(1), decompressor_, only));
    if (part.empty()) continue;
    NTA_RETURN_IF_ERROR(
        visit(FloorDivide(read->Integer(0), kPartsPerBucket) * MinutesOf(range.level), part));
  }
  read->Reset();
  return absl::OkStatus();
}

absl::Status RollupTable::ForEachBucket(const LevelRange& range,
                                        absl::FunctionRef<void(Minute)> visit) {
  NTA_ASSIGN_OR_RETURN(Statement * read, connection_.Cached(Of(kReadIds, range.level)));
  read->BindAll(FirstId(range.level, range.range.since), FirstId(range.level, range.range.until));
  while (true) {
    NTA_ASSIGN_OR_RETURN(const bool row, read->Step());
    if (!row) break;
    visit(FloorDivide(read->Integer(0), kPartsPerBucket) * MinutesOf(range.level));
  }
  read->Reset();
  return absl::OkStatus();
}

absl::StatusOr<MinuteRange> RollupTable::Kept() {
  NTA_ASSIGN_OR_RETURN(Statement * ends,
                       connection_.Cached("SELECT count(*), (SELECT min(id) FROM rollup_minute), "
                                          "(SELECT max(id) FROM rollup_minute) FROM "
                                          "(SELECT 1 FROM rollup_minute LIMIT 1)"));
  NTA_RETURN_IF_ERROR(ends->Step().status());
  MinuteRange range;
  if (ends->Integer(0) > 0) {
    range = {FloorDivide(ends->Integer(1), kPartsPerBucket),
             FloorDivide(ends->Integer(2), kPartsPerBucket) + 1};
  }
  ends->Reset();
  return range;
}

}  // namespace nta::store
