// Log(): one line on stderr for the operator, safe to show in a terminal.
#ifndef NTA_SERVER_LOG_H_
#define NTA_SERVER_LOG_H_

#include <string_view>

namespace nta::server {

enum class LogLevel { kInfo, kWarning, kError };

// Never give it a password, token or request body. Control characters are escaped: one call is one
// line. Thread-safe.
void Log(LogLevel level, std::string_view message);

}  // namespace nta::server

#endif  // NTA_SERVER_LOG_H_
