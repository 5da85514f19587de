#include "nta/packet/decode.h"

#include <algorithm>

#include "packet/decoder.h"

namespace nta {

std::string_view ToString(DecodeReason reason) {
  switch (reason) {
    case DecodeReason::kNone:
      return "none";
    case DecodeReason::kTruncatedLink:
      return "truncated_link";
    case DecodeReason::kTruncatedNetwork:
      return "truncated_network";
    case DecodeReason::kTruncatedTransport:
      return "truncated_transport";
    case DecodeReason::kBadLinkHeader:
      return "bad_link_header";
    case DecodeReason::kBadIpHeaderLength:
      return "bad_ip_header_length";
    case DecodeReason::kBadIpTotalLength:
      return "bad_ip_total_length";
    case DecodeReason::kBadIpVersion:
      return "bad_ip_version";
    case DecodeReason::kBadExtensionHeader:
      return "bad_extension_header";
    case DecodeReason::kBadTcpDataOffset:
      return "bad_tcp_data_offset";
    case DecodeReason::kBadUdpLength:
      return "bad_udp_length";
    case DecodeReason::kBadTunnelHeader:
      return "bad_tunnel_header";
    case DecodeReason::kTooManyHeaders:
      return "too_many_headers";
    case DecodeReason::kUnknownLinkType:
      return "unknown_link_type";
    case DecodeReason::kUnknownEtherType:
      return "unknown_ether_type";
    case DecodeReason::kUnknownLlc:
      return "unknown_llc";
    case DecodeReason::kUnknownPppProtocol:
      return "unknown_ppp_protocol";
    case DecodeReason::kNonDataFrame:
      return "non_data_frame";
  }
  return "unknown";
}

DecodedPacket Decode(const PacketView& packet) {
  static constexpr DecodeOptions kDefaults{};
  return Decode(packet, kDefaults);
}

DecodedPacket Decode(const PacketView& packet, const DecodeOptions& options) {
  DecodedPacket decoded;
  Decode(packet, options, decoded);
  return decoded;
}

void Decode(const PacketView& packet, const DecodeOptions& options, DecodedPacket& decoded) {
  internal::Decoder(packet, options, decoded).Run();
}

namespace internal {

Decoder::Decoder(const PacketView& packet, const DecodeOptions& options, DecodedPacket& out)
    : options_(options),
      out_(out),
      cursor_(packet.bytes.data()),
      end_(packet.bytes.data() + packet.bytes.size()),
      wire_rest_(packet.wire_bytes > packet.bytes.size() ? packet.wire_bytes - packet.bytes.size()
                                                         : 0),
      link_type_(static_cast<std::uint16_t>(packet.link_type)) {
  out_.time = std::clamp(packet.time, kMinPacketTime, kMaxPacketTime);
  out_.wire_bytes = packet.wire_bytes;
  out_.captured_bytes = static_cast<std::uint32_t>(packet.bytes.size());
  out_.interface_id = packet.interface_id;
  out_.truncated = wire_rest_ > 0;
}

void Decoder::Run() {
  Next next = Next::kLink;
  for (int headers = 0; next != Next::kDone; ++headers) {
    if (headers >= options_.max_headers) {
      Malformed(DecodeReason::kTooManyHeaders);
      return;
    }
    next = Step(next);
  }
}

Next Decoder::Step(Next next) {
  switch (next) {
    case Next::kLink:
      return Link();
    case Next::kEthernet:
      return Ethernet();
    case Next::kEtherType:
      return EtherType();
    case Next::kLlc:
      return Llc();
    case Next::kPpp:
      return Ppp();
    case Next::kIeee80211:
      return Ieee80211();
    case Next::kIp:
      return Ip();
    case Next::kIpProtocol:
      return IpProtocol();
    case Next::kMpls:
      return Mpls();
    case Next::kNsh:
      return Nsh();
    case Next::kDone:
      break;
  }
  return Next::kDone;
}

// A tunnel whose inside cannot be read still was a packet between its two ends.
Next Decoder::Malformed(DecodeReason reason) {
  if (inside_) out_ = *outer_;
  if (out_.outcome == DecodeOutcome::kDecoded) {
    out_.outcome = DecodeOutcome::kMalformed;
    out_.reason = reason;
  }
  return Next::kDone;
}

Next Decoder::Unsupported(DecodeReason reason, std::uint16_t number) {
  if (inside_) {
    out_ = *outer_;
  } else if (out_.outcome == DecodeOutcome::kDecoded) {
    out_.outcome = DecodeOutcome::kUnsupported;
    out_.reason = reason;
    out_.unsupported = number;
  }
  return Next::kDone;
}

}  // namespace internal
}  // namespace nta
