// Log(): events of the program, for its log files and stderr.
#ifndef NTA_SERVER_LOGGING_LOG_H_
#define NTA_SERVER_LOGGING_LOG_H_

#include <string_view>

#include "nta/log/logger.h"

namespace nta::server {

using nta::LogLevel;

// Never give it a password, token or request body; what has to be near one is an nta::Secret in a
// field. Thread-safe. Before there is a LogScope, and after, a line on stderr.
void Log(LogLevel level, std::string_view component, std::string_view message,
         Logger::Fields fields = {});
// Of the component "server".
void Log(LogLevel level, std::string_view message);

// As long as it lives, Log() goes to its logger. One at a time: a program has one log.
class LogScope {
 public:
  explicit LogScope(Logger& logger);
  ~LogScope();
  LogScope(const LogScope&) = delete;
  LogScope& operator=(const LogScope&) = delete;
};

}  // namespace nta::server

#endif  // NTA_SERVER_LOGGING_LOG_H_
