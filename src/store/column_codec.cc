#include "store/column_codec.h"

#include <algorithm>

#include "base/status.h"
#include "store/address_order.h"
#include "store/checksum.h"

namespace nta::store {
namespace {

constexpr std::uint8_t kFormat = 1;
// What the body is made of.
constexpr std::uint8_t kNumbers = 1;
constexpr std::uint8_t kAddresses = 2;
constexpr std::uint8_t kTexts = 3;

constexpr std::size_t kMaxTextBytes = 16 << 20;

absl::Status Damaged() {
  return base::MakeStatus(absl::StatusCode::kDataLoss, "a column of a block is damaged");
}

std::uint64_t BigEndian(std::span<const std::uint8_t> bytes) {
  std::uint64_t value = 0;
  for (const std::uint8_t byte : bytes) value = value << 8 | byte;
  return value;
}

void ToBigEndian(std::uint64_t value, std::span<std::uint8_t> bytes) {
  for (std::size_t i = bytes.size(); i-- > 0; value >>= 8) {
    bytes[i] = static_cast<std::uint8_t>(value);
  }
}

Bytes Begin(std::uint8_t body, std::size_t rows) {
  Bytes out;
  ByteWriter writer(out);
  writer.U8(kFormat);
  writer.U8(body);
  writer.Varint(rows);
  return out;
}

Bytes Finish(Bytes out) {
  const std::uint32_t checksum = Checksum(out);
  ByteWriter(out).U32(checksum);
  return out;
}

// The body of a column with `rows` rows.
absl::StatusOr<ByteReader> Open(std::span<const std::uint8_t> bytes, std::uint8_t body,
                                std::size_t rows) {
  if (bytes.size() < 4) return Damaged();
  const auto contents = bytes.first(bytes.size() - 4);
  if (ByteReader(bytes.last(4)).U32() != Checksum(contents)) return Damaged();
  ByteReader in(contents);
  if (in.U8() != kFormat || in.U8() != body || in.Varint() != rows || rows > kMaxBlockFlows) {
    return Damaged();
  }
  return in;
}

void EncodeIndex(std::span<const std::uint32_t> index, Compressor& compressor, Bytes& out) {
  const std::vector<std::uint64_t> numbers(index.begin(), index.end());
  EncodeNumbers(numbers, NumberOrder::kPlain, compressor, out);
}

bool DecodeIndex(ByteReader& in, Decompressor& decompressor, std::size_t rows, std::size_t size,
                 std::vector<std::uint32_t>& index) {
  std::vector<std::uint64_t> numbers(rows);
  if (!DecodeNumbers(in, decompressor, numbers)) return false;
  index.resize(rows);
  std::uint64_t greatest = 0;
  for (std::size_t i = 0; i < rows; ++i) {
    greatest = std::max(greatest, numbers[i]);
    index[i] = static_cast<std::uint32_t>(numbers[i]);
  }
  return rows == 0 || greatest < size;
}

}  // namespace

void EncodeAddresses(std::span<const IpAddress> addresses, Compressor& compressor, Bytes& out) {
  const auto first_v6 = std::partition_point(addresses.begin(), addresses.end(),
                                             [](const IpAddress& a) { return a.is_v4(); });
  std::vector<std::uint64_t> v4;
  std::vector<std::uint64_t> high;
  std::vector<std::uint64_t> low;
  for (auto it = addresses.begin(); it != first_v6; ++it) v4.push_back(BigEndian(it->bytes()));
  for (auto it = first_v6; it != addresses.end(); ++it) {
    high.push_back(BigEndian(it->bytes().first(8)));
    low.push_back(BigEndian(it->bytes().last(8)));
  }
  ByteWriter writer(out);
  writer.Varint(v4.size());
  writer.Varint(high.size());
  EncodeNumbers(v4, NumberOrder::kDelta, compressor, out);
  if (high.empty()) return;
  EncodeNumbers(high, NumberOrder::kDelta, compressor, out);
  EncodeNumbers(low, NumberOrder::kPlain, compressor, out);
}

bool DecodeAddresses(ByteReader& in, Decompressor& decompressor, std::size_t most,
                     std::vector<IpAddress>& addresses) {
  const std::uint64_t v4_count = in.Varint();
  const std::uint64_t v6_count = in.Varint();
  if (v4_count > most || v6_count > most - v4_count) return false;
  addresses.clear();
  addresses.reserve(v4_count + v6_count);
  std::vector<std::uint64_t> high(v4_count);
  if (!DecodeNumbers(in, decompressor, high)) return false;
  std::uint8_t bytes[16];
  for (const std::uint64_t number : high) {
    if (number > 0xffffffff) return false;
    ToBigEndian(number, std::span(bytes).first(4));
    addresses.push_back(IpAddress::V4(std::span(bytes).first<4>()));
  }
  if (v6_count > 0) {
    high.resize(v6_count);
    std::vector<std::uint64_t> low(v6_count);
    if (!DecodeNumbers(in, decompressor, high)) return false;
    if (!DecodeNumbers(in, decompressor, low)) return false;
    for (std::size_t i = 0; i < high.size(); ++i) {
      ToBigEndian(high[i], std::span(bytes).first(8));
      ToBigEndian(low[i], std::span(bytes).last(8));
      addresses.push_back(IpAddress::V6(bytes));
    }
  }
  return std::adjacent_find(addresses.begin(), addresses.end(),
                            [](const IpAddress& a, const IpAddress& b) {
                              return CompareAddresses(a, b) >= 0;
                            }) == addresses.end();
}

Bytes EncodeColumn(const FlowColumn& column, std::span<const std::uint64_t> values,
                   std::span<const std::uint64_t> predicted, Compressor& compressor) {
  Bytes out = Begin(kNumbers, values.size());
  if (predicted.empty()) {
    EncodeNumbers(values, column.grows ? NumberOrder::kDelta : NumberOrder::kPlain, compressor,
                  out);
  } else {
    std::vector<std::uint64_t> differences(values.size());
    for (std::size_t i = 0; i < values.size(); ++i) differences[i] = values[i] - predicted[i];
    EncodeNumbers(differences, NumberOrder::kPlain, compressor, out);
  }
  return Finish(std::move(out));
}

Bytes EncodeColumn(const AddressColumn& values, Compressor& compressor) {
  Bytes out = Begin(kAddresses, values.index.size());
  EncodeAddresses(values.dictionary, compressor, out);
  EncodeIndex(values.index, compressor, out);
  return Finish(std::move(out));
}

Bytes EncodeColumn(const TextColumn& values, Compressor& compressor) {
  Bytes out = Begin(kTexts, values.index.size());
  std::vector<std::uint64_t> sizes;
  Bytes texts;
  for (const std::string& text : values.dictionary) {
    sizes.push_back(text.size());
    ByteWriter(texts).Text(text);
  }
  ByteWriter writer(out);
  writer.Varint(sizes.size());
  EncodeNumbers(sizes, NumberOrder::kPlain, compressor, out);
  compressor.Append(texts, out);
  EncodeIndex(values.index, compressor, out);
  return Finish(std::move(out));
}

absl::StatusOr<NumberColumn> DecodeNumberColumn(std::span<const std::uint8_t> bytes,
                                                std::size_t rows,
                                                std::span<const std::uint64_t> predicted,
                                                Decompressor& decompressor) {
  NTA_ASSIGN_OR_RETURN(ByteReader in, Open(bytes, kNumbers, rows));
  NumberColumn values(rows);
  if (!DecodeNumbers(in, decompressor, values) || in.left() != 0) return Damaged();
  for (std::size_t i = 0; i < predicted.size(); ++i) values[i] += predicted[i];
  return values;
}

absl::StatusOr<NumberColumn> DecodeNumberColumnAt(std::span<const std::uint8_t> bytes,
                                                  std::size_t rows,
                                                  std::span<const std::uint32_t> places,
                                                  std::span<const std::uint64_t> predicted,
                                                  Decompressor& decompressor) {
  NTA_ASSIGN_OR_RETURN(ByteReader in, Open(bytes, kNumbers, rows));
  NumberColumn values(places.size());
  if (!DecodeNumbersAt(in, decompressor, rows, places, values) || in.left() != 0) return Damaged();
  for (std::size_t i = 0; i < predicted.size(); ++i) values[i] += predicted[i];
  return values;
}

absl::StatusOr<AddressColumn> DecodeAddressColumn(std::span<const std::uint8_t> bytes,
                                                  std::size_t rows, Decompressor& decompressor) {
  NTA_ASSIGN_OR_RETURN(ByteReader in, Open(bytes, kAddresses, rows));
  AddressColumn values;
  if (!DecodeAddresses(in, decompressor, rows, values.dictionary) ||
      !DecodeIndex(in, decompressor, rows, values.dictionary.size(), values.index) ||
      in.left() != 0) {
    return Damaged();
  }
  return values;
}

absl::StatusOr<TextColumn> DecodeTextColumn(std::span<const std::uint8_t> bytes, std::size_t rows,
                                            Decompressor& decompressor) {
  NTA_ASSIGN_OR_RETURN(ByteReader in, Open(bytes, kTexts, rows));
  TextColumn values;
  const std::uint64_t count = in.Varint();
  // "" may be there for no row.
  if (count > rows + 1) return Damaged();
  std::vector<std::uint64_t> sizes(count);
  if (!DecodeNumbers(in, decompressor, sizes)) return Damaged();
  std::uint64_t total = 0;
  for (const std::uint64_t size : sizes) {
    if (size > kMaxTextBytes || (total += size) > kMaxTextBytes) return Damaged();
  }
  std::span<const std::uint8_t> texts = decompressor.Read(in, total);
  if (!in.ok()) return Damaged();
  for (const std::uint64_t size : sizes) {
    const auto text = texts.first(size);
    values.dictionary.emplace_back(text.begin(), text.end());
    texts = texts.subspan(size);
  }
  if (!DecodeIndex(in, decompressor, rows, values.dictionary.size(), values.index) ||
      in.left() != 0) {
    return Damaged();
  }
  return values;
}

}  // namespace nta::store
