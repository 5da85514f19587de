#include "support/packet_builder.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace nta::test {
namespace {

constexpr std::uint8_t kExperiment = 253;  // RFC 3692: a protocol that nobody reads
constexpr std::uint16_t kExperimentEtherType = 0x88b5;

void Put8(Bytes& out, unsigned value) { out.push_back(static_cast<std::uint8_t>(value)); }
void Put16(Bytes& out, unsigned value) {
  Put8(out, value >> 8 & 0xff);
  Put8(out, value & 0xff);
}
void Put32(Bytes& out, std::uint32_t value) {
  Put16(out, value >> 16);
  Put16(out, value & 0xffff);
}
void PutBytes(Bytes& out, std::span<const std::uint8_t> bytes) {
  out.insert(out.end(), bytes.begin(), bytes.end());
}
void Set16(Bytes& out, std::size_t offset, std::size_t value) {
  out[offset] = static_cast<std::uint8_t>(value >> 8);
  out[offset + 1] = static_cast<std::uint8_t>(value);
}
void PadTo(Bytes& out, std::size_t multiple) {
  while (out.size() % multiple != 0) out.push_back(0);
}

std::uint32_t SumOf(std::span<const std::uint8_t> bytes) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    sum += static_cast<std::uint32_t>(bytes[i]) << (i % 2 == 0 ? 8 : 0);
  }
  return sum;
}

// Over the pseudo-header, the header and the body.
std::uint16_t TransportChecksum(const IpAddress& source, const IpAddress& destination,
                                std::uint8_t protocol, const Bytes& header, const Bytes& body) {
  std::uint32_t sum = SumOf(source.bytes()) + SumOf(destination.bytes()) + protocol;
  sum += static_cast<std::uint32_t>(header.size() + body.size());
  Bytes all = header;
  PutBytes(all, body);
  const std::uint16_t checksum = InternetChecksum(all, sum);
  return checksum == 0 ? 0xffff : checksum;
}

}  // namespace

IpAddress Ip(std::string_view text) {
  const auto address = IpAddress::Parse(text);
  if (!address.ok()) std::abort();
  return *address;
}

MacAddress Mac(std::string_view text) {
  const auto mac = MacAddress::Parse(text);
  if (!mac.ok()) std::abort();
  return *mac;
}

Timestamp At(Duration since_start) {
  return Timestamp(std::chrono::sys_days(std::chrono::year(2026) / 1 / 1)) + since_start;
}

std::uint16_t InternetChecksum(std::span<const std::uint8_t> bytes, std::uint32_t sum) {
  sum += SumOf(bytes);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

PacketBuilder& PacketBuilder::Add(Layer layer) {
  layers_.push_back(std::move(layer));
  return *this;
}

PacketBuilder& PacketBuilder::First(LinkType link_type, Layer layer) {
  if (layers_.empty() && !link_type_) link_type_ = link_type;
  return Add(std::move(layer));
}

std::uint16_t PacketBuilder::EtherTypeOf(const Layer* next) {
  return next != nullptr && next->ether_type ? *next->ether_type : kExperimentEtherType;
}

std::uint8_t PacketBuilder::ProtocolOf(const Layer* next) {
  return next != nullptr && next->ip_protocol ? *next->ip_protocol : kExperiment;
}

std::uint16_t PacketBuilder::PppProtocolOf(const Layer* next) {
  switch (EtherTypeOf(next)) {
    case 0x0800:
      return 0x0021;
    case 0x86dd:
      return 0x0057;
    case 0x8847:
      return 0x0281;
    default:
      return 0xc021;  // LCP
  }
}

PacketBuilder& PacketBuilder::Ethernet(std::string_view source, std::string_view destination) {
  Layer layer;
  PutBytes(layer.header, Mac(destination).bytes);
  PutBytes(layer.header, Mac(source).bytes);
  Put16(layer.header, 0);
  layer.ether_type = 0x6558;  // transparent Ethernet bridging
  layer.ip_protocol = 97;     // EtherIP is the only one that carries it, after its own header
  layer.finish = [](Bytes& header, const Layer* next, Bytes&, const Layer*) {
    Set16(header, 12, EtherTypeOf(next));
  };
  return First(LinkType::kEthernet, std::move(layer));
}

PacketBuilder& PacketBuilder::Ethernet8023() {
  Ethernet();
  layers_.back().finish = [](Bytes& header, const Layer*, Bytes& body, const Layer*) {
    Set16(header, 12, body.size());
  };
  return *this;
}

PacketBuilder& PacketBuilder::Vlan(std::uint16_t id, std::uint16_t tag_protocol) {
  Layer layer;
  Put16(layer.header, id);
  Put16(layer.header, 0);
  layer.ether_type = tag_protocol;
  layer.finish = [](Bytes& header, const Layer* next, Bytes&, const Layer*) {
    Set16(header, 2, EtherTypeOf(next));
  };
  return Add(std::move(layer));
}

PacketBuilder& PacketBuilder::LlcSnap(std::uint32_t organisation) {
  Layer layer;
  layer.header = {0xaa, 0xaa, 0x03};
  Put8(layer.header, organisation >> 16 & 0xff);
  Put16(layer.header, organisation & 0xffff);
  Put16(layer.header, 0);
  layer.finish = [](Bytes& header, const Layer* next, Bytes&, const Layer*) {
    Set16(header, 6, EtherTypeOf(next));
  };
  return First(LinkType::kAtmRfc1483, std::move(layer));
}

PacketBuilder& PacketBuilder::Llc(std::uint8_t dsap, std::uint8_t ssap, std::uint8_t control) {
  Layer layer;
  layer.header = {dsap, ssap, control};
  return First(LinkType::kAtmRfc1483, std::move(layer));
}

PacketBuilder& PacketBuilder::Mpls(std::uint32_t label) {
  Layer layer;
  Put32(layer.header, label << 12 | 64);
  layer.ether_type = 0x8847;
  layer.ip_protocol = 137;
  layer.finish = [](Bytes& header, const Layer* next, Bytes&, const Layer*) {
    const bool bottom = next == nullptr || next->ether_type != 0x8847;
    if (bottom) header[2] |= 1;
  };
  return Add(std::move(layer));
}

PacketBuilder& PacketBuilder::MplsControlWord() { return Payload(Bytes(4, 0)); }

PacketBuilder& PacketBuilder::PppoeSession(std::uint16_t session) {
  Layer layer;
  layer.header = {0x11, 0};
  Put16(layer.header, session);
  Put16(layer.header, 0);
  layer.ether_type = 0x8864;
  layer.finish = [](Bytes& header, const Layer*, Bytes& body, const Layer*) {
    Set16(header, 4, body.size());
  };
  return First(LinkType::kPppEther, std::move(layer));
}

PacketBuilder& PacketBuilder::Ppp() {
  Layer layer;
  layer.header = {0, 0};
  layer.ether_type = 0x880b;
  layer.finish = [](Bytes& header, const Layer* next, Bytes&, const Layer*) {
    Set16(header, 0, PppProtocolOf(next));
  };
  return First(LinkType::kPpp, std::move(layer));
}

PacketBuilder& PacketBuilder::PppCompressed() {
  Layer layer;
  layer.header = {0};
  layer.ether_type = 0x880b;
  layer.finish = [](Bytes& header, const Layer* next, Bytes&, const Layer*) {
    header[0] = static_cast<std::uint8_t>(PppProtocolOf(next));
  };
  return First(LinkType::kPpp, std::move(layer));
}

PacketBuilder& PacketBuilder::PppHdlc() {
  Ppp();
  layers_.back().header = {0xff, 0x03, 0, 0};
  layers_.back().finish = [](Bytes& header, const Layer* next, Bytes&, const Layer*) {
    Set16(header, 2, PppProtocolOf(next));
  };
  if (layers_.size() == 1) link_type_ = LinkType::kPppHdlc;
  return *this;
}

PacketBuilder& PacketBuilder::CiscoHdlc() {
  Layer layer;
  layer.header = {0x0f, 0, 0, 0};
  layer.finish = [](Bytes& header, const Layer* next, Bytes&, const Layer*) {
    Set16(header, 2, EtherTypeOf(next));
  };
  return First(LinkType::kCHdlc, std::move(layer));
}

PacketBuilder& PacketBuilder::FrameRelay() {
  Layer layer;
  layer.header = {0x18, 0x41, 0x03, 0xcc};
  layer.finish = [](Bytes& header, const Layer* next, Bytes&, const Layer*) {
    header[3] = EtherTypeOf(next) == 0x86dd ? 0x8e : 0xcc;
  };
  return First(LinkType::kFrameRelay, std::move(layer));
}

PacketBuilder& PacketBuilder::FrameRelayCisco() {
  Layer layer;
  layer.header = {0x18, 0x41, 0, 0};
  layer.finish = [](Bytes& header, const Layer* next, Bytes&, const Layer*) {
    Set16(header, 2, EtherTypeOf(next));
  };
  return First(LinkType::kFrameRelay, std::move(layer));
}

PacketBuilder& PacketBuilder::Pbb() {
  Layer layer;
  layer.header = {0, 0, 0, 1};
  layer.ether_type = 0x88e7;
  return Add(std::move(layer));
}

PacketBuilder& PacketBuilder::Nsh() {
  Layer layer;
  layer.header = {0x0f, 0xc2, 2, 0, 0, 0, 1, 255};  // metadata type 2 without metadata
  layer.ether_type = 0x894f;
  layer.finish = [](Bytes& header, const Layer* next, Bytes&, const Layer*) {
    switch (EtherTypeOf(next)) {
      case 0x0800:
        header[3] = 1;
        break;
      case 0x86dd:
        header[3] = 2;
        break;
      case 0x6558:
        header[3] = 3;
        break;
      case 0x894f:
        header[3] = 4;
        break;
      case 0x8847:
        header[3] = 5;
        break;
      default:
        header[3] = 254;
    }
  };
  return Add(std::move(layer));
}

PacketBuilder& PacketBuilder::VnTag() {
  Layer layer;
  layer.header = {0, 0, 0, 0, 0, 0};
  layer.ether_type = 0x8926;
  layer.finish = [](Bytes& header, const Layer* next, Bytes&, const Layer*) {
    Set16(header, 4, EtherTypeOf(next));
  };
  return Add(std::move(layer));
}

PacketBuilder& PacketBuilder::DsaTag() {
  Ethernet();
  layers_.back().header.resize(18);
  layers_.back().finish = [](Bytes& header, const Layer* next, Bytes&, const Layer*) {
    header[12] = 0x40;
    Set16(header, 16, EtherTypeOf(next));
  };
  link_type_ = static_cast<LinkType>(284);
  return *this;
}

PacketBuilder& PacketBuilder::LinuxSll() {
  Layer layer;
  layer.header = {0, 0, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0, 0, 0};
  layer.finish = [](Bytes& header, const Layer* next, Bytes&, const Layer*) {
    Set16(header, 14, EtherTypeOf(next));
  };
  return First(LinkType::kLinuxSll, std::move(layer));
}

PacketBuilder& PacketBuilder::LinuxSll2() {
  Layer layer;
  layer.header = {0, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0};
  layer.finish = [](Bytes& header, const Layer* next, Bytes&, const Layer*) {
    Set16(header, 0, EtherTypeOf(next));
  };
  return First(LinkType::kLinuxSll2, std::move(layer));
}

PacketBuilder& PacketBuilder::Null(std::uint32_t family, bool big_endian) {
  Layer layer;
  Put32(layer.header, big_endian ? family : __builtin_bswap32(family));
  return First(LinkType::kNull, std::move(layer));
}

PacketBuilder& PacketBuilder::Loop(std::uint32_t family) {
  if (layers_.empty()) link_type_ = LinkType::kLoop;
  return Null(family, true);
}

PacketBuilder& PacketBuilder::Slip() {
  Layer layer;
  layer.header = Bytes(16, 0);
  return First(LinkType::kSlip, std::move(layer));
}

PacketBuilder& PacketBuilder::Fddi() {
  Layer layer;
  layer.header = {0x54, 2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1};
  return First(LinkType::kFddi, std::move(layer));
}

PacketBuilder& PacketBuilder::Nflog(bool big_endian) {
  Layer layer;
  layer.header = {2, 0, 0, 1};
  const auto put = [&layer, big_endian](unsigned value) {
    if (big_endian) {
      Put16(layer.header, value);
    } else {
      Put16(layer.header, (value & 0xff) << 8 | value >> 8);
    }
  };
  put(8);  // a mark of 4 bytes
  put(2);
  Put32(layer.header, 7);
  put(0);  // the packet; its length is filled in below
  put(9);
  layer.finish = [big_endian](Bytes& header, const Layer*, Bytes& body, const Layer*) {
    const std::size_t size = body.size() + 4;
    Set16(header, 12, big_endian ? size : (size & 0xff) << 8 | size >> 8);
    PadTo(body, 4);
  };
  return First(LinkType::kNflog, std::move(layer));
}

PacketBuilder& PacketBuilder::Radiotap(bool with_checksum) {
  Layer layer;
  // Version 0, length 17 (little endian), present: TSFT and flags.
  layer.header = {0, 0, 17, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
  layer.header[16] = with_checksum ? 0x10 : 0;
  layer.finish = [with_checksum](Bytes&, const Layer*, Bytes& body, const Layer*) {
    if (with_checksum) PutBytes(body, Bytes(4, 0xcc));
  };
  return First(LinkType::kIeee80211Radiotap, std::move(layer));
}

PacketBuilder& PacketBuilder::Prism() {
  Layer layer;
  layer.header = Bytes(144, 0);
  return First(LinkType::kIeee80211Prism, std::move(layer));
}

PacketBuilder& PacketBuilder::Avs() {
  Layer layer;
  Put32(layer.header, 0x80211001);
  Put32(layer.header, 64);
  layer.header.resize(64);
  return First(LinkType::kIeee80211Avs, std::move(layer));
}

PacketBuilder& PacketBuilder::Ppi() {
  Layer layer;
  layer.header = {0, 0, 8, 0, 105, 0, 0, 0};
  return First(LinkType::kPpi, std::move(layer));
}

PacketBuilder& PacketBuilder::Ieee80211(std::uint8_t flags, bool quality_of_service) {
  Layer layer;
  layer.header = {static_cast<std::uint8_t>(quality_of_service ? 0x88 : 0x08), flags, 0, 0};
  for (std::uint8_t address = 1; address <= 3; ++address) {
    PutBytes(layer.header, Bytes{2, 0, 0, 0, 0, address});
  }
  Put16(layer.header, 0);
  if ((flags & 3) == 3) PutBytes(layer.header, Bytes{2, 0, 0, 0, 0, 4});
  if (quality_of_service) Put16(layer.header, 0);
  return First(LinkType::kIeee80211, std::move(layer));
}

PacketBuilder& PacketBuilder::Arp(std::uint16_t operation, std::string_view sender,
                                  std::string_view target) {
  Layer layer;
  layer.header = {0, 1, 8, 0, 6, 4};
  Put16(layer.header, operation);
  PutBytes(layer.header, Mac("02:00:00:00:00:01").bytes);
  PutBytes(layer.header, test::Ip(sender).bytes());
  PutBytes(layer.header, Mac("00:00:00:00:00:00").bytes);
  PutBytes(layer.header, test::Ip(target).bytes());
  layer.ether_type = 0x0806;
  return Add(std::move(layer));
}

PacketBuilder& PacketBuilder::Ipv4(std::string_view source, std::string_view destination,
                                   Ipv4Fields fields) {
  Layer layer;
  layer.ether_type = 0x0800;
  layer.ip_protocol = 4;
  layer.source = test::Ip(source);
  layer.destination = test::Ip(destination);
  PadTo(fields.options, 4);
  Bytes& header = layer.header;
  const std::size_t words = 5 + fields.options.size() / 4;
  Put8(header, static_cast<unsigned>(
                   fields.version.value_or(4) << 4 |
                   (fields.header_words.value_or(static_cast<std::uint8_t>(words)) & 0xf)));
  Put8(header, fields.tos);
  Put16(header, 0);
  Put16(header, fields.id);
  Put16(header,
        static_cast<unsigned>((fields.dont_fragment ? 0x4000 : 0) |
                              (fields.more_fragments ? 0x2000 : 0) | fields.fragment_offset / 8));
  Put8(header, fields.ttl);
  Put8(header, 0);
  Put16(header, 0);
  PutBytes(header, layer.source->bytes());
  PutBytes(header, layer.destination->bytes());
  PutBytes(header, fields.options);
  layer.finish = [length = fields.total_length, protocol = fields.protocol](
                     Bytes& out, const Layer* next, Bytes& body, const Layer*) {
    Set16(out, 2, length.value_or(static_cast<std::uint16_t>(out.size() + body.size())));
    out[9] = protocol.value_or(ProtocolOf(next));
    Set16(out, 10, InternetChecksum(out));
  };
  return First(LinkType::kRaw, std::move(layer));
}

PacketBuilder& PacketBuilder::Ipv6(std::string_view source, std::string_view destination,
                                   Ipv6Fields fields) {
  Layer layer;
  layer.ether_type = 0x86dd;
  layer.ip_protocol = 41;
  layer.source = test::Ip(source);
  layer.destination = test::Ip(destination);
  Put32(layer.header, 6U << 28 | static_cast<std::uint32_t>(fields.traffic_class) << 20);
  Put16(layer.header, 0);
  Put8(layer.header, 0);
  Put8(layer.header, fields.hop_limit);
  PutBytes(layer.header, layer.source->bytes());
  PutBytes(layer.header, layer.destination->bytes());
  layer.finish = [fields](Bytes& out, const Layer* next, Bytes& body, const Layer*) {
    Set16(out, 4, fields.payload_length.value_or(static_cast<std::uint16_t>(body.size())));
    out[6] = fields.next_header.value_or(ProtocolOf(next));
  };
  return First(LinkType::kRaw, std::move(layer));
}

PacketBuilder& PacketBuilder::Ip(const IpAddress& source, const IpAddress& destination) {
  return source.is_v4() ? Ipv4(source.ToString(), destination.ToString())
                        : Ipv6(source.ToString(), destination.ToString());
}

PacketBuilder& PacketBuilder::Extension(std::uint8_t type, std::uint8_t length,
                                        std::optional<std::uint8_t> claimed_length) {
  Layer layer;
  layer.ip_protocol = type;
  layer.header = Bytes(8U * (length + 1U), 0);
  layer.header[1] = claimed_length.value_or(length);
  // PadN over the rest.
  layer.header[2] = 1;
  layer.header[3] = static_cast<std::uint8_t>(std::min<std::size_t>(layer.header.size() - 4, 255));
  layer.finish = [](Bytes& header, const Layer* next, Bytes&, const Layer*) {
    header[0] = ProtocolOf(next);
  };
  return Add(std::move(layer));
}

PacketBuilder& PacketBuilder::Fragment(std::uint32_t id, std::uint16_t offset, bool more,
                                       std::uint8_t next_header) {
  Layer layer;
  layer.ip_protocol = 44;
  layer.header = {0, 0};
  Put16(layer.header, static_cast<unsigned>((offset & 0xfff8) | (more ? 1 : 0)));
  Put32(layer.header, id);
  layer.finish = [next_header](Bytes& header, const Layer* next, Bytes&, const Layer*) {
    header[0] = next != nullptr && next->ip_protocol ? *next->ip_protocol : next_header;
  };
  return Add(std::move(layer));
}

PacketBuilder& PacketBuilder::AuthenticationHeader() {
  Layer layer;
  layer.ip_protocol = kProtocolAh;
  layer.header = Bytes(24, 0);
  layer.header[1] = 4;
  layer.finish = [](Bytes& header, const Layer* next, Bytes&, const Layer*) {
    header[0] = ProtocolOf(next);
  };
  return Add(std::move(layer));
}

PacketBuilder& PacketBuilder::Gre(GreFields fields) {
  Layer layer;
  layer.ip_protocol = kProtocolGre;
  Put16(layer.header,
        static_cast<unsigned>((fields.checksum ? 0x8000 : 0) | (fields.key ? 0x2000 : 0) |
                              (fields.sequence ? 0x1000 : 0) | fields.version));
  Put16(layer.header, 0);
  if (fields.checksum) Put32(layer.header, 0);
  if (fields.key) Put32(layer.header, 0x12345678);
  if (fields.sequence) Put32(layer.header, 1);
  layer.finish = [protocol = fields.protocol](Bytes& header, const Layer* next, Bytes&,
                                              const Layer*) {
    Set16(header, 2, protocol.value_or(EtherTypeOf(next)));
  };
  return Add(std::move(layer));
}

PacketBuilder& PacketBuilder::Erspan2() {
  Layer layer;
  layer.header = {0x10, 0, 0, 0, 0, 0, 0, 0};
  layer.ether_type = 0x88be;
  return Add(std::move(layer));
}

PacketBuilder& PacketBuilder::Erspan3() {
  Layer layer;
  layer.header = Bytes(20, 0);  // with the platform-specific sub-header
  layer.header[0] = 0x20;
  layer.header[11] = 1;
  layer.ether_type = 0x22eb;
  return Add(std::move(layer));
}

PacketBuilder& PacketBuilder::EtherIp() {
  Layer layer;
  layer.ip_protocol = 97;
  layer.header = {0x30, 0};
  return Add(std::move(layer));
}

PacketBuilder& PacketBuilder::Tcp(std::uint16_t source_port, std::uint16_t destination_port,
                                  TcpFields fields) {
  Layer layer;
  layer.ip_protocol = kProtocolTcp;
  PadTo(fields.options, 4);
  Bytes& header = layer.header;
  Put16(header, source_port);
  Put16(header, destination_port);
  Put32(header, fields.sequence);
  Put32(header, fields.acknowledgment);
  const auto words = static_cast<std::uint8_t>(5 + fields.options.size() / 4);
  Put8(header, static_cast<unsigned>(fields.data_offset_words.value_or(words) << 4));
  Put8(header, fields.flags);
  Put16(header, fields.window);
  Put32(header, 0);
  PutBytes(header, fields.options);
  layer.finish = [](Bytes& out, const Layer*, Bytes& body, const Layer* ip) {
    if (ip == nullptr) return;
    Set16(out, 16, TransportChecksum(*ip->source, *ip->destination, kProtocolTcp, out, body));
  };
  return Add(std::move(layer));
}

PacketBuilder& PacketBuilder::Udp(std::uint16_t source_port, std::uint16_t destination_port,
                                  std::optional<std::uint16_t> length) {
  Layer layer;
  layer.ip_protocol = kProtocolUdp;
  Put16(layer.header, source_port);
  Put16(layer.header, destination_port);
  Put32(layer.header, 0);
  layer.finish = [length](Bytes& out, const Layer*, Bytes& body, const Layer* ip) {
    Set16(out, 4, length.value_or(static_cast<std::uint16_t>(out.size() + body.size())));
    if (ip == nullptr) return;
    Set16(out, 6, TransportChecksum(*ip->source, *ip->destination, kProtocolUdp, out, body));
  };
  return Add(std::move(layer));
}

PacketBuilder& PacketBuilder::Ports(std::uint8_t protocol, std::uint16_t source,
                                    std::uint16_t destination, std::size_t header_bytes) {
  Layer layer;
  layer.ip_protocol = protocol;
  Put16(layer.header, source);
  Put16(layer.header, destination);
  layer.header.resize(header_bytes);
  return Add(std::move(layer));
}

PacketBuilder& PacketBuilder::UdpLite(std::uint16_t source_port, std::uint16_t destination_port) {
  return Ports(kProtocolUdpLite, source_port, destination_port, 8);
}

PacketBuilder& PacketBuilder::Sctp(std::uint16_t source_port, std::uint16_t destination_port) {
  return Ports(kProtocolSctp, source_port, destination_port, 12);
}

PacketBuilder& PacketBuilder::Dccp(std::uint16_t source_port, std::uint16_t destination_port) {
  Ports(kProtocolDccp, source_port, destination_port, 16);
  layers_.back().header[4] = 4;
  return *this;
}

PacketBuilder& PacketBuilder::Icmp(std::uint8_t type, std::uint8_t code) {
  Layer layer;
  layer.ip_protocol = kProtocolIcmp;
  layer.header = {type, code, 0, 0, 0, 0, 0, 0};
  layer.finish = [](Bytes& header, const Layer*, Bytes& body, const Layer*) {
    Bytes all = header;
    PutBytes(all, body);
    Set16(header, 2, InternetChecksum(all));
  };
  return Add(std::move(layer));
}

PacketBuilder& PacketBuilder::IcmpV6(std::uint8_t type, std::uint8_t code) {
  Layer layer;
  layer.ip_protocol = kProtocolIcmpV6;
  layer.header = {type, code, 0, 0, 0, 0, 0, 0};
  layer.finish = [](Bytes& out, const Layer*, Bytes& body, const Layer* ip) {
    if (ip == nullptr) return;
    Set16(out, 2, TransportChecksum(*ip->source, *ip->destination, kProtocolIcmpV6, out, body));
  };
  return Add(std::move(layer));
}

PacketBuilder& PacketBuilder::Vxlan(std::uint32_t network) {
  Layer layer;
  layer.header = {8, 0, 0, 0};
  Put32(layer.header, network << 8);
  return Add(std::move(layer));
}

PacketBuilder& PacketBuilder::VxlanGpe(std::uint8_t next_protocol) {
  Vxlan();
  layers_.back().header[0] = 0x0c;
  layers_.back().header[3] = next_protocol;
  return *this;
}

PacketBuilder& PacketBuilder::Geneve(std::size_t option_bytes) {
  Layer layer;
  layer.header = {static_cast<std::uint8_t>(option_bytes / 4), 0, 0, 0, 0, 0, 1, 0};
  layer.header.resize(8 + option_bytes);
  layer.finish = [](Bytes& header, const Layer* next, Bytes&, const Layer*) {
    Set16(header, 2, EtherTypeOf(next));
  };
  return Add(std::move(layer));
}

PacketBuilder& PacketBuilder::GtpU(std::size_t extension_headers) {
  Layer layer;
  const bool extended = extension_headers > 0;
  layer.header = {static_cast<std::uint8_t>(extended ? 0x34 : 0x30), 255, 0, 0, 0, 0, 0, 1};
  if (extended) PutBytes(layer.header, Bytes{0, 0, 0, 0x85});
  for (std::size_t i = 1; i <= extension_headers; ++i) {
    const std::uint8_t next = i == extension_headers ? 0 : 0x85;
    PutBytes(layer.header, Bytes{1, 0, 0, next});
  }
  layer.finish = [](Bytes& header, const Layer*, Bytes& body, const Layer*) {
    Set16(header, 2, header.size() - 8 + body.size());
  };
  return Add(std::move(layer));
}

PacketBuilder& PacketBuilder::TeredoAuthentication() {
  return Payload(Bytes{0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0});
}

PacketBuilder& PacketBuilder::TeredoOrigin() { return Payload(Bytes{0, 0, 1, 2, 3, 4, 5, 6}); }

PacketBuilder& PacketBuilder::L2tp() {
  Layer layer;
  layer.header = {0x40, 0x02, 0, 0, 0, 1, 0, 2};
  layer.finish = [](Bytes& header, const Layer*, Bytes& body, const Layer*) {
    Set16(header, 2, header.size() + body.size());
  };
  return Add(std::move(layer));
}

PacketBuilder& PacketBuilder::Payload(std::size_t size) {
  Bytes bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::uint8_t>('a' + i % 26);
  return Payload(std::move(bytes));
}

PacketBuilder& PacketBuilder::Payload(Bytes bytes) {
  Layer layer;
  layer.header = std::move(bytes);
  return First(LinkType::kRaw, std::move(layer));
}

PacketBuilder& PacketBuilder::Quote(const PacketBuilder& quoted) {
  return Payload(quoted.BuildBytes());
}

PacketBuilder& PacketBuilder::Time(Timestamp time) {
  time_ = time;
  return *this;
}
PacketBuilder& PacketBuilder::Link(LinkType link_type) {
  link_type_ = link_type;
  return *this;
}
PacketBuilder& PacketBuilder::WireBytes(std::uint32_t wire_bytes) {
  wire_bytes_ = wire_bytes;
  return *this;
}
PacketBuilder& PacketBuilder::Snap(std::size_t captured) {
  snap_ = captured;
  return *this;
}
PacketBuilder& PacketBuilder::Trailer(std::size_t size) {
  trailer_ = size;
  return *this;
}
PacketBuilder& PacketBuilder::Interface(std::uint32_t id) {
  interface_id_ = id;
  return *this;
}

Bytes PacketBuilder::BuildBytes() const {
  Bytes body;
  for (std::size_t i = layers_.size(); i > 0; --i) {
    const Layer& layer = layers_[i - 1];
    Bytes header = layer.header;
    if (layer.finish) {
      const Layer* ip = nullptr;
      for (std::size_t j = 0; j + 1 < i; ++j) {
        if (layers_[j].source) ip = &layers_[j];
      }
      layer.finish(header, i < layers_.size() ? &layers_[i] : nullptr, body, ip);
    }
    header.insert(header.end(), body.begin(), body.end());
    body = std::move(header);
  }
  body.resize(body.size() + trailer_);
  return body;
}

Packet PacketBuilder::Build() const {
  Bytes bytes = BuildBytes();
  PacketView view;
  view.time = time_;
  view.link_type = link_type_.value_or(LinkType::kEthernet);
  view.wire_bytes = wire_bytes_.value_or(static_cast<std::uint32_t>(bytes.size()));
  view.interface_id = interface_id_;
  if (snap_ && *snap_ < bytes.size()) bytes.resize(*snap_);
  view.bytes = bytes;
  return Packet(view);
}

Packet Cut(const Packet& packet, std::size_t captured) {
  PacketView view = packet.view();
  view.bytes = view.bytes.first(std::min(captured, view.bytes.size()));
  return Packet(view);
}

Packet WithBytes(const Packet& packet, Bytes bytes) {
  PacketView view = packet.view();
  view.wire_bytes = static_cast<std::uint32_t>(bytes.size());
  view.bytes = bytes;
  return Packet(view);
}

std::vector<DecodedPacket> DecodeAll(const std::vector<Packet>& packets,
                                     const DecodeOptions& options) {
  std::vector<DecodedPacket> decoded;
  decoded.reserve(packets.size());
  for (const Packet& packet : packets) decoded.push_back(Decode(packet.view(), options));
  return decoded;
}

}  // namespace nta::test
