// Decode(): the addresses, ports, lengths and flags of one packet.
//
//   nta::DecodedPacket packet = nta::Decode(view);
//   if (packet.has_ip()) std::cout << packet.source.ToString() << ':' << packet.source_port;
//
// Never fails, never allocates, never reads past the captured bytes: what cannot be read stays
// unset and `reason` says why.
#ifndef NTA_PACKET_DECODE_H_
#define NTA_PACKET_DECODE_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "nta/net/five_tuple.h"
#include "nta/net/ip_address.h"
#include "nta/net/mac_address.h"
#include "nta/packet/packet.h"

namespace nta {

// Where a packet stands in the packet ledger.
enum class DecodeOutcome : std::uint8_t {
  kDecoded = 0,    // read down to its last header that we know
  kMalformed = 1,  // a header contradicts itself or ends before its fixed part; what came before it
                   // is still valid
  kUnsupported = 2,  // a link type or protocol that we do not read; `reason` names it
};

// Why decoding stopped before a transport header. Persisted by name (ToString), not by number.
enum class DecodeReason : std::uint8_t {
  kNone,
  // Malformed.
  kTruncatedLink,       // the capture ends inside the link-layer header
  kTruncatedNetwork,    // ... inside the IP or ARP header
  kTruncatedTransport,  // ... before the ports
  kBadLinkHeader,
  kBadIpHeaderLength,  // IPv4 header length < 20 or beyond the packet
  kBadIpTotalLength,   // IPv4 total length < header length
  kBadIpVersion,
  kBadExtensionHeader,
  kBadTcpDataOffset,
  kBadUdpLength,
  kBadTunnelHeader,
  kTooManyHeaders,  // more headers than DecodeOptions::max_headers
  // Unsupported.
  kUnknownLinkType,
  kUnknownEtherType,
  kUnknownLlc,  // 802.2 LLC that carries no IP: spanning tree, IS-IS, ...
  kUnknownPppProtocol,
  kNonDataFrame,  // 802.11 management, control or encrypted frames
};
std::string_view ToString(DecodeReason reason);

// TCP flag bits as on the wire (RFC 9293; AE is the former NS bit and is not kept).
inline constexpr std::uint8_t kTcpFin = 0x01;
inline constexpr std::uint8_t kTcpSyn = 0x02;
inline constexpr std::uint8_t kTcpRst = 0x04;
inline constexpr std::uint8_t kTcpPsh = 0x08;
inline constexpr std::uint8_t kTcpAck = 0x10;
inline constexpr std::uint8_t kTcpUrg = 0x20;
inline constexpr std::uint8_t kTcpEce = 0x40;
inline constexpr std::uint8_t kTcpCwr = 0x80;

// Encapsulations that were looked through on the way to the counted IP header.
enum class Tunnel : std::uint16_t {
  kNone = 0,
  kIpIp = 1 << 0,  // IPv4 or IPv6 in IPv4 or IPv6 (IPIP, 6in4, 4in6)
  kGre = 1 << 1,
  kErspan = 1 << 2,
  kMpls = 1 << 3,
  kPppoe = 1 << 4,
  kVxlan = 1 << 5,
  kGeneve = 1 << 6,
  kGtpU = 1 << 7,
  kTeredo = 1 << 8,
  kL2tp = 1 << 9,
  kNsh = 1 << 10,
  kPbb = 1 << 11,  // 802.1ah, MAC in MAC
};

struct ArpHeader {
  std::uint16_t operation = 0;  // 1 request, 2 reply
  MacAddress sender_mac;
  IpAddress sender;
  MacAddress target_mac;
  IpAddress target;
};

struct DecodedPacket {
  Timestamp time{};  // that of the packet, or the nearest within kMinPacketTime and kMaxPacketTime
  std::uint32_t wire_bytes = 0;
  std::uint32_t captured_bytes = 0;
  std::uint32_t interface_id = 0;

  DecodeOutcome outcome = DecodeOutcome::kDecoded;
  DecodeReason reason = DecodeReason::kNone;
  bool truncated = false;  // wire_bytes > captured_bytes
  // kUnsupported: the number of the link type, EtherType, 802.2 access points (destination,
  // source), PPP protocol or frame control (802.11: two bytes) that is not read.
  std::uint16_t unsupported = 0;

  // Link layer. Absent on link types without these fields.
  bool has_mac = false;
  MacAddress source_mac;
  MacAddress destination_mac;
  std::uint16_t ether_type = 0;  // of the counted network header; 0 when the link type has none
  bool has_vlan = false;
  std::uint16_t vlan = 0;     // outermost 802.1Q id, 0 to 4095
  std::uint16_t tunnels = 0;  // OR of Tunnel

  // Network layer; meaningful when ip_version != 0.
  std::uint8_t ip_version = 0;     // 0 (not IP), 4 or 6
  std::uint8_t protocol = 0;       // IANA number of the header after IP and its extension headers
  std::uint8_t hop_limit = 0;      // TTL or hop limit
  std::uint8_t traffic_class = 0;  // TOS or traffic class: DSCP in the upper six bits
  std::uint32_t ip_bytes = 0;      // IPv4 total length, or IPv6 payload length + 40
  IpAddress source;
  IpAddress destination;

  // Fragmentation.
  bool is_fragment = false;        // any fragment, the first included
  bool is_later_fragment = false;  // offset > 0: carries no ports
  bool more_fragments = false;
  std::uint32_t fragment_id = 0;
  std::uint16_t fragment_offset = 0;  // bytes

  // Transport layer.
  bool has_ports = false;  // TCP, UDP, UDP-Lite, SCTP, DCCP with readable ports
  // TCP with its fixed header in full and without contradiction: flags, numbers and window are
  // those of the wire. Without it they are, too, as far as the header was captured, else 0.
  bool has_tcp_header = false;
  std::uint8_t tcp_flags = 0;
  std::uint16_t source_port = 0;
  std::uint16_t destination_port = 0;
  std::uint16_t tcp_window = 0;
  std::uint32_t tcp_sequence = 0;
  std::uint32_t tcp_acknowledgment = 0;
  bool has_icmp = false;
  std::uint8_t icmp_type = 0;
  std::uint8_t icmp_code = 0;
  // Bytes after the transport header by the IP length (not by what was captured). For protocols
  // without a transport header known here: bytes after the IP header.
  std::uint32_t payload_bytes = 0;
  // The captured part of the payload; borrows from the PacketView.
  std::span<const std::uint8_t> payload{};

  // The packet that an ICMP error quotes (RFC 792, RFC 4443). It never counts as traffic of its
  // own.
  std::optional<FiveTuple> quoted;
  std::optional<ArpHeader> arp;

  bool has_ip() const { return ip_version != 0; }
  bool is_tcp() const { return has_ports && protocol == kProtocolTcp; }
  FiveTuple five_tuple() const {
    return {{source, source_port}, {destination, destination_port}, protocol};
  }
};

// Which IP header of a tunnelled packet counts.
enum class DecodeView : std::uint8_t {
  // The outermost header that leads to a transport header. IPIP, 6in4, GRE and ERSPAN have none of
  // their own and are
  // looked through; VXLAN, GENEVE, GTP-U, Teredo and L2TP are UDP flows.
  kOuter,
  // The innermost.
  kInner,
};

struct DecodeOptions {
  DecodeView view = DecodeView::kOuter;
  // Headers read per packet, tags and extension headers included; more is kTooManyHeaders. Bounds
  // the work per packet.
  int max_headers = 32;
};

// What `unsupported` is, for people: "ethertype 0x88cc (lldp)", "link_type 147", "llc 0x4242
// (stp)", "ppp 0xc021 (lcp)", "frame control 0x8000 (beacon)"; empty for other outcomes.
std::string UnsupportedName(const DecodedPacket& packet);

DecodedPacket Decode(const PacketView& packet);
DecodedPacket Decode(const PacketView& packet, const DecodeOptions& options);
// The same without a copy: into a DecodedPacket that was just made.
void Decode(const PacketView& packet, const DecodeOptions& options, DecodedPacket& decoded);

}  // namespace nta

#endif  // NTA_PACKET_DECODE_H_
