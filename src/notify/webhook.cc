#include "nta/notify/webhook.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <cstdlib>

#include "base/status.h"
#include "base/utf8.h"
#include "notify/curl.h"
#include "notify/text.h"

namespace nta {
namespace {

constexpr std::size_t kLongestAnswer = 4096;

std::size_t DropAnswer(char*, std::size_t size, std::size_t count, void* context) {
  auto& left = *static_cast<std::size_t*>(context);
  const std::size_t bytes = size * count;
  // Fewer than offered ends the transfer: nobody may keep us reading.
  if (bytes > left) return 0;
  left -= bytes;
  return bytes;
}

// What libcurl is about to connect to has to be what was checked.
curl_socket_t OpenChecked(void* context, curlsocktype, curl_sockaddr* address) {
  const auto& target = *static_cast<const WebhookTarget*>(context);
  const bool is_v4 = address->family == AF_INET;
  if ((!is_v4 && address->family != AF_INET6) || is_v4 != target.address.is_v4()) {
    return CURL_SOCKET_BAD;
  }
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(&address->addr) + (is_v4 ? 4 : 8);
  const auto expected = target.address.bytes();
  if (!std::equal(expected.begin(), expected.end(), bytes)) return CURL_SOCKET_BAD;
  return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

// Letters, digits and a few signs only: an id from somewhere cannot add a header.
std::string HeaderSafe(std::string_view text) {
  std::string safe;
  for (const char c : text.substr(0, 200)) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '_' || c == '.' || c == ':';
    safe += plain ? c : '.';
  }
  return safe;
}

absl::Status StatusOf(long code, const std::string& host) {
  if (code >= 200 && code < 300) return absl::OkStatus();
  const std::string message = host + " answered " + std::to_string(code);
  if (code >= 300 && code < 400) {
    return base::MakeStatus(absl::StatusCode::kFailedPrecondition,
                            message + ", a redirect, which is not followed");
  }
  // What a later attempt may bring: a time-out, a conflict, too many requests, a log-in put right.
  const bool is_final = code >= 400 && code < 500 && code != 401 && code != 403 && code != 404 &&
                        code != 408 && code != 409 && code != 425 && code != 429;
  return base::MakeStatus(
      is_final ? absl::StatusCode::kInvalidArgument : absl::StatusCode::kUnavailable, message);
}

}  // namespace

std::string SignWebhook(std::string_view secret, std::int64_t timestamp, std::string_view body) {
  const std::string text = std::to_string(timestamp) + "." + std::string(body);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data(), &size);
  return "v1=" + notify::Hex({reinterpret_cast<const char*>(digest.data()), size});
}

bool VerifyWebhook(std::string_view secret, std::int64_t timestamp, std::string_view body,
                   std::string_view signature, std::int64_t now, std::chrono::seconds tolerance) {
  const std::string expected = SignWebhook(secret, timestamp, body);
  const std::int64_t age = now > timestamp ? now - timestamp : timestamp - now;
  return signature.size() == expected.size() &&
         CRYPTO_memcmp(signature.data(), expected.data(), expected.size()) == 0 &&
         age <= tolerance.count();
}

std::string FormatWebhook(const Notification& news) {
  using notify::JsonQuote;
  std::string json = R"({"id":)" + JsonQuote(news.id) + R"(,"time":)" +
                     JsonQuote(ToString(news.time)) + R"(,"severity":)" +
                     JsonQuote(ToString(news.severity)) + R"(,"kind":)" + JsonQuote(news.kind) +
                     R"(,"subject":)" + JsonQuote(news.subject) + R"(,"text":)" +
                     JsonQuote(news.text);
  if (!news.json.empty()) {
    json += (news.kind == "digest" ? R"(,"alerts":)" : R"(,"alert":)") + news.json;
  }
  return json + "}";
}

absl::StatusOr<std::unique_ptr<WebhookChannel>> WebhookChannel::Create(WebhookOptions options) {
  // Looks nothing up, but says what is wrong with the address as it is written.
  WebhookOptions check = options;
  check.resolver = [](const std::string&) -> absl::StatusOr<std::vector<IpAddress>> {
    return std::vector<IpAddress>{IpAddress::V4(1, 1, 1, 1)};
  };
  NTA_RETURN_IF_ERROR(FindWebhookTarget(check).status());
  return std::unique_ptr<WebhookChannel>(new WebhookChannel(std::move(options)));
}

absl::Status WebhookChannel::Send(const Notification& notification, Timestamp now) {
  NTA_ASSIGN_OR_RETURN(const WebhookTarget target, FindWebhookTarget(options_));
  NTA_ASSIGN_OR_RETURN(notify::CurlTransfer transfer,
                       notify::CurlTransfer::Create(options_.timeout, "http,https"));
  CURL* handle = transfer.handle();
  const std::string body = FormatWebhook(notification);
  const std::int64_t seconds =
      std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
  notify::CurlList headers = notify::NewList();
  notify::Append(headers, "Content-Type: application/json");
  notify::Append(headers, "Expect:");
  notify::Append(headers, "User-Agent: nta");
  notify::Append(headers, "X-Nta-Delivery: " + HeaderSafe(notification.id));
  notify::Append(headers, "X-Nta-Timestamp: " + std::to_string(seconds));
  if (!options_.secret.empty()) {
    notify::Append(headers, "X-Nta-Signature: " + SignWebhook(options_.secret, seconds, body));
  }
  const std::string address =
      target.address.is_v4() ? target.address.ToString() : "[" + target.address.ToString() + "]";
  notify::CurlList addresses = notify::NewList();
  notify::Append(addresses, "::" + address + ":" + std::to_string(target.port));
  std::size_t answer_left = kLongestAnswer;
  curl_easy_setopt(handle, CURLOPT_URL, target.url.c_str());
  curl_easy_setopt(handle, CURLOPT_CONNECT_TO, addresses.get());
  curl_easy_setopt(handle, CURLOPT_OPENSOCKETFUNCTION, OpenChecked);
  curl_easy_setopt(handle, CURLOPT_OPENSOCKETDATA, const_cast<WebhookTarget*>(&target));
  curl_easy_setopt(handle, CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(handle, CURLOPT_POSTFIELDS, body.c_str());
  curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE, static_cast<long>(body.size()));
  curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, DropAnswer);
  curl_easy_setopt(handle, CURLOPT_WRITEDATA, &answer_left);
  if (!options_.ca_file.empty()) {
    curl_easy_setopt(handle, CURLOPT_CAINFO, options_.ca_file.c_str());
  }
  long code = 0;
  const absl::Status status = transfer.Perform(code);
  // An answer that was too long to read to its end is an answer.
  if (code != 0) return StatusOf(code, target.host);
  if (status.ok()) return base::MakeStatus(absl::StatusCode::kUnavailable, "no answer");
  return base::MakeStatus(
      status.code(),
      target.host + ": " + std::string(status.message().data(), status.message().size()));
}

}  // namespace nta
