// The names and the time of validity in an X.509 certificate (RFC 5280).
#ifndef NTA_APP_CERTIFICATE_H_
#define NTA_APP_CERTIFICATE_H_

#include <cstdint>
#include <span>
#include <string>

namespace nta::internal {

struct Certificate {
  std::string subject;  // RFC 4514: "CN=example.org,O=Example,C=US"
  std::string issuer;
  std::string not_before;  // RFC 3339; empty when unreadable
  std::string not_after;
};

// Reads as far as the DER goes; what it does not reach stays empty. Names are cut at 1024 bytes.
Certificate ReadCertificate(std::span<const std::uint8_t> der);

}  // namespace nta::internal

#endif  // NTA_APP_CERTIFICATE_H_
