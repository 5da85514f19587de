#include "http/request_head.h"

#include <microhttpd.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <cstring>

namespace nta::server {
namespace {

IpAddress ClientOf(MHD_Connection* connection) {
  const MHD_ConnectionInfo* info =
      MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
  if (info == nullptr || info->client_addr == nullptr) return {};
  if (info->client_addr->sa_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, info->client_addr, sizeof(v4));
    std::array<std::uint8_t, 4> bytes{};
    std::memcpy(bytes.data(), &v4.sin_addr, bytes.size());
    return IpAddress::V4(bytes);
  }
  sockaddr_in6 v6{};
  std::memcpy(&v6, info->client_addr, sizeof(v6));
  std::array<std::uint8_t, 16> bytes{};
  std::memcpy(bytes.data(), &v6.sin6_addr, bytes.size());
  return IpAddress::V6(bytes);
}

bool EqualsIgnoringCase(std::string_view a, std::string_view b) {
  return a.size() == b.size() &&
         std::equal(a.begin(), a.end(), b.begin(), [](unsigned char x, unsigned char y) {
           return std::tolower(x) == std::tolower(y);
         });
}

// The headers that decide where a request ends, and the few we read.
struct Headers {
  int hosts = 0;
  int lengths = 0;
  int encodings = 0;
  int authorizations = 0;
  bool wrong_name = false;
  bool wrong_length = false;
  bool wrong_encoding = false;
  std::uint64_t length = 0;
  Request* request = nullptr;
};

void ReadLength(Headers& headers, std::string_view value) {
  ++headers.lengths;
  const char* end = value.data() + value.size();
  const auto [stop, error] = std::from_chars(value.data(), end, headers.length);
  headers.wrong_length |= value.empty() || stop != end || error != std::errc();
}

MHD_Result ReadHeader(void* cls, MHD_ValueKind, const char* raw_name, const char* raw_value) {
  constexpr std::string_view kTokenCharacters =
      "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  Headers& headers = *static_cast<Headers*>(cls);
  const std::string_view name = raw_name == nullptr ? "" : raw_name;
  const std::string_view value = raw_value == nullptr ? "" : raw_value;
  headers.wrong_name |=
      name.empty() || name.find_first_not_of(kTokenCharacters) != std::string_view::npos;
  if (EqualsIgnoringCase(name, "host")) {
    ++headers.hosts;
  } else if (EqualsIgnoringCase(name, "content-length")) {
    ReadLength(headers, value);
  } else if (EqualsIgnoringCase(name, "transfer-encoding")) {
    ++headers.encodings;
    headers.wrong_encoding |= !EqualsIgnoringCase(value, "chunked");
  } else if (EqualsIgnoringCase(name, "authorization")) {
    ++headers.authorizations;
    headers.request->authorization = value;
  } else if (EqualsIgnoringCase(name, "content-type")) {
    headers.request->content_type = value;
  } else if (EqualsIgnoringCase(name, "if-none-match")) {
    headers.request->if_none_match = value;
  }
  return MHD_YES;
}

// RFC 9112 section 6.3: a request whose end is not certain is refused, not guessed at.
std::optional<Response> CheckHead(const Headers& headers, std::string_view version) {
  if (headers.wrong_name) return RefuseAndClose(400, "a header has a wrong name");
  if (headers.lengths > 1 || headers.wrong_length) {
    return RefuseAndClose(400, "Content-Length is wrong");
  }
  if (headers.encodings > 1 || headers.wrong_encoding) {
    return RefuseAndClose(400, "Transfer-Encoding is not chunked");
  }
  if (headers.encodings == 1 && (headers.lengths == 1 || version == "HTTP/1.0")) {
    return RefuseAndClose(400, "the length of the body is not certain");
  }
  if (headers.hosts > 1 || (headers.hosts == 0 && version == "HTTP/1.1")) {
    return RefuseAndClose(400, "Host is wrong");
  }
  if (headers.authorizations > 1) return RefuseAndClose(400, "Authorization appears twice");
  return std::nullopt;
}

}  // namespace

std::optional<Response> ReadHead(MHD_Connection* connection, std::string_view version,
                                 Request& request) {
  request.client = ClientOf(connection);
  Headers headers{.request = &request};
  MHD_get_connection_values(connection, MHD_HEADER_KIND, &ReadHeader, &headers);
  request.content_length = headers.length;
  return CheckHead(headers, version);
}

}  // namespace nta::server
