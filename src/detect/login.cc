#include "detect/login.h"

#include <algorithm>
#include <charconv>
#include <string_view>

namespace nta::detect {
namespace {

constexpr std::uint16_t kSshPort = 22;
constexpr std::uint16_t kRdpPort = 3389;

std::uint32_t NumberOf(std::string_view text) {
  std::uint32_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

// SSH encrypts what the server says, but not how much. Up to its last refusal a session consists of
// the key exchange and a few short messages. The server's share of that is 1.4 to 2.5 KB with
// classic key exchanges, and 1.1 KB more with a post-quantum one, for which the client has sent as
// much more. A session that goes on adds at least the host keys, a channel and its output.
constexpr std::uint64_t kSshMinBytes = 700;      // less is no key exchange: a scan of versions
constexpr std::uint64_t kSshServerBytes = 2600;  // the most of a classic key exchange and refusals
constexpr std::uint64_t kSshClientBytes = 2900;  // beyond this the key exchange is a longer one
constexpr std::uint64_t kSshLongerBytes = 1100;
constexpr std::uint64_t kSshSession = 700;  // what a session that goes on adds at the least
constexpr Duration kSshLongest = std::chrono::seconds(125);  // LoginGraceTime is 120

std::optional<Logins> SshLogins(const FlowRecord& flow) {
  const std::uint64_t sent = flow.forward.payload_bytes;
  const std::uint64_t received = flow.reverse.payload_bytes;
  if (received < kSshMinBytes || sent < kSshMinBytes / 2) return std::nullopt;
  const std::uint64_t longer =
      sent > kSshClientBytes ? std::min(sent - kSshClientBytes, kSshLongerBytes) : 0;
  const std::uint64_t limit = kSshServerBytes + longer;
  Logins logins{.evidence = LoginEvidence::kShape, .user = {}};
  if (received <= limit && sent <= limit + kSshClientBytes && flow.duration() <= kSshLongest) {
    logins.failed = 1;
  } else if (received > limit + kSshSession) {
    logins.succeeded = 1;
  } else {
    return std::nullopt;
  }
  return logins;
}

// An RDP session that ends after the log-in has exchanged a certificate and credentials; one that
// goes on sends a screen.
std::optional<Logins> RdpLogins(const FlowRecord& flow) {
  constexpr std::uint64_t kMinBytes = 600;
  constexpr std::uint64_t kMostBytes = 7000;
  constexpr std::uint64_t kScreenBytes = 40'000;
  const std::uint64_t received = flow.reverse.payload_bytes;
  Logins logins{.evidence = LoginEvidence::kShape, .user = {}};
  if (received < kMinBytes) return std::nullopt;
  if (received <= kMostBytes && flow.forward.payload_bytes <= kMostBytes &&
      flow.duration() <= std::chrono::seconds(30)) {
    logins.failed = 1;
  } else if (received >= kScreenBytes) {
    logins.succeeded = 1;
  } else {
    return std::nullopt;
  }
  return logins;
}

// A refused request and nothing else: a browser goes on with credentials in the same connection.
std::optional<Logins> HttpLogins(const FlowRecord& flow) {
  constexpr std::uint64_t kOneAnswer = 3000;
  constexpr std::uint64_t kOneQuestion = 1500;
  const std::string_view status = flow.metadata->Get(MetadataField::kHttpStatus);
  if (status != "401" && status != "403" && status != "407") return std::nullopt;
  if (flow.reverse.payload_bytes > kOneAnswer || flow.forward.payload_bytes > kOneQuestion) {
    return std::nullopt;
  }
  return Logins{.evidence = LoginEvidence::kCode, .failed = 1, .is_web = true, .user = {}};
}

std::optional<Logins> CodedLogins(const FlowRecord& flow) {
  Logins logins;
  logins.failed = NumberOf(flow.metadata->Get(MetadataField::kLoginFailures));
  logins.succeeded = NumberOf(flow.metadata->Get(MetadataField::kLoginSuccesses));
  if (logins.failed == 0 && logins.succeeded == 0) return std::nullopt;
  logins.user = flow.metadata->Get(MetadataField::kUserName);
  // A SIP client is asked for its password each time.
  logins.is_web = flow.application == Application::kSip;
  return logins;
}

}  // namespace

std::optional<Logins> LoginsOf(const FlowRecord& flow, bool is_over) {
  if (flow.metadata != nullptr) {
    if (auto logins = CodedLogins(flow)) return logins;
    if (is_over && flow.application == Application::kHttp) return HttpLogins(flow);
  }
  if (!is_over || flow.protocol != kProtocolTcp) return std::nullopt;
  const std::uint16_t port = flow.destination.port;
  if (flow.application == Application::kSsh ||
      (port == kSshPort && flow.application == Application::kUnknown)) {
    return SshLogins(flow);
  }
  if (flow.application == Application::kRdp || port == kRdpPort) return RdpLogins(flow);
  return std::nullopt;
}

std::string LoginService(const FlowRecord& flow) {
  if (flow.application != Application::kUnknown) {
    return std::string(ToString(flow.application));
  }
  if (flow.destination.port == kSshPort) return "ssh";
  if (flow.destination.port == kRdpPort) return "rdp";
  return ProtocolName(flow.protocol) + "/" + std::to_string(flow.destination.port);
}

}  // namespace nta::detect
