#include "nta/log/logger.h"

#include <atomic>
#include <utility>

#include "base/mutex_lock.h"
#include "base/system_clock.h"

namespace nta {

class Logger::Impl {
 public:
  explicit Impl(LoggerOptions options) : options_(std::move(options)), level_(options_.min_level) {
    if (!options_.clock) options_.clock = base::SystemNow;
  }

  struct Target {
    std::unique_ptr<LogSink> sink;
    LogSinkFilter filter;
  };

  // A copy, so that nobody waits for a sink under the lock. Sinks live as long as the logger.
  std::vector<std::pair<LogSink*, LogSinkFilter>> Targets() const {
    const base::MutexLock lock(&mutex_);
    std::vector<std::pair<LogSink*, LogSinkFilter>> targets;
    targets.reserve(targets_.size());
    for (const Target& target : targets_) targets.emplace_back(target.sink.get(), target.filter);
    return targets;
  }

  LogSink& Add(std::unique_ptr<LogSink> sink, LogSinkFilter filter) {
    const base::MutexLock lock(&mutex_);
    targets_.push_back({std::move(sink), filter});
    return *targets_.back().sink;
  }

  void Count(const absl::Status& status) {
    if (status.ok()) return;
    const base::MutexLock lock(&mutex_);
    ++failed_;
    last_error_ = status;
  }

  void Write(LogEvent event) {
    events_.fetch_add(1, std::memory_order_relaxed);
    event.time = options_.clock();
    const LogEvent clean = Cleaned(std::move(event), options_.limits);
    for (const auto& [sink, filter] : Targets()) {
      if (clean.level < filter.min_level || (filter.kind && *filter.kind != clean.kind)) continue;
      Count(sink->Write(clean));
    }
  }

  LoggerStats Stats() const {
    const base::MutexLock lock(&mutex_);
    return {.events = events_.load(std::memory_order_relaxed),
            .failed = failed_,
            .last_error = last_error_};
  }

  std::atomic<LogLevel>& level() { return level_; }

 private:
  LoggerOptions options_;
  std::atomic<LogLevel> level_;
  std::atomic<std::uint64_t> events_{0};
  mutable absl::Mutex mutex_;
  std::vector<Target> targets_ ABSL_GUARDED_BY(mutex_);
  std::uint64_t failed_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::Status last_error_ ABSL_GUARDED_BY(mutex_);
};

Logger::Logger(LoggerOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}
Logger::~Logger() = default;

LogSink& Logger::AddSink(std::unique_ptr<LogSink> sink, LogSinkFilter filter) {
  return impl_->Add(std::move(sink), filter);
}

void Logger::Log(LogEvent event) {
  // A quieter log must not silence what the audit trail is checked against.
  if (event.kind == LogKind::kAudit || IsOn(event.level)) impl_->Write(std::move(event));
}

void Logger::Debug(std::string_view component, std::string_view message, Fields fields) {
  Log({{},
       LogLevel::kDebug,
       LogKind::kServer,
       std::string(component),
       std::string(message),
       std::move(fields)});
}
void Logger::Info(std::string_view component, std::string_view message, Fields fields) {
  Log({{},
       LogLevel::kInfo,
       LogKind::kServer,
       std::string(component),
       std::string(message),
       std::move(fields)});
}
void Logger::Warning(std::string_view component, std::string_view message, Fields fields) {
  Log({{},
       LogLevel::kWarning,
       LogKind::kServer,
       std::string(component),
       std::string(message),
       std::move(fields)});
}
void Logger::Error(std::string_view component, std::string_view message, Fields fields) {
  Log({{},
       LogLevel::kError,
       LogKind::kServer,
       std::string(component),
       std::string(message),
       std::move(fields)});
}

void Logger::SetLevel(LogLevel level) { impl_->level().store(level, std::memory_order_relaxed); }
LogLevel Logger::level() const { return impl_->level().load(std::memory_order_relaxed); }

absl::Status Logger::Flush() {
  absl::Status first;
  for (const auto& [sink, filter] : impl_->Targets()) first.Update(sink->Flush());
  return first;
}

LoggerStats Logger::Stats() const { return impl_->Stats(); }

}  // namespace nta
