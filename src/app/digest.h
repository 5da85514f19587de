// Digests as fingerprints use them: lower-case hexadecimal.
#ifndef NTA_APP_DIGEST_H_
#define NTA_APP_DIGEST_H_

#include <string>
#include <string_view>

namespace nta::internal {

// MD5, because JA3 and HASSH are defined by it; no secret depends on it. 32 digits.
std::string Md5Hex(std::string_view text);
// The first 12 digits of SHA-256, as in JA4.
std::string Sha256Hex12(std::string_view text);

}  // namespace nta::internal

#endif  // NTA_APP_DIGEST_H_
