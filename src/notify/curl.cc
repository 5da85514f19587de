#include "notify/curl.h"

#include <array>

#include "base/status.h"

namespace nta::notify {
namespace {

absl::StatusCode CodeOf(CURLcode code) {
  switch (code) {
    case CURLE_LOGIN_DENIED:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_USE_SSL_FAILED:
    case CURLE_SSL_CACERT_BADFILE:
      return absl::StatusCode::kPermissionDenied;
    case CURLE_OPERATION_TIMEDOUT:
      return absl::StatusCode::kDeadlineExceeded;
    default:
      return absl::StatusCode::kUnavailable;
  }
}

}  // namespace

absl::StatusOr<CurlTransfer> CurlTransfer::Create(std::chrono::seconds timeout,
                                                  const char* protocols) {
  CurlTransfer transfer;
  CURL* handle = transfer.handle();
  if (handle == nullptr) {
    return base::MakeStatus(absl::StatusCode::kResourceExhausted, "libcurl cannot be used");
  }
  const auto milliseconds =
      static_cast<long>(std::chrono::duration_cast<std::chrono::milliseconds>(timeout).count());
  curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, milliseconds);
  curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT_MS, milliseconds);
  curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(handle, CURLOPT_PROXY, "");
  curl_easy_setopt(handle, CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
  curl_easy_setopt(handle, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(handle, CURLOPT_SSL_VERIFYPEER, 1L);
  curl_easy_setopt(handle, CURLOPT_SSL_VERIFYHOST, 2L);
  curl_easy_setopt(handle, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  curl_easy_setopt(handle, CURLOPT_FRESH_CONNECT, 1L);
  curl_easy_setopt(handle, CURLOPT_FORBID_REUSE, 1L);
#if LIBCURL_VERSION_NUM >= 0x075500
  curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, protocols);
#else
  long mask = 0;
  for (const auto& [name, bit] :
       {std::pair("https", CURLPROTO_HTTPS), {"smtps", CURLPROTO_SMTPS}}) {
    if (std::string(protocols).find(name) != std::string::npos) {
      mask |= bit | (bit == CURLPROTO_HTTPS ? CURLPROTO_HTTP : CURLPROTO_SMTP);
    }
  }
  curl_easy_setopt(handle, CURLOPT_PROTOCOLS, mask);
#endif
  return transfer;
}

absl::Status CurlTransfer::Perform(long& status) {
  std::array<char, CURL_ERROR_SIZE> error{};
  curl_easy_setopt(handle(), CURLOPT_ERRORBUFFER, error.data());
  const CURLcode code = curl_easy_perform(handle());
  curl_easy_setopt(handle(), CURLOPT_ERRORBUFFER, nullptr);
  status = 0;
  curl_easy_getinfo(handle(), CURLINFO_RESPONSE_CODE, &status);
  if (code == CURLE_OK) return absl::OkStatus();
  const std::string text = error[0] != '\0' ? error.data() : curl_easy_strerror(code);
  return base::MakeStatus(CodeOf(code), text);
}

}  // namespace nta::notify
