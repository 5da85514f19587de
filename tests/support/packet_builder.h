// PacketBuilder: packets for tests, header by header from the outside to the inside.
//
//   nta::Packet packet = PacketBuilder().Ethernet().Ipv4("10.0.0.1", "10.0.0.2").Tcp(50000,
//   80).Build();
//
// Lengths, checksums and "what comes next" fields are right unless a field says otherwise, so a
// test that wants a wrong one names it. The first header decides the link type.
#ifndef NTA_TESTS_SUPPORT_PACKET_BUILDER_H_
#define NTA_TESTS_SUPPORT_PACKET_BUILDER_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "nta/packet/decode.h"
#include "nta/packet/packet.h"

namespace nta::test {

using Bytes = std::vector<std::uint8_t>;

// The address of a literal; a wrong literal ends the program.
IpAddress Ip(std::string_view text);
MacAddress Mac(std::string_view text);
// 2026-01-01T00:00:00Z plus this.
Timestamp At(Duration since_start);

struct Ipv4Fields {
  std::uint8_t tos = 0;
  std::uint8_t ttl = 64;
  std::uint16_t id = 1;
  bool dont_fragment = false;
  bool more_fragments = false;
  std::uint16_t fragment_offset = 0;  // bytes, a multiple of 8
  Bytes options{};                    // padded to a multiple of 4
  std::optional<std::uint8_t> version{};
  std::optional<std::uint8_t> header_words{};
  std::optional<std::uint16_t> total_length{};
  std::optional<std::uint8_t> protocol{};
};

struct Ipv6Fields {
  std::uint8_t traffic_class = 0;
  std::uint8_t hop_limit = 64;
  std::optional<std::uint16_t> payload_length{};
  std::optional<std::uint8_t> next_header{};
};

struct TcpFields {
  std::uint8_t flags = kTcpAck;
  std::uint32_t sequence = 1;
  std::uint32_t acknowledgment = 0;
  std::uint16_t window = 65535;
  Bytes options{};  // padded to a multiple of 4
  std::optional<std::uint8_t> data_offset_words{};
};

struct GreFields {
  bool checksum = false;
  bool key = false;
  bool sequence = false;
  std::uint16_t version = 0;
  std::optional<std::uint16_t> protocol{};
};

class PacketBuilder {
 public:
  // Link layers.
  PacketBuilder& Ethernet(std::string_view source = "02:00:00:00:00:01",
                          std::string_view destination = "02:00:00:00:00:02");
  PacketBuilder& Ethernet8023();  // type field holds the length; an LLC header follows
  PacketBuilder& Vlan(std::uint16_t id, std::uint16_t tag_protocol = 0x8100);
  PacketBuilder& LlcSnap(std::uint32_t organisation = 0);
  PacketBuilder& Llc(std::uint8_t dsap, std::uint8_t ssap, std::uint8_t control = 3);
  PacketBuilder& Mpls(std::uint32_t label);
  PacketBuilder& MplsControlWord();
  PacketBuilder& PppoeSession(std::uint16_t session = 1);
  PacketBuilder& Ppp();            // protocol field only, as inside PPPoE and L2TP
  PacketBuilder& PppCompressed();  // protocol in one byte
  PacketBuilder& PppHdlc();        // with ff 03
  PacketBuilder& CiscoHdlc();
  PacketBuilder& FrameRelay();       // NLPID
  PacketBuilder& FrameRelayCisco();  // EtherType
  PacketBuilder& Pbb();
  PacketBuilder& Nsh();
  PacketBuilder& VnTag();
  PacketBuilder& DsaTag();  // in place of Ethernet
  PacketBuilder& LinuxSll();
  PacketBuilder& LinuxSll2();
  PacketBuilder& Null(std::uint32_t family, bool big_endian = false);
  PacketBuilder& Loop(std::uint32_t family);
  PacketBuilder& Slip();
  PacketBuilder& Fddi();
  PacketBuilder& Nflog(bool big_endian = false);
  PacketBuilder& Radiotap(bool with_checksum = false);
  PacketBuilder& Prism();
  PacketBuilder& Avs();
  PacketBuilder& Ppi();
  // Data frame; flags are the second byte of frame control (1 to DS, 2 from DS, 0x40 protected).
  PacketBuilder& Ieee80211(std::uint8_t flags = 1, bool quality_of_service = false);
  PacketBuilder& Arp(std::uint16_t operation, std::string_view sender, std::string_view target);

  // Network layer.
  PacketBuilder& Ipv4(std::string_view source, std::string_view destination,
                      Ipv4Fields fields = {});
  PacketBuilder& Ipv6(std::string_view source, std::string_view destination,
                      Ipv6Fields fields = {});
  PacketBuilder& Ip(const IpAddress& source, const IpAddress& destination);
  // HopByHop 0, Routing 43, DestinationOptions 60, ... of 8 * (length + 1) bytes.
  PacketBuilder& Extension(std::uint8_t type, std::uint8_t length = 0,
                           std::optional<std::uint8_t> claimed_length = {});
  PacketBuilder& Fragment(std::uint32_t id, std::uint16_t offset, bool more,
                          std::uint8_t next_header = kProtocolUdp);
  PacketBuilder& AuthenticationHeader();
  PacketBuilder& Gre(GreFields fields = {});
  PacketBuilder& Erspan2();  // after Gre({.sequence = true})
  PacketBuilder& Erspan3();
  PacketBuilder& EtherIp();

  // Transport layer.
  PacketBuilder& Tcp(std::uint16_t source_port, std::uint16_t destination_port,
                     TcpFields fields = {});
  PacketBuilder& Udp(std::uint16_t source_port, std::uint16_t destination_port,
                     std::optional<std::uint16_t> length = {});
  PacketBuilder& UdpLite(std::uint16_t source_port, std::uint16_t destination_port);
  PacketBuilder& Sctp(std::uint16_t source_port, std::uint16_t destination_port);
  PacketBuilder& Dccp(std::uint16_t source_port, std::uint16_t destination_port);
  PacketBuilder& Icmp(std::uint8_t type, std::uint8_t code);
  PacketBuilder& IcmpV6(std::uint8_t type, std::uint8_t code);
  PacketBuilder& Vxlan(std::uint32_t network = 1);
  PacketBuilder& VxlanGpe(std::uint8_t next_protocol);
  PacketBuilder& Geneve(std::size_t option_bytes = 0);
  PacketBuilder& GtpU(std::size_t extension_headers = 0);
  PacketBuilder& TeredoAuthentication();
  PacketBuilder& TeredoOrigin();
  PacketBuilder& L2tp();

  PacketBuilder& Payload(std::size_t size);
  PacketBuilder& Payload(Bytes bytes);
  // Everything that another builder builds, as an ICMP error quotes it.
  PacketBuilder& Quote(const PacketBuilder& quoted);

  // Of the packet as a whole.
  PacketBuilder& Time(Timestamp time);
  PacketBuilder& Link(LinkType link_type);
  PacketBuilder& WireBytes(std::uint32_t wire_bytes);
  PacketBuilder& Snap(std::size_t captured);  // keeps at most so many bytes
  PacketBuilder& Trailer(std::size_t size);   // padding after the frame
  PacketBuilder& Interface(std::uint32_t id);

  Bytes BuildBytes() const;
  Packet Build() const;

 private:
  struct Layer {
    Bytes header;
    // How the enclosing header announces this one.
    std::optional<std::uint16_t> ether_type{};
    std::optional<std::uint8_t> ip_protocol{};
    std::optional<IpAddress> source{};  // of an IP header, for pseudo-headers
    std::optional<IpAddress> destination{};
    // Fills in what depends on what follows.
    std::function<void(Bytes& header, const Layer* next, Bytes& body, const Layer* ip)> finish{};
  };

  PacketBuilder& Add(Layer layer);
  PacketBuilder& First(LinkType link_type, Layer layer);
  PacketBuilder& Ports(std::uint8_t protocol, std::uint16_t source, std::uint16_t destination,
                       std::size_t header_bytes);
  static std::uint16_t EtherTypeOf(const Layer* next);
  static std::uint8_t ProtocolOf(const Layer* next);
  static std::uint16_t PppProtocolOf(const Layer* next);

  std::vector<Layer> layers_;
  std::optional<LinkType> link_type_;
  Timestamp time_ = test::At({});
  std::optional<std::uint32_t> wire_bytes_;
  std::optional<std::size_t> snap_;
  std::size_t trailer_ = 0;
  std::uint32_t interface_id_ = 0;
};

// RFC 1071.
std::uint16_t InternetChecksum(std::span<const std::uint8_t> bytes, std::uint32_t sum = 0);

// The packet with its first `captured` bytes only, and with other bytes.
Packet Cut(const Packet& packet, std::size_t captured);
Packet WithBytes(const Packet& packet, Bytes bytes);

// One packet of every kind that the builder knows: what property tests and fuzzers start from.
struct NamedPacket {
  std::string_view name;
  Packet packet;
};
std::vector<NamedPacket> EveryKindOfPacket();

// Conversations on Ethernet, first packet at `start`, the others `step` apart.
struct Conversation {
  Endpoint client;
  Endpoint server;
  Timestamp start = At({});
  Duration step = std::chrono::milliseconds(1);
};
// SYN, SYN-ACK, ACK.
std::vector<Packet> TcpHandshake(const Conversation& conversation);
// Handshake, request, response, FIN, FIN-ACK, ACK: 7 packets.
std::vector<Packet> TcpSession(const Conversation& conversation, std::size_t request_bytes,
                               std::size_t response_bytes);
// SYN, RST-ACK.
std::vector<Packet> TcpRefused(const Conversation& conversation);
// Request, response.
std::vector<Packet> UdpExchange(const Conversation& conversation, std::size_t request_bytes,
                                std::size_t response_bytes);

// Borrows the packets' bytes.
std::vector<DecodedPacket> DecodeAll(const std::vector<Packet>& packets,
                                     const DecodeOptions& options = {});

}  // namespace nta::test

#endif  // NTA_TESTS_SUPPORT_PACKET_BUILDER_H_
