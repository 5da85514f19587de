#include "logging/log.h"

#include <unistd.h>

#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "clock.h"

namespace nta::server {
namespace {

// Where Log() goes. Held while an event is written, so that no logger goes away under one.
struct Target {
  absl::Mutex mutex;
  Logger* logger ABSL_GUARDED_BY(mutex) = nullptr;
};

Target& TheTarget() {
  static Target target;
  return target;
}

}  // namespace

void Log(LogLevel level, std::string_view component, std::string_view message,
         Logger::Fields fields) {
  LogEvent event{.time = SystemClock().wall(),
                 .level = level,
                 .kind = LogKind::kServer,
                 .component = std::string(component),
                 .message = std::string(message),
                 .fields = std::move(fields)};
  Target& target = TheTarget();
  const absl::ReaderMutexLock lock(&target.mutex);
  if (target.logger != nullptr) {
    target.logger->Log(std::move(event));
  } else {
    StreamLogSink(STDERR_FILENO, LogFormat::kText)
        .Write(Cleaned(std::move(event), {}))
        .IgnoreError();
  }
}

void Log(LogLevel level, std::string_view message) { Log(level, "server", message); }

LogScope::LogScope(Logger& logger) {
  Target& target = TheTarget();
  const absl::MutexLock lock(&target.mutex);
  target.logger = &logger;
}

LogScope::~LogScope() {
  Target& target = TheTarget();
  const absl::MutexLock lock(&target.mutex);
  target.logger = nullptr;
}

}  // namespace nta::server
