// What a flow may be when its payload does not say: by its port, and by the peer's name.
#ifndef NTA_APP_GUESSES_H_
#define NTA_APP_GUESSES_H_

#include <cstdint>
#include <string_view>

#include "nta/flow/application.h"

namespace nta::internal {

// The application that IANA's registry, or wide use, gives a server's port; kUnknown for others.
// `protocol` is IANA's number of the transport.
Application ApplicationOfPort(std::uint8_t protocol, std::uint16_t port);

// What a well-known site serves, by the longest suffix of its name in our table; kUnknown for
// others. Letters of any case.
ApplicationCategory CategoryOfName(std::string_view name);

}  // namespace nta::internal

#endif  // NTA_APP_GUESSES_H_
