#include "firewall/change_marker.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdio>
#include <utility>

#include "base/status.h"
#include "firewall/json_fields.h"

namespace nta::firewall {
namespace {

constexpr std::size_t kMaxFileBytes = std::size_t{1} << 30;
constexpr int kFormat = 1;

class File {
 public:
  explicit File(int fd) : fd_(fd) {}
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() {
    if (fd_ >= 0) close(fd_);
  }
  int fd() const { return fd_; }

 private:
  int fd_;
};

absl::StatusOr<std::string> ReadWhole(const std::string& path) {
  const File file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (file.fd() < 0) return base::ErrnoStatus(errno, "cannot open " + path);
  std::string text;
  char buffer[65536];
  while (true) {
    const ssize_t size = read(file.fd(), buffer, sizeof(buffer));
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return base::ErrnoStatus(errno, "cannot read " + path);
    if (size == 0) return text;
    text.append(buffer, static_cast<std::size_t>(size));
    if (text.size() > kMaxFileBytes) return absl::DataLossError("a marker of a change is too long");
  }
}

absl::Status WriteAndSync(const std::string& path, std::string_view text) {
  unlink(path.c_str());
  const File file(open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (file.fd() < 0) return base::ErrnoStatus(errno, "cannot create " + path);
  while (!text.empty()) {
    const ssize_t size = write(file.fd(), text.data(), text.size());
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return base::ErrnoStatus(errno, "cannot write " + path);
    text.remove_prefix(static_cast<std::size_t>(size));
  }
  if (fsync(file.fd()) != 0) return base::ErrnoStatus(errno, "cannot sync " + path);
  return absl::OkStatus();
}

std::int64_t Nanoseconds(Timestamp time) { return time.time_since_epoch().count(); }

std::string ToText(const ChangeMarker& marker) {
  Json json;
  json["format"] = kFormat;
  json["token"] = marker.change.token;
  json["connection"] = marker.change.connection;
  json["applied"] = Nanoseconds(marker.change.applied);
  json["deadline"] = Nanoseconds(marker.change.deadline);
  json["boot_id"] = marker.boot_id;
  json["deadline_since_boot"] = marker.deadline_since_boot.count();
  json["cause"] = static_cast<int>(marker.cause);
  json["table"] = marker.nftables.table;
  json["priority"] = std::to_string(marker.nftables.priority);
  json["lock_path"] = marker.nftables.lock_path;
  json["nft_path"] = marker.nftables.nft_path;
  json["before"] = ToJson(marker.change.before);
  json["after"] = ToJson(marker.change.after);
  return Dump(json) + "\n";
}

// Priorities may be negative.
absl::StatusOr<int> ParseInt(std::string_view text) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc() && end == text.data() + text.size()) return number;
  return base::InvalidArgument("must be an integer");
}

absl::StatusOr<ChangeMarker> FromText(std::string_view text) {
  NTA_ASSIGN_OR_RETURN(const Json json, ParseJson(text));
  ChangeMarker marker;
  std::string before, after;
  std::int64_t applied = 0, deadline = 0, since_boot = 0;
  int format = 0, cause = 0;
  JsonFields fields(json, "marker");
  fields.Number("format", format);
  fields.Text("token", marker.change.token);
  fields.Text("connection", marker.change.connection);
  fields.Number("applied", applied);
  fields.Number("deadline", deadline);
  fields.Text("boot_id", marker.boot_id);
  fields.Number("deadline_since_boot", since_boot);
  fields.Number("cause", cause);
  fields.Text("table", marker.nftables.table);
  fields.Parsed("priority", marker.nftables.priority, ParseInt);
  fields.Text("lock_path", marker.nftables.lock_path);
  fields.Text("nft_path", marker.nftables.nft_path);
  fields.Text("before", before);
  fields.Text("after", after);
  NTA_RETURN_IF_ERROR(fields.Finish());
  if (format != kFormat) return base::InvalidArgument("it is of another version");
  marker.change.applied = Timestamp(Duration(applied));
  marker.change.deadline = Timestamp(Duration(deadline));
  marker.deadline_since_boot = std::chrono::nanoseconds(since_boot);
  if (cause < 0 || cause > static_cast<int>(RollBackCause::kRestart)) cause = 0;
  marker.cause = static_cast<RollBackCause>(cause);
  NTA_ASSIGN_OR_RETURN(marker.change.before, RuleSetFromJson(before));
  NTA_ASSIGN_OR_RETURN(marker.change.after, RuleSetFromJson(after));
  return marker;
}

}  // namespace

absl::Status ChangeFiles::CheckDirectory() const {
  struct stat info {};
  if (lstat(directory_.c_str(), &info) != 0) {
    return base::ErrnoStatus(errno, "cannot use the state directory " + directory_);
  }
  if (!S_ISDIR(info.st_mode)) return base::InvalidArgument(directory_ + " is not a directory");
  if ((info.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    return base::MakeStatus(absl::StatusCode::kFailedPrecondition,
                            "the state directory " + directory_ +
                                " may be written by others than its owner; chmod 700 it");
  }
  return absl::OkStatus();
}

bool ChangeFiles::Exists(std::string_view file) const {
  return access(Path(file).c_str(), F_OK) == 0;
}

absl::Status ChangeFiles::Write(std::string_view file, const ChangeMarker& marker) const {
  const std::string temporary = Path("change.new");
  NTA_RETURN_IF_ERROR(WriteAndSync(temporary, ToText(marker)));
  if (rename(temporary.c_str(), Path(file).c_str()) != 0) {
    return base::ErrnoStatus(errno, "cannot write " + Path(file));
  }
  return SyncDirectory();
}

absl::StatusOr<ChangeMarker> ChangeFiles::Read(std::string_view file) const {
  NTA_ASSIGN_OR_RETURN(const std::string text, ReadWhole(Path(file)));
  auto marker = FromText(text);
  if (marker.ok()) return marker;
  return base::MakeStatus(absl::StatusCode::kDataLoss, "cannot make sense of " + Path(file) + ": " +
                                                           std::string(marker.status().message()));
}

absl::Status ChangeFiles::Rename(std::string_view from, std::string_view to) const {
  if (rename(Path(from).c_str(), Path(to).c_str()) != 0) {
    return base::ErrnoStatus(errno, "cannot rename " + Path(from));
  }
  return SyncDirectory();
}

absl::Status ChangeFiles::Remove(std::string_view file) const {
  if (unlink(Path(file).c_str()) != 0 && errno != ENOENT) {
    return base::ErrnoStatus(errno, "cannot remove " + Path(file));
  }
  return SyncDirectory();
}

absl::Status ChangeFiles::SyncDirectory() const {
  const File file(open(directory_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (file.fd() < 0 || fsync(file.fd()) != 0) {
    return base::ErrnoStatus(errno, "cannot sync the directory " + directory_);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> BootId() {
  NTA_ASSIGN_OR_RETURN(std::string text, ReadWhole("/proc/sys/kernel/random/boot_id"));
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

std::chrono::nanoseconds SinceBoot() {
  timespec time{};
  clock_gettime(CLOCK_BOOTTIME, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

}  // namespace nta::firewall
