// The decoder's state while it walks through the headers of one packet.
#ifndef NTA_PACKET_DECODER_H_
#define NTA_PACKET_DECODER_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "nta/packet/decode.h"

namespace nta::internal {

inline std::uint16_t Load16(const std::uint8_t* p) {
  return static_cast<std::uint16_t>(p[0] << 8 | p[1]);
}
inline std::uint32_t Load32(const std::uint8_t* p) {
  return static_cast<std::uint32_t>(p[0]) << 24 | static_cast<std::uint32_t>(p[1]) << 16 |
         static_cast<std::uint32_t>(p[2]) << 8 | p[3];
}
inline std::uint16_t Load16LittleEndian(const std::uint8_t* p) {
  return static_cast<std::uint16_t>(p[1] << 8 | p[0]);
}

// What stands at the cursor.
enum class Next : std::uint8_t {
  kDone,
  kLink,       // link_type_
  kEthernet,   // destination MAC first
  kEtherType,  // ether_type_ was read, its header follows
  kLlc,
  kPpp,  // protocol field first
  kIeee80211,
  kIp,          // version by the first nibble
  kIpProtocol,  // out_.protocol was read, its header follows
  kMpls,
  kNsh,
};

// One packet's walk. Headers are read in a loop (never by recursion), each exactly once, and each
// step returns what stands next; the number of steps is bounded by DecodeOptions::max_headers.
class Decoder {
 public:
  Decoder(const PacketView& packet, const DecodeOptions& options, DecodedPacket& out);
  void Run();

 private:
  // The bytes at the cursor.
  std::size_t available() const { return static_cast<std::size_t>(end_ - cursor_); }
  bool Has(std::size_t size) const { return available() >= size; }
  void Skip(std::size_t size) { cursor_ += size; }
  // Keeps at most `size` bytes after the cursor.
  void Limit(std::size_t size) {
    if (size < available()) end_ = cursor_ + size;
    wire_rest_ = std::min(wire_rest_, size - available());
  }
  Next Malformed(DecodeReason reason);
  // `number`: what was read instead of a known one.
  Next Unsupported(DecodeReason reason, std::uint16_t number);
  Next Step(Next next);

  // decode_link.cc
  Next Link();
  Next Ethernet();
  Next EtherType();
  Next VlanTag();
  Next Llc();
  Next Snap();
  Next Ppp();
  Next PppHdlc();
  Next CiscoHdlc();
  Next FrameRelay();
  Next Fddi();
  Next Slip();
  Next Null();
  Next LinuxSll();
  Next LinuxSll2();
  Next Nflog();
  Next SwitchTag(std::size_t offset, std::size_t size);
  Next Pppoe();
  Next Mpls();
  Next Nsh();
  Next NshProtocol(std::uint8_t protocol);
  Next Arp();
  void SetMacs(const std::uint8_t* destination, const std::uint8_t* source);

  // decode_wireless.cc
  Next Ieee80211();
  Next Radiotap();
  Next Ppi();
  Next Avs();
  Next Prism();

  // decode_network.cc
  Next Ip();
  Next Ipv4();
  Next Ipv6();
  Next IpProtocol();
  Next Ipv6Extension();
  Next Ipv6Fragment();
  Next AuthenticationHeader();
  Next Gre();
  Next GrePayload(std::uint16_t protocol, bool has_sequence);
  Next Encapsulated(Tunnel tunnel, Next next);

  // decode_transport.cc
  Next Tcp();
  Next Udp();
  Next UdpTunnel();
  Next Sctp();
  Next Dccp();
  Next Icmp();
  Next IcmpV6();
  Next Portless(std::size_t header_bytes);
  Next Vxlan();
  Next Geneve();
  Next GtpU();
  Next Teredo();
  Next L2tp();
  void Quote();
  void SetPorts();
  void SetPayload(std::size_t header_bytes);

  const DecodeOptions& options_;
  DecodedPacket& out_;
  const std::uint8_t* cursor_;
  const std::uint8_t* end_;
  std::size_t wire_rest_;  // bytes after end_ that a snap length cut off
  std::uint16_t link_type_;
  std::uint16_t ether_type_ = 0;
  std::uint32_t declared_ = 0;  // bytes after the cursor by the IP header's length
  // The packet as it was at the header that encapsulates what is being read; restored when nothing
  // useful is inside. Without a value until then: most packets have none.
  std::optional<DecodedPacket> outer_;
  bool inside_ = false;
  bool is_partial_ = false;  // inside a fragment: the inner lengths reach beyond it
};

}  // namespace nta::internal

#endif  // NTA_PACKET_DECODER_H_
