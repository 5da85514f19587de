#include "nta/flow/community_id.h"

#include <openssl/evp.h>

#include <array>
#include <optional>
#include <utility>

#include "nta/packet/decode.h"

namespace nta {
namespace {

constexpr std::size_t kSha1Bytes = 20;

// The type of the message that answers, or is answered by, one of this type.
std::optional<std::uint8_t> Counterpart(std::uint8_t protocol, std::uint8_t type) {
  constexpr std::pair<std::uint8_t, std::uint8_t> kV4[] = {
      {8, 0}, {9, 10}, {13, 14}, {15, 16}, {17, 18}};
  constexpr std::pair<std::uint8_t, std::uint8_t> kV6[] = {{128, 129}, {130, 131}, {133, 134},
                                                           {135, 136}, {139, 140}, {144, 145}};
  const auto find = [type](const auto& pairs) -> std::optional<std::uint8_t> {
    for (const auto& [a, b] : pairs) {
      if (type == a) return b;
      if (type == b) return a;
    }
    return std::nullopt;
  };
  return protocol == kProtocolIcmp ? find(kV4) : find(kV6);
}

bool HasPorts(std::uint8_t protocol) {
  return protocol == kProtocolTcp || protocol == kProtocolUdp || protocol == kProtocolSctp;
}

void Append(std::uint16_t value, std::string& out) {
  out += static_cast<char>(value >> 8);
  out += static_cast<char>(value & 0xff);
}

void Append(const IpAddress& address, std::string& out) {
  const auto bytes = address.bytes();
  out.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

}  // namespace

std::string CommunityId(const FlowRecord& flow, std::uint16_t seed) {
  Endpoint a = flow.source;
  Endpoint b = flow.destination;
  bool has_ports = HasPorts(flow.protocol);
  bool is_one_way = false;
  if (!has_ports) a.port = b.port = 0;
  if (flow.icmp) {
    const std::optional<std::uint8_t> counterpart = Counterpart(flow.protocol, flow.icmp->type);
    a.port = flow.icmp->type;
    b.port = counterpart.value_or(flow.icmp->code);
    is_one_way = !counterpart;
    has_ports = true;
  }
  if (!is_one_way && std::pair(b.address, b.port) < std::pair(a.address, a.port)) std::swap(a, b);

  std::string input;
  Append(seed, input);
  Append(a.address, input);
  Append(b.address, input);
  input += static_cast<char>(flow.protocol);
  input += '\0';
  if (has_ports) {
    Append(a.port, input);
    Append(b.port, input);
  }
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned int size = 0;
  if (EVP_Digest(input.data(), input.size(), digest.data(), &size, EVP_sha1(), nullptr) != 1 ||
      size != kSha1Bytes) {
    return "";
  }
  std::array<unsigned char, 32> text;  // 28 characters and a zero
  const int length = EVP_EncodeBlock(text.data(), digest.data(), kSha1Bytes);
  return "1:" +
         std::string(reinterpret_cast<const char*>(text.data()), static_cast<std::size_t>(length));
}

}  // namespace nta
