// UDP services whose answers are larger than the questions, so that a spoofed question floods
// somebody else (US-CERT TA14-017A and later findings).
#ifndef NTA_SRC_DETECT_REFLECTORS_H_
#define NTA_SRC_DETECT_REFLECTORS_H_

#include <array>
#include <cstdint>
#include <string_view>

namespace nta::detect {

struct Reflector {
  std::uint16_t port;
  std::string_view name;
};

inline constexpr std::array kReflectors = {
    Reflector{17, "qotd"},
    Reflector{19, "chargen"},
    Reflector{53, "dns"},
    Reflector{69, "tftp"},
    Reflector{111, "portmap"},
    Reflector{123, "ntp"},
    Reflector{137, "netbios"},
    Reflector{161, "snmp"},
    Reflector{177, "xdmcp"},
    Reflector{389, "cldap"},
    Reflector{427, "slp"},
    Reflector{520, "rip"},
    Reflector{623, "ipmi"},
    Reflector{1434, "mssql"},
    Reflector{1604, "citrix"},
    Reflector{1900, "ssdp"},
    Reflector{3283, "ard"},
    Reflector{3478, "stun"},
    Reflector{3702, "ws-discovery"},
    Reflector{5093, "sentinel"},
    Reflector{5353, "mdns"},
    Reflector{5683, "coap"},
    Reflector{10001, "ubiquiti"},
    Reflector{10074, "tp240"},
    Reflector{11211, "memcached"},
    Reflector{27015, "source-engine"},
    Reflector{27960, "quake"},
    Reflector{30718, "lantronix"},
    Reflector{32414, "plex"},
    Reflector{33848, "jenkins"},
    Reflector{37810, "dvr-dhcp"},
};

namespace internal {

// One bit a port: asked for each packet.
constexpr std::array<std::uint64_t, 1024> ReflectorBits() {
  std::array<std::uint64_t, 1024> bits{};
  for (const Reflector& reflector : kReflectors) {
    bits[reflector.port / 64] |= std::uint64_t{1} << (reflector.port % 64);
  }
  return bits;
}
inline constexpr std::array<std::uint64_t, 1024> kReflectorBits = ReflectorBits();

}  // namespace internal

constexpr bool IsReflectorPort(std::uint16_t port) {
  return (internal::kReflectorBits[port / 64] >> (port % 64) & 1) != 0;
}

constexpr std::string_view ReflectorName(std::uint16_t port) {
  for (const Reflector& reflector : kReflectors) {
    if (reflector.port == port) return reflector.name;
  }
  return "";
}

}  // namespace nta::detect

#endif  // NTA_SRC_DETECT_REFLECTORS_H_
