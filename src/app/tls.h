// TLS 1.0 to 1.3 and SSL 3.0 over TCP.
#ifndef NTA_APP_TLS_H_
#define NTA_APP_TLS_H_

#include "app/parser.h"

namespace nta::internal {

extern const Parser kTlsParser;

}  // namespace nta::internal

#endif  // NTA_APP_TLS_H_
