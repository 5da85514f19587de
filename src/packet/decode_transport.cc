// Transport headers: ports, flags and payload lengths; and the tunnels that run over UDP.
#include <algorithm>

#include "packet/decoder.h"

namespace nta::internal {
namespace {

constexpr std::size_t kTcpBytes = 20;
constexpr std::size_t kUdpBytes = 8;

// IANA port numbers of tunnels.
constexpr std::uint16_t kPortL2tp = 1701;
constexpr std::uint16_t kPortGtpU = 2152;
constexpr std::uint16_t kPortTeredo = 3544;
constexpr std::uint16_t kPortVxlan = 4789;
constexpr std::uint16_t kPortVxlanLinux = 8472;  // Linux' default from before the assignment
constexpr std::uint16_t kPortGeneve = 6081;

}  // namespace

void Decoder::SetPorts() {
  out_.source_port = Load16(cursor_);
  out_.destination_port = Load16(cursor_ + 2);
  out_.has_ports = true;
}

// The transport header takes `header_bytes` at the cursor; what the IP length leaves after it is
// payload.
void Decoder::SetPayload(std::size_t header_bytes) {
  out_.payload_bytes =
      declared_ > header_bytes ? declared_ - static_cast<std::uint32_t>(header_bytes) : 0;
  const std::size_t captured = available();
  out_.payload = captured > header_bytes ? std::span<const std::uint8_t>(cursor_ + header_bytes,
                                                                         captured - header_bytes)
                                         : std::span<const std::uint8_t>();
}

Next Decoder::Portless(std::size_t header_bytes) {
  out_.has_ports = false;
  out_.source_port = out_.destination_port = 0;
  SetPayload(header_bytes);
  return Next::kDone;
}

//  0               16              32
// +---------------+---------------+
// |  source port  |   dest. port  |
// |        sequence number        |
// |     acknowledgment number     |  RFC 9293
// +----+----+-----+---------------+
// |offs|res.|flags|    window     |
// |   checksum    |    urgent     |
// +---------------+---------------+
Next Decoder::Tcp() {
  if (!Has(4)) return Malformed(DecodeReason::kTruncatedTransport);
  SetPorts();
  if (Has(14)) {
    out_.tcp_sequence = Load32(cursor_ + 4);
    out_.tcp_acknowledgment = Load32(cursor_ + 8);
    out_.tcp_flags = cursor_[13];
  }
  if (!Has(kTcpBytes)) {
    SetPayload(kTcpBytes);
    // A snap length may cut the header; an IP length may not.
    return declared_ < kTcpBytes || !out_.truncated ? Malformed(DecodeReason::kTruncatedTransport)
                                                    : Next::kDone;
  }
  out_.tcp_window = Load16(cursor_ + 14);
  const std::size_t header_bytes = (cursor_[12] >> 4) * 4U;
  if (header_bytes < kTcpBytes || header_bytes > declared_) {
    SetPayload(kTcpBytes);
    return Malformed(DecodeReason::kBadTcpDataOffset);
  }
  SetPayload(header_bytes);
  out_.has_tcp_header = true;
  return Next::kDone;
}

//  0               16              32
// +---------------+---------------+
// |  source port  |   dest. port  |  RFC 768; in UDP-Lite (RFC 3828) the length field is the
// |    length     |   checksum    |  checksum's coverage
// +---------------+---------------+
Next Decoder::Udp() {
  if (!Has(4)) return Malformed(DecodeReason::kTruncatedTransport);
  SetPorts();
  SetPayload(kUdpBytes);
  if (!Has(kUdpBytes)) {
    return declared_ < kUdpBytes || !out_.truncated ? Malformed(DecodeReason::kTruncatedTransport)
                                                    : Next::kDone;
  }
  if (out_.protocol == kProtocolUdpLite) return Next::kDone;
  const std::uint32_t length = Load16(cursor_ + 4);
  // 0 is a jumbogram (RFC 2675) or left to segmentation offload; a first fragment holds less than
  // the whole.
  const bool reaches_beyond = length > declared_ && !out_.is_fragment;
  if (length != 0 && (length < kUdpBytes || reaches_beyond)) {
    return Malformed(DecodeReason::kBadUdpLength);
  }
  if (length != 0 && length < declared_) {
    out_.payload_bytes = length - static_cast<std::uint32_t>(kUdpBytes);
    out_.payload =
        out_.payload.first(std::min<std::size_t>(out_.payload.size(), out_.payload_bytes));
  }
  return options_.view == DecodeView::kInner && !out_.is_fragment ? UdpTunnel() : Next::kDone;
}

Next Decoder::UdpTunnel() {
  const std::uint16_t source = out_.source_port;
  const std::uint16_t destination = out_.destination_port;
  const auto is_port = [source, destination](std::uint16_t port) {
    return destination == port || source == port;
  };
  Skip(kUdpBytes);
  Limit(out_.payload.size());
  outer_ = out_;
  inside_ = true;
  if (is_port(kPortVxlan) || destination == kPortVxlanLinux) return Vxlan();
  if (is_port(kPortGeneve)) return Geneve();
  if (is_port(kPortGtpU)) return GtpU();
  if (is_port(kPortTeredo)) return Teredo();
  if (is_port(kPortL2tp)) return L2tp();
  return Next::kDone;
}

// RFC 7348: flags (0x08: network identifier valid), identifier 3, reserved; then an Ethernet frame.
// VXLAN-GPE (flag 0x04) names the next protocol in the fourth byte.
Next Decoder::Vxlan() {
  if (!Has(8)) return Malformed(DecodeReason::kBadTunnelHeader);
  const std::uint8_t flags = cursor_[0];
  const std::uint8_t next_protocol = cursor_[3];
  if ((flags & 0x08) == 0) return Next::kDone;
  Skip(8);
  out_.tunnels |= static_cast<std::uint16_t>(Tunnel::kVxlan);
  if ((flags & 0x04) == 0) return Next::kEthernet;
  return NshProtocol(next_protocol);
}

// RFC 8926: version and option length in words, flags, protocol type 2, identifier 3, reserved,
// options.
Next Decoder::Geneve() {
  if (!Has(8)) return Malformed(DecodeReason::kBadTunnelHeader);
  const std::size_t size = 8 + (cursor_[0] & 0x3fU) * 4;
  if ((cursor_[0] >> 6) != 0 || !Has(size)) return Malformed(DecodeReason::kBadTunnelHeader);
  ether_type_ = Load16(cursor_ + 2);
  Skip(size);
  out_.tunnels |= static_cast<std::uint16_t>(Tunnel::kGeneve);
  return Next::kEtherType;
}

// 3GPP TS 29.281: flags (version 1, PT 1; E, S, PN), type (255: user data), length 2, TEID 4; with
// any of E, S, PN another 4 bytes, and with E extension headers: length in words, ..., next type.
Next Decoder::GtpU() {
  if (!Has(8)) return Malformed(DecodeReason::kBadTunnelHeader);
  const std::uint8_t flags = cursor_[0];
  if ((flags >> 4) != 3 || cursor_[1] != 255) return Next::kDone;
  Skip(8);
  if ((flags & 0x07) != 0) {
    if (!Has(4)) return Malformed(DecodeReason::kBadTunnelHeader);
    std::uint8_t extension = (flags & 0x04) != 0 ? cursor_[3] : 0;
    Skip(4);
    for (int i = 0; extension != 0; ++i) {
      const std::size_t size = Has(1) ? cursor_[0] * 4U : 0;
      if (size == 0 || !Has(size) || i >= options_.max_headers) {
        return Malformed(DecodeReason::kBadTunnelHeader);
      }
      extension = cursor_[size - 1];
      Skip(size);
    }
  }
  out_.tunnels |= static_cast<std::uint16_t>(Tunnel::kGtpU);
  return Next::kIp;
}

// RFC 4380: optional authentication (00 01, client id and value lengths, 13 bytes more) and origin
// (00 00, 6 bytes).
Next Decoder::Teredo() {
  if (Has(4) && Load16(cursor_) == 1) {
    const std::size_t size = 13U + cursor_[2] + cursor_[3];
    if (!Has(size)) return Malformed(DecodeReason::kBadTunnelHeader);
    Skip(size);
  }
  if (Has(8) && Load16(cursor_) == 0) Skip(8);
  if (!Has(1) || (cursor_[0] >> 4) != 6) return Next::kDone;
  out_.tunnels |= static_cast<std::uint16_t>(Tunnel::kTeredo);
  return Next::kIp;
}

// RFC 2661: flags T L S O and version 2; optional length, ids 4, optional sequence 4, offset; data
// messages carry PPP.
Next Decoder::L2tp() {
  if (!Has(6)) return Malformed(DecodeReason::kBadTunnelHeader);
  const std::uint16_t flags = Load16(cursor_);
  const bool is_control = (flags & 0x8000) != 0;
  if ((flags & 0x000f) != 2 || is_control) return Next::kDone;
  std::size_t size = 6;
  if ((flags & 0x4000) != 0) size += 2;
  if ((flags & 0x0800) != 0) size += 4;
  if ((flags & 0x0200) != 0) {
    if (!Has(size + 2)) return Malformed(DecodeReason::kBadTunnelHeader);
    size += 2U + Load16(cursor_ + size);
  }
  if (!Has(size)) return Malformed(DecodeReason::kBadTunnelHeader);
  Skip(size);
  out_.tunnels |= static_cast<std::uint16_t>(Tunnel::kL2tp);
  return Next::kPpp;
}

// RFC 9260: source port, destination port, verification tag 4, checksum 4; chunks follow.
Next Decoder::Sctp() {
  if (!Has(4)) return Malformed(DecodeReason::kTruncatedTransport);
  SetPorts();
  SetPayload(12);
  const bool cut = !Has(12) && (declared_ < 12 || !out_.truncated);
  return cut ? Malformed(DecodeReason::kTruncatedTransport) : Next::kDone;
}

// RFC 4340: source port, destination port, data offset in words, ...
Next Decoder::Dccp() {
  if (!Has(4)) return Malformed(DecodeReason::kTruncatedTransport);
  SetPorts();
  SetPayload(Has(5) ? std::max<std::size_t>(cursor_[4] * 4U, 12) : 12);
  const bool cut = !Has(12) && (declared_ < 12 || !out_.truncated);
  return cut ? Malformed(DecodeReason::kTruncatedTransport) : Next::kDone;
}

// RFC 792: type, code, checksum, 4 bytes that depend on the type. Errors then quote the packet they
// are about.
Next Decoder::Icmp() {
  if (!Has(2)) {
    Portless(0);
    return Malformed(DecodeReason::kTruncatedTransport);
  }
  out_.has_icmp = true;
  out_.icmp_type = cursor_[0];
  out_.icmp_code = cursor_[1];
  Portless(8);
  const bool is_error = out_.icmp_type == 3 || out_.icmp_type == 4 || out_.icmp_type == 5 ||
                        out_.icmp_type == 11 || out_.icmp_type == 12;
  if (is_error) Quote();
  return Next::kDone;
}

// RFC 4443: types below 128 are errors.
Next Decoder::IcmpV6() {
  if (!Has(2)) {
    Portless(0);
    return Malformed(DecodeReason::kTruncatedTransport);
  }
  out_.has_icmp = true;
  out_.icmp_type = cursor_[0];
  out_.icmp_code = cursor_[1];
  Portless(8);
  if (out_.icmp_type < 128) Quote();
  return Next::kDone;
}

// The quoted packet's addresses and ports, when its IP header is followed by them directly.
void Decoder::Quote() {
  const std::span<const std::uint8_t> quoted = out_.payload;
  if (quoted.empty()) return;
  const bool is_v4 = (quoted[0] >> 4) == 4;
  const std::size_t header_bytes = is_v4 ? (quoted[0] & 0x0fU) * 4 : 40;
  if (header_bytes < 20 || quoted.size() < header_bytes || (!is_v4 && (quoted[0] >> 4) != 6))
    return;
  const std::uint8_t* const header = quoted.data();
  FiveTuple tuple;
  if (is_v4) {
    tuple.protocol = header[9];
    tuple.source.address = IpAddress::V4(std::span<const std::uint8_t, 4>(header + 12, 4));
    tuple.destination.address = IpAddress::V4(std::span<const std::uint8_t, 4>(header + 16, 4));
  } else {
    tuple.protocol = header[6];
    tuple.source.address = IpAddress::V6(std::span<const std::uint8_t, 16>(header + 8, 16));
    tuple.destination.address = IpAddress::V6(std::span<const std::uint8_t, 16>(header + 24, 16));
  }
  const bool has_ports = tuple.protocol == kProtocolTcp || tuple.protocol == kProtocolUdp ||
                         tuple.protocol == kProtocolSctp || tuple.protocol == kProtocolDccp ||
                         tuple.protocol == kProtocolUdpLite;
  if (has_ports) {
    const bool is_later_fragment = is_v4 && (Load16(header + 6) & 0x1fff) != 0;
    if (is_later_fragment || quoted.size() < header_bytes + 4) return;
    tuple.source.port = Load16(header + header_bytes);
    tuple.destination.port = Load16(header + header_bytes + 2);
  }
  out_.quoted = tuple;
}

}  // namespace nta::internal
