// Numbers of the pcapng format (draft-ietf-opsawg-pcapng) and what reads its fields.
#ifndef NTA_CAPTURE_PCAPNG_FORMAT_H_
#define NTA_CAPTURE_PCAPNG_FORMAT_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace nta::internal::pcapng {

inline constexpr std::uint32_t kSectionHeader = 0x0a0d0d0a;
inline constexpr std::uint32_t kInterfaceDescription = 1;
inline constexpr std::uint32_t kObsoletePacket = 2;
inline constexpr std::uint32_t kSimplePacket = 3;
inline constexpr std::uint32_t kInterfaceStatistics = 5;
inline constexpr std::uint32_t kEnhancedPacket = 6;

inline constexpr std::uint32_t kByteOrderMagic = 0x1a2b3c4d;

// Block type 4, total length 4, body, total length 4.
inline constexpr std::size_t kMinBlockBytes = 12;
// Before the bytes of an enhanced or obsolete packet block.
inline constexpr std::size_t kPacketHeaderBytes = 20;
// Before the options of an interface statistics block.
inline constexpr std::size_t kStatisticsHeaderBytes = 12;
// Far more than any capture has; a file of nothing but interface descriptions stays bounded.
inline constexpr std::size_t kMaxInterfaces = 65536;

inline constexpr std::uint16_t kOptionEnd = 0;
inline constexpr std::uint16_t kOptionComment = 1;
inline constexpr std::uint16_t kOptionSectionApplication = 4;
inline constexpr std::uint16_t kOptionInterfaceName = 2;
inline constexpr std::uint16_t kOptionInterfaceDescription = 3;
inline constexpr std::uint16_t kOptionTimeResolution = 9;
inline constexpr std::uint16_t kOptionTimeOffset = 14;
inline constexpr std::uint16_t kOptionPacketDrops = 4;  // of enhanced packet blocks
inline constexpr std::uint16_t kOptionStatisticsReceived = 4;
inline constexpr std::uint16_t kOptionStatisticsInterfaceDrops = 5;
inline constexpr std::uint16_t kOptionStatisticsSystemDrops = 7;

constexpr std::size_t PaddedTo4(std::size_t size) { return (size + 3) & ~std::size_t{3}; }

// Each section has its own byte order.
class ByteOrder {
 public:
  ByteOrder() = default;
  explicit ByteOrder(bool swapped) : swapped_(swapped) {}

  std::uint16_t Load16(const std::uint8_t* p) const {
    std::uint16_t value;
    std::memcpy(&value, p, sizeof(value));
    return swapped_ ? __builtin_bswap16(value) : value;
  }
  std::uint32_t Load32(const std::uint8_t* p) const {
    std::uint32_t value;
    std::memcpy(&value, p, sizeof(value));
    return swapped_ ? __builtin_bswap32(value) : value;
  }
  std::uint64_t Load64(const std::uint8_t* p) const {
    std::uint64_t value;
    std::memcpy(&value, p, sizeof(value));
    return swapped_ ? __builtin_bswap64(value) : value;
  }

 private:
  bool swapped_ = false;
};

// Options of code 2, length 2, value padded to 4: calls visit(code, value) for each, up to the end
// or the first that reaches beyond it.
template <typename Visitor>
void ForEachOption(ByteOrder order, std::span<const std::uint8_t> options, Visitor visit) {
  while (options.size() >= 4) {
    const std::uint16_t code = order.Load16(options.data());
    const std::size_t length = order.Load16(options.data() + 2);
    options = options.subspan(4);
    if (code == kOptionEnd || PaddedTo4(length) > options.size()) return;
    visit(code, options.first(length));
    options = options.subspan(PaddedTo4(length));
  }
}

inline std::string_view ToText(std::span<const std::uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace nta::internal::pcapng

#endif  // NTA_CAPTURE_PCAPNG_FORMAT_H_
