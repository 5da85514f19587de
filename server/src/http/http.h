// Request and Response: HTTP as the handlers see it.
#ifndef NTA_SERVER_HTTP_HTTP_H_
#define NTA_SERVER_HTTP_HTTP_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "nta/net/ip_address.h"
#include "nta/net/time.h"

namespace nta::server {

class BodyFile;
class StreamClient;

inline constexpr std::size_t kMaxBodyBytes = 64 << 10;

using NamedValues = std::vector<std::pair<std::string, std::string>>;

struct Target {
  std::string path;   // decoded; begins with "/"
  NamedValues query;  // decoded
};

// Splits and decodes a request target (origin form or absolute form). InvalidArgument for wrong
// percent-encoding, control characters and anything that is not UTF-8.
absl::StatusOr<Target> ParseTarget(std::string_view raw);

struct Request {
  std::string method;
  Target target;
  std::string authorization;
  std::string content_type;
  std::string if_none_match;
  std::string body;
  // Instead of `body`, where the route takes uploads.
  std::shared_ptr<BodyFile> upload;
  std::uint64_t content_length = 0;  // as announced; 0 when it was not
  IpAddress client;
  std::optional<IpAddress> server;  // the address that was connected to
  // Connections are numbered from 1 as they are opened: this one, and the newest when the request
  // came.
  std::uint64_t connection = 0;
  std::uint64_t newest_connection = 0;
  // Requested when nobody waits for the answer any more.
  std::stop_token stop{};
};

struct Response {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  NamedValues headers;
  // A body that outlives the response; shared because a reload may drop it while it is being sent.
  std::shared_ptr<const std::string> shared_body;
  // A body from a file.
  std::shared_ptr<const BodyFile> file;
  // For the audit trail, not for the client: what the handler found out. "actor", "role" and
  // "target" take the place of what the request said; other names are details. Never a secret.
  NamedValues audit;
  // The act goes on after the answer: whoever ends it records its outcome.
  bool ends_later = false;
  // Shared between the hub that fills it and the connection that empties it.
  std::shared_ptr<StreamClient> stream;
};

Response Json(std::string body, int status = 200);
Response NoContent();
// To be saved under `name` by whoever asked.
Response Download(std::shared_ptr<const BodyFile> file, std::string_view name,
                  std::string_view content_type);

// RFC 9457. `detail` is for people and names no path, statement or other inner thing; `members` are
// more JSON members,
// `,"position":3`.
Response Problem(int status, std::string_view detail, std::string_view members = {});
// A problem after which the connection closes, because it is not certain where the next request
// would begin.
Response RefuseAndClose(int status, std::string_view detail);
// For a body of more than `most` bytes, the rest of which is not read.
Response TooLarge(std::uint64_t most);
Response Unauthorized(std::string_view detail);
Response TooManyRequests(Duration wait);
Response Busy(std::string_view detail, Duration wait);

// What a library's error means to a client. Errors that are not the client's own are logged, and
// told in our words.
Response FromStatus(const absl::Status& status);

// The texts of RFC 9110 for the statuses we use.
std::string_view ReasonPhrase(int status);

}  // namespace nta::server

#endif  // NTA_SERVER_HTTP_HTTP_H_
