// pcapng files (draft-ietf-opsawg-pcapng): blocks of type 4, total length 4, body, total length 4.
#include <algorithm>
#include <cstring>

#include "capture/input_buffer.h"
#include "capture/record_parser.h"

namespace nta::internal {
namespace {

constexpr std::uint32_t kSectionHeader = 0x0a0d0d0a;
constexpr std::uint32_t kInterfaceDescription = 1;
constexpr std::uint32_t kObsoletePacket = 2;
constexpr std::uint32_t kSimplePacket = 3;
constexpr std::uint32_t kEnhancedPacket = 6;
constexpr std::uint32_t kByteOrderMagic = 0x1a2b3c4d;

constexpr std::uint16_t kOptionEnd = 0;
constexpr std::uint16_t kOptionTimeResolution = 9;
constexpr std::uint16_t kOptionTimeOffset = 14;

constexpr std::size_t kMinBlockBytes = 12;
// Far more than any capture has; a file of nothing but interface descriptions stays bounded.
constexpr std::size_t kMaxInterfaces = 65536;

struct InterfaceDescription {
  LinkType link_type = LinkType::kEthernet;
  std::uint32_t snap_length = 0;     // 0: no limit
  std::uint8_t time_resolution = 6;  // 10^-n, or 2^-n with the highest bit set
  std::int64_t time_offset = 0;      // seconds
};

__extension__ using Wide = __int128;

std::int64_t Clamp(Wide value) {
  return static_cast<std::int64_t>(std::clamp<Wide>(
      value, kMinPacketTime.time_since_epoch().count(), kMaxPacketTime.time_since_epoch().count()));
}

// Nanoseconds of `ticks`; times that do not fit become the nearest that does.
std::int64_t ToNanoseconds(std::uint64_t ticks, const InterfaceDescription& interface) {
  constexpr Wide kSecond = 1'000'000'000;
  const int exponent = interface.time_resolution & 0x7f;
  Wide nanoseconds = ticks;
  if ((interface.time_resolution & 0x80) != 0) {
    nanoseconds = nanoseconds * kSecond >> exponent;
  } else {
    for (int i = exponent; i < 9; ++i) nanoseconds *= 10;
    for (int i = 9; i < exponent && nanoseconds != 0; ++i) nanoseconds /= 10;
  }
  return Clamp(nanoseconds + interface.time_offset * kSecond);
}

Record NeedMore(std::uint64_t size) {
  return {.kind = Record::Kind::kNeedMore, .size = size, .packet = {}, .error = {}};
}

Record Other(std::uint64_t size) {
  return {.kind = Record::Kind::kOther, .size = size, .packet = {}, .error = {}};
}

Record Damaged(std::string error) {
  return {.kind = Record::Kind::kDamaged, .size = 0, .packet = {}, .error = std::move(error)};
}

class PcapngParser final : public RecordParser {
 public:
  Record Next(std::span<const std::uint8_t> bytes) override {
    if (bytes.size() < kMinBlockBytes) return NeedMore(kMinBlockBytes);
    const std::uint32_t type = Load32(bytes.data());
    // The section header's type reads the same in both byte orders, and its body tells which it is.
    if (type == kSectionHeader) {
      if (std::string error = ReadByteOrder(bytes.data() + 8); !error.empty())
        return Damaged(error);
    } else if (!in_section_) {
      return Damaged("a block before the first section header");
    }
    const std::uint32_t size = Load32(bytes.data() + 4);
    if (size < kMinBlockBytes || size % 4 != 0) {
      return Damaged("a block of " + std::to_string(size) + " bytes");
    }
    const bool is_read = type == kSectionHeader || type == kInterfaceDescription ||
                         type == kObsoletePacket || type == kSimplePacket ||
                         type == kEnhancedPacket;
    if (!is_read) return Other(size);
    if (size > InputBuffer::kMaxRecordBytes) {
      return Damaged("a block of " + std::to_string(size) + " bytes");
    }
    if (bytes.size() < size) return NeedMore(size);
    if (Load32(bytes.data() + size - 4) != size) return Damaged("a block whose two lengths differ");
    Record record = ReadBlock(type, bytes.subspan(8, size - kMinBlockBytes));
    if (record.kind != Record::Kind::kDamaged) record.size = size;
    return record;
  }

 private:
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

  std::string ReadByteOrder(const std::uint8_t* magic) {
    swapped_ = false;
    const std::uint32_t value = Load32(magic);
    if (value != kByteOrderMagic && __builtin_bswap32(value) != kByteOrderMagic) {
      return "a section header without byte-order magic";
    }
    swapped_ = value != kByteOrderMagic;
    return {};
  }

  Record ReadBlock(std::uint32_t type, std::span<const std::uint8_t> body) {
    switch (type) {
      case kSectionHeader:
        return SectionHeader(body);
      case kInterfaceDescription:
        return InterfaceBlock(body);
      case kSimplePacket:
        return SimplePacket(body);
      case kObsoletePacket:
        return body.size() < 20 ? Damaged("a packet block without its header")
                                : PacketBlock(Load16(body.data()), body);
      default:
        return body.size() < 20 ? Damaged("a packet block without its header")
                                : PacketBlock(Load32(body.data()), body);
    }
  }

  // Byte-order magic 4, version 2 + 2, section length 8, options. Interfaces are numbered anew.
  Record SectionHeader(std::span<const std::uint8_t> body) {
    if (body.size() < 16)
      return Damaged("a section header of " + std::to_string(body.size()) + " bytes");
    const std::uint16_t major = Load16(body.data() + 4);
    if (major != 1) return Damaged("a section of pcapng version " + std::to_string(major));
    in_section_ = true;
    first_interface_ += interfaces_.size();
    interfaces_.clear();
    return Other(0);
  }

  // Link type 2, reserved 2, snap length 4, options of code 2, length 2, value padded to 4.
  Record InterfaceBlock(std::span<const std::uint8_t> body) {
    if (body.size() < 8) return Damaged("an interface description without its header");
    if (first_interface_ + interfaces_.size() >= kMaxInterfaces) {
      return Damaged("more than " + std::to_string(kMaxInterfaces) + " interfaces");
    }
    InterfaceDescription interface;
    interface.link_type = static_cast<LinkType>(Load16(body.data()));
    interface.snap_length = Load32(body.data() + 4);
    std::span<const std::uint8_t> options = body.subspan(8);
    while (options.size() >= 4) {
      const std::uint16_t code = Load16(options.data());
      const std::size_t length = Load16(options.data() + 2);
      const std::size_t padded = (length + 3) & ~std::size_t{3};
      if (code == kOptionEnd || padded > options.size() - 4) break;
      const std::uint8_t* const value = options.data() + 4;
      if (code == kOptionTimeResolution && length == 1) interface.time_resolution = *value;
      if (code == kOptionTimeOffset && length == 8) interface.time_offset = LoadSigned64(value);
      options = options.subspan(4 + padded);
    }
    interfaces_.push_back(interface);
    return Other(0);
  }

  std::int64_t LoadSigned64(const std::uint8_t* p) const {
    std::uint64_t value;
    std::memcpy(&value, p, sizeof(value));
    return static_cast<std::int64_t>(swapped_ ? __builtin_bswap64(value) : value);
  }

  // Interface 4 (obsolete: interface 2, drops 2), time 4 + 4, captured length 4, original length 4,
  // bytes.
  Record PacketBlock(std::uint32_t id, std::span<const std::uint8_t> body) {
    if (id >= interfaces_.size()) return NoInterface(id);
    const std::uint32_t captured = Load32(body.data() + 12);
    if (captured > body.size() - 20) return Damaged("a packet longer than its block");
    const InterfaceDescription& interface = interfaces_[id];
    const std::uint64_t ticks =
        static_cast<std::uint64_t>(Load32(body.data() + 4)) << 32 | Load32(body.data() + 8);
    Record record{.kind = Record::Kind::kPacket, .size = 0, .packet = {}, .error = {}};
    record.packet.time = Timestamp(Duration(ToNanoseconds(ticks, interface)));
    record.packet.link_type = interface.link_type;
    record.packet.interface_id = static_cast<std::uint32_t>(first_interface_ + id);
    record.packet.wire_bytes = Load32(body.data() + 16);
    record.packet.bytes = body.subspan(20, captured);
    return record;
  }

  // Original length 4, bytes; of the first interface, without a time: 1970, as in libpcap.
  Record SimplePacket(std::span<const std::uint8_t> body) {
    if (interfaces_.empty()) return NoInterface(0);
    if (body.size() < 4) return Damaged("a simple packet block without its header");
    const InterfaceDescription& interface = interfaces_[0];
    const std::uint32_t original = Load32(body.data());
    std::size_t captured = std::min<std::size_t>(original, body.size() - 4);
    if (interface.snap_length != 0)
      captured = std::min<std::size_t>(captured, interface.snap_length);
    Record record{.kind = Record::Kind::kPacket, .size = 0, .packet = {}, .error = {}};
    record.packet.link_type = interface.link_type;
    record.packet.interface_id = static_cast<std::uint32_t>(first_interface_);
    record.packet.wire_bytes = original;
    record.packet.bytes = body.subspan(4, captured);
    return record;
  }

  Record NoInterface(std::uint32_t id) const {
    return Damaged("a packet of interface " + std::to_string(id) +
                   ", but the section describes only " + std::to_string(interfaces_.size()));
  }

  bool in_section_ = false;
  bool swapped_ = false;
  std::size_t first_interface_ = 0;  // of this section, among those of the file
  std::vector<InterfaceDescription> interfaces_;
};

}  // namespace

std::unique_ptr<RecordParser> MakePcapngParser() { return std::make_unique<PcapngParser>(); }

}  // namespace nta::internal
