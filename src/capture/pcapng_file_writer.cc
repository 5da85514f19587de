#include "nta/capture/pcapng_file_writer.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/status.h"
#include "capture/byte_output.h"
#include "capture/pcapng_format.h"

namespace nta {
namespace {

using internal::pcapng::PaddedTo4;

constexpr std::size_t kMaxOptionBytes = std::numeric_limits<std::uint16_t>::max();
// What Wireshark takes of a packet at the most.
constexpr std::uint32_t kMaxPacketBytes = 262144;
constexpr std::uint8_t kNanoseconds = 9;

// A block, field by field, in this machine's byte order.
class Block {
 public:
  // Borrows `bytes` as its memory, so that packets need not allocate any.
  Block(std::vector<std::uint8_t>& bytes, std::uint32_t type) : bytes_(bytes) {
    constexpr std::size_t kTypeAndLength = 8;
    bytes_.assign(kTypeAndLength, 0);
    std::memcpy(bytes_.data(), &type, sizeof(type));
  }

  Block& U16(std::uint16_t value) { return Append(&value, sizeof(value)); }
  Block& U32(std::uint32_t value) { return Append(&value, sizeof(value)); }
  Block& U64(std::uint64_t value) { return Append(&value, sizeof(value)); }
  // A time stamp: the upper half comes first in both byte orders.
  Block& Time(std::uint64_t nanoseconds) {
    return U32(static_cast<std::uint32_t>(nanoseconds >> 32))
        .U32(static_cast<std::uint32_t>(nanoseconds & 0xffffffff));
  }
  Block& Option(std::uint16_t code, std::string_view value) {
    U16(code).U16(static_cast<std::uint16_t>(value.size())).Append(value.data(), value.size());
    has_options_ = true;
    return Pad();
  }
  Block& Option(std::uint16_t code, std::uint64_t value) {
    has_options_ = true;
    return U16(code).U16(sizeof(value)).U64(value);
  }
  Block& Bytes(std::span<const std::uint8_t> bytes) {
    return Append(bytes.data(), bytes.size()).Pad();
  }
  // The whole block; nothing can be added afterwards.
  std::span<const std::uint8_t> Finish() {
    if (has_options_) U16(internal::pcapng::kOptionEnd).U16(0);
    const auto size = static_cast<std::uint32_t>(bytes_.size() + sizeof(std::uint32_t));
    U32(size);
    std::memcpy(bytes_.data() + sizeof(std::uint32_t), &size, sizeof(size));
    return bytes_;
  }

 private:
  Block& Append(const void* data, std::size_t size) {
    if (size == 0) return *this;
    bytes_.resize(bytes_.size() + size);
    std::memcpy(bytes_.data() + bytes_.size() - size, data, size);
    return *this;
  }
  Block& Pad() {
    bytes_.resize(PaddedTo4(bytes_.size()));
    return *this;
  }

  std::vector<std::uint8_t>& bytes_;
  bool has_options_ = false;
};

absl::Status NoInterface(std::uint32_t id) {
  return base::InvalidArgument("interface " + std::to_string(id) + " was not added to the file");
}

}  // namespace

absl::StatusOr<PcapngFileWriter> PcapngFileWriter::Create(const std::string& path,
                                                          PcapngFileWriterOptions options) {
  NTA_ASSIGN_OR_RETURN(auto output, internal::ByteOutput::Create(path, options.compression,
                                                                 options.compression_level));
  PcapngFileWriter writer(std::move(output));
  NTA_RETURN_IF_ERROR(writer.WriteSectionHeader(options.application));
  for (const CaptureInterface& interface : options.interfaces) {
    NTA_RETURN_IF_ERROR(writer.AddInterface(interface).status());
  }
  return writer;
}

PcapngFileWriter::PcapngFileWriter(std::unique_ptr<internal::ByteOutput> output)
    : output_(std::move(output)) {}
PcapngFileWriter::~PcapngFileWriter() = default;
PcapngFileWriter::PcapngFileWriter(PcapngFileWriter&&) noexcept = default;
PcapngFileWriter& PcapngFileWriter::operator=(PcapngFileWriter&&) noexcept = default;

absl::Status PcapngFileWriter::WriteSectionHeader(const std::string& application) {
  if (application.size() > kMaxOptionBytes) {
    return base::InvalidArgument("the application's name has more than 65,535 bytes");
  }
  constexpr std::uint64_t kUnknownLength = ~std::uint64_t{0};
  Block block(block_, internal::pcapng::kSectionHeader);
  block.U32(internal::pcapng::kByteOrderMagic).U16(1).U16(0).U64(kUnknownLength);
  if (!application.empty()) {
    block.Option(internal::pcapng::kOptionSectionApplication, application);
  }
  return output_->Write(block.Finish());
}

absl::StatusOr<std::uint32_t> PcapngFileWriter::AddInterface(const CaptureInterface& interface) {
  if (interface.name.size() > kMaxOptionBytes || interface.description.size() > kMaxOptionBytes) {
    return base::InvalidArgument("the name of an interface has more than 65,535 bytes");
  }
  if (interfaces_.size() >= internal::pcapng::kMaxInterfaces) {
    return base::InvalidArgument("a file has at most 65,536 interfaces");
  }
  const std::uint32_t snap_length =
      std::min(interface.snap_length.value_or(kMaxPacketBytes), kMaxPacketBytes);
  Block block(block_, internal::pcapng::kInterfaceDescription);
  block.U16(static_cast<std::uint16_t>(interface.link_type)).U16(0).U32(snap_length);
  if (!interface.name.empty()) {
    block.Option(internal::pcapng::kOptionInterfaceName, interface.name);
  }
  if (!interface.description.empty()) {
    block.Option(internal::pcapng::kOptionInterfaceDescription, interface.description);
  }
  const char resolution = kNanoseconds;
  block.Option(internal::pcapng::kOptionTimeResolution, std::string_view(&resolution, 1));
  NTA_RETURN_IF_ERROR(output_->Write(block.Finish()));
  InterfaceState& state = interfaces_.emplace_back();
  state.link_type = interface.link_type;
  state.snap_length = snap_length;
  return static_cast<std::uint32_t>(interfaces_.size() - 1);
}

absl::Status PcapngFileWriter::Write(const PacketView& packet, std::string_view comment) {
  if (interfaces_.empty() && packet.interface_id == 0) {
    NTA_RETURN_IF_ERROR(AddInterface({.link_type = packet.link_type}).status());
  }
  if (packet.interface_id >= interfaces_.size()) return NoInterface(packet.interface_id);
  InterfaceState& interface = interfaces_[packet.interface_id];
  if (packet.link_type != interface.link_type) {
    return base::InvalidArgument("a packet of link type " + ToString(packet.link_type) +
                                 " on an interface of " + ToString(interface.link_type));
  }
  const std::int64_t time = packet.time.time_since_epoch().count();
  if (time < 0) {
    return base::MakeStatus(absl::StatusCode::kOutOfRange,
                            "a pcapng file has no place for the time " + ToString(packet.time));
  }
  if (comment.size() > kMaxOptionBytes) {
    return base::InvalidArgument("a comment has more than 65,535 bytes");
  }
  const std::size_t captured = std::min<std::size_t>(packet.bytes.size(), interface.snap_length);
  Block block(block_, internal::pcapng::kEnhancedPacket);
  block.U32(packet.interface_id)
      .Time(static_cast<std::uint64_t>(time))
      .U32(static_cast<std::uint32_t>(captured))
      .U32(packet.wire_bytes)
      .Bytes(packet.bytes.first(captured));
  if (!comment.empty()) block.Option(internal::pcapng::kOptionComment, comment);
  NTA_RETURN_IF_ERROR(output_->Write(block.Finish()));
  ++interface.packets;
  interface.last_time = std::max(interface.last_time, static_cast<std::uint64_t>(time));
  return absl::OkStatus();
}

absl::Status PcapngFileWriter::SetDrops(std::uint32_t interface_id, const CaptureStats& stats) {
  if (interface_id >= interfaces_.size()) return NoInterface(interface_id);
  interfaces_[interface_id].dropped_interface = stats.dropped_interface;
  interfaces_[interface_id].dropped_buffer = stats.dropped_buffer;
  return absl::OkStatus();
}

absl::Status PcapngFileWriter::WriteStatistics(std::uint32_t interface_id) {
  const InterfaceState& interface = interfaces_[interface_id];
  // Packets that the system dropped had been received by the interface.
  const std::uint64_t received = interface.packets + interface.dropped_buffer;
  Block block(block_, internal::pcapng::kInterfaceStatistics);
  block.U32(interface_id)
      .Time(interface.last_time)
      .Option(internal::pcapng::kOptionStatisticsReceived, received)
      .Option(internal::pcapng::kOptionStatisticsInterfaceDrops, interface.dropped_interface)
      .Option(internal::pcapng::kOptionStatisticsSystemDrops, interface.dropped_buffer);
  return output_->Write(block.Finish());
}

absl::Status PcapngFileWriter::Close() {
  absl::Status status;
  for (std::size_t i = 0; i < interfaces_.size() && status.ok(); ++i) {
    status = WriteStatistics(static_cast<std::uint32_t>(i));
  }
  // It has the same error when writing had one.
  return output_->Close();
}

}  // namespace nta
