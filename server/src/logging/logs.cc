#include "logging/logs.h"

#include <sys/stat.h>

#include <cerrno>
#include <utility>

#include "base/status.h"
#include "http/listen_socket.h"
#include "nta/log/syslog_sink.h"

namespace nta::server {
namespace {

constexpr RateLimit kSecurityEvents{.per_second = 1, .burst = 60};

absl::Status MakeDirectory(const std::string& path) {
  if (mkdir(path.c_str(), S_IRWXU) == 0 || errno == EEXIST) return absl::OkStatus();
  return base::ErrnoStatus(errno, "cannot make the log directory \"" + path + '"');
}

}  // namespace

Logs::Logs(LogsOptions options)
    : options_(std::move(options)),
      logger_({.clock = options_.clock.wall, .min_level = options_.level}),
      security_(kSecurityEvents) {}

Logs::~Logs() = default;

absl::StatusOr<std::unique_ptr<Logs>> Logs::Open(LogsOptions options) {
  NTA_RETURN_IF_ERROR(MakeDirectory(options.directory));
  std::unique_ptr<Logs> logs(new Logs(std::move(options)));
  NTA_RETURN_IF_ERROR(logs->AddFile(LogKind::kServer));
  NTA_RETURN_IF_ERROR(logs->AddFile(LogKind::kSecurity));
  if (!logs->options_.syslog.empty()) NTA_RETURN_IF_ERROR(logs->AddSyslog());
  if (logs->options_.to_stderr) {
    logs->logger_.AddSink(StreamLogSink::Stderr(LogFormat::kText), {.kind = LogKind::kServer});
    logs->logger_.AddSink(StreamLogSink::Stderr(LogFormat::kText),
                          {.kind = LogKind::kSecurity, .min_level = LogLevel::kWarning});
  }
  logs->scope_.emplace(logs->logger_);
  return logs;
}

absl::Status Logs::AddFile(LogKind kind) {
  NTA_ASSIGN_OR_RETURN(
      std::unique_ptr<RotatingFileSink> file,
      RotatingFileSink::Open(
          {.path = path(kind), .format = options_.format, .rotation = options_.rotation}));
  File& entry = files_[static_cast<std::size_t>(kind)];
  entry.file = file.get();
  auto queue = std::make_unique<QueuedLogSink>(std::move(file), QueuedLogSinkOptions{});
  entry.queue = queue.get();
  logger_.AddSink(std::move(queue), {.kind = kind});
  return absl::OkStatus();
}

absl::Status Logs::AddSyslog() {
  SyslogOptions syslog{.app_name = "nta-server"};
  if (options_.syslog.starts_with('/')) {
    syslog.socket_path = options_.syslog;
  } else {
    const auto address = ParseListenAddress(options_.syslog);
    if (!address.ok()) {
      return base::InvalidArgument("\"" + options_.syslog +
                                   "\" is no syslog daemon, as /dev/log or 192.0.2.1:514");
    }
    syslog.udp = Endpoint{address->address, address->port};
  }
  NTA_ASSIGN_OR_RETURN(std::unique_ptr<SyslogSink> sink, SyslogSink::Open(std::move(syslog)));
  logger_.AddSink(std::move(sink));
  return absl::OkStatus();
}

void Logs::Security(LogLevel level, const std::optional<IpAddress>& address,
                    std::string_view component, std::string_view message, Logger::Fields fields) {
  if (address) {
    if (security_.Take(AddressKey(*address), options_.clock.monotonic())) {
      const absl::MutexLock lock(&mutex_);
      ++unsaid_;
      return;
    }
    fields.insert(fields.begin(), {"address", address->ToString()});
  }
  {
    const absl::MutexLock lock(&mutex_);
    if (unsaid_ > 0) fields.emplace_back("not_logged_before", std::exchange(unsaid_, 0));
  }
  logger_.Log({.time = {},
               .level = level,
               .kind = LogKind::kSecurity,
               .component = std::string(component),
               .message = std::string(message),
               .fields = std::move(fields)});
}

std::string Logs::path(LogKind kind) const {
  return options_.directory + '/' + std::string(ToString(kind)) + ".log";
}

LogRotation Logs::rotation() const { return FileOf(LogKind::kServer).file->rotation(); }

absl::Status Logs::SetRotation(const LogRotation& rotation) {
  NTA_RETURN_IF_ERROR(CheckLogRotation(rotation));
  absl::Status first;
  for (const File& file : files_) first.Update(file.file->SetRotation(rotation));
  return first;
}

absl::Status Logs::RotateNow() {
  absl::Status first = Flush();
  for (const File& file : files_) first.Update(file.file->RotateNow());
  return first;
}

absl::Status Logs::RotateIfDue(Timestamp now) {
  absl::Status first;
  for (const File& file : files_) first.Update(file.file->RotateIfDue(now));
  return first;
}

absl::Status Logs::Reopen() {
  absl::Status first;
  for (const File& file : files_) first.Update(file.file->Reopen());
  return first;
}

std::array<LogState, 2> Logs::State() const {
  std::array<LogState, 2> states;
  for (std::size_t i = 0; i < files_.size(); ++i) {
    states[i] = {.kind = static_cast<LogKind>(i),
                 .file = files_[i].file->Stats(),
                 .dropped = files_[i].queue->dropped()};
  }
  return states;
}

}  // namespace nta::server
