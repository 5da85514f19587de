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

  ParseStop Parse(std::span<const std::uint8_t> bytes, std::size_t max_packets,
                  PacketBatch& batch) override {
    ParseStop stop;
    if (interfaces_.empty()) {
      if (bytes.size() < kFileHeaderBytes) return NeedMore(stop, kFileHeaderBytes);
      ReadFileHeader(bytes.data());
      stop.consumed = kFileHeaderBytes;
    }
    while (batch.size() < max_packets) {
      const auto rest = bytes.subspan(stop.consumed);
      if (rest.size() < record_header_bytes_) return NeedMore(stop, record_header_bytes_);
      const std::uint8_t* const header = rest.data();
      std::uint32_t captured = Load(header + 8);
      std::uint32_t original = Load(header + 12);
      // Version 2.2 and before wrote the two lengths the other way round; of 2.3 there are both
      // kinds.
      if (minor_version_ < 3 || (minor_version_ == 3 && captured > original)) {
        std::swap(captured, original);
      }
      if (captured > InputBuffer::kMaxRecordBytes) {
        stop.reason = ParseStop::Reason::kDamaged;
        stop.error = "a packet of " + std::to_string(captured) + " bytes";
        return stop;
      }
      const std::size_t size = record_header_bytes_ + captured;
      if (rest.size() < size) return NeedMore(stop, size);
      PacketView& packet = batch.emplace_back();
      packet.time = Timestamp(std::chrono::seconds(Load(header)) +
                              Duration(Load(header + 4) * nanoseconds_per_unit_));
      packet.link_type = link_type_;
      packet.wire_bytes = original;
      packet.bytes = rest.subspan(record_header_bytes_, captured);
      stop.consumed += size;
    }
    return stop;
  }

  std::span<const CaptureInterface> interfaces() const override { return interfaces_; }

 private:
  std::uint32_t Load(const std::uint8_t* p) const {
    const std::uint32_t value = LoadNative(p);
    return swapped_ ? __builtin_bswap32(value) : value;
  }

  void ReadFileHeader(const std::uint8_t* header) {
    std::uint16_t minor = 0;
    std::memcpy(&minor, header + 6, sizeof(minor));
    if (swapped_) minor = __builtin_bswap16(minor);
    minor_version_ = minor;
    // The upper bits tell the length of a frame check sequence and are not part of the type.
    link_type_ = static_cast<LinkType>(Load(header + 20) & 0xffff);
    CaptureInterface& interface = interfaces_.emplace_back();
    interface.link_type = link_type_;
    if (const std::uint32_t snap_length = Load(header + 16); snap_length != 0) {
      interface.snap_length = snap_length;
    }
    interface.ticks_per_second = 1'000'000'000U / static_cast<std::uint64_t>(nanoseconds_per_unit_);
  }

  static ParseStop NeedMore(ParseStop stop, std::size_t size) {
    stop.reason = ParseStop::Reason::kNeedMore;
    stop.size = size;
    return stop;
  }

  bool swapped_ = false;
  std::int64_t nanoseconds_per_unit_ = 1000;
  std::size_t record_header_bytes_ = kRecordHeaderBytes;
  std::uint16_t minor_version_ = 4;
  LinkType link_type_ = LinkType::kEthernet;
  std::vector<CaptureInterface> interfaces_;  // one, when the file header was read
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
