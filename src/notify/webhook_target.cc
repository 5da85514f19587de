// Where webhooks may go.
#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

#include "base/status.h"
#include "notify/curl.h"
#include "nta/notify/webhook.h"

namespace nta {
namespace {

// IANA special-purpose address registries (RFC 6890 and its successors), and multicast.
constexpr std::array<std::string_view, 17> kSpecialV4 = {
    "0.0.0.0/8",      "10.0.0.0/8",     "100.64.0.0/10",   "127.0.0.0/8",     "169.254.0.0/16",
    "172.16.0.0/12",  "192.0.0.0/24",   "192.0.2.0/24",    "192.31.196.0/24", "192.52.193.0/24",
    "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15",   "198.51.100.0/24",
    "203.0.113.0/24", "224.0.0.0/3"};
// 2000::/3 is what is given out; the rest is excluded as a whole.
constexpr std::array<std::string_view, 7> kSpecialV6 = {
    "2001::/23", "2001:db8::/32", "2002::/16",   "2620:4f:8000::/48",
    "3fff::/20", "2001:2::/48",   "2001:10::/28"};
constexpr std::string_view kGivenOutV6 = "2000::/3";
constexpr std::string_view kNat64 = "64:ff9b::/96";

bool IsIn(std::string_view prefix, const IpAddress& address) {
  return IpPrefix::Parse(prefix)->Contains(address);
}

absl::StatusOr<std::vector<IpAddress>> Resolve(const std::string& host) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  const int error = getaddrinfo(host.c_str(), nullptr, &hints, &list);
  if (error != 0) {
    return base::MakeStatus(absl::StatusCode::kUnavailable,
                            "cannot find " + host + ": " + gai_strerror(error));
  }
  std::vector<IpAddress> addresses;
  for (const addrinfo* one = list; one != nullptr; one = one->ai_next) {
    if (one->ai_family == AF_INET) {
      sockaddr_in address;
      std::memcpy(&address, one->ai_addr, sizeof(address));
      std::array<std::uint8_t, 4> bytes;
      std::memcpy(bytes.data(), &address.sin_addr, bytes.size());
      addresses.push_back(IpAddress::V4(bytes));
    } else if (one->ai_family == AF_INET6) {
      sockaddr_in6 address;
      std::memcpy(&address, one->ai_addr, sizeof(address));
      std::array<std::uint8_t, 16> bytes;
      std::memcpy(bytes.data(), &address.sin6_addr, bytes.size());
      addresses.push_back(IpAddress::V6(bytes));
    }
  }
  freeaddrinfo(list);
  return addresses;
}

class Url {
 public:
  Url() : handle_(curl_url(), curl_url_cleanup) {}
  bool Set(const std::string& text) {
    // Guesses nothing: no scheme is no web address.
    return curl_url_set(handle_.get(), CURLUPART_URL, text.c_str(), 0) == CURLUE_OK;
  }
  std::string Get(CURLUPart part, unsigned flags = 0) const {
    char* text = nullptr;
    if (curl_url_get(handle_.get(), part, &text, flags) != CURLUE_OK) return "";
    std::string copy(text);
    curl_free(text);
    return copy;
  }

 private:
  std::unique_ptr<CURLU, void (*)(CURLU*)> handle_;
};

absl::StatusOr<WebhookTarget> ParseUrl(const std::string& text) {
  constexpr std::size_t kLongestUrl = 2000;
  const bool printable = std::all_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) > 0x20 && static_cast<unsigned char>(c) < 0x7f;
  });
  // libcurl takes "http:///host" for "http://host".
  if (text.find(":///") != std::string::npos) {
    return base::InvalidArgument("this web address has no host");
  }
  Url url;
  if (text.empty() || text.size() > kLongestUrl || !printable || !url.Set(text)) {
    return base::InvalidArgument("this is no web address");
  }
  const std::string scheme = url.Get(CURLUPART_SCHEME);
  if (scheme != "http" && scheme != "https") {
    return base::InvalidArgument("a webhook is http or https");
  }
  if (!url.Get(CURLUPART_USER).empty() || !url.Get(CURLUPART_PASSWORD).empty()) {
    return base::InvalidArgument("a webhook's address holds no user name");
  }
  WebhookTarget target;
  target.url = url.Get(CURLUPART_URL);
  target.host = url.Get(CURLUPART_HOST);
  const std::string port = url.Get(CURLUPART_PORT, CURLU_DEFAULT_PORT);
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), target.port);
  if (target.host.empty() || error != std::errc() || target.port == 0) {
    return base::InvalidArgument("this web address has no host");
  }
  if (target.host.find('%') != std::string::npos) {
    return base::InvalidArgument("the host of a webhook is a name or an address without a zone");
  }
  return target;
}

}  // namespace

bool IsPublicAddress(const IpAddress& address) {
  const auto special = [&](std::string_view prefix) { return IsIn(prefix, address); };
  if (address.is_v4()) return std::none_of(kSpecialV4.begin(), kSpecialV4.end(), special);
  if (IsIn(kNat64, address)) {
    // A translator takes it to the IPv4 address in its last bytes.
    const auto& bytes = address.padded_bytes();
    return IsPublicAddress(IpAddress::V4(bytes[12], bytes[13], bytes[14], bytes[15]));
  }
  return IsIn(kGivenOutV6, address) && std::none_of(kSpecialV6.begin(), kSpecialV6.end(), special);
}

absl::StatusOr<WebhookTarget> FindWebhookTarget(const WebhookOptions& options) {
  NTA_ASSIGN_OR_RETURN(WebhookTarget target, ParseUrl(options.url));
  std::string host = target.host;
  std::vector<IpAddress> addresses;
  const bool bracketed = host.starts_with('[') && host.ends_with(']');
  if (const auto literal = IpAddress::Parse(bracketed ? host.substr(1, host.size() - 2) : host);
      literal.ok()) {
    addresses = {*literal};
  } else {
    NTA_ASSIGN_OR_RETURN(addresses, options.resolver ? options.resolver(host) : Resolve(host));
  }
  if (addresses.empty()) {
    return base::MakeStatus(absl::StatusCode::kUnavailable, host + " has no address");
  }
  for (const IpAddress& address : addresses) {
    const auto& allowed = options.allowed_networks;
    const bool is_allowed = std::any_of(allowed.begin(), allowed.end(),
                                        [&](const IpPrefix& net) { return net.Contains(address); });
    // One address that is not allowed is enough: names of strangers mix them on purpose.
    if (is_allowed || IsPublicAddress(address)) continue;
    return base::MakeStatus(absl::StatusCode::kPermissionDenied,
                            host + " is at " + address.ToString() +
                                ", which is no public address; name its network as allowed if it "
                                "shall be told");
  }
  target.address = addresses.front();
  return target;
}

}  // namespace nta
