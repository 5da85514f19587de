#include "store/rollup_part.h"

#include <algorithm>

#include "base/status.h"
#include "store/address_order.h"
#include "store/checksum.h"
#include "store/column_codec.h"

namespace nta::store {
namespace {

// Applications of traffic's format 1 had no category.
constexpr std::uint8_t kTrafficFormat = 2;
constexpr std::uint8_t kAddressFormat = 1;
// Bounds what a hostile part makes us allocate. Parts that are merged stay well below.
constexpr std::size_t kMaxRows = 2'000'000;

absl::Status Damaged() {
  return base::MakeStatus(absl::StatusCode::kDataLoss, "totals in the store are damaged");
}

Bytes Finish(Bytes out) {
  const std::uint32_t checksum = Checksum(out);
  ByteWriter(out).U32(checksum);
  return out;
}

absl::StatusOr<ByteReader> Open(std::span<const std::uint8_t> bytes, std::uint8_t format) {
  if (bytes.size() < 5) return Damaged();
  const auto contents = bytes.first(bytes.size() - 4);
  if (ByteReader(bytes.last(4)).U32() != Checksum(contents)) return Damaged();
  ByteReader in(contents);
  if (in.U8() != format) return Damaged();
  return in;
}

template <std::size_t kCounts>
void EncodeCounts(const std::array<std::vector<std::uint64_t>, kCounts>& counts,
                  Compressor& compressor, Bytes& out) {
  for (const auto& column : counts) EncodeNumbers(column, NumberOrder::kPlain, compressor, out);
}

template <std::size_t kCounts>
bool DecodeCounts(ByteReader& in, Decompressor& decompressor, std::size_t rows,
                  std::array<std::vector<std::uint64_t>, kCounts>& counts) {
  for (auto& column : counts) {
    column.resize(rows);
    if (!DecodeNumbers(in, decompressor, column)) return false;
  }
  return true;
}

template <std::size_t kCounts>
void EncodeRows(const RollupRows<std::uint64_t, kCounts>& rows, Compressor& compressor,
                Bytes& out) {
  ByteWriter(out).Varint(rows.keys.size());
  if (rows.empty()) return;
  EncodeNumbers(rows.keys, NumberOrder::kDelta, compressor, out);
  EncodeCounts(rows.counts, compressor, out);
}

template <std::size_t kCounts>
bool DecodeRows(ByteReader& in, Decompressor& decompressor,
                RollupRows<std::uint64_t, kCounts>& rows) {
  const std::uint64_t count = in.Varint();
  if (!in.ok() || count > kMaxRows) return false;
  if (count == 0) return true;
  rows.keys.resize(count);
  return DecodeNumbers(in, decompressor, rows.keys) &&
         std::is_sorted(rows.keys.begin(), rows.keys.end()) &&
         DecodeCounts(in, decompressor, count, rows.counts);
}

int Compare(std::uint64_t a, std::uint64_t b) { return a == b ? 0 : a < b ? -1 : 1; }
int Compare(const AddressKey& a, const AddressKey& b) {
  const int order = CompareAddresses(a.address, b.address);
  return order != 0 ? order : static_cast<int>(a.protocol) - static_cast<int>(b.protocol);
}

template <typename Rows>
Rows MergeRows(const Rows& a, const Rows& b) {
  Rows merged;
  const std::size_t most = a.keys.size() + b.keys.size();
  merged.keys.reserve(most);
  for (auto& column : merged.counts) column.reserve(most);
  std::size_t i = 0;
  std::size_t k = 0;
  while (i < a.keys.size() || k < b.keys.size()) {
    const int order = i == a.keys.size()   ? 1
                      : k == b.keys.size() ? -1
                                           : Compare(a.keys[i], b.keys[k]);
    const bool use_a = order <= 0;
    const bool use_b = order >= 0;
    merged.keys.push_back(use_a ? a.keys[i] : b.keys[k]);
    for (std::size_t c = 0; c < Rows::kCountColumns; ++c) {
      merged.counts[c].push_back((use_a ? a.counts[c][i] : 0) + (use_b ? b.counts[c][k] : 0));
    }
    i += use_a ? 1 : 0;
    k += use_b ? 1 : 0;
  }
  return merged;
}

}  // namespace

std::uint32_t ApplicationOf(std::uint64_t key) {
  const auto number = static_cast<std::uint32_t>(key & 0xffff);
  return number < Applications().size() ? number : 0;
}

std::uint32_t CategoryOf(std::uint64_t key) {
  const auto number = static_cast<std::uint32_t>(key >> 16 & 0xff);
  return number < ApplicationCategories().size() ? number : 0;
}

Bytes EncodePart(const TrafficPart& part, Compressor& compressor) {
  Bytes out{kTrafficFormat};
  EncodeRows(part.protocols, compressor, out);
  EncodeRows(part.applications, compressor, out);
  EncodeRows(part.ports, compressor, out);
  return Finish(std::move(out));
}

absl::StatusOr<TrafficPart> DecodeTrafficPart(std::span<const std::uint8_t> bytes,
                                              TrafficSection section, Decompressor& decompressor) {
  NTA_ASSIGN_OR_RETURN(ByteReader in, Open(bytes, kTrafficFormat));
  TrafficPart part;
  if (!DecodeRows(in, decompressor, part.protocols)) return Damaged();
  if (section == TrafficSection::kProtocols) return part;
  if (!DecodeRows(in, decompressor, part.applications)) return Damaged();
  if (section == TrafficSection::kApplications) return part;
  if (!DecodeRows(in, decompressor, part.ports) || in.left() != 0) return Damaged();
  return part;
}

// Each address once, how many rows it has, and the protocols of these.
Bytes EncodePart(const AddressPart& part, Compressor& compressor) {
  std::vector<IpAddress> addresses;
  std::vector<std::uint64_t> rows;
  std::vector<std::uint64_t> protocols;
  for (const AddressKey& key : part.keys) {
    if (addresses.empty() || addresses.back() != key.address) {
      addresses.push_back(key.address);
      rows.push_back(0);
    }
    ++rows.back();
    protocols.push_back(key.protocol);
  }
  Bytes out{kAddressFormat};
  ByteWriter(out).Varint(part.keys.size());
  EncodeAddresses(addresses, compressor, out);
  EncodeNumbers(rows, NumberOrder::kPlain, compressor, out);
  EncodeNumbers(protocols, NumberOrder::kPlain, compressor, out);
  EncodeCounts(part.counts, compressor, out);
  return Finish(std::move(out));
}

absl::StatusOr<AddressPart> DecodeAddressPart(std::span<const std::uint8_t> bytes,
                                              Decompressor& decompressor, const IpAddress* only) {
  NTA_ASSIGN_OR_RETURN(ByteReader in, Open(bytes, kAddressFormat));
  const std::uint64_t count = in.Varint();
  std::vector<IpAddress> addresses;
  if (count > kMaxRows || !DecodeAddresses(in, decompressor, count, addresses)) return Damaged();
  if (only != nullptr && !std::binary_search(addresses.begin(), addresses.end(), *only)) {
    return AddressPart();
  }
  std::vector<std::uint64_t> rows(addresses.size());
  std::vector<std::uint64_t> protocols(count);
  if (!DecodeNumbers(in, decompressor, rows)) return Damaged();
  if (!DecodeNumbers(in, decompressor, protocols)) return Damaged();
  AddressPart part;
  part.keys.reserve(count);
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    if (rows[i] > count - part.keys.size()) return Damaged();
    for (std::uint64_t k = 0; k < rows[i]; ++k) {
      part.keys.push_back({addresses[i], static_cast<std::uint8_t>(protocols[part.keys.size()])});
    }
  }
  if (part.keys.size() != count || !DecodeCounts(in, decompressor, count, part.counts) ||
      in.left() != 0) {
    return Damaged();
  }
  return part;
}

TrafficPart MergeParts(const TrafficPart& a, const TrafficPart& b) {
  return {MergeRows(a.protocols, b.protocols), MergeRows(a.ports, b.ports),
          MergeRows(a.applications, b.applications)};
}

AddressPart MergeParts(const AddressPart& a, const AddressPart& b) { return MergeRows(a, b); }

}  // namespace nta::store
