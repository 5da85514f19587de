#include "store/rollup_table.h"

#include <algorithm>
#include <limits>
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
constexpr std::uint64_t kMostMergedRows = 1'000'000;

std::int64_t FirstId(RollupLevel level, Minute start) {
  return FloorDivide(start, MinutesOf(level)) * kPartsPerBucket;
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

absl::StatusOr<std::vector<PartSize>> RollupTable::PartsOf(RollupLevel level, Minute start) {
  const std::int64_t first = FirstId(level, start);
  return storage_.Sizes(level, {first, first + kPartsPerBucket});
}

absl::Status RollupTable::Insert(RollupLevel level, std::int64_t id, const EncodedPart& part) {
  PartBytes bytes{.id = id, .traffic = part.traffic, .addresses = std::nullopt};
  if (part.addresses) bytes.addresses = std::span<const std::uint8_t>(*part.addresses);
  return storage_.Insert(level, bytes);
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

absl::StatusOr<std::uint64_t> RollupTable::AddressRowsOf(RollupLevel level, std::int64_t id) {
  std::uint64_t rows = 0;
  NTA_RETURN_IF_ERROR(storage_.Read(level, {id, id + 1}, RollupStorage::Want::kAddresses,
                                    [&rows](const PartBytes& part) {
                                      // What the part begins with, behind its format. Small ones
                                      // can have very many rows: addresses that follow each other
                                      // with one packet each take next to nothing.
                                      ByteReader in(*part.addresses);
                                      in.U8();
                                      rows = in.Varint();
                                      return absl::OkStatus();
                                    }));
  return rows;
}

absl::Status RollupTable::MergeNewest(RollupLevel level, std::vector<PartSize> parts,
                                      std::size_t most, Compressor& compressor) {
  if (parts.size() < 2) return absl::OkStatus();
  // From the newest back, as long as parts are not much larger than what they would be merged with:
  // so that each byte is merged a few times only, however many parts come.
  std::size_t first = parts.size() - 1;
  std::int64_t bytes = parts[first].bytes;
  NTA_ASSIGN_OR_RETURN(std::uint64_t rows, AddressRowsOf(level, parts[first].id));
  while (first > 0 && bytes + parts[first - 1].bytes <= kMostMergedBytes &&
         (parts[first - 1].bytes <= 2 * bytes || first >= most)) {
    NTA_ASSIGN_OR_RETURN(const std::uint64_t more, AddressRowsOf(level, parts[first - 1].id));
    if (rows + more > kMostMergedRows) break;
    rows += more;
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
  NTA_RETURN_IF_ERROR(storage_.Read(
      level, {first, end}, RollupStorage::Want::kBoth, [&](const PartBytes& bytes) -> absl::Status {
        NTA_ASSIGN_OR_RETURN(TrafficPart part,
                             DecodeTrafficPart(bytes.traffic, TrafficSection::kAll, decompressor_));
        traffic.push_back(std::move(part));
        if (!bytes.addresses) return absl::OkStatus();
        NTA_ASSIGN_OR_RETURN(AddressPart hosts, DecodeAddressPart(*bytes.addresses, decompressor_));
        addresses.push_back(std::move(hosts));
        return absl::OkStatus();
      }));
  const auto merge_all = [](auto& list) {
    for (; list.size() > 1; list.resize((list.size() + 1) / 2)) {
      for (std::size_t i = 0; i < list.size(); i += 2) {
        list[i / 2] = i + 1 < list.size() ? MergeParts(list[i], list[i + 1]) : std::move(list[i]);
      }
    }
  };
  merge_all(traffic);
  merge_all(addresses);
  NTA_RETURN_IF_ERROR(storage_.Delete(level, {first, end}));
  EncodedPart merged;
  merged.traffic = EncodePart(traffic.front(), compressor);
  if (!addresses.empty()) merged.addresses = EncodePart(addresses.front(), compressor);
  return Insert(level, first, merged);
}

absl::Status RollupTable::DeleteBefore(RollupLevel level, Minute minute) {
  return storage_.Delete(level, {std::numeric_limits<std::int64_t>::min(), FirstId(level, minute)});
}

namespace {

IdRange IdsOf(const LevelRange& range) {
  return {FirstId(range.level, range.range.since), FirstId(range.level, range.range.until)};
}

}  // namespace

Minute StartOfPart(RollupLevel level, std::int64_t id) {
  return FloorDivide(id, kPartsPerBucket) * MinutesOf(level);
}

absl::Status RollupTable::ForEachTraffic(
    const LevelRange& range, TrafficSection section,
    absl::FunctionRef<absl::Status(Minute, const TrafficPart&)> visit) {
  return storage_.Read(range.level, IdsOf(range), RollupStorage::Want::kTraffic,
                       [&](const PartBytes& bytes) -> absl::Status {
                         NTA_ASSIGN_OR_RETURN(
                             const TrafficPart part,
                             DecodeTrafficPart(bytes.traffic, section, decompressor_));
                         return visit(StartOfPart(range.level, bytes.id), part);
                       });
}

absl::Status RollupTable::ForEachAddresses(
    const LevelRange& range, absl::FunctionRef<absl::Status(Minute, const AddressPart&)> visit,
    const IpAddress* only) {
  return storage_.Read(
      range.level, IdsOf(range), RollupStorage::Want::kAddresses,
      [&](const PartBytes& bytes) -> absl::Status {
        NTA_ASSIGN_OR_RETURN(const AddressPart part,
                             DecodeAddressPart(*bytes.addresses, decompressor_, only));
        return part.empty() ? absl::OkStatus() : visit(StartOfPart(range.level, bytes.id), part);
      });
}

absl::Status RollupTable::ForEachBucket(const LevelRange& range,
                                        absl::FunctionRef<void(Minute)> visit) {
  return storage_.Read(range.level, IdsOf(range), RollupStorage::Want::kIds,
                       [&](const PartBytes& bytes) {
                         visit(StartOfPart(range.level, bytes.id));
                         return absl::OkStatus();
                       });
}

absl::StatusOr<MinuteRange> RollupTable::Kept() {
  NTA_ASSIGN_OR_RETURN(const auto ends, storage_.Ends(RollupLevel::kMinute));
  if (!ends) return MinuteRange();
  return MinuteRange{FloorDivide(ends->first, kPartsPerBucket),
                     FloorDivide(ends->second, kPartsPerBucket) + 1};
}

}  // namespace nta::store
