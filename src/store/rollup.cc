#include "store/rollup.h"

#include <algorithm>
#include <utility>

#include "base/status.h"
#include "store/address_order.h"

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
void AddCounts(std::array<std::uint64_t, kCounts>& to,
               const std::array<std::uint64_t, kCounts>& counts) {
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
    while (CompareAddresses(*host, address) < 0) ++host;
    places.push_back(static_cast<std::uint32_t>(host - hosts.begin()));
  }
  return places;
}

// The rows of a counter in the order of their keys, buckets made `factor` times as long: key and
// place of each.
using Order = std::vector<std::pair<std::uint64_t, std::uint32_t>>;
template <typename Rows>
Order OrderOf(const Rows& rows, std::uint64_t factor) {
  Order order;
  order.reserve(rows.size());
  for (const auto& row : rows) {
    order.emplace_back(KeyOf(BucketOf(row.first) / factor, RestOf(row.first)),
                       static_cast<std::uint32_t>(order.size()));
  }
  std::sort(order.begin(), order.end());
  return order;
}

// Takes the rows of a bucket, those of one key added up, and hands append(rest of the key, counts)
// each. `next` is where they begin, and afterwards where those of the next bucket do.
template <typename Rows, typename Append>
void TakeBucket(const Rows& rows, const Order& order, std::uint64_t bucket, std::size_t& next,
                Append append) {
  while (next < order.size() && BucketOf(order[next].first) == bucket) {
    const std::uint64_t key = order[next].first;
    auto counts = rows[order[next].second].second;
    while (++next < order.size() && order[next].first == key) {
      AddCounts(counts, rows[order[next].second].second);
    }
    append(RestOf(key), counts);
  }
}

}  // namespace

Rollup::Rollup(RollupTable& table, Compressor& compressor, RollupLimits limits)
    : table_(table), compressor_(compressor), limits_(limits) {}

void Rollup::ListHosts(const TrafficColumns& columns) {
  const auto& sources = columns.source->dictionary;
  const auto& destinations = columns.destination->dictionary;
  hosts_.clear();
  std::set_union(sources.begin(), sources.end(), destinations.begin(), destinations.end(),
                 std::back_inserter(hosts_), AddressLess());
  source_hosts_ = Places(sources, hosts_);
  destination_hosts_ = Places(destinations, hosts_);
}

void Rollup::CountShare(const TrafficColumns& columns, std::size_t row, Minute minute,
                        const Share& share) {
  const auto bucket = static_cast<std::uint64_t>(minute - base_);
  Counts& level = counts_;
  const std::uint64_t protocol = columns.protocol[row];
  AddCounts(level.protocols.At(KeyOf(bucket, protocol)), Totals(share));
  if (const std::uint64_t key =
          ApplicationKey(columns.application[row], columns.category[row], columns.evidence[row]);
      key != 0) {
    AddCounts(level.applications.At(KeyOf(bucket, key)), Totals(share));
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
  bool per_minute = (wanted & kAddressesPerMinute) != 0;
  for (std::size_t row = 0; row < columns.size(); ++row) {
    Count(columns, row);
    if (counts_.size() < kMostRows) continue;
    per_minute = false;
    NTA_RETURN_IF_ERROR(Flush(false));
  }
  per_minute = per_minute && static_cast<double>(counts_.addresses.size()) <=
                                 kMostRowsPerFlow * static_cast<double>(columns.size());
  NTA_RETURN_IF_ERROR(Flush(per_minute));
  return per_minute ? kRolledUp | kAddressesPerMinute : kRolledUp;
}

absl::Status Rollup::AddAs(const TrafficColumns& columns, std::int64_t bits) {
  Begin(columns);
  const bool per_minute = (bits & kAddressesPerMinute) != 0;
  for (std::size_t row = 0; row < columns.size(); ++row) {
    Count(columns, row);
    if (counts_.size() >= kMostRows) NTA_RETURN_IF_ERROR(Flush(per_minute));
  }
  return Flush(per_minute);
}

absl::Status Rollup::Flush(bool with_addresses_per_minute) {
  std::vector<EncodedPart> parts;
  for (const RollupLevel level : kAllLevels) {
    const bool with_addresses = level != RollupLevel::kMinute || with_addresses_per_minute;
    // One bucket of the level below is the only one of this level, too: most blocks are shorter
    // than an hour, and making a part costs much more than keeping it.
    const bool same = parts.size() == 1 && parts.front().addresses.has_value() == with_addresses;
    if (!same) parts = MakeParts(level, with_addresses);
    for (EncodedPart& part : parts) {
      part.start = BucketFloor(part.start, level);
      if (part.start >= limits_.before[static_cast<std::size_t>(level)]) continue;
      NTA_RETURN_IF_ERROR(table_.Add(level, part, compressor_));
    }
  }
  counts_.Clear();
  return absl::OkStatus();
}

std::vector<EncodedPart> Rollup::MakeParts(RollupLevel level, bool with_addresses) {
  const auto width = static_cast<std::uint64_t>(MinutesOf(level));
  const Order protocols = OrderOf(counts_.protocols.rows(), width);
  const Order ports = OrderOf(counts_.ports.rows(), width);
  const Order applications = OrderOf(counts_.applications.rows(), width);
  const Order addresses = with_addresses ? OrderOf(counts_.addresses.rows(), width) : Order();
  std::size_t next_protocol = 0;
  std::size_t next_port = 0;
  std::size_t next_application = 0;
  std::size_t next_address = 0;
  const auto append_to = [](auto& rows) {
    return [&rows](std::uint64_t key, const auto& counts) { rows.Append(key, counts); };
  };
  std::vector<EncodedPart> parts;
  // Whatever counts has a protocol, so the buckets of these are all there are.
  while (next_protocol < protocols.size()) {
    const std::uint64_t bucket = BucketOf(protocols[next_protocol].first);
    TrafficPart traffic;
    AddressPart hosts;
    TakeBucket(counts_.protocols.rows(), protocols, bucket, next_protocol,
               append_to(traffic.protocols));
    TakeBucket(counts_.ports.rows(), ports, bucket, next_port, append_to(traffic.ports));
    TakeBucket(counts_.applications.rows(), applications, bucket, next_application,
               append_to(traffic.applications));
    TakeBucket(counts_.addresses.rows(), addresses, bucket, next_address,
               [&](std::uint64_t key, const auto& counts) {
                 hosts.Append({hosts_[key >> 8], static_cast<std::uint8_t>(key)}, counts);
               });
    EncodedPart& part = parts.emplace_back();
    part.start = base_ + static_cast<Minute>(bucket * width);
    part.traffic = EncodePart(traffic, compressor_);
    if (with_addresses) part.addresses = EncodePart(hosts, compressor_);
  }
  return parts;
}

}  // namespace nta::store
