// pcapng files (draft-ietf-opsawg-pcapng): blocks of type 4, total length 4, body, total length 4.
#include <algorithm>

#include "capture/input_buffer.h"
#include "capture/pcapng_format.h"
#include "capture/pcapng_interface.h"
#include "capture/record_parser.h"

namespace nta::internal {
namespace {

using pcapng::ByteOrder;
using pcapng::kMinBlockBytes;
using pcapng::kPacketHeaderBytes;

using Bytes = std::span<const std::uint8_t>;

constexpr bool IsPacket(std::uint32_t type) {
  return type == pcapng::kEnhancedPacket || type == pcapng::kSimplePacket ||
         type == pcapng::kObsoletePacket;
}
constexpr bool IsRead(std::uint32_t type) {
  return IsPacket(type) || type == pcapng::kSectionHeader ||
         type == pcapng::kInterfaceDescription || type == pcapng::kInterfaceStatistics;
}

class PcapngParser final : public RecordParser {
 public:
  ParseStop Parse(Bytes bytes, std::size_t max_packets, PacketBatch& batch) override {
    ParseStop stop;
    comments_.clear();
    while (true) {
      const Bytes rest = bytes.subspan(stop.consumed);
      if (rest.size() < kMinBlockBytes) return Need(stop, kMinBlockBytes);
      const std::uint32_t type = order_.Load32(rest.data());
      // The section header's type reads the same in both byte orders, and its body tells which it
      // is.
      if (type == pcapng::kSectionHeader) {
        if (!ReadByteOrder(rest.data() + 8)) {
          return Damaged(stop, "a section header without byte-order magic");
        }
      } else if (!in_section_) {
        return Damaged(stop, "a block before the first section header");
      }
      const std::uint32_t size = order_.Load32(rest.data() + 4);
      const bool is_read = IsRead(type);
      if (size < kMinBlockBytes || size % 4 != 0 ||
          (is_read && size > InputBuffer::kMaxRecordBytes)) {
        return Damaged(stop, "a block of " + std::to_string(size) + " bytes");
      }
      if (IsPacket(type) && batch.size() >= max_packets) return stop;
      if (rest.size() < size) {
        stop.reason = is_read ? ParseStop::Reason::kNeedMore : ParseStop::Reason::kSkip;
        stop.size = size;
        return stop;
      }
      if (is_read) {
        if (order_.Load32(rest.data() + size - 4) != size) {
          return Damaged(stop, "a block whose two lengths differ");
        }
        std::string error = ReadBlock(type, rest.subspan(8, size - kMinBlockBytes), batch);
        if (!error.empty()) return Damaged(stop, std::move(error));
      }
      stop.consumed += size;
    }
  }

  std::span<const CaptureInterface> interfaces() const override { return descriptions_; }
  std::span<const PacketComment> comments() const override { return comments_; }

  void AddDrops(CaptureStats& stats) const override {
    for (const pcapng::Interface& interface : interfaces_) Add(interface.drops, stats);
    Add(drops_of_earlier_sections_, stats);
  }

 private:
  static ParseStop Need(ParseStop stop, std::size_t size) {
    stop.reason = ParseStop::Reason::kNeedMore;
    stop.size = size;
    return stop;
  }
  static ParseStop Damaged(ParseStop stop, std::string why) {
    stop.reason = ParseStop::Reason::kDamaged;
    stop.error = std::move(why);
    return stop;
  }

  // Statistics and packets may both tell of the same losses.
  static void Add(const pcapng::Drops& drops, CaptureStats& stats) {
    stats.dropped_interface += drops.interface;
    stats.dropped_buffer += std::max(
        drops.system, drops.before_packets - std::min(drops.before_packets, drops.interface));
  }

  bool ReadByteOrder(const std::uint8_t* magic) {
    order_ = ByteOrder(ByteOrder().Load32(magic) != pcapng::kByteOrderMagic);
    return order_.Load32(magic) == pcapng::kByteOrderMagic;
  }

  // Empty, or what is wrong.
  std::string ReadBlock(std::uint32_t type, Bytes body, PacketBatch& batch) {
    switch (type) {
      case pcapng::kSectionHeader:
        return Section(body);
      case pcapng::kInterfaceDescription:
        return AddInterface(body);
      case pcapng::kInterfaceStatistics:
        return Statistics(body);
      case pcapng::kSimplePacket:
        return SimplePacket(body, batch);
      default:
        if (body.size() < kPacketHeaderBytes) return "a packet block without its header";
        return AddPacket(type, body, batch);
    }
  }

  // Byte-order magic 4, version 2 + 2, section length 8, options. Interfaces are numbered anew.
  std::string Section(Bytes body) {
    if (body.size() < 16) return "a section header of " + std::to_string(body.size()) + " bytes";
    const std::uint16_t major = order_.Load16(body.data() + 4);
    if (major != 1) return "a section of pcapng version " + std::to_string(major);
    in_section_ = true;
    CaptureStats drops;
    for (const pcapng::Interface& interface : interfaces_) Add(interface.drops, drops);
    drops_of_earlier_sections_.interface += drops.dropped_interface;
    drops_of_earlier_sections_.system += drops.dropped_buffer;
    interfaces_.clear();
    return {};
  }

  std::string AddInterface(Bytes body) {
    if (body.size() < 8) return "an interface description without its header";
    if (descriptions_.size() >= pcapng::kMaxInterfaces) {
      return "more than " + std::to_string(pcapng::kMaxInterfaces) + " interfaces";
    }
    interfaces_.push_back(pcapng::ReadInterface(order_, body));
    descriptions_.push_back(std::move(interfaces_.back().description));
    interfaces_.back().description = {.link_type = descriptions_.back().link_type,
                                      .snap_length = descriptions_.back().snap_length};
    return {};
  }

  // No packet depends on it: one without its interface is passed over.
  std::string Statistics(Bytes body) {
    if (body.size() < pcapng::kStatisticsHeaderBytes)
      return "interface statistics without their header";
    const std::uint32_t id = order_.Load32(body.data());
    if (id < interfaces_.size()) pcapng::ReadStatistics(order_, body, interfaces_[id].drops);
    return {};
  }

  // Interface 4 (obsolete: interface 2, drops 2), time 4 + 4, captured length 4, original length 4,
  // bytes padded to 4, options.
  std::string AddPacket(std::uint32_t type, Bytes body, PacketBatch& batch) {
    const std::uint8_t* const header = body.data();
    const bool is_obsolete = type == pcapng::kObsoletePacket;
    const std::uint32_t id = is_obsolete ? order_.Load16(header) : order_.Load32(header);
    if (id >= interfaces_.size()) return NoInterface(id);
    const std::uint32_t captured = order_.Load32(header + 12);
    if (captured > body.size() - kPacketHeaderBytes) return "a packet longer than its block";
    pcapng::Interface& interface = interfaces_[id];
    const std::uint64_t ticks =
        static_cast<std::uint64_t>(order_.Load32(header + 4)) << 32 | order_.Load32(header + 8);
    PacketView& packet = batch.emplace_back();
    packet.time = interface.clock.ToTime(ticks);
    packet.link_type = interface.description.link_type;
    packet.interface_id = FileWide(id);
    packet.wire_bytes = order_.Load32(header + 16);
    packet.bytes = body.subspan(kPacketHeaderBytes, captured);
    if (is_obsolete) {
      const std::uint16_t drops = order_.Load16(header + 2);
      constexpr std::uint16_t kUnknown = 0xffff;
      if (drops != kUnknown) interface.drops.before_packets += drops;
    }
    // Seldom there; 4 bytes are the mark of their end alone.
    const std::size_t options = kPacketHeaderBytes + pcapng::PaddedTo4(captured);
    if (body.size() > options + 4) {
      ReadPacketOptions(body.subspan(options), is_obsolete, batch.size() - 1, interface);
    }
    return {};
  }

  void ReadPacketOptions(Bytes options, bool is_obsolete, std::size_t packet,
                         pcapng::Interface& interface) {
    pcapng::ForEachOption(order_, options, [&](std::uint16_t code, Bytes value) {
      if (code == pcapng::kOptionComment) comments_.push_back({packet, pcapng::ToText(value)});
      if (code == pcapng::kOptionPacketDrops && value.size() == 8 && !is_obsolete) {
        interface.drops.before_packets += order_.Load64(value.data());
      }
    });
  }

  // Original length 4, bytes; of the first interface, without a time: 1970, as in libpcap.
  std::string SimplePacket(Bytes body, PacketBatch& batch) {
    if (interfaces_.empty()) return NoInterface(0);
    if (body.size() < 4) return "a simple packet block without its header";
    const CaptureInterface& interface = interfaces_[0].description;
    const std::uint32_t original = order_.Load32(body.data());
    std::size_t captured = std::min<std::size_t>(original, body.size() - 4);
    if (interface.snap_length) captured = std::min<std::size_t>(captured, *interface.snap_length);
    PacketView& packet = batch.emplace_back();
    packet.link_type = interface.link_type;
    packet.interface_id = FileWide(0);
    packet.wire_bytes = original;
    packet.bytes = body.subspan(4, captured);
    return {};
  }

  std::uint32_t FileWide(std::uint32_t id) const {
    return static_cast<std::uint32_t>(descriptions_.size() - interfaces_.size()) + id;
  }

  std::string NoInterface(std::uint32_t id) const {
    return "a packet of interface " + std::to_string(id) + ", but the section describes only " +
           std::to_string(interfaces_.size());
  }

  ByteOrder order_;
  bool in_section_ = false;
  std::vector<pcapng::Interface> interfaces_;   // of this section, without names
  std::vector<CaptureInterface> descriptions_;  // of the whole file
  pcapng::Drops drops_of_earlier_sections_;
  std::vector<PacketComment> comments_;
};

}  // namespace

std::unique_ptr<RecordParser> MakePcapngParser() { return std::make_unique<PcapngParser>(); }

}  // namespace nta::internal
