// LogEvent: what happened, as a logger hands it to its sinks.
//
//   nta::LogEvent event{.time = now, .level = nta::LogLevel::kWarning, .component = "capture",
//                       .message = "packets were dropped", .fields = {{"count", 17}}};
#ifndef NTA_LOG_LOG_EVENT_H_
#define NTA_LOG_LOG_EVENT_H_

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "nta/log/secret.h"
#include "nta/net/time.h"

namespace nta {

enum class LogLevel : std::uint8_t { kDebug = 0, kInfo = 1, kWarning = 2, kError = 3 };

// Logs of different readers and lifetimes, kept in files of their own.
enum class LogKind : std::uint8_t {
  kServer = 0,    // how the program fares
  kSecurity = 1,  // who tried what: sign-ins, lockouts, limits, refusals
  kAudit = 2,     // copies of audit records and checkpoints, for sending away; see AuditLog
};

// "debug", "info", "warning", "error".
std::string_view ToString(LogLevel level);
absl::StatusOr<LogLevel> ParseLogLevel(std::string_view name);
// "server", "security", "audit".
std::string_view ToString(LogKind kind);
absl::StatusOr<LogKind> ParseLogKind(std::string_view name);

// Whether a value of that name is told as "[redacted]": password, passphrase, secret, token,
// authorization, cookie, api_key, private_key and their like, alone or as the last part of the name
// ("smtp_password").
bool IsSecretName(std::string_view name);

// A named value beside the message. A Secret is told as "[redacted]", and so is whatever has a name
// that says so: password, passphrase, secret, token, authorization, cookie, api_key, private_key,
// alone or as the last part of the name ("smtp_password").
struct LogField {
  using Value = std::variant<std::string, std::int64_t, std::uint64_t, double, bool, Secret>;

  LogField(std::string the_name, std::string the_text)
      : name(std::move(the_name)), value(std::move(the_text)) {}
  LogField(std::string the_name, std::string_view the_text)
      : name(std::move(the_name)), value(std::string(the_text)) {}
  LogField(std::string the_name, const char* the_text)
      : name(std::move(the_name)), value(std::string(the_text)) {}
  LogField(std::string the_name, bool the_value) : name(std::move(the_name)), value(the_value) {}
  LogField(std::string the_name, double the_value) : name(std::move(the_name)), value(the_value) {}
  LogField(std::string the_name, Secret the_secret)
      : name(std::move(the_name)), value(std::move(the_secret)) {}
  template <std::signed_integral T>
  LogField(std::string the_name, T the_value)
      : name(std::move(the_name)), value(std::int64_t{the_value}) {}
  template <std::unsigned_integral T>
  LogField(std::string the_name, T the_value)
      : name(std::move(the_name)), value(std::uint64_t{the_value}) {}

  std::string name;
  Value value;
};

// A sink gets it ready to be written: every text is printable UTF-8 of a bounded size, with what is
// not spelled out ("\x0a", "\xff", "\u{202e}"), and secrets are gone.
struct LogEvent {
  Timestamp time = {};
  LogLevel level = LogLevel::kInfo;
  LogKind kind = LogKind::kServer;
  std::string component = {};  // "capture", "store.writer": parts from large to small
  std::string message = {};
  std::vector<LogField> fields = {};
};

// The bounds of an event; what exceeds them is cut, and the text tells how much.
struct LogLimits {
  std::size_t max_message_bytes = 4096;
  std::size_t max_component_bytes = 64;
  std::size_t max_value_bytes = 1024;
  std::size_t max_fields = 24;
};

// Makes an event ready for sinks, as above. Fields of one name get numbers ("name_2"). What a
// Logger does with every event.
LogEvent Cleaned(LogEvent event, const LogLimits& limits);

}  // namespace nta

#endif  // NTA_LOG_LOG_EVENT_H_
