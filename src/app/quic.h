// QUIC: version 1 and 2 (RFC 9000, 9001, 9369) and the drafts from 29 on with their ClientHello;
// older drafts and Google's QUIC by their header only.
#ifndef NTA_APP_QUIC_H_
#define NTA_APP_QUIC_H_

#include "app/parser.h"

namespace nta::internal {

extern const Parser kQuicParser;

}  // namespace nta::internal

#endif  // NTA_APP_QUIC_H_
