// HTTP/1 with upgrades to WebSocket and HTTP/2; HTTP/2 by its preface (cleartext, "prior
// knowledge").
#ifndef NTA_APP_HTTP_H_
#define NTA_APP_HTTP_H_

#include "app/parser.h"

namespace nta::internal {

extern const Parser kHttpParser;
extern const Parser kHttp2Parser;

}  // namespace nta::internal

#endif  // NTA_APP_HTTP_H_
