// User names in SASL exchanges (RFC 4422) of SMTP, POP3, IMAP and XMPP. Passwords and digests are
// never kept.
#ifndef NTA_APP_SASL_H_
#define NTA_APP_SASL_H_

#include <cstdint>
#include <string_view>

#include "app/findings.h"

namespace nta::internal {

// What the client's next lines are. The values are kept in ParserMemory: 0 is none.
enum class SaslStep : std::uint32_t {
  kNone = 0,
  kUser = 1,     // LOGIN: base64 of the user name
  kSecret = 2,   // LOGIN: base64 of the password
  kMessage = 3,  // of the mechanism, base64
};

// The mechanism of an AUTH command and, if there is one, the initial response behind it.
SaslStep StartSasl(std::string_view mechanism, std::string_view initial_response,
                   Findings& findings);
// A line that the client sent in this step.
SaslStep ContinueSasl(SaslStep step, std::string_view line, Findings& findings);

}  // namespace nta::internal

#endif  // NTA_APP_SASL_H_
