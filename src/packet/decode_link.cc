// Link-layer headers: from the first byte of a frame to its IP header.
#include <cstring>

#include "packet/decoder.h"

namespace nta::internal {
namespace {

// LINKTYPE_ numbers without a name in LinkType, because they are variants of named ones.
constexpr std::uint16_t kRawOpenBsd = 14;
constexpr std::uint16_t kRawBsd = 12;
constexpr std::uint16_t kAtmClip = 106;
constexpr std::uint16_t kPppPppd = 166;
constexpr std::uint16_t kPppWithDirection = 204;
constexpr std::uint16_t kDsaBrcm = 281;
constexpr std::uint16_t kDsaBrcmPrepend = 282;
constexpr std::uint16_t kDsa = 284;
constexpr std::uint16_t kEdsa = 285;

constexpr std::uint16_t kEtherTypeIpv4 = 0x0800;
constexpr std::uint16_t kEtherTypeArp = 0x0806;
constexpr std::uint16_t kEtherTypeTransparentBridging = 0x6558;
constexpr std::uint16_t kEtherTypeVlan = 0x8100;
constexpr std::uint16_t kEtherTypeIpv6 = 0x86dd;
constexpr std::uint16_t kEtherTypePpp = 0x880b;
constexpr std::uint16_t kEtherTypeMpls = 0x8847;
constexpr std::uint16_t kEtherTypeMplsMulticast = 0x8848;
constexpr std::uint16_t kEtherTypePppoeDiscovery = 0x8863;
constexpr std::uint16_t kEtherTypePppoeSession = 0x8864;
constexpr std::uint16_t kEtherTypeQinQ = 0x88a8;
constexpr std::uint16_t kEtherTypePbb = 0x88e7;
constexpr std::uint16_t kEtherTypeCiscoMetaData = 0x8909;
constexpr std::uint16_t kEtherTypeVnTag = 0x8926;
constexpr std::uint16_t kEtherTypeNsh = 0x894f;
constexpr std::uint16_t kEtherTypeOldQinQ1 = 0x9100;
constexpr std::uint16_t kEtherTypeOldQinQ2 = 0x9200;
// Values up to here are IEEE 802.3 lengths.
constexpr std::uint16_t kMaxLength = 1500;

}  // namespace

Next Decoder::Link() {
  switch (link_type_) {
    case static_cast<std::uint16_t>(LinkType::kEthernet):
      return Ethernet();
    case static_cast<std::uint16_t>(LinkType::kNull):
    case static_cast<std::uint16_t>(LinkType::kLoop):
      return Null();
    case static_cast<std::uint16_t>(LinkType::kRaw):
    case static_cast<std::uint16_t>(LinkType::kIpv4):
    case static_cast<std::uint16_t>(LinkType::kIpv6):
    case kRawBsd:
    case kRawOpenBsd:
      return Next::kIp;
    case static_cast<std::uint16_t>(LinkType::kLinuxSll):
      return LinuxSll();
    case static_cast<std::uint16_t>(LinkType::kLinuxSll2):
      return LinuxSll2();
    case static_cast<std::uint16_t>(LinkType::kPpp):
      return Ppp();
    case static_cast<std::uint16_t>(LinkType::kPppHdlc):
      return PppHdlc();
    case kPppPppd:
    case kPppWithDirection:
      if (!Has(1)) return Malformed(DecodeReason::kTruncatedLink);
      Skip(1);
      return Next::kPpp;
    case static_cast<std::uint16_t>(LinkType::kPppEther):
      return Pppoe();
    case static_cast<std::uint16_t>(LinkType::kCHdlc):
      return CiscoHdlc();
    case static_cast<std::uint16_t>(LinkType::kFrameRelay):
      return FrameRelay();
    case static_cast<std::uint16_t>(LinkType::kFddi):
      return Fddi();
    case static_cast<std::uint16_t>(LinkType::kSlip):
      return Slip();
    case static_cast<std::uint16_t>(LinkType::kAtmRfc1483):
      return Next::kLlc;
    case kAtmClip:
      return Has(1) && (cursor_[0] >> 4) == 4 ? Next::kIp : Next::kLlc;
    case static_cast<std::uint16_t>(LinkType::kNflog):
      return Nflog();
    case static_cast<std::uint16_t>(LinkType::kIeee80211):
      return Next::kIeee80211;
    case static_cast<std::uint16_t>(LinkType::kIeee80211Radiotap):
      return Radiotap();
    case static_cast<std::uint16_t>(LinkType::kIeee80211Prism):
      return Prism();
    case static_cast<std::uint16_t>(LinkType::kIeee80211Avs):
      return Avs();
    case static_cast<std::uint16_t>(LinkType::kPpi):
      return Ppi();
    case kDsaBrcmPrepend:
      if (!Has(4)) return Malformed(DecodeReason::kTruncatedLink);
      Skip(4);
      return Next::kEthernet;
    case kDsaBrcm:
    case kDsa:
      return SwitchTag(12, 4);
    case kEdsa:
      return SwitchTag(12, 8);
    default:
      return Unsupported(DecodeReason::kUnknownLinkType, link_type_);
  }
}

void Decoder::SetMacs(const std::uint8_t* destination, const std::uint8_t* source) {
  std::memcpy(out_.destination_mac.bytes.data(), destination, 6);
  std::memcpy(out_.source_mac.bytes.data(), source, 6);
  out_.has_mac = true;
}

//  0                   6                  12        14
// +-------------------+------------------+---------+---- IEEE 802.3
// |  destination MAC  |   source MAC     | type or | ...
// +-------------------+------------------+ length  +----
Next Decoder::Ethernet() {
  if (!Has(14)) return Malformed(DecodeReason::kTruncatedLink);
  if (!out_.has_mac) SetMacs(cursor_, cursor_ + 6);
  ether_type_ = Load16(cursor_ + 12);
  Skip(14);
  return EtherType();
}

// Switch chips insert their tag of `size` bytes after `offset` bytes of the Ethernet header (DSA,
// EDSA, Broadcom).
Next Decoder::SwitchTag(std::size_t offset, std::size_t size) {
  if (!Has(offset + size + 2)) return Malformed(DecodeReason::kTruncatedLink);
  SetMacs(cursor_, cursor_ + 6);
  ether_type_ = Load16(cursor_ + offset + size);
  Skip(offset + size + 2);
  return Next::kEtherType;
}

Next Decoder::EtherType() {
  switch (ether_type_) {
    case kEtherTypeIpv4:
    case kEtherTypeIpv6:
      out_.ether_type = ether_type_;
      return Ip();
    case kEtherTypeVlan:
    case kEtherTypeQinQ:
    case kEtherTypeOldQinQ1:
    case kEtherTypeOldQinQ2:
      return VlanTag();
    case kEtherTypeArp:
      return Arp();
    case kEtherTypeMpls:
    case kEtherTypeMplsMulticast:
      return Next::kMpls;
    case kEtherTypePppoeSession:
      return Pppoe();
    case kEtherTypePpp:
      return Next::kPpp;
    case kEtherTypeTransparentBridging:
      return Next::kEthernet;
    case kEtherTypeNsh:
      return Next::kNsh;
    case kEtherTypePbb:  // I-TAG of 4 bytes, then the customer's frame
      if (!Has(4)) return Malformed(DecodeReason::kTruncatedLink);
      Skip(4);
      out_.tunnels |= static_cast<std::uint16_t>(Tunnel::kPbb);
      return Next::kEthernet;
    case kEtherTypeVnTag:
    case kEtherTypeCiscoMetaData: {
      const std::size_t size = ether_type_ == kEtherTypeVnTag ? 4 : 6;
      if (!Has(size + 2)) return Malformed(DecodeReason::kTruncatedLink);
      ether_type_ = Load16(cursor_ + size);
      Skip(size + 2);
      return Next::kEtherType;
    }
    default:
      if (ether_type_ > kMaxLength) {
        out_.ether_type = ether_type_;
        return Unsupported(DecodeReason::kUnknownEtherType, ether_type_);
      }
      Limit(ether_type_);
      return Next::kLlc;
  }
}

//  0       3 4            16                32
// +---------+--------------+-----------------+
// | PCP DEI | VLAN id (12) | EtherType       |  IEEE 802.1Q
// +---------+--------------+-----------------+
Next Decoder::VlanTag() {
  if (!Has(4)) return Malformed(DecodeReason::kTruncatedLink);
  if (!out_.has_vlan) {
    out_.has_vlan = true;
    out_.vlan = Load16(cursor_) & 0x0fff;
  }
  ether_type_ = Load16(cursor_ + 2);
  Skip(4);
  return Next::kEtherType;
}

// IEEE 802.2: DSAP, SSAP, control; DSAP = SSAP = 0xaa announces SNAP, 0x06 IP.
Next Decoder::Llc() {
  if (!Has(3)) return Malformed(DecodeReason::kTruncatedLink);
  const std::uint8_t dsap = cursor_[0];
  const std::uint8_t ssap = cursor_[1];
  const std::uint8_t control = cursor_[2];
  if (dsap == 0xaa && ssap == 0xaa && control == 0x03) {
    Skip(3);
    return Snap();
  }
  if (dsap == 0x06 && ssap == 0x06 && control == 0x03) {
    Skip(3);
    return Next::kIp;
  }
  return Unsupported(DecodeReason::kUnknownLlc, static_cast<std::uint16_t>(dsap << 8 | ssap));
}

// RFC 1042: organisation (3 bytes), protocol (2); organisations 0 and 0x0000f8 use EtherTypes.
Next Decoder::Snap() {
  if (!Has(5)) return Malformed(DecodeReason::kTruncatedLink);
  const std::uint32_t organisation = Load32(cursor_) >> 8;
  ether_type_ = Load16(cursor_ + 3);
  const bool has_ether_type = organisation == 0 || organisation == 0x0000f8;
  if (!has_ether_type || ether_type_ <= kMaxLength) {
    return Unsupported(DecodeReason::kUnknownLlc, 0xaaaa);
  }
  Skip(5);
  return Next::kEtherType;
}

// RFC 1661, 1662: optional address and control (ff 03), then a protocol of one byte (odd) or two.
Next Decoder::Ppp() {
  if (Has(2) && cursor_[0] == 0xff && cursor_[1] == 0x03) Skip(2);
  if (!Has(1)) return Malformed(DecodeReason::kTruncatedLink);
  std::uint16_t protocol = cursor_[0];
  if ((protocol & 1) != 0) {
    Skip(1);
  } else {
    if (!Has(2)) return Malformed(DecodeReason::kTruncatedLink);
    protocol = Load16(cursor_);
    Skip(2);
  }
  switch (protocol) {
    case 0x0021:
    case 0x0057:
      return Next::kIp;
    case 0x0281:
    case 0x0283:
      return Next::kMpls;
    case 0x0031:  // bridging: flags, MAC type 1 is Ethernet (RFC 3518)
      if (!Has(2)) return Malformed(DecodeReason::kTruncatedLink);
      if (cursor_[1] != 1) return Unsupported(DecodeReason::kUnknownPppProtocol, protocol);
      Skip(2);
      return Next::kEthernet;
    default:
      return Unsupported(DecodeReason::kUnknownPppProtocol, protocol);
  }
}

// LINKTYPE_PPP_HDLC: PPP in HDLC-like framing, or Cisco HDLC when the address byte is 0x0f or 0x8f.
Next Decoder::PppHdlc() {
  if (Has(1) && (cursor_[0] == 0x0f || cursor_[0] == 0x8f)) return CiscoHdlc();
  return Ppp();
}

Next Decoder::CiscoHdlc() {
  if (!Has(4)) return Malformed(DecodeReason::kTruncatedLink);
  ether_type_ = Load16(cursor_ + 2);
  Skip(4);
  return Next::kEtherType;
}

// RFC 2427: Q.922 address (its last byte has the lowest bit set), control 0x03, NLPID; or Cisco's:
// address, EtherType.
Next Decoder::FrameRelay() {
  std::size_t address = 0;
  while (address < 4 && Has(address + 1) && (cursor_[address] & 1) == 0) ++address;
  ++address;
  if (!Has(address + 2)) return Malformed(DecodeReason::kTruncatedLink);
  if (address < 2 || address > 4) return Malformed(DecodeReason::kBadLinkHeader);
  Skip(address);
  if (cursor_[0] != 0x03) {
    ether_type_ = Load16(cursor_);
    Skip(2);
    return Next::kEtherType;
  }
  Skip(1);
  if (cursor_[0] == 0 && Has(2)) Skip(1);  // padding
  const std::uint8_t nlpid = cursor_[0];
  Skip(1);
  switch (nlpid) {
    case 0xcc:
    case 0x8e:
      return Next::kIp;
    case 0xcf:
      return Next::kPpp;
    case 0x80:
      return Snap();
    default:
      return Unsupported(DecodeReason::kUnknownLlc, nlpid);
  }
}

// Frame control, destination, source, LLC.
Next Decoder::Fddi() {
  if (!Has(13)) return Malformed(DecodeReason::kTruncatedLink);
  SetMacs(cursor_ + 1, cursor_ + 7);
  const std::uint8_t control = cursor_[0];
  Skip(13);
  return (control & 0x30) == 0x10 ? Next::kLlc : Unsupported(DecodeReason::kNonDataFrame, control);
}

// LINKTYPE_SLIP: direction and compressed header in 16 bytes, then the packet.
Next Decoder::Slip() {
  if (!Has(16)) return Malformed(DecodeReason::kTruncatedLink);
  Skip(16);
  return Next::kIp;
}

// Four bytes of address family, in the byte order of the capturing machine (NULL) or the network's
// (LOOP).
Next Decoder::Null() {
  if (!Has(4)) return Malformed(DecodeReason::kTruncatedLink);
  std::uint32_t family = Load32(cursor_);
  if (family > 0xffff) family = __builtin_bswap32(family);
  Skip(4);
  switch (family) {
    case 2:   // AF_INET
    case 10:  // AF_INET6 of Linux
    case 24:  // ... of NetBSD and OpenBSD
    case 28:  // ... of FreeBSD
    case 30:  // ... of Darwin
      return Next::kIp;
    default:
      if (family <= kMaxLength || family > 0xffff) {
        return Unsupported(DecodeReason::kUnknownEtherType, static_cast<std::uint16_t>(family));
      }
      ether_type_ = static_cast<std::uint16_t>(family);
      return Next::kEtherType;
  }
}

// LINKTYPE_LINUX_SLL: packet type 2, ARPHRD 2, address length 2, address 8, protocol 2.
Next Decoder::LinuxSll() {
  if (!Has(16)) return Malformed(DecodeReason::kTruncatedLink);
  const std::uint16_t hardware = Load16(cursor_ + 2);
  const std::uint16_t protocol = Load16(cursor_ + 14);
  Skip(16);
  if (hardware == 803) return Radiotap();
  if (protocol == 4) return Next::kLlc;
  ether_type_ = protocol;
  return protocol > kMaxLength ? Next::kEtherType
                               : Unsupported(DecodeReason::kUnknownEtherType, protocol);
}

// LINKTYPE_LINUX_SLL2: protocol 2, reserved 2, interface 4, ARPHRD 2, packet type 1, address length
// 1, address 8.
Next Decoder::LinuxSll2() {
  if (!Has(20)) return Malformed(DecodeReason::kTruncatedLink);
  const std::uint16_t protocol = Load16(cursor_);
  const std::uint16_t hardware = Load16(cursor_ + 8);
  Skip(20);
  if (hardware == 803) return Radiotap();
  if (protocol == 4) return Next::kLlc;
  ether_type_ = protocol;
  return protocol > kMaxLength ? Next::kEtherType
                               : Unsupported(DecodeReason::kUnknownEtherType, protocol);
}

// LINKTYPE_NFLOG: family, version, resource; then attributes of length, type and value, the packet
// being type 9. They are in the byte order of the capturing machine; there are few types, so the
// smaller reading of the type (without its two flags) is the right one.
Next Decoder::Nflog() {
  if (!Has(4)) return Malformed(DecodeReason::kTruncatedLink);
  Skip(4);
  while (Has(4)) {
    std::size_t length = Load16LittleEndian(cursor_);
    std::uint16_t type = Load16LittleEndian(cursor_ + 2);
    if ((Load16(cursor_ + 2) & 0x3fff) < (type & 0x3fff)) {
      length = Load16(cursor_);
      type = Load16(cursor_ + 2);
    }
    if (length < 4) return Malformed(DecodeReason::kBadLinkHeader);
    if ((type & 0x3fff) == 9) {
      Skip(4);
      Limit(length - 4);
      return Next::kIp;
    }
    const std::size_t padded = (length + 3) & ~std::size_t{3};
    if (!Has(padded)) break;
    Skip(padded);
  }
  return Malformed(DecodeReason::kTruncatedLink);
}

// RFC 2516: version and type 0x11, code, session 2, length 2; then PPP without framing.
Next Decoder::Pppoe() {
  if (!Has(6)) return Malformed(DecodeReason::kTruncatedLink);
  if (cursor_[0] != 0x11) return Malformed(DecodeReason::kBadLinkHeader);
  if (cursor_[1] != 0)
    return Unsupported(DecodeReason::kUnknownEtherType, kEtherTypePppoeDiscovery);
  const std::size_t length = Load16(cursor_ + 4);
  Skip(6);
  Limit(length);
  out_.tunnels |= static_cast<std::uint16_t>(Tunnel::kPppoe);
  return Next::kPpp;
}

//  0                      20      23 24        32
// +-----------------------+---------+-+---------+
// | label                 | traffic |S| TTL     |  RFC 3032
// +-----------------------+---------+-+---------+
// What follows the bottom of the stack is not named: IP by its version nibble, else Ethernet, with
// or without the control word of RFC 4385 (first nibble 0).
Next Decoder::Mpls() {
  if (!Has(4)) return Malformed(DecodeReason::kTruncatedLink);
  const bool bottom = (cursor_[2] & 1) != 0;
  out_.tunnels |= static_cast<std::uint16_t>(Tunnel::kMpls);
  Skip(4);
  if (!bottom) return Next::kMpls;
  if (!Has(1)) return Malformed(DecodeReason::kTruncatedLink);
  switch (cursor_[0] >> 4) {
    case 4:
    case 6:
      return Next::kIp;
    case 0:
      if (!Has(4)) return Malformed(DecodeReason::kTruncatedLink);
      Skip(4);
      return Next::kEthernet;
    case 1:  // associated channel (RFC 5586)
      return Unsupported(DecodeReason::kUnknownEtherType, kEtherTypeMpls);
    default:
      return Next::kEthernet;
  }
}

// RFC 8300: length in words in the lower six bits of the second byte, next protocol in the fourth.
Next Decoder::Nsh() {
  if (!Has(8)) return Malformed(DecodeReason::kTruncatedLink);
  const std::size_t length = (cursor_[1] & 0x3fU) * 4;
  const std::uint8_t protocol = cursor_[3];
  if (length < 8) return Malformed(DecodeReason::kBadTunnelHeader);
  if (!Has(length)) return Malformed(DecodeReason::kTruncatedLink);
  Skip(length);
  out_.tunnels |= static_cast<std::uint16_t>(Tunnel::kNsh);
  return NshProtocol(protocol);
}

// The numbers of RFC 8300 6.1; VXLAN-GPE has the same.
Next Decoder::NshProtocol(std::uint8_t protocol) {
  switch (protocol) {
    case 1:
    case 2:
      return Next::kIp;
    case 3:
      return Next::kEthernet;
    case 4:
      return Next::kNsh;
    case 5:
      return Next::kMpls;
    default:
      return Unsupported(DecodeReason::kUnknownEtherType, kEtherTypeNsh);
  }
}

//  0        2        4    5    6           8          14        18         24        28
// +--------+--------+----+----+-----------+----------+---------+----------+---------+
// | hardw. | proto. | hl | pl | operation | sender MAC and IP  | target MAC and IP  |  RFC 826
// +--------+--------+----+----+-----------+----------+---------+----------+---------+
Next Decoder::Arp() {
  if (!inside_) out_.ether_type = kEtherTypeArp;
  if (!Has(8)) return Malformed(DecodeReason::kTruncatedNetwork);
  const bool is_ethernet_ipv4 =
      Load16(cursor_ + 2) == kEtherTypeIpv4 && cursor_[4] == 6 && cursor_[5] == 4;
  if (!is_ethernet_ipv4) return Next::kDone;
  if (!Has(28)) return Malformed(DecodeReason::kTruncatedNetwork);
  ArpHeader& arp = out_.arp.emplace();
  arp.operation = Load16(cursor_ + 6);
  std::memcpy(arp.sender_mac.bytes.data(), cursor_ + 8, 6);
  arp.sender = IpAddress::V4(std::span<const std::uint8_t, 4>(cursor_ + 14, 4));
  std::memcpy(arp.target_mac.bytes.data(), cursor_ + 18, 6);
  arp.target = IpAddress::V4(std::span<const std::uint8_t, 4>(cursor_ + 24, 4));
  return Next::kDone;
}

}  // namespace nta::internal
