#include "nta/log/rotating_file_sink.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <optional>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "base/descriptor.h"
#include "base/mutex_lock.h"
#include "base/status.h"
#include "log/byte_stream.h"
#include "log/file_set.h"
#include "log/log_line.h"

namespace nta {
namespace {

using base::Descriptor;

absl::Status Refuse(const std::string& path, std::string_view reason) {
  return base::MakeStatus(absl::StatusCode::kFailedPrecondition,
                          "will not write the log \"" + path + "\": " + std::string(reason));
}

absl::StatusOr<Descriptor> OpenFile(const std::string& path) {
  Descriptor file(open(path.c_str(),
                       O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK,
                       S_IRUSR | S_IWUSR));
  if (file.get() < 0 && errno == ELOOP) return Refuse(path, "it is a symbolic link");
  if (file.get() < 0) return base::ErrnoStatus(errno, "cannot open the log \"" + path + '"');
  struct stat info {};
  if (fstat(file.get(), &info) != 0) return base::ErrnoStatus(errno, "cannot read \"" + path + '"');
  if (!S_ISREG(info.st_mode)) return Refuse(path, "it is not a regular file");
  // Two sinks on one file would rotate it under each other.
  if (flock(file.get(), LOCK_EX | LOCK_NB) == 0) return file;
  return base::MakeStatus(absl::StatusCode::kUnavailable,
                          "the log \"" + path + "\" is written by another logger");
}

std::uint64_t SizeOf(int file) {
  struct stat info {};
  return fstat(file, &info) == 0 ? static_cast<std::uint64_t>(info.st_size) : 0;
}

void SetTime(int file, Timestamp time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  const timespec spec{.tv_sec = seconds.time_since_epoch().count(),
                      .tv_nsec = static_cast<long>((time - seconds).count())};
  const std::array<timespec, 2> times = {spec, spec};
  futimens(file, times.data());
}

bool IsSameFile(const std::string& path, int file) {
  struct stat named {};
  struct stat opened {};
  return lstat(path.c_str(), &named) == 0 && fstat(file, &opened) == 0 &&
         named.st_dev == opened.st_dev && named.st_ino == opened.st_ino;
}

// The end of the last whole line: a process that was killed, or a full disk, may have left a part.
std::uint64_t EndOfLines(int file, std::uint64_t size) {
  std::array<char, 4096> buffer;
  while (size > 0) {
    const std::uint64_t begin = size > buffer.size() ? size - buffer.size() : 0;
    const ssize_t got = pread(file, buffer.data(), size - begin, static_cast<off_t>(begin));
    if (got <= 0) return size;
    const std::string_view bytes(buffer.data(), static_cast<std::size_t>(got));
    const std::size_t at = bytes.rfind('\n');
    if (at != std::string_view::npos) return begin + at + 1;
    size = begin;
  }
  return 0;
}

std::optional<Timestamp> FirstTime(int file) {
  std::array<char, 4096> buffer;
  const ssize_t got = pread(file, buffer.data(), buffer.size(), 0);
  if (got <= 0) return std::nullopt;
  const std::string_view bytes(buffer.data(), static_cast<std::size_t>(got));
  const auto head = log::ParseHead(bytes.substr(0, bytes.find('\n')));
  return head ? std::optional(head->time) : std::nullopt;
}

}  // namespace

class RotatingFileSink::Impl {
 public:
  explicit Impl(const RotatingFileSinkOptions& options)
      : path_(options.path), format_(options.format), rotation_(options.rotation) {}

  absl::Status Open();
  absl::Status Write(const LogEvent& event);
  absl::Status Flush();
  absl::Status Rotate(std::optional<Timestamp> now);
  absl::Status SetRotation(const LogRotation& rotation);
  LogRotation rotation() const {
    const base::MutexLock lock(&mutex_);
    return rotation_;
  }
  RotatingFileSinkStats Stats() const;
  const std::string& path() const { return path_; }

 private:
  absl::Status Take(Descriptor file) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool IsFull(std::size_t more) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool IsOld(Timestamp now) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status PutAside() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status Append(std::string_view lines) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::string LossNote(const LogEvent& event) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status Tidy();

  const std::string path_;
  const LogFormat format_;
  // Before mutex_ where both are held: one thread packs and clears away at a time.
  absl::Mutex tidy_;
  mutable absl::Mutex mutex_;
  LogRotation rotation_ ABSL_GUARDED_BY(mutex_);
  Descriptor file_ ABSL_GUARDED_BY(mutex_);
  std::uint64_t next_number_ ABSL_GUARDED_BY(mutex_) = 1;
  std::optional<Timestamp> first_time_ ABSL_GUARDED_BY(mutex_);
  std::optional<Timestamp> last_time_ ABSL_GUARDED_BY(mutex_);
  // A rotation that failed is tried again when the file has grown to this.
  std::uint64_t retry_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  std::uint64_t untold_ ABSL_GUARDED_BY(mutex_) = 0;
  RotatingFileSinkStats stats_ ABSL_GUARDED_BY(mutex_);
};

absl::Status RotatingFileSink::Impl::Take(Descriptor file) {
  const std::uint64_t size = SizeOf(file.get());
  const std::uint64_t end = EndOfLines(file.get(), size);
  if (end != size && ftruncate(file.get(), static_cast<off_t>(end)) != 0) {
    return base::ErrnoStatus(errno, "cannot write the log \"" + path_ + '"');
  }
  stats_.bytes = end;
  first_time_ = FirstTime(file.get());
  last_time_.reset();
  retry_bytes_ = 0;
  file_ = std::move(file);
  return absl::OkStatus();
}

absl::Status RotatingFileSink::Impl::Open() {
  {
    const base::MutexLock lock(&mutex_);
    if (file_.get() >= 0 && IsSameFile(path_, file_.get())) return absl::OkStatus();
  }
  NTA_ASSIGN_OR_RETURN(Descriptor file, OpenFile(path_));
  {
    const base::MutexLock lock(&mutex_);
    NTA_RETURN_IF_ERROR(Take(std::move(file)));
    NTA_ASSIGN_OR_RETURN(const std::vector<log::PutAside> files, log::ListPutAside(path_, nullptr));
    if (!files.empty()) next_number_ = std::max(next_number_, files.back().number + 1);
  }
  return Tidy();
}

bool RotatingFileSink::Impl::IsFull(std::size_t more) const {
  return stats_.bytes > 0 && stats_.bytes + more > std::max(rotation_.max_bytes, retry_bytes_);
}

bool RotatingFileSink::Impl::IsOld(Timestamp now) const {
  return stats_.bytes > 0 && rotation_.max_age > Duration::zero() && first_time_ &&
         now - *first_time_ >= rotation_.max_age && stats_.bytes >= retry_bytes_;
}

absl::Status RotatingFileSink::Impl::PutAside() {
  const std::string target = log::NumberedPath(path_, next_number_);
  // For readers that pass over files by time: by the clock of the events, whatever it is.
  if (last_time_) SetTime(file_.get(), *last_time_);
  if (rename(path_.c_str(), target.c_str()) != 0) {
    return base::ErrnoStatus(errno, "cannot rotate \"" + path_ + '"');
  }
  absl::StatusOr<Descriptor> fresh = OpenFile(path_);
  if (!fresh.ok()) {
    // Back to where it was, rather than a log that nobody finds.
    rename(target.c_str(), path_.c_str());
    return std::move(fresh).status();
  }
  ++next_number_;
  ++stats_.rotations;
  return Take(*std::move(fresh));
}

absl::Status RotatingFileSink::Impl::Append(std::string_view lines) {
  std::size_t done = 0;
  while (done < lines.size()) {
    const ssize_t size = write(file_.get(), lines.data() + done, lines.size() - done);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) {
      const absl::Status status = base::ErrnoStatus(errno, "cannot write \"" + path_ + '"');
      if (done > 0 && ftruncate(file_.get(), static_cast<off_t>(stats_.bytes)) != 0) {
        stats_.bytes += done;  // what could not be taken back is a line of its own kind
      }
      return status;
    }
    done += static_cast<std::size_t>(size);
  }
  stats_.bytes += lines.size();
  return absl::OkStatus();
}

std::string RotatingFileSink::Impl::LossNote(const LogEvent& event) const {
  if (untold_ == 0) return {};
  return FormatLogLine({.time = event.time,
                        .level = LogLevel::kError,
                        .kind = event.kind,
                        .component = "log",
                        .message = "events were lost: " + std::string(stats_.last_error.message()),
                        .fields = {{"count", untold_}}},
                       format_);
}

absl::Status RotatingFileSink::Impl::Write(const LogEvent& event) {
  const std::string line = FormatLogLine(event, format_);
  bool rotated = false;
  absl::Status status;
  {
    const base::MutexLock lock(&mutex_);
    if (IsFull(line.size()) || IsOld(event.time)) {
      const absl::Status put_aside = PutAside();
      rotated = put_aside.ok();
      if (!rotated) {
        stats_.last_error = put_aside;
        retry_bytes_ = stats_.bytes + rotation_.max_bytes / 16;
      }
    }
    status = Append(LossNote(event) + line);
    if (status.ok()) {
      ++stats_.lines;
      untold_ = 0;
      if (!first_time_) first_time_ = event.time;
      last_time_ = std::max(last_time_.value_or(event.time), event.time);
    } else {
      ++stats_.lost;
      ++untold_;
      stats_.last_error = status;
    }
  }
  if (rotated) {
    const absl::Status tidied = Tidy();
    const base::MutexLock lock(&mutex_);
    if (!tidied.ok()) stats_.last_error = tidied;
  }
  return status;
}

absl::Status RotatingFileSink::Impl::Rotate(std::optional<Timestamp> now) {
  {
    const base::MutexLock lock(&mutex_);
    if (stats_.bytes == 0 || (now && !IsOld(*now))) return absl::OkStatus();
    const absl::Status put_aside = PutAside();
    if (!put_aside.ok()) {
      stats_.last_error = put_aside;
      return put_aside;
    }
  }
  return Tidy();
}

absl::Status RotatingFileSink::Impl::Tidy() {
  const base::MutexLock one_at_a_time(&tidy_);
  return log::TidyUp(path_, rotation());
}

absl::Status RotatingFileSink::Impl::Flush() {
  const base::MutexLock lock(&mutex_);
  if (fdatasync(file_.get()) == 0) return absl::OkStatus();
  return base::ErrnoStatus(errno, "cannot write \"" + path_ + '"');
}

absl::Status RotatingFileSink::Impl::SetRotation(const LogRotation& rotation) {
  NTA_RETURN_IF_ERROR(CheckLogRotation(rotation));
  {
    const base::MutexLock lock(&mutex_);
    rotation_ = rotation;
    retry_bytes_ = 0;
  }
  return Tidy();
}

RotatingFileSinkStats RotatingFileSink::Impl::Stats() const {
  const base::MutexLock lock(&mutex_);
  return stats_;
}

absl::StatusOr<std::unique_ptr<RotatingFileSink>> RotatingFileSink::Open(
    const RotatingFileSinkOptions& options) {
  if (options.path.empty() || options.path.find('\0') != std::string::npos) {
    return base::InvalidArgument("a log needs a path");
  }
  NTA_RETURN_IF_ERROR(CheckLogRotation(options.rotation));
  auto impl = std::make_unique<Impl>(options);
  NTA_RETURN_IF_ERROR(impl->Open());
  return std::unique_ptr<RotatingFileSink>(new RotatingFileSink(std::move(impl)));
}

RotatingFileSink::RotatingFileSink(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
RotatingFileSink::~RotatingFileSink() = default;

absl::Status RotatingFileSink::Write(const LogEvent& event) { return impl_->Write(event); }
absl::Status RotatingFileSink::Flush() { return impl_->Flush(); }
absl::Status RotatingFileSink::RotateNow() { return impl_->Rotate(std::nullopt); }
absl::Status RotatingFileSink::RotateIfDue(Timestamp now) { return impl_->Rotate(now); }
absl::Status RotatingFileSink::Reopen() { return impl_->Open(); }
absl::Status RotatingFileSink::SetRotation(const LogRotation& rotation) {
  return impl_->SetRotation(rotation);
}
LogRotation RotatingFileSink::rotation() const { return impl_->rotation(); }
RotatingFileSinkStats RotatingFileSink::Stats() const { return impl_->Stats(); }
const std::string& RotatingFileSink::path() const { return impl_->path(); }

}  // namespace nta
