// One transfer with libcurl, set up so that nothing from outside (environment, netrc, redirects,
// other protocols) has a say in it.
#ifndef NTA_SRC_NOTIFY_CURL_H_
#define NTA_SRC_NOTIFY_CURL_H_

#include <curl/curl.h>

#include <chrono>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace nta::notify {

class CurlTransfer {
 public:
  static absl::StatusOr<CurlTransfer> Create(std::chrono::seconds timeout, const char* protocols);

  CURL* handle() { return handle_.get(); }
  // Performs it. `status` is the last status of the server's protocol, 0 when there was none.
  absl::Status Perform(long& status);

 private:
  CurlTransfer() : handle_(curl_easy_init(), curl_easy_cleanup) {}

  std::unique_ptr<CURL, void (*)(CURL*)> handle_;
};

using CurlList = std::unique_ptr<curl_slist, void (*)(curl_slist*)>;
inline CurlList NewList() { return CurlList(nullptr, curl_slist_free_all); }
inline void Append(CurlList& list, const std::string& text) {
  list.reset(curl_slist_append(list.release(), text.c_str()));
}

}  // namespace nta::notify

#endif  // NTA_SRC_NOTIFY_CURL_H_
