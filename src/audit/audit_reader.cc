#include "nta/audit/audit_reader.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <optional>
#include <utility>

#include "audit/segment.h"
#include "base/status.h"
#include "base/text_search.h"

namespace nta {
namespace {

using audit::RawRecord;
using audit::SegmentFile;

constexpr std::size_t kMaxPage = 10'000;

class Filter {
 public:
  explicit Filter(const AuditQuery& query) : query_(query), text_(query.text) {}

  bool Matches(const AuditRecord& record) const {
    const AuditEvent& event = record.event;
    const bool act =
        query_.act.empty() || event.act == query_.act || event.act.starts_with(query_.act + '.');
    return act && (query_.actor.empty() || event.actor == query_.actor) &&
           (!query_.outcome || event.outcome == *query_.outcome) && HasText(event);
  }
  bool IsInTime(Timestamp time) const {
    return (!query_.since || time >= *query_.since) && (!query_.until || time < *query_.until);
  }

 private:
  bool HasText(const AuditEvent& event) const {
    const bool in_field = text_.IsIn(event.actor) || text_.IsIn(event.role) ||
                          text_.IsIn(event.address) || text_.IsIn(event.act) ||
                          text_.IsIn(event.target);
    return in_field ||
           std::any_of(event.details.begin(), event.details.end(), [this](const auto& detail) {
             return text_.IsIn(detail.first) || text_.IsIn(detail.second);
           });
  }

  const AuditQuery& query_;
  const base::TextSearch text_;
};

// Records from an offset in a file back to its beginning: each ends with its size.
class BackwardReader {
 public:
  static absl::StatusOr<BackwardReader> Open(const std::string& path,
                                             std::optional<std::uint64_t> end) {
    base::Descriptor file(open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
    struct stat info {};
    if (file.get() < 0 || fstat(file.get(), &info) != 0) {
      return base::ErrnoStatus(errno, "cannot read \"" + path + '"');
    }
    const auto size = static_cast<std::uint64_t>(info.st_size);
    return BackwardReader(std::move(file), std::min(size, end.value_or(size)));
  }

  // Where the next record ends.
  std::uint64_t position() const { return base_ + end_; }
  bool ended() const { return position() <= audit::kMagic.size(); }

  // False when what stands here is no record.
  absl::StatusOr<bool> Next(RawRecord& record) {
    if (end_ < audit::kMaxRecordBytes && base_ > 0) NTA_RETURN_IF_ERROR(Load());
    const audit::Bytes bytes = audit::Bytes(buffer_).first(end_);
    const std::size_t size = audit::SizeFromTail(bytes);
    if (size == 0 || size > bytes.size()) return false;
    if (audit::ParseRecord(bytes.last(size), record) != audit::Parsed::kRecord ||
        record.bytes.size() != size) {
      return false;
    }
    end_ -= size;
    return true;
  }

 private:
  static constexpr std::size_t kBlockBytes = std::size_t{256} << 10;

  BackwardReader(base::Descriptor file, std::uint64_t end) : file_(std::move(file)), base_(end) {}

  // The block before what is left in the buffer.
  absl::Status Load() {
    const std::uint64_t begin = base_ > kBlockBytes ? base_ - kBlockBytes : 0;
    std::vector<std::uint8_t> block(static_cast<std::size_t>(base_ - begin) + end_);
    std::memcpy(block.data() + (base_ - begin), buffer_.data(), end_);
    std::size_t done = 0;
    while (done < base_ - begin) {
      const ssize_t size =
          pread(file_.get(), block.data() + done, static_cast<std::size_t>(base_ - begin) - done,
                static_cast<off_t>(begin + done));
      if (size < 0 && errno == EINTR) continue;
      if (size <= 0) return base::ErrnoStatus(size < 0 ? errno : EIO, "cannot read an audit file");
      done += static_cast<std::size_t>(size);
    }
    end_ = block.size();
    buffer_ = std::move(block);
    base_ = begin;
    return absl::OkStatus();
  }

  base::Descriptor file_;
  std::vector<std::uint8_t> buffer_;
  std::uint64_t base_;  // offset of the buffer's first byte
  std::size_t end_ = 0;
};

struct Position {
  std::uint64_t segment = 0;
  std::uint64_t offset = 0;
};

absl::StatusOr<Position> ParseCursor(std::string_view text) {
  Position position;
  const char* const end = text.data() + text.size();
  const auto segment = std::from_chars(text.data(), end, position.segment);
  if (segment.ec == std::errc() && segment.ptr != end && *segment.ptr == '-') {
    const auto offset = std::from_chars(segment.ptr + 1, end, position.offset);
    if (offset.ec == std::errc() && offset.ptr == end) return position;
  }
  return base::InvalidArgument("the cursor is not one of this trail's");
}

absl::Status CheckQuery(const AuditQuery& query) {
  if (query.limit < 1 || query.limit > kMaxPage) {
    return base::InvalidArgument("limit must be within 1 and " + std::to_string(kMaxPage));
  }
  if (query.since && query.until && *query.until < *query.since) {
    return base::InvalidArgument("until is before since");
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<SegmentFile>> Segments(const std::string& directory) {
  NTA_ASSIGN_OR_RETURN(std::vector<SegmentFile> files, audit::ListSegments(directory));
  if (!files.empty()) return files;
  return base::MakeStatus(absl::StatusCode::kNotFound,
                          "there is no audit trail in \"" + directory + '"');
}

// The end of the last whole record: behind it stands one that is being written, or was when the
// process died.
absl::StatusOr<std::uint64_t> EndOfRecords(const std::string& path) {
  NTA_ASSIGN_OR_RETURN(audit::SegmentReader reader, audit::SegmentReader::Open(path));
  RawRecord raw;
  while (true) {
    NTA_ASSIGN_OR_RETURN(const audit::Step step, reader.Next(raw));
    if (step != audit::Step::kRecord) return reader.offset();
  }
}

// Fills a page from one file; sets its cursor when the page is full before the file ends.
absl::Status ReadBackward(const SegmentFile& file, std::optional<std::uint64_t> end,
                          const AuditQuery& query, AuditPage& page) {
  NTA_ASSIGN_OR_RETURN(BackwardReader reader, BackwardReader::Open(file.path, end));
  const Filter filter(query);
  RawRecord raw;
  bool may_be_torn = !end;
  while (!reader.ended()) {
    const std::uint64_t position = reader.position();
    NTA_ASSIGN_OR_RETURN(const bool is_record, reader.Next(raw));
    if (!is_record && std::exchange(may_be_torn, false)) {
      NTA_ASSIGN_OR_RETURN(const std::uint64_t last, EndOfRecords(file.path));
      NTA_ASSIGN_OR_RETURN(reader, BackwardReader::Open(file.path, last));
      continue;
    }
    if (!is_record) {
      ++page.unreadable;
      return absl::OkStatus();
    }
    may_be_torn = false;
    if (!filter.IsInTime(raw.time())) continue;
    AuditRecord record = audit::DecodeRecord(raw);
    if (!filter.Matches(record)) continue;
    if (page.records.size() == query.limit) {
      page.next_cursor = std::to_string(file.number) + '-' + std::to_string(position);
      return absl::OkStatus();
    }
    page.records.push_back(std::move(record));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<AuditPage> ReadAudit(const std::string& directory, const AuditQuery& query) {
  NTA_RETURN_IF_ERROR(CheckQuery(query));
  NTA_ASSIGN_OR_RETURN(const std::vector<SegmentFile> files, Segments(directory));
  std::optional<Position> start;
  if (!query.cursor.empty()) {
    NTA_ASSIGN_OR_RETURN(start, ParseCursor(query.cursor));
  }
  AuditPage page;
  for (auto file = files.rbegin(); file != files.rend() && page.next_cursor.empty(); ++file) {
    if (start && file->number > start->segment) continue;
    std::optional<std::uint64_t> end;
    if (start && file->number == start->segment) end = start->offset;
    NTA_RETURN_IF_ERROR(ReadBackward(*file, end, query, page));
  }
  return page;
}

absl::Status ExportAudit(const std::string& directory, const AuditQuery& query,
                         absl::FunctionRef<absl::Status(const AuditRecord&)> callback) {
  NTA_RETURN_IF_ERROR(CheckQuery(query));
  NTA_ASSIGN_OR_RETURN(const std::vector<SegmentFile> files, Segments(directory));
  const Filter filter(query);
  absl::Status damage;
  RawRecord raw;
  for (const SegmentFile& file : files) {
    NTA_ASSIGN_OR_RETURN(audit::SegmentReader reader, audit::SegmentReader::Open(file.path));
    while (true) {
      NTA_ASSIGN_OR_RETURN(const audit::Step step, reader.Next(raw));
      if (step == audit::Step::kEnd) break;
      if (step != audit::Step::kRecord) {
        damage.Update(base::MakeStatus(absl::StatusCode::kDataLoss,
                                       "\"" + file.path + "\" cannot be read from byte " +
                                           std::to_string(reader.offset()) + " on"));
        break;
      }
      if (!filter.IsInTime(raw.time())) continue;
      const AuditRecord record = audit::DecodeRecord(raw);
      if (filter.Matches(record)) NTA_RETURN_IF_ERROR(callback(record));
    }
  }
  return damage;
}

absl::StatusOr<std::vector<std::string>> ListAuditFiles(const std::string& directory) {
  NTA_ASSIGN_OR_RETURN(const std::vector<SegmentFile> files, Segments(directory));
  std::vector<std::string> paths;
  for (const SegmentFile& file : files) paths.push_back(file.path);
  return paths;
}

}  // namespace nta
