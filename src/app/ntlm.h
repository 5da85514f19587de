// NTLMSSP messages inside SMB, HTTP, mail and others (MS-NLMP): user, domain and host names.
#ifndef NTA_APP_NTLM_H_
#define NTA_APP_NTLM_H_

#include <cstdint>
#include <span>
#include <string_view>

#include "app/findings.h"

namespace nta::internal {

inline constexpr std::string_view kNtlmMark{"NTLMSSP\0", 8};

enum class NtlmMessage : std::uint8_t {
  kNone = 0,
  kNegotiate = 1,
  kChallenge = 2,
  kAuthenticate = 3
};

// Finds the first NTLMSSP message in `bytes` and takes its names.
NtlmMessage ReadNtlm(std::span<const std::uint8_t> bytes, Findings& findings);

}  // namespace nta::internal

#endif  // NTA_APP_NTLM_H_
