#include "nta/log/syslog_sink.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "base/descriptor.h"
#include "base/mutex_lock.h"
#include "base/status.h"
#include "log/log_line.h"

namespace nta {
namespace {

constexpr std::uint8_t kAuthPriv = 10;
constexpr std::size_t kMinBytes = 480;  // what RFC 5424, 6.1, lets every receiver take

int SeverityOf(LogLevel level) {
  constexpr std::array<int, 4> kSeverities = {7, 6, 4, 3};
  return kSeverities[static_cast<std::size_t>(level)];
}

// RFC 5424, 6: printable US-ASCII without spaces, so much of it; "-" when nothing is left.
std::string Word(std::string_view text, std::size_t max_bytes, std::string_view forbidden = {}) {
  std::string word;
  for (const char c : text.substr(0, max_bytes)) {
    const bool fits = c > 0x20 && c < 0x7F && forbidden.find(c) == std::string_view::npos;
    word += fits ? c : '_';
  }
  return word.empty() ? "-" : word;
}

// Six fractional digits are the most that RFC 5424 knows.
std::string TimeText(Timestamp time) {
  std::string text = ToString(time);
  return text.replace(text.size() - 4, 4, "Z");
}

std::string Parameter(std::string_view name, std::string_view value) {
  std::string text = " " + Word(name, 32, "=]\"") + "=\"";
  for (const char c : log::Fit(value)) {
    if (c == '"' || c == '\\' || c == ']') text += '\\';
    text += c;
  }
  return text + '"';
}

// Cuts at the end of a character and says so.
void Cut(std::string& text, std::size_t max_bytes) {
  if (text.size() <= max_bytes) return;
  constexpr std::string_view kMark = " [cut]";
  std::size_t size = max_bytes - kMark.size();
  while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xC0) == 0x80) --size;
  text.resize(size);
  text += kMark;
}

std::string ThisHost() {
  std::array<char, 256> name{};
  return gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "";
}

}  // namespace

std::string FormatSyslog(const LogEvent& event, const SyslogOptions& options) {
  const std::uint8_t facility = event.kind == LogKind::kServer ? options.facility : kAuthPriv;
  std::string message =
      "<" + std::to_string(facility * 8 + SeverityOf(event.level)) + ">1 " + TimeText(event.time);
  message.append(" ").append(Word(options.hostname, 255));
  message.append(" ").append(Word(options.app_name, 48));
  message.append(" ").append(std::to_string(getpid()));
  message.append(" ").append(Word(ToString(event.kind), 32));
  // Structured data has no name registered for it (RFC 5424, 7): one of our own, with the number
  // that RFC 5612 keeps for documentation.
  const std::string text = " " + log::Fit(event.message);
  const std::size_t reserve = std::min<std::size_t>(text.size(), 200) + 2;
  message += " [nta@32473";
  std::string first = Parameter("component", event.component);
  message += first;
  std::size_t left_out = 0;
  for (const LogField& field : event.fields) {
    const std::string parameter = Parameter(field.name, log::ValueText(field.value));
    if (left_out > 0 || message.size() + parameter.size() + reserve + 24 > options.max_bytes) {
      ++left_out;
    } else {
      message += parameter;
    }
  }
  if (left_out > 0) message += Parameter("left_out", std::to_string(left_out));
  message += ']';
  message += text;
  Cut(message, options.max_bytes);
  return message;
}

class SyslogSink::Impl {
 public:
  explicit Impl(SyslogOptions options) : options_(std::move(options)) {}

  absl::Status Write(const LogEvent& event) {
    const std::string message = FormatSyslog(event, options_);
    const base::MutexLock lock(&mutex_);
    // A daemon that was started anew has a new socket.
    for (int attempt = 0; attempt < 2; ++attempt) {
      if (socket_.get() < 0) NTA_RETURN_IF_ERROR(Connect());
      if (send(socket_.get(), message.data(), message.size(), MSG_DONTWAIT | MSG_NOSIGNAL) >= 0) {
        return absl::OkStatus();
      }
      if (errno != ECONNREFUSED && errno != ENOTCONN && errno != ECONNRESET) break;
      const int error = errno;
      socket_ = base::Descriptor();
      errno = error;
    }
    return base::ErrnoStatus(errno, "the syslog daemon did not take an event");
  }

 private:
  absl::Status Connect() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    sockaddr_storage address{};
    const socklen_t size = Fill(address);
    base::Descriptor opened(
        socket(address.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (opened.get() < 0 ||
        connect(opened.get(), reinterpret_cast<const sockaddr*>(&address), size) != 0) {
      return base::ErrnoStatus(errno, "cannot reach the syslog daemon");
    }
    socket_ = std::move(opened);
    return absl::OkStatus();
  }

  socklen_t Fill(sockaddr_storage& storage) const {
    if (!options_.udp) {
      auto& address = reinterpret_cast<sockaddr_un&>(storage);
      address.sun_family = AF_UNIX;
      std::memcpy(address.sun_path, options_.socket_path.data(), options_.socket_path.size());
      return sizeof(sockaddr_un);
    }
    const auto bytes = options_.udp->address.bytes();
    if (bytes.size() == sizeof(in_addr)) {
      auto& address = reinterpret_cast<sockaddr_in&>(storage);
      address.sin_family = AF_INET;
      address.sin_port = htons(options_.udp->port);
      std::memcpy(&address.sin_addr, bytes.data(), bytes.size());
      return sizeof(sockaddr_in);
    }
    auto& address = reinterpret_cast<sockaddr_in6&>(storage);
    address.sin6_family = AF_INET6;
    address.sin6_port = htons(options_.udp->port);
    std::memcpy(&address.sin6_addr, bytes.data(), bytes.size());
    return sizeof(sockaddr_in6);
  }

  const SyslogOptions options_;
  absl::Mutex mutex_;
  base::Descriptor socket_ ABSL_GUARDED_BY(mutex_);
};

absl::StatusOr<std::unique_ptr<SyslogSink>> SyslogSink::Open(SyslogOptions options) {
  if (options.facility > 23) return base::InvalidArgument("a syslog facility is 0 to 23");
  if (options.max_bytes < kMinBytes || options.max_bytes > 65'000) {
    return base::InvalidArgument("max_bytes of syslog messages must be within 480 and 65000");
  }
  if (!options.udp && (options.socket_path.empty() ||
                       options.socket_path.size() >= sizeof(sockaddr_un::sun_path))) {
    return base::InvalidArgument("the path of the syslog socket must have 1 to 107 bytes");
  }
  if (options.hostname.empty()) options.hostname = ThisHost();
  return std::unique_ptr<SyslogSink>(new SyslogSink(std::make_unique<Impl>(std::move(options))));
}

SyslogSink::SyslogSink(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
SyslogSink::~SyslogSink() = default;
absl::Status SyslogSink::Write(const LogEvent& event) { return impl_->Write(event); }

}  // namespace nta
