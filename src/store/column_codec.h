// A column of a block as bytes, and back (docs/store_format.md).
#ifndef NTA_STORE_COLUMN_CODEC_H_
#define NTA_STORE_COLUMN_CODEC_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "nta/net/ip_address.h"
#include "store/flow_columns.h"
#include "store/numbers.h"

namespace nta::store {

// The most flows of a block. Bounds what a hostile column can make us allocate.
inline constexpr std::size_t kMaxBlockFlows = 65'536;

// Values that repeat: row i has dictionary[index[i]]. The dictionary is sorted and has no value
// twice.
template <typename Value>
struct DictionaryColumn {
  std::vector<Value> dictionary;
  std::vector<std::uint32_t> index;
};
using NumberColumn = std::vector<std::uint64_t>;
using AddressColumn = DictionaryColumn<IpAddress>;
using TextColumn = DictionaryColumn<std::string>;

// Addresses in ascending order, each once. Also the keys of rollups.
void EncodeAddresses(std::span<const IpAddress> addresses, Compressor& compressor, Bytes& out);
// False when the bytes are damaged, the order included, or there are more than `most`.
bool DecodeAddresses(ByteReader& in, Decompressor& decompressor, std::size_t most,
                     std::vector<IpAddress>& addresses);

// `predicted` has a number for each value, or is empty.
Bytes EncodeColumn(const FlowColumn& column, std::span<const std::uint64_t> values,
                   std::span<const std::uint64_t> predicted, Compressor& compressor);
Bytes EncodeColumn(const AddressColumn& values, Compressor& compressor);
Bytes EncodeColumn(const TextColumn& values, Compressor& compressor);

// DataLoss when the bytes are damaged, or are not of a column of that type with so many rows.
absl::StatusOr<NumberColumn> DecodeNumberColumn(std::span<const std::uint8_t> bytes,
                                                std::size_t rows,
                                                std::span<const std::uint64_t> predicted,
                                                Decompressor& decompressor);
// Only the values at these places, of which `predicted` then are.
absl::StatusOr<NumberColumn> DecodeNumberColumnAt(std::span<const std::uint8_t> bytes,
                                                  std::size_t rows,
                                                  std::span<const std::uint32_t> places,
                                                  std::span<const std::uint64_t> predicted,
                                                  Decompressor& decompressor);
absl::StatusOr<AddressColumn> DecodeAddressColumn(std::span<const std::uint8_t> bytes,
                                                  std::size_t rows, Decompressor& decompressor);
absl::StatusOr<TextColumn> DecodeTextColumn(std::span<const std::uint8_t> bytes, std::size_t rows,
                                            Decompressor& decompressor);

}  // namespace nta::store

#endif  // NTA_STORE_COLUMN_CODEC_H_
