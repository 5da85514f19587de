#include "store/rollup.h"

#include <algorithm>
#include <utility>

#include "base/status.h"

namespace nta::store {
namespace {

// A key has its bucket in the upper half, so that sorting brings those of a bucket together.
constexpr std::uint64_t KeyOf(std::uint64_t bucket, std::uint64_t rest) {
  return bucket << 32 | rest;
}
constexpr std::uint64_t BucketOf(std::uint64_t key) { return key >> 32; }
constexpr std::uint64_t RestOf(std::uint64_t key) { return key & 0xffffffff; }

// About 100 MB at the most, and only when long flows touch thousands of minutes each.
constexpr std::size_t kMostRows = 500'000;

// Rows per flow above which addresses per minute do not pay: reading the flows is then as fast.
constexpr double kMostRowsPerFlow = 0.5;

template <std::size_t kCounts>
void Add(std::array<std::uint64_t, kCounts>& to, const std::array<std::uint64_t, kCounts>& counts) {
  for (std::size_t c = 0; c < kCounts; ++c) to[c] += counts[c];
}

std::array<std::uint64_t, kTotalCounts> Totals(const Share& share) {
  return {share.bytes(), share.packets, share.flows};
}

// Where each address of the dictionary stands among the hosts.
std::vector<std::uint32_t> Places(const std::vector<IpAddress>& dictionary,
                                  const std::vector<IpAddress>& hosts) {
  std::vector<std::uint32_t> places;
  places.reserve(dictionary.size());
  auto host = hosts.begin();
  for (const IpAddress& address : dictionary) {
    while (*host < address) ++host;
    places.push_back(static_cast<std::uint32_t>(host - hosts.begin()));
  }
  return places;
}

// The first row behind those of the bucket.
template <typename Row>
auto EndOf(std::vector<Row>& rows, std::size_t start, std::uint64_t bucket) {
  std::size_t end = start;
  while (end < rows.size() && BucketOf(rows[end].first) == bucket) ++end;
  return end;
}

}  // namespace

template <std::size_t kCounts>
void Rollup::Counter<kCounts>::FoldInto(Counter& other, std::uint64_t factor) const {
  for (const auto& [key, counts] : rows_) {
    store::Add(other.At(KeyOf(BucketOf(key) / factor, RestOf(key))), counts);
  }
}

template <std::size_t kCounts>
void Rollup::Counter<kCounts>::Sort() {
  std::sort(rows_.begin(), rows_.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
}

Rollup::Rollup(RollupTable& table, Compressor& compressor, RollupLimits limits)
    : table_(table), compressor_(compressor), limits_(limits) {}

void Rollup::ListHosts(const TrafficColumns& columns) {
  const auto& sources = columns.source->dictionary;
  const auto& destinations = columns.destination->dictionary;
  hosts_.clear();
  std::set_union(sources.begin(), sources.end(), destinations.begin(), destinations.end(),
                 std::back_inserter(hosts_));
  source_hosts_ = Places(sources, hosts_);
  destination_hosts_ = Places(destinations, hosts_);
}

void Rollup::CountShare(const TrafficColumns& columns, std::size_t row, Minute minute,
                        const Share& share) {
  const auto bucket = static_cast<std::uint64_t>(minute - base_);
  Level& level = levels_[static_cast<std::size_t>(RollupLevel::kMinute)];
  const std::uint64_t protocol = columns.protocol[row];
  store::Add(level.protocols.At(KeyOf(bucket, protocol)), Totals(share));
  if (columns.application[row] != 0) {
    store::Add(level.applications.At(KeyOf(bucket, columns.application[row])), Totals(share));
  }
  const std::uint64_t source = source_hosts_[columns.source->index[row]];
  const std::uint64_t destination = destination_hosts_[columns.destination->index[row]];
  auto& from = level.addresses.At(KeyOf(bucket, source << 8 | protocol));
  from[kSentAsSource] += share.forward_bytes;
  from[kReceivedAsSource] += share.reverse_bytes;
  from[kPacketsAsSource] += share.packets;
  from[kFlowsAsSource] += share.flows;
  if (source == destination) {
    from[kBytesToItself] += share.bytes();
    from[kPacketsToItself] += share.packets;
    from[kFlowsToItself] += share.flows;
  }
  auto& to = level.addresses.At(KeyOf(bucket, destination << 8 | protocol));
  to[kSentAsDestination] += share.reverse_bytes;
  to[kReceivedAsDestination] += share.forward_bytes;
  to[kPacketsAsDestination] += share.packets;
  to[kFlowsAsDestination] += share.flows;
  if (!HasPorts(protocol)) return;
  const std::uint64_t source_port = columns.source_port[row];
  const std::uint64_t destination_port = columns.destination_port[row];
  if (CountsAtSource(source_port, destination_port)) {
    auto& counts = level.ports.At(KeyOf(bucket, PortKey(protocol, source_port)));
    counts[kBytesAtSource] += share.bytes();
    counts[kPacketsAtSource] += share.packets;
    counts[kFlowsAtSource] += share.flows;
  }
  if (CountsAtDestination(source_port, destination_port)) {
    auto& counts = level.ports.At(KeyOf(bucket, PortKey(protocol, destination_port)));
    counts[kBytesAtDestination] += share.bytes();
    counts[kPacketsAtDestination] += share.packets;
    counts[kFlowsAtDestination] += share.flows;
  }
}

void Rollup::Count(const TrafficColumns& columns, std::size_t row) {
  // Levels differ in where they end only when totals are made anew; then the longest counts, and
  // FlushLevel leaves out what lies behind.
  const Minute end = *std::max_element(limits_.before.begin(), limits_.before.end());
  ForEachMinute(SpanOf(columns, row), [&](Minute minute, const Share& share) {
    if (minute < end) CountShare(columns, row, minute, share);
  });
}

void Rollup::Begin(const TrafficColumns& columns) {
  ListHosts(columns);
  auto first = static_cast<std::int64_t>(columns.first_seen[0]);
  for (const std::uint64_t time : columns.first_seen) {
    first = std::min(first, static_cast<std::int64_t>(time));
  }
  base_ = BucketFloor(FloorMinute(Timestamp(Duration(first))), RollupLevel::kDay);
}

absl::StatusOr<std::int64_t> Rollup::Add(const TrafficColumns& columns, std::int64_t wanted) {
  Begin(columns);
  const Level& minutes = levels_[static_cast<std::size_t>(RollupLevel::kMinute)];
  bool per_minute = (wanted & kAddressesPerMinute) != 0;
  for (std::size_t row = 0; row < columns.size(); ++row) {
    Count(columns, row);
    if (minutes.size() < kMostRows) continue;
    per_minute = false;
    NTA_RETURN_IF_ERROR(Flush(false));
  }
  per_minute = per_minute && static_cast<double>(minutes.addresses.size()) <=
                                 kMostRowsPerFlow * static_cast<double>(columns.size());
  NTA_RETURN_IF_ERROR(Flush(per_minute));
  return per_minute ? kRolledUp | kAddressesPerMinute : kRolledUp;
}

absl::Status Rollup::AddAs(const TrafficColumns& columns, std::int64_t bits) {
  Begin(columns);
  const Level& minutes = levels_[static_cast<std::size_t>(RollupLevel::kMinute)];
  const bool per_minute = (bits & kAddressesPerMinute) != 0;
  for (std::size_t row = 0; row < columns.size(); ++row) {
    Count(columns, row);
    if (minutes.size() >= kMostRows) NTA_RETURN_IF_ERROR(Flush(per_minute));
  }
  return Flush(per_minute);
}

absl::Status Rollup::Flush(bool with_addresses_per_minute) {
  constexpr std::uint64_t kFactors[] = {1, 60, 24};
  for (std::size_t level = 1; level < kRollupLevels; ++level) {
    const Level& from = levels_[level - 1];
    from.protocols.FoldInto(levels_[level].protocols, kFactors[level]);
    from.ports.FoldInto(levels_[level].ports, kFactors[level]);
    from.applications.FoldInto(levels_[level].applications, kFactors[level]);
    from.addresses.FoldInto(levels_[level].addresses, kFactors[level]);
  }
  NTA_RETURN_IF_ERROR(FlushLevel(RollupLevel::kMinute, with_addresses_per_minute));
  NTA_RETURN_IF_ERROR(FlushLevel(RollupLevel::kHour, true));
  return FlushLevel(RollupLevel::kDay, true);
}

absl::Status Rollup::FlushLevel(RollupLevel level, bool with_addresses) {
  Level& counts = levels_[static_cast<std::size_t>(level)];
  counts.protocols.Sort();
  counts.ports.Sort();
  counts.applications.Sort();
  if (with_addresses) counts.addresses.Sort();
  auto& protocols = counts.protocols.rows();
  auto& ports = counts.ports.rows();
  auto& applications = counts.applications.rows();
  auto& addresses = counts.addresses.rows();
  std::size_t next_port = 0;
  std::size_t next_application = 0;
  std::size_t next_address = 0;
  const Minute width = MinutesOf(level);
  // Whatever counts has a protocol, so the buckets of these are all there are.
  for (std::size_t i = 0; i < protocols.size();) {
    const std::uint64_t bucket = BucketOf(protocols[i].first);
    TrafficPart traffic;
    AddressPart hosts;
    for (const std::size_t end = EndOf(protocols, i, bucket); i < end; ++i) {
      traffic.protocols.Append(RestOf(protocols[i].first), protocols[i].second);
    }
    for (const std::size_t end = EndOf(ports, next_port, bucket); next_port < end; ++next_port) {
      traffic.ports.Append(RestOf(ports[next_port].first), ports[next_port].second);
    }
    for (const std::size_t end = EndOf(applications, next_application, bucket);
         next_application < end; ++next_application) {
      traffic.applications.Append(RestOf(applications[next_application].first),
                                  applications[next_application].second);
    }
    if (with_addresses) {
      for (const std::size_t end = EndOf(addresses, next_address, bucket); next_address < end;
           ++next_address) {
        const std::uint64_t rest = RestOf(addresses[next_address].first);
        hosts.Append({hosts_[rest >> 8], static_cast<std::uint8_t>(rest)},
                     addresses[next_address].second);
      }
    }
    const Minute start = base_ + static_cast<Minute>(bucket) * width;
    if (start >= limits_.before[static_cast<std::size_t>(level)]) break;
    NTA_RETURN_IF_ERROR(
        table_.Add(level, start, traffic, with_addresses ? &hosts : nullptr, compressor_));
  }
  counts = Level();
  return absl::OkStatus();
}

}  // namespace nta::store
