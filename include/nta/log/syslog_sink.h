// SyslogSink: events to a syslog daemon, as RFC 5424 messages.
//
//   auto sink = nta::SyslogSink::Open({.socket_path = "/dev/log", .app_name = "nta-server"});
#ifndef NTA_LOG_SYSLOG_SINK_H_
#define NTA_LOG_SYSLOG_SINK_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "nta/log/log_sink.h"
#include "nta/net/five_tuple.h"

namespace nta {

struct SyslogOptions {
  std::string socket_path = "/dev/log";  // a Unix datagram socket, unless `udp` is set
  std::optional<Endpoint> udp = {};      // RFC 5426
  std::string app_name = "nta";
  std::string hostname = {};     // empty: this machine's
  std::uint8_t facility = 16;    // local0; security and audit events go to 10 (authpriv)
  std::size_t max_bytes = 2048;  // of a message; what RFC 5426 expects receivers to take
};

// The message for an event, without a frame. Texts that would make it longer than
// `options.max_bytes` are cut at the end of a character and marked.
std::string FormatSyslog(const LogEvent& event, const SyslogOptions& options);

// Thread-safe. Never waits: a message that the daemon does not take at once is lost, and told by
// the error.
class SyslogSink final : public LogSink {
 public:
  // InvalidArgument for a wrong facility or name. A daemon that is not there yet is looked for
  // again at each event.
  static absl::StatusOr<std::unique_ptr<SyslogSink>> Open(SyslogOptions options);
  ~SyslogSink() override;

  absl::Status Write(const LogEvent& event) override;

 private:
  class Impl;
  explicit SyslogSink(std::unique_ptr<Impl> impl);
  const std::unique_ptr<Impl> impl_;
};

}  // namespace nta

#endif  // NTA_LOG_SYSLOG_SINK_H_
