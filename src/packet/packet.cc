#include "nta/packet/packet.h"

#include <utility>

namespace nta {

std::string ToString(LinkType link_type) {
  switch (link_type) {
    case LinkType::kNull:
      return "null";
    case LinkType::kEthernet:
      return "ethernet";
    case LinkType::kArcnet:
      return "arcnet";
    case LinkType::kSlip:
      return "slip";
    case LinkType::kPpp:
      return "ppp";
    case LinkType::kFddi:
      return "fddi";
    case LinkType::kPppHdlc:
      return "ppp_hdlc";
    case LinkType::kPppEther:
      return "ppp_ether";
    case LinkType::kAtmRfc1483:
      return "atm_rfc1483";
    case LinkType::kRaw:
      return "raw";
    case LinkType::kCHdlc:
      return "c_hdlc";
    case LinkType::kIeee80211:
      return "ieee802_11";
    case LinkType::kFrameRelay:
      return "frame_relay";
    case LinkType::kLoop:
      return "loop";
    case LinkType::kLinuxSll:
      return "linux_sll";
    case LinkType::kIeee80211Prism:
      return "ieee802_11_prism";
    case LinkType::kIeee80211Radiotap:
      return "ieee802_11_radiotap";
    case LinkType::kIeee80211Avs:
      return "ieee802_11_avs";
    case LinkType::kPpi:
      return "ppi";
    case LinkType::kIpv4:
      return "ipv4";
    case LinkType::kIpv6:
      return "ipv6";
    case LinkType::kNflog:
      return "nflog";
    case LinkType::kLinuxSll2:
      return "linux_sll2";
  }
  return "link_type_" + std::to_string(static_cast<int>(link_type));
}

Packet::Packet(const PacketView& view)
    : header_(view), bytes_(view.bytes.begin(), view.bytes.end()) {
  header_.bytes = {};
}

PacketView Packet::view() const& {
  PacketView view = header_;
  view.bytes = bytes_;
  return view;
}

}  // namespace nta
