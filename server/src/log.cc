#include "log.h"

#include <cstdio>
#include <string>

#include "clock.h"
#include "text.h"

namespace nta::server {
namespace {

std::string_view NameOf(LogLevel level) {
  switch (level) {
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kWarning:
      return "warning";
    case LogLevel::kError:
      return "error";
  }
  return "";
}

}  // namespace

void Log(LogLevel level, std::string_view message) {
  std::string line = ToString(SystemClock().wall());
  line.append(" ").append(NameOf(level)).append(": ").append(Printable(message)).append("\n");
  // One write per line keeps lines of several threads apart.
  std::fwrite(line.data(), 1, line.size(), stderr);
}

}  // namespace nta::server
