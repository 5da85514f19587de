// Network-layer headers: IPv4, IPv6 with its extension headers, and what carries IP in IP.
#include "packet/decoder.h"

namespace nta::internal {
namespace {

// IPv6 extension headers (IANA "IPv6 Extension Header Types") that are read.
constexpr std::uint8_t kHopByHop = 0;
constexpr std::uint8_t kProtocolIpv4 = 4;
constexpr std::uint8_t kProtocolIpv6 = 41;
constexpr std::uint8_t kRouting = 43;
constexpr std::uint8_t kFragment = 44;
constexpr std::uint8_t kDestinationOptions = 60;
constexpr std::uint8_t kProtocolIpIp = 94;
constexpr std::uint8_t kProtocolEtherIp = 97;
constexpr std::uint8_t kProtocolMplsInIp = 137;
constexpr std::uint8_t kHostIdentity = 139;
constexpr std::uint8_t kShim6 = 140;

constexpr std::size_t kIpv4Bytes = 20;
constexpr std::size_t kIpv6Bytes = 40;

}  // namespace

Next Decoder::Ip() {
  if (!Has(1)) return Malformed(DecodeReason::kTruncatedNetwork);
  switch (cursor_[0] >> 4) {
    case 4:
      return Ipv4();
    case 6:
      return Ipv6();
    default:
      return Malformed(DecodeReason::kBadIpVersion);
  }
}

//  0       4       8               16    19                      32
// +-------+-------+---------------+-----------------------------+
// |version|  IHL  |traffic class  |        total length         |
// +-------+-------+---------------+-----+-----------------------+
// |        identification         |flags|   fragment offset     |  RFC 791
// +---------------+---------------+-----+-----------------------+
// |      TTL      |   protocol    |          checksum           |
// +---------------+---------------+-----------------------------+
// |                       source address                        |
// |                    destination address                      |
// +-------------------------------------------------------------+
Next Decoder::Ipv4() {
  if (!Has(kIpv4Bytes)) return Malformed(DecodeReason::kTruncatedNetwork);
  const std::uint8_t* const header = cursor_;
  const std::size_t header_bytes = (header[0] & 0x0fU) * 4;
  if (header_bytes < kIpv4Bytes) return Malformed(DecodeReason::kBadIpHeaderLength);

  const std::size_t on_wire = available() + wire_rest_;
  std::size_t total = Load16(header + 2);
  // Segmentation offload hands packets to the capture before their length is filled in (or when it
  // exceeds 16 bits).
  if (total == 0) total = on_wire;
  out_.ip_version = 4;
  out_.traffic_class = header[1];
  out_.hop_limit = header[8];
  out_.protocol = header[9];
  out_.ip_bytes = static_cast<std::uint32_t>(total);
  out_.source = IpAddress::V4(std::span<const std::uint8_t, 4>(header + 12, 4));
  out_.destination = IpAddress::V4(std::span<const std::uint8_t, 4>(header + 16, 4));
  const std::uint16_t fragment = Load16(header + 6);
  out_.more_fragments = (fragment & 0x2000) != 0;
  out_.fragment_offset = static_cast<std::uint16_t>((fragment & 0x1fff) * 8);
  out_.is_later_fragment = out_.fragment_offset != 0;
  out_.is_fragment = out_.more_fragments || out_.is_later_fragment;
  out_.fragment_id = Load16(header + 4);

  if (total < header_bytes) return Malformed(DecodeReason::kBadIpTotalLength);
  if (!Has(header_bytes)) return Malformed(DecodeReason::kTruncatedNetwork);
  inside_ = false;
  if (total > on_wire && !is_partial_) Malformed(DecodeReason::kBadIpTotalLength);
  Skip(header_bytes);
  declared_ = static_cast<std::uint32_t>(total - header_bytes);
  Limit(declared_);
  Portless(0);  // what a tunnel's outer header said of ports and payload is not true of this one
  return IpProtocol();
}

//  0       4               12              16                    32
// +-------+---------------+------------------------------------+
// |version| traffic class |            flow label              |
// +-------+---------------+-------------+-------------+--------+
// |       payload length                | next header | hop limit |  RFC 8200
// +-------------------------------------+-------------+-----------+
// |                source address (16), destination address (16)  |
// +----------------------------------------------------------------+
Next Decoder::Ipv6() {
  if (!Has(kIpv6Bytes)) return Malformed(DecodeReason::kTruncatedNetwork);
  const std::uint8_t* const header = cursor_;
  std::size_t payload = Load16(header + 4);
  const std::size_t on_wire = available() + wire_rest_ - kIpv6Bytes;
  // Jumbograms (RFC 2675) and segmentation offload leave the length 0.
  if (payload == 0) payload = on_wire;
  out_.ip_version = 6;
  out_.traffic_class = static_cast<std::uint8_t>(Load16(header) >> 4);
  out_.protocol = header[6];
  out_.hop_limit = header[7];
  out_.ip_bytes = static_cast<std::uint32_t>(payload + kIpv6Bytes);
  out_.source = IpAddress::V6(std::span<const std::uint8_t, 16>(header + 8, 16));
  out_.destination = IpAddress::V6(std::span<const std::uint8_t, 16>(header + 24, 16));
  out_.is_fragment = out_.is_later_fragment = out_.more_fragments = false;
  out_.fragment_offset = 0;
  inside_ = false;
  if (payload > on_wire && !is_partial_) Malformed(DecodeReason::kBadIpTotalLength);
  Skip(kIpv6Bytes);
  declared_ = static_cast<std::uint32_t>(payload);
  Limit(declared_);
  Portless(0);
  return IpProtocol();
}

Next Decoder::IpProtocol() {
  if (out_.is_later_fragment) return Portless(0);
  switch (out_.protocol) {
    case kProtocolTcp:
      return Tcp();
    case kProtocolUdp:
    case kProtocolUdpLite:
      return Udp();
    case kProtocolSctp:
      return Sctp();
    case kProtocolDccp:
      return Dccp();
    case kProtocolIcmp:
      return Icmp();
    case kProtocolIcmpV6:
      return IcmpV6();
    case kHopByHop:
    case kRouting:
    case kDestinationOptions:
    case kHostIdentity:
    case kShim6:
      return out_.ip_version == 6 ? Ipv6Extension() : Portless(0);
    case kFragment:
      return out_.ip_version == 6 ? Ipv6Fragment() : Portless(0);
    case kProtocolAh:
      return AuthenticationHeader();
    case kProtocolIpv4:
    case kProtocolIpv6:
    case kProtocolIpIp:
      return Encapsulated(Tunnel::kIpIp, Next::kIp);
    case kProtocolGre:
      return Gre();
    case kProtocolEtherIp:  // RFC 3378: version 3 and 12 zero bits, then the frame
      if (!Has(2)) return Portless(0);
      Encapsulated(Tunnel::kNone, Next::kEthernet);
      Skip(2);
      return Next::kEthernet;
    case kProtocolMplsInIp:
      return Encapsulated(Tunnel::kMpls, Next::kMpls);
    default:
      return Portless(0);
  }
}

// Next header, length in units of 8 bytes beyond the first 8.
Next Decoder::Ipv6Extension() {
  if (!Has(8)) {
    Portless(0);
    return Malformed(DecodeReason::kTruncatedNetwork);
  }
  const std::size_t size = (cursor_[1] + 1U) * 8;
  if (size > declared_) {
    Portless(0);
    return Malformed(DecodeReason::kBadExtensionHeader);
  }
  out_.protocol = cursor_[0];
  declared_ -= static_cast<std::uint32_t>(size);
  if (!Has(size)) return Malformed(DecodeReason::kTruncatedNetwork);
  Skip(size);
  return Next::kIpProtocol;
}

//  0             8              16            29  31    32
// +-------------+--------------+-------------+---+-----+
// | next header |   reserved   |   offset    |res| M   |  RFC 8200 4.5
// +-------------+--------------+-------------+---+-----+
// |                  identification                     |
// +-----------------------------------------------------+
Next Decoder::Ipv6Fragment() {
  if (!Has(8) || declared_ < 8) return Malformed(DecodeReason::kTruncatedNetwork);
  const std::uint16_t offset_and_more = Load16(cursor_ + 2);
  out_.protocol = cursor_[0];
  out_.fragment_offset = offset_and_more & 0xfff8;
  out_.more_fragments = (offset_and_more & 1) != 0;
  out_.is_later_fragment = out_.fragment_offset != 0;
  // An "atomic fragment" (RFC 6946) is a whole datagram.
  out_.is_fragment = out_.more_fragments || out_.is_later_fragment;
  out_.fragment_id = Load32(cursor_ + 4);
  declared_ -= 8;
  Skip(8);
  return Next::kIpProtocol;
}

// RFC 4302: next header, length in words less 2.
Next Decoder::AuthenticationHeader() {
  const std::size_t size = Has(2) ? (cursor_[1] + 2U) * 4 : 0;
  if (size == 0 || !Has(size) || size > declared_) {
    return Malformed(size > declared_ ? DecodeReason::kBadExtensionHeader
                                      : DecodeReason::kTruncatedNetwork);
  }
  out_.protocol = cursor_[0];
  declared_ -= static_cast<std::uint32_t>(size);
  Skip(size);
  return Next::kIpProtocol;
}

// From here on the headers belong to an inner packet. What is known of the outer one is kept, in
// case the inner one turns out to be unreadable; of nested tunnels the innermost readable packet
// counts.
Next Decoder::Encapsulated(Tunnel tunnel, Next next) {
  Portless(0);
  out_.tunnels |= static_cast<std::uint16_t>(tunnel);
  outer_ = out_;
  inside_ = true;
  is_partial_ = is_partial_ || out_.is_fragment;
  return next;
}

//  0 1 2 3 4             13    16                         32
// +-+-+-+-+-------------+-----+--------------------------+
// |C|R|K|S|  reserved   | ver |  protocol (EtherType)    |  RFC 2784, RFC 2890, RFC 2637 (version
// 1)
// +-+-+-+-+-------------+-----+--------------------------+
// | checksum, offset (C or R) | key (K) | sequence (S) | acknowledgment (A, version 1)
Next Decoder::Gre() {
  if (!Has(4)) return Portless(0);
  const std::uint16_t flags = Load16(cursor_);
  const std::uint16_t protocol = Load16(cursor_ + 2);
  const int version = flags & 7;
  const bool has_sequence = (flags & 0x1000) != 0;
  std::size_t size = 4;
  if ((flags & 0xc000) != 0) size += 4;
  if ((flags & 0x2000) != 0) size += 4;
  if (has_sequence) size += 4;
  if (version == 1 && (flags & 0x0080) != 0) size += 4;
  const bool has_source_route = (flags & 0x4000) != 0;
  if (version > 1 || has_source_route || !Has(size)) return Portless(0);
  Encapsulated(Tunnel::kGre, Next::kEtherType);
  Skip(size);
  return GrePayload(protocol, has_sequence);
}

Next Decoder::GrePayload(std::uint16_t protocol, bool has_sequence) {
  constexpr std::uint16_t kErspanTypes12 = 0x88be;
  constexpr std::uint16_t kErspanType3 = 0x22eb;
  std::size_t erspan_bytes = 0;
  if (protocol == kErspanTypes12) {
    erspan_bytes = has_sequence ? 8 : 0;  // type I has no header of its own
  } else if (protocol == kErspanType3) {
    // Its last bit announces a platform-specific sub-header of 8 bytes.
    if (!Has(12)) return Malformed(DecodeReason::kBadTunnelHeader);
    erspan_bytes = (cursor_[11] & 1) != 0 ? 20 : 12;
  } else {
    ether_type_ = protocol;
    return Next::kEtherType;
  }
  if (!Has(erspan_bytes)) return Malformed(DecodeReason::kBadTunnelHeader);
  Skip(erspan_bytes);
  out_.tunnels |= static_cast<std::uint16_t>(Tunnel::kErspan);
  outer_->tunnels = out_.tunnels;
  return Next::kEthernet;
}

}  // namespace nta::internal
