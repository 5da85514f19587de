// DTLS 1.0 to 1.3.
#ifndef NTA_APP_DTLS_H_
#define NTA_APP_DTLS_H_

#include "app/parser.h"

namespace nta::internal {

extern const Parser kDtlsParser;

}  // namespace nta::internal

#endif  // NTA_APP_DTLS_H_
