#include "nta/log/log_reader.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <deque>
#include <memory>
#include <utility>

#include "base/status.h"
#include "base/text_search.h"
#include "log/byte_stream.h"
#include "log/file_set.h"
#include "log/log_line.h"

namespace nta {
namespace {

using base::Descriptor;
using log::PutAside;

constexpr std::size_t kMaxPage = 10'000;

std::string Name(const std::string& path) { return "the log \"" + path + '"'; }

// The files of a log at one moment. The one being written is open, so that a rotation after that
// moment takes nothing away.
struct Snapshot {
  Descriptor current;  // -1: there is none
  std::uint64_t current_number = 1;
  std::vector<PutAside> aside;  // one for a number, oldest first
};

absl::StatusOr<Snapshot> TakeSnapshot(const std::string& path) {
  constexpr int kAttempts = 50;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    Snapshot snapshot;
    snapshot.current =
        Descriptor(open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
    if (snapshot.current.get() < 0 && errno != ENOENT) {
      return base::ErrnoStatus(errno, "cannot read " + Name(path));
    }
    struct stat kind {};
    if (snapshot.current.get() >= 0 && fstat(snapshot.current.get(), &kind) == 0 &&
        !S_ISREG(kind.st_mode)) {
      return base::InvalidArgument('"' + path + "\" is no log: it is not a regular file");
    }
    NTA_ASSIGN_OR_RETURN(snapshot.aside, log::ListPutAside(path, nullptr));
    // A number appears with each packing while the packed file takes the other's place.
    const auto same = [](const PutAside& a, const PutAside& b) { return a.number == b.number; };
    snapshot.aside.erase(std::unique(snapshot.aside.begin(), snapshot.aside.end(), same),
                         snapshot.aside.end());
    if (!snapshot.aside.empty()) snapshot.current_number = snapshot.aside.back().number + 1;
    struct stat opened {};
    struct stat named {};
    const bool is_named = lstat(path.c_str(), &named) == 0;
    if (snapshot.current.get() < 0) {
      if (is_named) continue;  // between a rotation's two steps
      if (snapshot.aside.empty()) {
        return base::MakeStatus(absl::StatusCode::kNotFound, "there is no log \"" + path + '"');
      }
      return snapshot;
    }
    if (is_named && fstat(snapshot.current.get(), &opened) == 0 && opened.st_ino == named.st_ino &&
        opened.st_dev == named.st_dev) {
      return snapshot;
    }
  }
  return base::MakeStatus(absl::StatusCode::kUnavailable, Name(path) + " rotates too fast");
}

// A file put aside may meanwhile have been packed, or cleared away (then the stream is empty).
absl::StatusOr<std::unique_ptr<log::ByteStream>> OpenPutAside(const std::string& path,
                                                              const PutAside& file) {
  for (const auto packing :
       {file.packing, LogCompression::kNone, LogCompression::kZstd, LogCompression::kGzip}) {
    const std::string name =
        log::NumberedPath(path, file.number) + std::string(log::Extension(packing));
    Descriptor opened(open(name.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
    if (opened.get() >= 0) return log::ByteStream::Create(std::move(opened), packing);
    if (errno != ENOENT) return base::ErrnoStatus(errno, "cannot read \"" + name + '"');
  }
  return nullptr;
}

struct Position {
  std::uint64_t number = 0;
  std::uint64_t offset = 0;
};

std::string ToCursor(const Position& position) {
  return std::to_string(position.number) + '-' + std::to_string(position.offset);
}

absl::StatusOr<Position> ParseCursor(std::string_view text) {
  Position position;
  const char* const end = text.data() + text.size();
  const auto number = std::from_chars(text.data(), end, position.number);
  if (number.ec == std::errc() && number.ptr != end && *number.ptr == '-') {
    const auto offset = std::from_chars(number.ptr + 1, end, position.offset);
    if (offset.ec == std::errc() && offset.ptr == end) return position;
  }
  return base::InvalidArgument("the cursor is not one of this log's");
}

class Reading {
 public:
  Reading(const std::string& path, const LogQuery& query)
      : path_(path), query_(query), text_(query.text) {}

  absl::StatusOr<LogPage> Run() {
    NTA_ASSIGN_OR_RETURN(snapshot_, TakeSnapshot(path_));
    const bool newest_first = query_.order == LogOrder::kNewestFirst;
    if (!query_.cursor.empty()) {
      NTA_ASSIGN_OR_RETURN(start_, ParseCursor(query_.cursor));
    } else if (newest_first) {
      start_ = {snapshot_.current_number, UINT64_MAX};
    }
    const std::size_t files = snapshot_.aside.size() + 1;
    for (std::size_t i = 0; i < files && page_.next_cursor.empty(); ++i) {
      NTA_RETURN_IF_ERROR(ReadFile(newest_first ? files - 1 - i : i));
    }
    if (!is_log_ && foreign_lines_ > 0) {
      return base::InvalidArgument('"' + path_ + "\" is no log: none of its lines is one of ours");
    }
    return std::move(page_);
  }

 private:
  struct Found {
    std::uint64_t offset;
    LogEvent event;
  };

  absl::Status ReadFile(std::size_t index);
  absl::Status ReadForward(log::LineStream& lines, std::uint64_t number);
  absl::Status ReadBackward(log::LineStream& lines, std::uint64_t number);
  std::optional<LogEvent> Match(std::string_view line);
  bool IsOlderThanQuery(const PutAside& file) const;
  absl::StatusOr<std::unique_ptr<log::ByteStream>> OpenFile(std::size_t index);

  const std::string& path_;
  const LogQuery& query_;
  const base::TextSearch text_;
  Snapshot snapshot_;
  Position start_;
  std::uint64_t scanned_ = 0;
  bool is_log_ = false;  // a line of ours was seen
  std::uint64_t foreign_lines_ = 0;
  LogPage page_;
};

// Its time of change is that of its last line, unless somebody else has put it aside.
bool Reading::IsOlderThanQuery(const PutAside& file) const {
  struct stat info {};
  if (!query_.since || stat(file.path.c_str(), &info) != 0) return false;
  constexpr std::chrono::hours kSlack(1);
  const Timestamp changed{std::chrono::seconds(info.st_mtim.tv_sec)};
  return changed + kSlack < *query_.since;
}

absl::StatusOr<std::unique_ptr<log::ByteStream>> Reading::OpenFile(std::size_t index) {
  if (index < snapshot_.aside.size()) {
    const PutAside& file = snapshot_.aside[index];
    if (IsOlderThanQuery(file)) return nullptr;
    return OpenPutAside(path_, file);
  }
  if (snapshot_.current.get() < 0) return nullptr;
  return log::ByteStream::Create(std::move(snapshot_.current), LogCompression::kNone);
}

absl::Status Reading::ReadFile(std::size_t index) {
  const std::uint64_t number =
      index < snapshot_.aside.size() ? snapshot_.aside[index].number : snapshot_.current_number;
  const bool newest_first = query_.order == LogOrder::kNewestFirst;
  if (newest_first ? number > start_.number : number < start_.number) return absl::OkStatus();
  if (newest_first && number == start_.number && start_.offset == 0) return absl::OkStatus();
  if (scanned_ >= query_.max_scan_bytes) {
    page_.next_cursor = ToCursor({number, newest_first ? UINT64_MAX : 0});
    return absl::OkStatus();
  }
  NTA_ASSIGN_OR_RETURN(std::unique_ptr<log::ByteStream> bytes, OpenFile(index));
  if (bytes == nullptr) return absl::OkStatus();
  log::LineStream lines(std::move(bytes));
  const absl::Status status =
      newest_first ? ReadBackward(lines, number) : ReadForward(lines, number);
  scanned_ += lines.bytes_read();
  // Longer than any line of ours, and no line at all.
  constexpr std::uint64_t kLongestLine = 256 << 10;
  if (!is_log_ && foreign_lines_ == 0 && lines.bytes_read() > kLongestLine) ++foreign_lines_;
  // One damaged file does not hide the others.
  if (absl::IsDataLoss(status)) {
    ++page_.unreadable;
    return absl::OkStatus();
  }
  return status;
}

std::optional<LogEvent> Reading::Match(std::string_view line) {
  std::optional<log::LineHead> head = log::ParseHead(line);
  if (!head) {
    ++page_.unreadable;
    ++foreign_lines_;
    return std::nullopt;
  }
  is_log_ = true;
  if (head->level < query_.min_level || (query_.since && head->time < *query_.since) ||
      (query_.until && head->time >= *query_.until) || !text_.IsIn(line)) {
    return std::nullopt;
  }
  const std::string& wanted = query_.component;
  if (!wanted.empty() && head->component != wanted && !head->component.starts_with(wanted + '.')) {
    return std::nullopt;
  }
  std::optional<LogEvent> event = log::ParseRest(*std::move(head));
  if (!event) ++page_.unreadable;
  return event;
}

absl::Status Reading::ReadForward(log::LineStream& lines, std::uint64_t number) {
  std::string_view line;
  std::uint64_t offset = 0;
  while (true) {
    NTA_ASSIGN_OR_RETURN(const bool more, lines.Next(line, offset));
    if (!more) return absl::OkStatus();
    if (number == start_.number && offset < start_.offset) continue;
    std::optional<LogEvent> event = Match(line);
    if (!event) continue;
    if (page_.events.size() == query_.limit) {
      page_.next_cursor = ToCursor({number, offset});
      return absl::OkStatus();
    }
    page_.events.push_back(*std::move(event));
  }
}

// Forward, keeping the last ones: packed files cannot be read backwards, and the memory is the
// same.
absl::Status Reading::ReadBackward(log::LineStream& lines, std::uint64_t number) {
  const std::size_t room = query_.limit - page_.events.size();
  std::deque<Found> last;
  std::string_view line;
  std::uint64_t offset = 0;
  absl::Status status;
  while (true) {
    const absl::StatusOr<bool> more = lines.Next(line, offset);
    // What could be read of a damaged file counts.
    if (!more.ok()) status = more.status();
    if (!more.ok() || !*more) break;
    if (number == start_.number && offset >= start_.offset) break;
    std::optional<LogEvent> event = Match(line);
    if (!event) continue;
    last.push_back({offset, *std::move(event)});
    // One more than there is room for tells that another page follows.
    if (last.size() > room + 1) last.pop_front();
  }
  const bool more_follow = last.size() > room;
  if (more_follow) last.pop_front();
  if (more_follow) {
    page_.next_cursor =
        last.empty() ? ToCursor({number, UINT64_MAX}) : ToCursor({number, last.front().offset});
  }
  for (auto found = last.rbegin(); found != last.rend(); ++found) {
    page_.events.push_back(std::move(found->event));
  }
  return status;
}

absl::Status CheckQuery(const LogQuery& query) {
  if (query.limit < 1 || query.limit > kMaxPage) {
    return base::InvalidArgument("limit must be within 1 and " + std::to_string(kMaxPage));
  }
  if (query.since && query.until && *query.until < *query.since) {
    return base::InvalidArgument("until is before since");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<LogPage> ReadLog(const std::string& path, const LogQuery& query) {
  NTA_RETURN_IF_ERROR(CheckQuery(query));
  return Reading(path, query).Run();
}

absl::StatusOr<std::vector<LogFile>> ListLogFiles(const std::string& path) {
  NTA_ASSIGN_OR_RETURN(Snapshot snapshot, TakeSnapshot(path));
  std::vector<LogFile> files;
  const auto add = [&files](const std::string& name, std::uint64_t number,
                            const struct stat& info) {
    files.push_back({.name = name.substr(name.rfind('/') + 1),
                     .number = number,
                     .bytes = static_cast<std::uint64_t>(info.st_size),
                     .modified = Timestamp(std::chrono::seconds(info.st_mtim.tv_sec))});
  };
  struct stat info {};
  for (const PutAside& file : snapshot.aside) {
    if (stat(file.path.c_str(), &info) == 0) add(file.path, file.number, info);
  }
  if (snapshot.current.get() >= 0 && fstat(snapshot.current.get(), &info) == 0) {
    add(path, snapshot.current_number, info);
  }
  return files;
}

absl::Status CopyLog(const std::string& path,
                     absl::FunctionRef<absl::Status(const std::string& line)> callback) {
  NTA_ASSIGN_OR_RETURN(Snapshot snapshot, TakeSnapshot(path));
  for (std::size_t i = 0; i <= snapshot.aside.size(); ++i) {
    std::unique_ptr<log::ByteStream> bytes;
    if (i < snapshot.aside.size()) {
      NTA_ASSIGN_OR_RETURN(bytes, OpenPutAside(path, snapshot.aside[i]));
    } else if (snapshot.current.get() >= 0) {
      NTA_ASSIGN_OR_RETURN(
          bytes, log::ByteStream::Create(std::move(snapshot.current), LogCompression::kNone));
    }
    if (bytes == nullptr) continue;
    log::LineStream lines(std::move(bytes));
    std::string_view line;
    std::uint64_t offset = 0;
    while (true) {
      NTA_ASSIGN_OR_RETURN(const bool more, lines.Next(line, offset));
      if (!more) break;
      NTA_RETURN_IF_ERROR(callback(std::string(line) + '\n'));
    }
  }
  return absl::OkStatus();
}

}  // namespace nta
