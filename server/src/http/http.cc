#include "http/http.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>

#include "base/status.h"
#include "http/json_text.h"
#include "logging/log.h"
#include "text.h"

namespace nta::server {
namespace {

constexpr std::size_t kMaxQueryValues = 32;

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

enum class PlusIs { kPlus, kSpace };

absl::StatusOr<std::string> Decode(std::string_view text, PlusIs plus) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '+' && plus == PlusIs::kSpace) c = ' ';
    if (c == '%') {
      const int high = i + 2 < text.size() ? HexValue(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? HexValue(text[i + 2]) : -1;
      if (high < 0 || low < 0)
        return base::InvalidArgument("the address has a wrong percent-encoding");
      c = static_cast<char>(high * 16 + low);
      i += 2;
    }
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
      return base::InvalidArgument("the address has a control character");
    }
    decoded.push_back(c);
  }
  if (!Utf8Length(decoded)) return base::InvalidArgument("the address is not UTF-8");
  return decoded;
}

absl::Status ParseQuery(std::string_view text, NamedValues& query) {
  while (!text.empty()) {
    const std::string_view pair = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(pair.size() + 1, text.size()));
    if (pair.empty()) continue;
    if (query.size() >= kMaxQueryValues) return base::InvalidArgument("too many parameters");
    const std::size_t equals = std::min(pair.find('='), pair.size());
    NTA_ASSIGN_OR_RETURN(std::string name, Decode(pair.substr(0, equals), PlusIs::kSpace));
    NTA_ASSIGN_OR_RETURN(std::string value,
                         Decode(pair.substr(std::min(equals + 1, pair.size())), PlusIs::kSpace));
    query.emplace_back(std::move(name), std::move(value));
  }
  return absl::OkStatus();
}

Response WithRetryAfter(Response response, Duration wait) {
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(wait).count();
  response.headers.emplace_back("Retry-After", std::to_string(std::max<std::int64_t>(seconds, 1)));
  return response;
}

std::string Message(const absl::Status& status) {
  return std::string(status.message().data(), status.message().size());
}

}  // namespace

absl::StatusOr<Target> ParseTarget(std::string_view raw) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!raw.starts_with(scheme)) continue;
    raw.remove_prefix(scheme.size());
    raw.remove_prefix(std::min(raw.find('/'), raw.size()));
  }
  if (!raw.starts_with('/') || raw.find('#') != std::string_view::npos) {
    return base::InvalidArgument("the address does not begin with a slash");
  }
  const std::size_t mark = std::min(raw.find('?'), raw.size());
  Target target;
  NTA_ASSIGN_OR_RETURN(target.path, Decode(raw.substr(0, mark), PlusIs::kPlus));
  NTA_RETURN_IF_ERROR(ParseQuery(raw.substr(std::min(mark + 1, raw.size())), target.query));
  return target;
}

Response Json(std::string body, int status) {
  Response response;
  response.status = status;
  response.body = std::move(body);
  return response;
}

Response NoContent() {
  Response response;
  response.status = 204;
  response.content_type.clear();
  return response;
}

Response Download(std::shared_ptr<const BodyFile> file, std::string_view name,
                  std::string_view content_type) {
  Response response;
  response.content_type = content_type;
  response.file = std::move(file);
  std::string plain;
  for (const char c : name) {
    const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                          (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
    plain += is_plain ? c : '_';
  }
  response.headers.emplace_back("Content-Disposition", "attachment; filename=\"" + plain + "\"");
  return response;
}

Response Problem(int status, std::string_view detail, std::string_view members) {
  Response response;
  response.status = status;
  response.content_type = "application/problem+json";
  response.body = R"({"type":"about:blank","title":)" + JsonQuote(ReasonPhrase(status)) +
                  R"(,"status":)" + std::to_string(status) + R"(,"detail":)" + JsonQuote(detail);
  response.body.append(members).append("}");
  return response;
}

Response RefuseAndClose(int status, std::string_view detail) {
  Response response = Problem(status, detail);
  // Where the next request would begin is not certain.
  response.headers.emplace_back("Connection", "close");
  return response;
}

Response TooLarge(std::uint64_t most) {
  constexpr std::array<std::string_view, 3> kUnits = {" KiB", " MiB", " GiB"};
  std::size_t unit = 0;
  std::uint64_t size = most >> 10;
  while (unit + 1 < kUnits.size() && size >= 1024 && size % 1024 == 0) {
    size /= 1024;
    ++unit;
  }
  return RefuseAndClose(
      413, "the body is larger than " + std::to_string(size) + std::string(kUnits[unit]));
}

Response Unauthorized(std::string_view detail) {
  Response response = Problem(401, detail);
  response.headers.emplace_back("WWW-Authenticate", "Bearer");
  return response;
}

Response TooManyRequests(Duration wait) {
  return WithRetryAfter(Problem(429, "too many requests; try again later"), wait);
}

Response Busy(std::string_view detail, Duration wait) {
  return WithRetryAfter(Problem(503, detail), wait);
}

Response FromStatus(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kInvalidArgument:
      return Problem(400, Message(status));
    case absl::StatusCode::kUnauthenticated:
      return Unauthorized(Message(status));
    case absl::StatusCode::kNotFound:
      return Problem(404, "there is no such thing");
    case absl::StatusCode::kAlreadyExists:
      return Problem(409, "it exists already");
    case absl::StatusCode::kDeadlineExceeded:
      // Asking again would take as long again: no Retry-After.
      return Problem(
          503,
          "the question took too long; ask for a shorter interval, a narrower filter, or "
          "an export, which may take its time",
          R"(,"reason":"query_timeout")");
    case absl::StatusCode::kCancelled:
      return Busy("the question was given up", std::chrono::seconds(1));
    default:
      Log(LogLevel::kError, "http", "a request failed", {{"error", Message(status)}});
      return Busy("the store is not available", std::chrono::seconds(1));
  }
}

std::string_view ReasonPhrase(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 304:
      return "Not Modified";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 409:
      return "Conflict";
    case 411:
      return "Length Required";
    case 413:
      return "Content Too Large";
    case 415:
      return "Unsupported Media Type";
    case 429:
      return "Too Many Requests";
    case 500:
      return "Internal Server Error";
    case 503:
      return "Service Unavailable";
    default:
      return "Error";
  }
}

}  // namespace nta::server
