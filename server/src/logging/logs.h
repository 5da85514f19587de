// Logs: the log files of the server, by kind, and what is done with them.
#ifndef NTA_SERVER_LOGGING_LOGS_H_
#define NTA_SERVER_LOGGING_LOGS_H_

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "auth/rate_limiter.h"
#include "clock.h"
#include "logging/log.h"
#include "nta/log/log_reader.h"
#include "nta/log/logger.h"
#include "nta/log/rotating_file_sink.h"
#include "nta/net/ip_address.h"

namespace nta::server {

struct LogsOptions {
  std::string directory;  // made when it is missing
  LogLevel level = LogLevel::kInfo;
  LogFormat format = LogFormat::kJson;
  LogRotation rotation;
  // "/dev/log", "127.0.0.1:514"; empty: none. Security and audit events also go there.
  std::string syslog;
  bool to_stderr = true;
  Clock clock;
};

struct LogState {
  LogKind kind = LogKind::kServer;
  RotatingFileSinkStats file;
  std::uint64_t dropped = 0;  // events that a full queue did not take
};

// Thread-safe. Files are written on a thread of their own: nobody who logs waits for the disk.
class Logs {
 public:
  static absl::StatusOr<std::unique_ptr<Logs>> Open(LogsOptions options);
  ~Logs();

  Logger& logger() { return logger_; }

  // Who tried what. `address` may say so much a minute; beyond, events are counted, and the next
  // one that is written tells how many: a guesser must not push others out of the log.
  void Security(LogLevel level, const std::optional<IpAddress>& address, std::string_view component,
                std::string_view message, Logger::Fields fields = {});

  // "server.log", "security.log" in the directory. Audit events have no file here: see AuditTrail.
  std::string path(LogKind kind) const;

  LogRotation rotation() const;
  // As the options ask for.
  const LogRotation& default_rotation() const { return options_.rotation; }
  absl::Status SetRotation(const LogRotation& rotation);
  // Puts the files aside now.
  absl::Status RotateNow();
  // Puts those aside that are too old: for a scheduler, now and then.
  absl::Status RotateIfDue(Timestamp now);
  // After SIGHUP: whoever moved the files away expects new ones.
  absl::Status Reopen();
  // Returns when all that was logged is in the files.
  absl::Status Flush() { return logger_.Flush(); }
  std::array<LogState, 2> State() const;

 private:
  struct File {
    RotatingFileSink* file = nullptr;
    QueuedLogSink* queue = nullptr;
  };

  explicit Logs(LogsOptions options);
  absl::Status AddFile(LogKind kind);
  absl::Status AddSyslog();
  const File& FileOf(LogKind kind) const { return files_[static_cast<std::size_t>(kind)]; }

  const LogsOptions options_;
  Logger logger_;
  std::array<File, 2> files_;
  RateLimiter security_;
  absl::Mutex mutex_;
  std::uint64_t unsaid_ ABSL_GUARDED_BY(mutex_) = 0;
  std::optional<LogScope> scope_;  // last: what it logs to is whole
};

}  // namespace nta::server

#endif  // NTA_SERVER_LOGGING_LOGS_H_
