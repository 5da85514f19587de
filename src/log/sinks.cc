#include <unistd.h>

#include <cerrno>
#include <deque>
#include <thread>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "base/mutex_lock.h"
#include "base/status.h"
#include "log/log_line.h"
#include "nta/log/log_sink.h"

namespace nta {

std::unique_ptr<StreamLogSink> StreamLogSink::Stderr(LogFormat format) {
  return std::make_unique<StreamLogSink>(STDERR_FILENO, format);
}

absl::Status StreamLogSink::Write(const LogEvent& event) {
  const std::string line = FormatLogLine(event, format_);
  std::size_t done = 0;
  while (done < line.size()) {
    const ssize_t size = write(descriptor_, line.data() + done, line.size() - done);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return base::ErrnoStatus(errno, "cannot write a log line");
    done += static_cast<std::size_t>(size);
  }
  return absl::OkStatus();
}

namespace {

std::size_t BytesOf(const LogEvent& event) {
  std::size_t bytes = sizeof(LogEvent) + event.component.size() + event.message.size();
  for (const LogField& field : event.fields) {
    const auto* text = std::get_if<std::string>(&field.value);
    bytes += sizeof(LogField) + field.name.size() + (text != nullptr ? text->size() : 0);
  }
  return bytes;
}

LogEvent DropNote(const LogEvent& after, std::uint64_t count) {
  return {.time = after.time,
          .level = LogLevel::kWarning,
          .kind = after.kind,
          .component = "log",
          .message = "events were dropped: the log could not keep up",
          .fields = {{"count", count}}};
}

}  // namespace

class QueuedLogSink::Queue {
 public:
  Queue(LogSink& sink, const QueuedLogSinkOptions& options)
      : sink_(sink), options_(options), thread_([this] { Work(); }) {}
  ~Queue() {
    {
      const base::MutexLock lock(&mutex_);
      ended_ = true;
    }
    thread_.join();
  }

  absl::Status Add(const LogEvent& event) {
    const std::size_t bytes = BytesOf(event);
    const base::MutexLock lock(&mutex_);
    if (events_.size() >= options_.max_events || bytes_ + bytes > options_.max_bytes) {
      ++dropped_;
      ++untold_;
      return base::MakeStatus(absl::StatusCode::kResourceExhausted,
                              "the log's queue is full: the event was dropped");
    }
    if (untold_ > 0) Push(DropNote(event, std::exchange(untold_, 0)));
    Push(event);
    return absl::OkStatus();
  }

  absl::Status Flush() {
    {
      base::MutexLock lock(&mutex_);
      // What comes meanwhile is not waited for: there may be no end of it.
      const std::uint64_t target = added_;
      while (
          !lock.AwaitWithTimeout([this, target] { return HasWritten(target); }, absl::Seconds(1))) {
      }
    }
    return sink_.Flush();
  }

  std::uint64_t dropped() const {
    const base::MutexLock lock(&mutex_);
    return dropped_;
  }

 private:
  bool HasWritten(std::uint64_t count) const ABSL_NO_THREAD_SAFETY_ANALYSIS {
    return written_ >= count;
  }
  bool HasWork() const ABSL_NO_THREAD_SAFETY_ANALYSIS { return ended_ || !events_.empty(); }

  void Push(const LogEvent& event) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    bytes_ += BytesOf(event);
    events_.push_back(event);
    ++added_;
  }

  // Takes all that waits, so that writers and this thread meet at the lock once a batch.
  std::deque<LogEvent> Take(std::size_t just_written) {
    base::MutexLock lock(&mutex_);
    written_ += just_written;
    while (!lock.AwaitWithTimeout([this] { return HasWork(); }, absl::Seconds(1))) {
    }
    bytes_ = 0;
    return std::exchange(events_, {});
  }

  void Work() {
    for (auto batch = Take(0); !batch.empty(); batch = Take(batch.size())) {
      for (const LogEvent& event : batch) {
        // The sink itself counts and tells what it loses.
        sink_.Write(event).IgnoreError();
      }
    }
  }

  LogSink& sink_;
  const QueuedLogSinkOptions options_;
  mutable absl::Mutex mutex_;
  std::deque<LogEvent> events_ ABSL_GUARDED_BY(mutex_);
  std::size_t bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  std::uint64_t dropped_ ABSL_GUARDED_BY(mutex_) = 0;
  std::uint64_t untold_ ABSL_GUARDED_BY(mutex_) = 0;
  std::uint64_t added_ ABSL_GUARDED_BY(mutex_) = 0;
  std::uint64_t written_ ABSL_GUARDED_BY(mutex_) = 0;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

QueuedLogSink::QueuedLogSink(std::unique_ptr<LogSink> sink, QueuedLogSinkOptions options)
    : sink_(std::move(sink)), queue_(std::make_unique<Queue>(*sink_, options)) {}
QueuedLogSink::~QueuedLogSink() = default;

absl::Status QueuedLogSink::Write(const LogEvent& event) { return queue_->Add(event); }
absl::Status QueuedLogSink::Flush() { return queue_->Flush(); }
std::uint64_t QueuedLogSink::dropped() const { return queue_->dropped(); }

}  // namespace nta
