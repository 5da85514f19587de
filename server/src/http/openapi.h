// MakeOpenApi(): the route table as an OpenAPI 3.1 document.
#ifndef NTA_SERVER_HTTP_OPENAPI_H_
#define NTA_SERVER_HTTP_OPENAPI_H_

#include <string>
#include <vector>

#include "http/routes.h"

namespace nta::server {

std::string MakeOpenApi(const std::vector<Route>& routes);

}  // namespace nta::server

#endif  // NTA_SERVER_HTTP_OPENAPI_H_
