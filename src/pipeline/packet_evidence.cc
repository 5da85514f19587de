#include "nta/pipeline/packet_evidence.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>

#include "base/status.h"
#include "nta/capture/pcapng_file_writer.h"
#include "nta/packet/decode.h"

namespace nta {
namespace {

constexpr std::size_t kMinRingBytes = std::size_t{64} << 10;
constexpr std::size_t kMaxRingBytes = std::size_t{1} << 32;
// A packet on the heap, beside its bytes.
constexpr std::size_t kPacketOverhead = sizeof(Packet) + 32;

PacketRingOptions Sane(PacketRingOptions options) {
  options.max_bytes = std::clamp(options.max_bytes, kMinRingBytes, kMaxRingBytes);
  options.max_age = std::max(options.max_age, Duration(0));
  // At least two packets fit.
  options.snap_bytes = std::clamp<std::uint32_t>(options.snap_bytes, 14, 32000);
  return options;
}

// The addresses of a packet, of ARP ones too.
struct Ends {
  std::optional<IpAddress> source;
  std::optional<IpAddress> destination;
};

Ends EndsOf(const PacketView& view) {
  const DecodedPacket packet = Decode(view);
  if (packet.arp) return {packet.arp->sender, packet.arp->target};
  if (!packet.has_ip()) return {};
  return {packet.source, packet.destination};
}

bool IsPrefixAlert(const Alert& alert, std::optional<IpPrefix>& prefix) {
  const auto found = alert.evidence.find("prefix");
  if (found == alert.evidence.end()) return false;
  const auto* text = std::get_if<std::string>(&found->second);
  if (text == nullptr) return false;
  const auto parsed = IpPrefix::Parse(*text);
  if (parsed.ok()) prefix = *parsed;
  return parsed.ok();
}

bool Concerns(const Alert& alert, const std::optional<IpPrefix>& prefix, const Ends& ends) {
  if (!ends.source || !ends.destination) return false;
  if (prefix) return prefix->Contains(*ends.destination) || prefix->Contains(*ends.source);
  const auto& source = alert.entity.source;
  const auto& destination = alert.entity.destination;
  const auto is_end = [&](const IpAddress& address) {
    return *ends.source == address || *ends.destination == address;
  };
  if (source && destination) return is_end(*source) && is_end(*destination);
  if (source) return is_end(*source);
  return destination && is_end(*destination);
}

}  // namespace

PacketRing::PacketRing(PacketRingOptions options)
    : options_(Sane(options)), buffer_(options_.max_bytes) {}

void PacketRing::Add(std::span<const PacketView> packets) {
  for (const PacketView& packet : packets) Add(packet);
}

void PacketRing::Add(const PacketView& packet) {
  const std::size_t captured = std::min<std::size_t>(packet.bytes.size(), options_.snap_bytes);
  const std::size_t size = sizeof(Header) + (captured + 7) / 8 * 8;
  if (head_ + size > buffer_.size()) {
    // The rest of the block stays empty; whatever is there is the oldest.
    while (count_ > 0 && tail_ >= head_) DropOldest();
    limit_ = count_ == 0 ? 0 : head_;
    head_ = 0;
  }
  while (count_ > 0 && tail_ >= head_ && tail_ < head_ + size) DropOldest();
  const Header header{.time = packet.time.time_since_epoch().count(),
                      .wire_bytes = packet.wire_bytes,
                      .interface_id = packet.interface_id,
                      .link_type = static_cast<std::uint16_t>(packet.link_type),
                      .captured = static_cast<std::uint16_t>(captured)};
  std::memcpy(buffer_.data() + head_, &header, sizeof header);
  if (captured > 0) {
    std::memcpy(buffer_.data() + head_ + sizeof header, packet.bytes.data(), captured);
  }
  if (count_ == 0) tail_ = head_;
  head_ += size;
  ++count_;
}

void PacketRing::DropOldest() {
  Header header;
  std::memcpy(&header, buffer_.data() + tail_, sizeof header);
  tail_ += sizeof header + (header.captured + std::size_t{7}) / 8 * 8;
  --count_;
  ++dropped_;
  if (limit_ != 0 && tail_ >= limit_) {
    tail_ = 0;
    limit_ = 0;
  }
}

void PacketRing::Visit(absl::FunctionRef<bool(const PacketView&)> visit) const {
  std::size_t at = tail_;
  for (std::size_t i = 0; i < count_; ++i) {
    Header header;
    std::memcpy(&header, buffer_.data() + at, sizeof header);
    const PacketView view{.time = Timestamp(Duration(header.time)),
                          .link_type = static_cast<LinkType>(header.link_type),
                          .wire_bytes = header.wire_bytes,
                          .interface_id = header.interface_id,
                          .bytes = std::span(buffer_).subspan(at + sizeof header, header.captured)};
    if (!visit(view)) return;
    at += sizeof header + (header.captured + std::size_t{7}) / 8 * 8;
    if (limit_ != 0 && at >= limit_) at = 0;
  }
}

PacketEvidence::PacketEvidence(PacketEvidenceOptions options)
    : options_(options), ring_(options.ring) {}

void PacketEvidence::Keep(const Alert& alert) {
  if (alert.state != AlertState::kOpen || kept_.contains(alert.id)) return;
  std::optional<IpPrefix> prefix;
  IsPrefixAlert(alert, prefix);
  std::deque<Packet> found;
  const Duration age = ring_.options().max_age;
  ring_.Visit([&](const PacketView& packet) {
    const bool is_in_time = packet.time <= alert.time && alert.time - packet.time <= age;
    if (!is_in_time || !Concerns(alert, prefix, EndsOf(packet))) return true;
    found.emplace_back(packet);
    if (found.size() > options_.max_packets) found.pop_front();
    return true;
  });
  if (found.empty()) return;
  std::vector<Packet> packets(std::make_move_iterator(found.begin()),
                              std::make_move_iterator(found.end()));
  std::size_t bytes = alert.id.size() * 2 + 128;
  for (const Packet& packet : packets) bytes += packet.view().bytes.size() + kPacketOverhead;
  kept_bytes_ += bytes;
  kept_.emplace(alert.id, std::move(packets));
  order_.push_back(alert.id);
  while (kept_bytes_ > options_.max_kept_bytes && !order_.empty()) {
    const auto oldest = kept_.find(order_.front());
    std::size_t freed = order_.front().size() * 2 + 128;
    for (const Packet& packet : oldest->second) {
      freed += packet.view().bytes.size() + kPacketOverhead;
    }
    kept_bytes_ -= freed;
    kept_.erase(oldest);
    order_.pop_front();
    ++forgotten_;
  }
}

absl::StatusOr<std::span<const Packet>> PacketEvidence::Packets(std::string_view alert_id) const {
  const auto found = kept_.find(alert_id);
  if (found == kept_.end()) {
    return base::MakeStatus(absl::StatusCode::kNotFound,
                            "no packets are kept for alert \"" + std::string(alert_id) + "\"");
  }
  return std::span<const Packet>(found->second);
}

absl::Status PacketEvidence::WritePcap(std::string_view alert_id, const std::string& path) const {
  NTA_ASSIGN_OR_RETURN(const auto packets, Packets(alert_id));
  NTA_ASSIGN_OR_RETURN(PcapngFileWriter writer, PcapngFileWriter::Create(path));
  std::map<LinkType, std::uint32_t> interfaces;
  for (const Packet& packet : packets) {
    PacketView view = packet.view();
    const auto [known, is_new] = interfaces.try_emplace(view.link_type);
    if (is_new) {
      CaptureInterface interface;
      interface.link_type = view.link_type;
      NTA_ASSIGN_OR_RETURN(known->second, writer.AddInterface(interface));
    }
    view.interface_id = known->second;
    NTA_RETURN_IF_ERROR(writer.Write(view));
  }
  return writer.Close();
}

}  // namespace nta
