#include "nta/notify/syslog.h"

#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/status.h"
#include "base/utf8.h"

namespace nta {
namespace {

constexpr std::size_t kLongestMessage = 8192;
constexpr std::size_t kLongestValue = 512;

// The severity of RFC 5424: 1 alert, 2 critical, 3 error, 4 warning, 6 informational.
int SyslogSeverity(Severity severity) {
  switch (severity) {
    case Severity::kCritical:
      return 1;
    case Severity::kHigh:
      return 2;
    case Severity::kMedium:
      return 3;
    case Severity::kLow:
      return 4;
    case Severity::kInfo:
      return 6;
  }
  return 6;
}

// PRINTUSASCII of the RFC: no spaces, no controls.
std::string HeaderField(std::string_view text, std::size_t most) {
  std::string field;
  for (const char c : text.substr(0, most)) field += c > ' ' && c < 0x7f ? c : '_';
  return field.empty() ? "-" : field;
}

std::string ParameterValue(std::string_view text) {
  std::string value;
  for (const char c : base::PrintableUtf8(text, kLongestValue)) {
    if (c == '"' || c == '\\' || c == ']') value += '\\';
    value += c;
  }
  return value;
}

std::string ParameterName(std::string_view text) {
  std::string name;
  for (const char c : text.substr(0, 32)) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    name += plain ? c : '_';
  }
  return name.empty() ? "_" : name;
}

class Socket {
 public:
  explicit Socket(int descriptor) : descriptor_(descriptor) {}
  Socket(Socket&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  Socket& operator=(Socket&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  ~Socket() {
    if (descriptor_ >= 0) close(descriptor_);
  }
  int get() const { return descriptor_; }

 private:
  int descriptor_;
};

absl::Status Wait(int descriptor, short events, std::chrono::seconds timeout) {
  pollfd wait{descriptor, events, 0};
  const auto milliseconds =
      static_cast<int>(std::chrono::duration_cast<std::chrono::milliseconds>(timeout).count());
  const int ready = poll(&wait, 1, milliseconds);
  if (ready > 0) return absl::OkStatus();
  if (ready < 0) return base::ErrnoStatus(errno, "syslog");
  return base::MakeStatus(absl::StatusCode::kDeadlineExceeded, "the syslog server does not answer");
}

absl::Status Connect(int descriptor, const addrinfo& address, std::chrono::seconds timeout) {
  if (connect(descriptor, address.ai_addr, address.ai_addrlen) == 0) return absl::OkStatus();
  if (errno != EINPROGRESS) return base::ErrnoStatus(errno, "cannot reach the syslog server");
  NTA_RETURN_IF_ERROR(Wait(descriptor, POLLOUT, timeout));
  int error = 0;
  socklen_t size = sizeof(error);
  getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &size);
  if (error == 0) return absl::OkStatus();
  return base::MakeStatus(
      absl::StatusCode::kUnavailable,
      std::string(base::ErrnoStatus(error, "cannot reach the syslog server").message()));
}

absl::StatusOr<Socket> Open(const SyslogOptions& options) {
  addrinfo hints{};
  hints.ai_socktype = options.transport == SyslogTransport::kUdp ? SOCK_DGRAM : SOCK_STREAM;
  addrinfo* found = nullptr;
  const int error =
      getaddrinfo(options.host.c_str(), std::to_string(options.port).c_str(), &hints, &found);
  if (error != 0) {
    return base::MakeStatus(absl::StatusCode::kUnavailable,
                            "cannot find " + options.host + ": " + gai_strerror(error));
  }
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> list(found, freeaddrinfo);
  absl::Status status;
  for (const addrinfo* one = list.get(); one != nullptr; one = one->ai_next) {
    Socket descriptor(
        socket(one->ai_family, one->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, one->ai_protocol));
    if (descriptor.get() < 0) {
      status = base::ErrnoStatus(errno, "cannot open a socket");
      continue;
    }
    status = Connect(descriptor.get(), *one, options.timeout);
    if (status.ok()) return descriptor;
  }
  return status;
}

absl::Status SendAll(int descriptor, std::string_view bytes, std::chrono::seconds timeout) {
  while (!bytes.empty()) {
    const ssize_t sent = send(descriptor, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      NTA_RETURN_IF_ERROR(Wait(descriptor, POLLOUT, timeout));
    } else if (errno != EINTR) {
      return base::MakeStatus(
          absl::StatusCode::kUnavailable,
          std::string(base::ErrnoStatus(errno, "cannot send to the syslog server").message()));
    }
  }
  return absl::OkStatus();
}

}  // namespace

std::string_view ToString(SyslogTransport transport) {
  return transport == SyslogTransport::kUdp ? "udp" : "tcp";
}

absl::StatusOr<SyslogTransport> ParseSyslogTransport(std::string_view text) {
  if (text == "udp") return SyslogTransport::kUdp;
  if (text == "tcp") return SyslogTransport::kTcp;
  return base::InvalidArgument("transport is udp or tcp");
}

std::string FormatSyslog(const SyslogOptions& options, const Notification& news) {
  // Microseconds are the finest that the RFC has.
  std::string time = ToString(news.time);
  if (time.size() == 30) time.erase(26, 3);
  std::string message =
      absl::StrFormat("<%d>1 %s %s %s - %s ", options.facility * 8 + SyslogSeverity(news.severity),
                      time, HeaderField(options.host_name, 255), HeaderField(options.app_name, 48),
                      HeaderField(news.alert_class.empty() ? news.kind : news.alert_class, 32));
  if (news.kind == "digest") {
    message += "-";
  } else {
    // 32473 is the number that RFC 5612 sets aside for those who have none of their own.
    message += "[alert@32473 id=\"" + ParameterValue(news.id) + "\"";
    for (const auto& [name, value] : news.facts) {
      message += " " + ParameterName(name) + "=\"" + ParameterValue(value) + "\"";
    }
    message += "]";
  }
  message += " \xEF\xBB\xBF";
  const std::size_t left = kLongestMessage - std::min(kLongestMessage, message.size());
  return message + base::PrintableUtf8(news.subject + ": " + news.text, left);
}

absl::StatusOr<std::unique_ptr<SyslogChannel>> SyslogChannel::Create(SyslogOptions options) {
  const bool plain = std::all_of(options.host.begin(), options.host.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == ':';
  });
  if (options.host.empty() || options.host.size() > 253 || !plain) {
    return base::InvalidArgument("the syslog server is a host name or an address");
  }
  if (options.port == 0) return base::InvalidArgument("the port of the syslog server is missing");
  if (options.facility < 0 || options.facility > 23) {
    return base::InvalidArgument("a facility is 0 to 23");
  }
  return std::unique_ptr<SyslogChannel>(new SyslogChannel(std::move(options)));
}

absl::Status SyslogChannel::Send(const Notification& notification, Timestamp) {
  std::string message = FormatSyslog(options_, notification);
  NTA_ASSIGN_OR_RETURN(Socket descriptor, Open(options_));
  if (options_.transport == SyslogTransport::kTcp) {
    // Octet counting, RFC 6587.
    message.insert(0, std::to_string(message.size()) + " ");
  }
  return SendAll(descriptor.get(), message, options_.timeout);
}

}  // namespace nta
