// Logger: events in, to every sink that wants them.
//
//   nta::Logger logger({.clock = [] { return Now(); }});
//   logger.AddSink(nta::StreamLogSink::Stderr(nta::LogFormat::kText));
//   logger.Info("capture", "started", {{"interface", "eth0"}});
#ifndef NTA_LOG_LOGGER_H_
#define NTA_LOG_LOGGER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "nta/log/log_event.h"
#include "nta/log/log_sink.h"

namespace nta {

struct LoggerOptions {
  std::function<Timestamp()> clock = {};  // asked once an event; must be safe for several threads
  LogLevel min_level = LogLevel::kInfo;   // of the kinds but audit, which is never too quiet
  LogLimits limits = {};
};

// What a sink wants.
struct LogSinkFilter {
  std::optional<LogKind> kind = {};  // absent: all
  LogLevel min_level = LogLevel::kDebug;
};

struct LoggerStats {
  std::uint64_t events = 0;  // that passed the level
  std::uint64_t failed = 0;  // times that a sink lost one
  absl::Status last_error = {};
};

// Thread-safe; sinks are called on the thread that logs. No event is ever an error for whoever
// logs it.
class Logger {
 public:
  explicit Logger(LoggerOptions options);
  ~Logger();
  Logger(const Logger&) = delete;
  Logger& operator=(const Logger&) = delete;

  // Owned from now on; the reference is good as long as the logger is.
  LogSink& AddSink(std::unique_ptr<LogSink> sink, LogSinkFilter filter = {});

  using Fields = std::vector<LogField>;
  void Debug(std::string_view component, std::string_view message, Fields fields = {});
  void Info(std::string_view component, std::string_view message, Fields fields = {});
  void Warning(std::string_view component, std::string_view message, Fields fields = {});
  void Error(std::string_view component, std::string_view message, Fields fields = {});
  // An event of any kind. Its time is taken from the clock.
  void Log(LogEvent event);

  void SetLevel(LogLevel level);
  LogLevel level() const;
  bool IsOn(LogLevel level) const { return level >= this->level(); }

  absl::Status Flush();
  LoggerStats Stats() const;

 private:
  class Impl;
  const std::unique_ptr<Impl> impl_;
};

}  // namespace nta

#endif  // NTA_LOG_LOGGER_H_
