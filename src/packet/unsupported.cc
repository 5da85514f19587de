// Names of what is not read.
#include <span>

#include "nta/packet/decode.h"

namespace nta {
namespace {

struct Name {
  std::uint16_t number;
  std::string_view name;
};

// IEEE 802 numbers.
constexpr Name kEtherTypes[] = {
    {0x0842, "wake_on_lan"},
    {0x22f3, "trill"},
    {0x6002, "decnet_mop"},
    {0x6003, "decnet"},
    {0x8035, "rarp"},
    {0x809b, "appletalk"},
    {0x80f3, "aarp"},
    {0x8100, "vlan"},
    {0x8137, "ipx"},
    {0x8808, "pause"},
    {0x8809, "lacp"},
    {0x8847, "mpls"},
    {0x8863, "pppoe_discovery"},
    {0x887b, "homeplug"},
    {0x888e, "eapol"},
    {0x8892, "profinet"},
    {0x889a, "hyperscsi"},
    {0x88a2, "ata"},
    {0x88a4, "ethercat"},
    {0x88ab, "powerlink"},
    {0x88b8, "goose"},
    {0x88ba, "sampled_values"},
    {0x88ca, "tipc"},
    {0x88cc, "lldp"},
    {0x88cd, "sercos"},
    {0x88e1, "homeplug_av"},
    {0x88e3, "mrp"},
    {0x88e5, "macsec"},
    {0x88f5, "mvrp"},
    {0x88f6, "mmrp"},
    {0x88f7, "ptp"},
    {0x88fb, "prp"},
    {0x8902, "cfm"},
    {0x8906, "fcoe"},
    {0x8914, "fip"},
    {0x8915, "roce"},
    {0x892f, "hsr"},
    {0x8942, "batman"},
    {0x894f, "nsh"},
    {0x9000, "loopback"},
};
constexpr Name kAccessPoints[] = {
    {0x4242, "stp"}, {0xaaaa, "snap"}, {0xe0e0, "ipx"},     {0xf0f0, "netbios"},
    {0xfefe, "osi"}, {0x0404, "sna"},  {0xffff, "ipx_raw"},
};
// IANA numbers.
constexpr Name kPppProtocols[] = {
    {0x002b, "ipx"}, {0x00fd, "compressed"}, {0x8021, "ipcp"}, {0x8057, "ipv6cp"},
    {0x80fd, "ccp"}, {0x8281, "mplscp"},     {0xc021, "lcp"},  {0xc023, "pap"},
    {0xc025, "lqr"}, {0xc223, "chap"},       {0xc227, "eap"},
};
// IEEE 802.11 9.2.4.1.3: type and subtype, the upper byte of frame control.
constexpr Name kFrames[] = {
    {0x00, "association_request"},
    {0x10, "association_response"},
    {0x40, "probe_request"},
    {0x50, "probe_response"},
    {0x80, "beacon"},
    {0xa0, "disassociation"},
    {0xb0, "authentication"},
    {0xc0, "deauthentication"},
    {0xd0, "action"},
    {0x84, "block_ack_request"},
    {0x94, "block_ack"},
    {0xa4, "ps_poll"},
    {0xb4, "rts"},
    {0xc4, "cts"},
    {0xd4, "ack"},
    {0x48, "null"},
    {0xc8, "qos_null"},
    {0x08, "encrypted_data"},
    {0x88, "encrypted_qos_data"},
};

std::string_view Find(std::span<const Name> names, std::uint16_t number) {
  for (const Name& name : names) {
    if (name.number == number) return name.name;
  }
  return "";
}

std::string Text(std::string_view kind, std::uint16_t number, std::string_view name) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text(kind);
  text += " 0x";
  for (int shift = 12; shift >= 0; shift -= 4) text += kDigits[number >> shift & 15];
  if (!name.empty()) text.append(" (").append(name).append(")");
  return text;
}

}  // namespace

std::string UnsupportedName(const DecodedPacket& packet) {
  const std::uint16_t number = packet.unsupported;
  switch (packet.reason) {
    case DecodeReason::kUnknownLinkType:
      return "link_type " + std::to_string(number);
    case DecodeReason::kUnknownEtherType:
      return Text("ethertype", number, Find(kEtherTypes, number));
    case DecodeReason::kUnknownLlc:
      return Text("llc", number, Find(kAccessPoints, number));
    case DecodeReason::kUnknownPppProtocol:
      return Text("ppp", number, Find(kPppProtocols, number));
    case DecodeReason::kNonDataFrame:
      return Text("frame control", number, Find(kFrames, number >> 8));
    default:
      return "";
  }
}

}  // namespace nta
