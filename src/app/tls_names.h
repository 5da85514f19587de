// Numbers of TLS by name.
#ifndef NTA_APP_TLS_NAMES_H_
#define NTA_APP_TLS_NAMES_H_

#include <array>
#include <cstdint>
#include <string_view>

namespace nta::internal {

// Room for the text of a number without a name.
using NumberText = std::array<char, 6>;
// "TLS 1.3", "DTLS 1.2", "SSL 3.0"; "0x7f1c" for others. Valid while `room` is left as it is.
std::string_view TlsVersionName(std::uint16_t version, NumberText& room);
// The name in IANA's registry for suites that are in wide use; "0xc0ff" for others. Likewise.
std::string_view TlsCipherName(std::uint16_t cipher, NumberText& room);

// RFC 8701: values that clients send to keep servers tolerant; fingerprints leave them out.
constexpr bool IsGrease(std::uint16_t value) {
  return (value & 0x0F0F) == 0x0A0A && value >> 8 == (value & 0xFF);
}

}  // namespace nta::internal

#endif  // NTA_APP_TLS_NAMES_H_
