#include "nta/net/five_tuple.h"

#include <charconv>

#include "base/status.h"

namespace nta {
namespace {

struct NamedProtocol {
  std::uint8_t number;
  std::string_view name;
};

// IANA "Assigned Internet Protocol Numbers", those that are met in practice.
constexpr NamedProtocol kProtocols[] = {
    {0, "hopopt"},   {1, "icmp"},    {2, "igmp"},     {4, "ipv4"},        {6, "tcp"},
    {8, "egp"},      {9, "igp"},     {17, "udp"},     {33, "dccp"},       {41, "ipv6"},
    {46, "rsvp"},    {47, "gre"},    {50, "esp"},     {51, "ah"},         {58, "icmpv6"},
    {88, "eigrp"},   {89, "ospf"},   {94, "ipip"},    {97, "etherip"},    {103, "pim"},
    {112, "vrrp"},   {115, "l2tp"},  {132, "sctp"},   {135, "mobility"},  {136, "udplite"},
    {137, "mpls"},
};

}  // namespace

std::string ProtocolName(std::uint8_t protocol) {
  for (const NamedProtocol& known : kProtocols) {
    if (known.number == protocol) return std::string(known.name);
  }
  return std::to_string(protocol);
}

absl::StatusOr<std::uint8_t> ParseProtocol(std::string_view text) {
  for (const NamedProtocol& known : kProtocols) {
    if (known.name == text) return known.number;
  }
  std::uint8_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc() && end == text.data() + text.size() && !text.empty()) return number;
  return base::InvalidArgument("not an IP protocol: \"" + std::string(text.substr(0, 64)) + '"');
}

std::string Endpoint::ToString() const {
  const std::string text = address.ToString();
  return (address.is_v4() ? text : '[' + text + ']') + ':' + std::to_string(port);
}

std::string FiveTuple::ToString() const {
  return ProtocolName(protocol) + ' ' + source.ToString() + " -> " + destination.ToString();
}

}  // namespace nta
