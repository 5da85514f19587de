// LogSink: where events go. Implement it to send them elsewhere, or take one of ours.
//
//   logger.AddSink(nta::StreamLogSink::Stderr(nta::LogFormat::kText));
//   logger.AddSink(std::make_unique<nta::CallbackLogSink>([](const nta::LogEvent& e) { ... }));
#ifndef NTA_LOG_LOG_SINK_H_
#define NTA_LOG_LOG_SINK_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "nta/log/log_event.h"

namespace nta {

class LogSink {
 public:
  virtual ~LogSink() = default;
  // Writes one event; called by several threads at a time. An error loses the event: the logger
  // counts it.
  virtual absl::Status Write(const LogEvent& event) = 0;
  // Returns when what was written has left the process.
  virtual absl::Status Flush() { return absl::OkStatus(); }
};

enum class LogFormat : std::uint8_t { kJson = 0, kText = 1 };
// "json", "text".
std::string_view ToString(LogFormat format);
absl::StatusOr<LogFormat> ParseLogFormat(std::string_view name);

// One line with its line feed, with no other control character, valid UTF-8, whatever the event
// holds. docs/logs_and_audit.md has the formats.
std::string FormatLogLine(const LogEvent& event, LogFormat format);

// Writes lines to an open file that it does not close. Thread-safe: one system call for a line.
class StreamLogSink final : public LogSink {
 public:
  StreamLogSink(int descriptor, LogFormat format) : descriptor_(descriptor), format_(format) {}
  static std::unique_ptr<StreamLogSink> Stderr(LogFormat format);

  absl::Status Write(const LogEvent& event) override;

 private:
  const int descriptor_;
  const LogFormat format_;
};

// Calls a function that is safe to call from several threads. What it throws passes through.
class CallbackLogSink final : public LogSink {
 public:
  explicit CallbackLogSink(std::function<void(const LogEvent&)> callback)
      : callback_(std::move(callback)) {}

  absl::Status Write(const LogEvent& event) override {
    callback_(event);
    return absl::OkStatus();
  }

 private:
  const std::function<void(const LogEvent&)> callback_;
};

struct QueuedLogSinkOptions {
  // What may wait; events beyond are dropped and counted.
  std::size_t max_events = 8192;
  std::size_t max_bytes = std::size_t{8} << 20;
};

// Hands events to another sink on a thread of its own, so that nobody who logs waits for a slow
// disk. When the queue is full an event is dropped; as soon as there is room again, an event tells
// how many were. Thread-safe. The end writes what is queued.
class QueuedLogSink final : public LogSink {
 public:
  QueuedLogSink(std::unique_ptr<LogSink> sink, QueuedLogSinkOptions options);
  ~QueuedLogSink() override;

  // ResourceExhausted when the event was dropped.
  absl::Status Write(const LogEvent& event) override;
  absl::Status Flush() override;

  std::uint64_t dropped() const;
  LogSink& inner() { return *sink_; }

 private:
  class Queue;
  const std::unique_ptr<LogSink> sink_;
  const std::unique_ptr<Queue> queue_;
};

}  // namespace nta

#endif  // NTA_LOG_LOG_SINK_H_
