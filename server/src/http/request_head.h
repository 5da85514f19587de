// ReadHead(): what libmicrohttpd made of a request's head, checked once more.
#ifndef NTA_SERVER_HTTP_REQUEST_HEAD_H_
#define NTA_SERVER_HTTP_REQUEST_HEAD_H_

#include <optional>
#include <string_view>

#include "http/http.h"

struct MHD_Connection;

namespace nta::server {

// Fills in the client's address and the headers we read. An answer refuses the request: where its
// body ends is not certain (RFC 9112 section 6.3), or a header that must be unique is not.
std::optional<Response> ReadHead(MHD_Connection* connection, std::string_view version,
                                 Request& request);

}  // namespace nta::server

#endif  // NTA_SERVER_HTTP_REQUEST_HEAD_H_
