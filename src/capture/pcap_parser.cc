// pcap files (draft-ietf-opsawg-pcap).
//
//   file header:  magic 4, version 2 + 2, reserved 8, snap length 4, link type 4
//   each record:  seconds 4, fraction 4, captured length 4, original length 4, bytes
#include <cstring>

#include "capture/input_buffer.h"
#include "capture/record_parser.h"

namespace nta::internal {
namespace {

constexpr std::uint32_t kMagicMicroseconds = 0xa1b2c3d4;
constexpr std::uint32_t kMagicNanoseconds = 0xa1b23c4d;
constexpr std::uint32_t kMagicModified = 0xa1b2cd34;  // records have 8 more bytes
constexpr std::size_t kFileHeaderBytes = 24;
constexpr std::size_t kRecordHeaderBytes = 16;
constexpr std::size_t kModifiedRecordHeaderBytes = 24;

std::uint32_t LoadNative(const std::uint8_t* p) {
  std::uint32_t value;
  std::memcpy(&value, p, sizeof(value));
  return value;
}

class PcapParser final : public RecordParser {
 public:
  explicit PcapParser(std::span<const std::uint8_t> head) {
    std::uint32_t magic = LoadNative(head.data());
    swapped_ = magic != kMagicMicroseconds && magic != kMagicNanoseconds && magic != kMagicModified;
    if (swapped_) magic = __builtin_bswap32(magic);
    nanoseconds_per_unit_ = magic == kMagicNanoseconds ? 1 : 1000;
    if (magic == kMagicModified) record_header_bytes_ = kModifiedRecordHeaderBytes;
  }

  Record Next(std::span<const std::uint8_t> bytes) override {
    return has_header_ ? NextPacket(bytes) : FileHeader(bytes);
  }

 private:
  std::uint32_t Load(const std::uint8_t* p) const {
    const std::uint32_t value = LoadNative(p);
    return swapped_ ? __builtin_bswap32(value) : value;
  }

  Record FileHeader(std::span<const std::uint8_t> bytes) {
    if (bytes.size() < kFileHeaderBytes) {
      return {.kind = Record::Kind::kNeedMore, .size = kFileHeaderBytes, .packet = {}, .error = {}};
    }
    std::uint16_t minor = 0;
    std::memcpy(&minor, bytes.data() + 6, sizeof(minor));
    if (swapped_) minor = __builtin_bswap16(minor);
    minor_version_ = minor;
    // The upper bits tell the length of a frame check sequence and are not part of the type.
    link_type_ = static_cast<LinkType>(Load(bytes.data() + 20) & 0xffff);
    has_header_ = true;
    return {.kind = Record::Kind::kOther, .size = kFileHeaderBytes, .packet = {}, .error = {}};
  }

  Record NextPacket(std::span<const std::uint8_t> bytes) {
    if (bytes.size() < record_header_bytes_) {
      return {
          .kind = Record::Kind::kNeedMore, .size = record_header_bytes_, .packet = {}, .error = {}};
    }
    const std::uint8_t* const header = bytes.data();
    std::uint32_t captured = Load(header + 8);
    std::uint32_t original = Load(header + 12);
    // Version 2.2 and before wrote the two lengths the other way round; of 2.3 there are both
    // kinds.
    if (minor_version_ < 3 || (minor_version_ == 3 && captured > original)) {
      std::swap(captured, original);
    }
    if (captured > InputBuffer::kMaxRecordBytes) {
      return {.kind = Record::Kind::kDamaged,
              .size = 0,
              .packet = {},
              .error = "a packet of " + std::to_string(captured) + " bytes"};
    }
    const std::size_t size = record_header_bytes_ + captured;
    if (bytes.size() < size) {
      return {.kind = Record::Kind::kNeedMore, .size = size, .packet = {}, .error = {}};
    }
    Record record{.kind = Record::Kind::kPacket, .size = size, .packet = {}, .error = {}};
    record.packet.time = Timestamp(std::chrono::seconds(Load(header)) +
                                   Duration(Load(header + 4) * nanoseconds_per_unit_));
    record.packet.link_type = link_type_;
    record.packet.wire_bytes = original;
    record.packet.bytes = bytes.subspan(record_header_bytes_, captured);
    return record;
  }

  bool swapped_ = false;
  bool has_header_ = false;
  std::int64_t nanoseconds_per_unit_ = 1000;
  std::size_t record_header_bytes_ = kRecordHeaderBytes;
  std::uint16_t minor_version_ = 4;
  LinkType link_type_ = LinkType::kEthernet;
};

bool IsPcapMagic(std::uint32_t magic) {
  return magic == kMagicMicroseconds || magic == kMagicNanoseconds || magic == kMagicModified;
}

}  // namespace

std::unique_ptr<RecordParser> MakePcapParser(std::span<const std::uint8_t> head) {
  if (head.size() < 4) return nullptr;
  const std::uint32_t magic = LoadNative(head.data());
  if (!IsPcapMagic(magic) && !IsPcapMagic(__builtin_bswap32(magic))) return nullptr;
  return std::make_unique<PcapParser>(head);
}

}  // namespace nta::internal
