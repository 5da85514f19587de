#include "store/block_summary.h"

#include <algorithm>
#include <iterator>

#include "base/status.h"
#include "store/address_order.h"
#include "store/checksum.h"

namespace nta::store {
namespace {

constexpr std::uint8_t kFormat = 1;
// One cache line.
constexpr std::size_t kBloomBlockBytes = 64;
// With 6 bits set per key about 1 % of the answers are wrong, all of them "perhaps".
constexpr std::size_t kBitsPerKey = 10;
constexpr int kBitsSet = 6;
// A block of 64 KiB flows from a million hosts would otherwise have a filter as large as a column.
constexpr std::size_t kMaxBloomBlocks = 512;
constexpr std::size_t kMaxListedPorts = 1'024;

constexpr int kNetworkBits4 = 24;
constexpr int kNetworkBits6 = 64;

int NetworkBits(const IpAddress& address) {
  return address.is_v4() ? kNetworkBits4 : kNetworkBits6;
}

// Of the first `length` bits of the address, whole bytes.
std::uint64_t HashOf(const IpAddress& address, int length) {
  std::array<std::uint8_t, 17> key{};
  std::copy_n(address.bytes().begin(), length / 8, key.begin());
  key[16] = static_cast<std::uint8_t>(length);
  return Hash64(key);
}

// Calls set(byte, bit) for each bit of a key within its block.
template <typename Visitor>
void ForEachBit(std::uint64_t hash, std::size_t blocks, Visitor visit) {
  const std::size_t start = (hash >> 32) * blocks >> 32;
  std::uint64_t bits = hash * 0x9E3779B97F4A7C15;
  for (int i = 0; i < kBitsSet; ++i) {
    const std::size_t bit = bits >> 55;
    bits <<= 9;
    visit(start * kBloomBlockBytes + bit / 8, static_cast<std::uint8_t>(1 << bit % 8));
  }
}

std::optional<std::vector<std::uint16_t>> ListPorts(std::span<const std::uint64_t> ports) {
  std::vector<bool> seen(65'536);
  std::size_t count = 0;
  for (const std::uint64_t port : ports) {
    if (seen[port & 0xffff]) continue;
    seen[port & 0xffff] = true;
    if (++count > kMaxListedPorts) return std::nullopt;
  }
  std::vector<std::uint16_t> list;
  for (std::size_t port = 0; port < seen.size(); ++port) {
    if (seen[port]) list.push_back(static_cast<std::uint16_t>(port));
  }
  return list;
}

void EncodePorts(const std::optional<std::vector<std::uint16_t>>& ports, ByteWriter& writer) {
  writer.U8(ports ? 1 : 0);
  if (!ports) return;
  writer.Varint(ports->size());
  std::uint16_t before = 0;
  for (const std::uint16_t port : *ports) {
    writer.Varint(static_cast<std::uint16_t>(port - before));
    before = port;
  }
}

bool DecodePorts(ByteReader& in, std::optional<std::vector<std::uint16_t>>& ports) {
  if (in.U8() == 0) return in.ok();
  const std::uint64_t count = in.Varint();
  if (count > kMaxListedPorts) return false;
  auto& list = ports.emplace();
  std::uint64_t port = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    port += in.Varint();
    if (port > 65'535) return false;
    list.push_back(static_cast<std::uint16_t>(port));
  }
  return in.ok();
}

// Whether any of the numbers that the comparison asks for is in the list.
bool MayHaveNumber(const FilterNode& node, const std::optional<std::vector<std::uint16_t>>& list) {
  if (!list || node.op != FilterOperator::kEqual) return true;
  return std::any_of(node.values.begin(), node.values.end(), [&](const FilterValue& value) {
    const double number = std::get<double>(value);
    return std::any_of(list->begin(), list->end(), [number](std::uint16_t port) {
      return static_cast<double>(port) == number;
    });
  });
}

bool MayReach(const FilterNode& node, std::uint64_t most) {
  if (node.op != FilterOperator::kGreater && node.op != FilterOperator::kGreaterEqual) return true;
  // Rounded up, so that a conversion never hides a flow.
  return std::get<double>(node.values.front()) <= static_cast<double>(most) + 1;
}

}  // namespace

BlockSummary BlockSummary::Of(const TrafficColumns& traffic) {
  BlockSummary summary;
  for (const std::uint64_t protocol : traffic.protocol) {
    summary.protocols_[protocol >> 3 & 31] |= static_cast<std::uint8_t>(1 << (protocol & 7));
  }
  summary.source_ports_ = ListPorts(traffic.source_port);
  summary.destination_ports_ = ListPorts(traffic.destination_port);
  const auto& sources = traffic.source->dictionary;
  const auto& destinations = traffic.destination->dictionary;
  std::vector<IpAddress> hosts;
  std::set_union(sources.begin(), sources.end(), destinations.begin(), destinations.end(),
                 std::back_inserter(hosts), AddressLess());
  std::vector<std::uint64_t> hashes;
  std::uint64_t last_network = 0;
  for (const IpAddress& host : hosts) {
    hashes.push_back(HashOf(host, static_cast<int>(host.bytes().size()) * 8));
    // Neighbours share their networks.
    const std::uint64_t network = HashOf(host, NetworkBits(host));
    if (network != last_network) hashes.push_back(network);
    last_network = network;
  }
  const std::size_t blocks = hashes.size() * kBitsPerKey / (8 * kBloomBlockBytes) + 1;
  summary.bloom_.resize(std::min(blocks, kMaxBloomBlocks) * kBloomBlockBytes);
  for (const std::uint64_t hash : hashes) summary.Insert(hash);
  return summary;
}

void BlockSummary::Insert(std::uint64_t hash) {
  ForEachBit(hash, bloom_.size() / kBloomBlockBytes,
             [this](std::size_t byte, std::uint8_t bit) { bloom_[byte] |= bit; });
}

Bytes BlockSummary::Encode() const {
  Bytes out;
  out.reserve(bloom_.size() + 4 * kMaxListedPorts);
  ByteWriter writer(out);
  writer.U8(kFormat);
  writer.Raw(protocols_);
  EncodePorts(source_ports_, writer);
  EncodePorts(destination_ports_, writer);
  writer.Varint(bloom_.size() / kBloomBlockBytes);
  writer.Raw(bloom_);
  writer.U32(Checksum(out));
  return out;
}

absl::StatusOr<BlockSummary> BlockSummary::Decode(std::span<const std::uint8_t> bytes) {
  const absl::Status damaged =
      base::MakeStatus(absl::StatusCode::kDataLoss, "the summary of a block is damaged");
  if (bytes.size() < 4) return damaged;
  const auto contents = bytes.first(bytes.size() - 4);
  if (ByteReader(bytes.last(4)).U32() != Checksum(contents)) return damaged;
  ByteReader in(contents);
  BlockSummary summary;
  if (in.U8() != kFormat) return damaged;
  const auto protocols = in.Take(summary.protocols_.size());
  std::copy(protocols.begin(), protocols.end(), summary.protocols_.begin());
  if (!in.ok() || !DecodePorts(in, summary.source_ports_) ||
      !DecodePorts(in, summary.destination_ports_)) {
    return damaged;
  }
  const std::uint64_t blocks = in.Varint();
  if (blocks < 1 || blocks > kMaxBloomBlocks) return damaged;
  const auto bloom = in.Take(blocks * kBloomBlockBytes);
  if (!in.ok() || in.left() != 0) return damaged;
  summary.bloom_.assign(bloom.begin(), bloom.end());
  return summary;
}

bool BlockSummary::MayHave(const IpPrefix& prefix) const {
  const IpAddress& address = prefix.address();
  const int network = NetworkBits(address);
  if (prefix.length() < network) return true;
  const auto all = static_cast<int>(address.bytes().size()) * 8;
  const std::uint64_t hash = HashOf(address, prefix.length() == all ? all : network);
  bool found = true;
  ForEachBit(hash, bloom_.size() / kBloomBlockBytes,
             [&](std::size_t byte, std::uint8_t bit) { found &= (bloom_[byte] & bit) != 0; });
  return found;
}

bool BlockSummary::MayCompare(const FilterNode& node, const BlockInfo& info) const {
  switch (node.field) {
    case FlowField::kSource:
    case FlowField::kDestination:
    case FlowField::kHost:
      return node.op != FilterOperator::kEqual ||
             std::any_of(node.values.begin(), node.values.end(), [this](const FilterValue& value) {
               return MayHave(std::get<IpPrefix>(value));
             });
    case FlowField::kSourcePort:
      return MayHaveNumber(node, source_ports_);
    case FlowField::kDestinationPort:
      return MayHaveNumber(node, destination_ports_);
    case FlowField::kPort:
      return MayHaveNumber(node, source_ports_) || MayHaveNumber(node, destination_ports_);
    case FlowField::kProtocol:
      return node.op != FilterOperator::kEqual ||
             std::any_of(node.values.begin(), node.values.end(), [this](const FilterValue& value) {
               const double number = std::get<double>(value);
               if (number < 0 || number > 255) return false;
               const auto protocol = static_cast<std::size_t>(number);
               return (protocols_[protocol / 8] >> protocol % 8 & 1) != 0;
             });
    case FlowField::kBytes:
      return MayReach(node, info.max_bytes);
    case FlowField::kPackets:
      return MayReach(node, info.max_packets);
    default:
      return true;
  }
}

bool BlockSummary::MayMatch(const FilterNode& node, const BlockInfo& info) const {
  const auto may_match = [&](const FilterNode& child) { return MayMatch(child, info); };
  switch (node.kind) {
    case FilterNode::Kind::kAnd:
      return std::all_of(node.children.begin(), node.children.end(), may_match);
    case FilterNode::Kind::kOr:
      return std::any_of(node.children.begin(), node.children.end(), may_match);
    case FilterNode::Kind::kNot:
      return true;
    case FilterNode::Kind::kCompare:
      return MayCompare(node, info);
  }
  return true;
}

}  // namespace nta::store
