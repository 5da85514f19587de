#include "audit/segment.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <memory>

#include "base/status.h"

namespace nta::audit {
namespace {

constexpr std::string_view kPrefix = "audit.";
constexpr std::string_view kSuffix = ".log";
constexpr std::size_t kDigits = 6;
constexpr std::size_t kBufferBytes = std::size_t{1} << 20;
static_assert(kBufferBytes >= 2 * kMaxRecordBytes);

std::optional<std::uint64_t> ParseNumber(std::string_view text) {
  std::uint64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || stop != end) return std::nullopt;
  return number;
}

std::optional<std::uint64_t> NumberOf(std::string_view name) {
  if (!name.starts_with(kPrefix) || !name.ends_with(kSuffix)) return std::nullopt;
  if (name.size() < kPrefix.size() + kDigits + kSuffix.size()) return std::nullopt;
  name.remove_prefix(kPrefix.size());
  name.remove_suffix(kSuffix.size());
  const std::optional<std::uint64_t> number = ParseNumber(name);
  // One name for a number.
  if (!number || *number == 0 || (name.size() > kDigits && name[0] == '0')) return std::nullopt;
  return number;
}

}  // namespace

std::string SegmentPath(const std::string& directory, std::uint64_t number) {
  std::string digits = std::to_string(number);
  if (digits.size() < kDigits) digits.insert(0, kDigits - digits.size(), '0');
  return directory + '/' + std::string(kPrefix) + digits + std::string(kSuffix);
}

absl::StatusOr<std::vector<SegmentFile>> ListSegments(const std::string& directory) {
  const std::unique_ptr<DIR, int (*)(DIR*)> open(opendir(directory.c_str()), closedir);
  if (open == nullptr) return base::ErrnoStatus(errno, "cannot list \"" + directory + '"');
  std::vector<SegmentFile> files;
  while (const dirent* entry = readdir(open.get())) {
    if (const auto number = NumberOf(entry->d_name)) {
      files.push_back({*number, directory + '/' + entry->d_name});
    }
  }
  std::sort(files.begin(), files.end(),
            [](const SegmentFile& a, const SegmentFile& b) { return a.number < b.number; });
  return files;
}

absl::Status SyncDirectory(const std::string& directory) {
  const base::Descriptor file(open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (file.get() >= 0 && fsync(file.get()) == 0) return absl::OkStatus();
  return base::ErrnoStatus(errno, "cannot sync \"" + directory + '"');
}

AuditEvent ToEvent(const SegmentHead& head, Timestamp time) {
  AuditEvent event;
  event.time = time;
  event.actor = "system";
  event.act = kAuditSegmentAct;
  event.details = {{"chain", ToHex(head.chain)},
                   {"previous", ToHex(head.previous)},
                   {"reason", head.reason},
                   {"segment", std::to_string(head.number)}};
  return Canonical(std::move(event));
}

std::optional<SegmentHead> ParseSegmentHead(const RawRecord& record) {
  if (record.kind() != RecordKind::kSegment) return std::nullopt;
  const AuditEvent event = DecodeRecord(record).event;
  if (event.details.size() != 4 || event.details[0].first != "chain" ||
      event.details[1].first != "previous" || event.details[2].first != "reason" ||
      event.details[3].first != "segment") {
    return std::nullopt;
  }
  SegmentHead head;
  const auto number = ParseNumber(event.details[3].second);
  if (!number || !FromHex(event.details[0].second, head.chain) ||
      !FromHex(event.details[1].second, head.previous)) {
    return std::nullopt;
  }
  head.number = *number;
  head.reason = event.details[2].second;
  return head;
}

absl::StatusOr<SegmentReader> SegmentReader::Open(const std::string& path) {
  base::Descriptor file(open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
  struct stat info {};
  if (file.get() < 0 || fstat(file.get(), &info) != 0) {
    return base::ErrnoStatus(errno, "cannot read \"" + path + '"');
  }
  if (!S_ISREG(info.st_mode)) {
    return base::InvalidArgument("cannot read \"" + path + "\": it is not a regular file");
  }
  return SegmentReader(std::move(file), static_cast<std::uint64_t>(info.st_size));
}

// Room for any record, and no more than the file needs.
SegmentReader::SegmentReader(base::Descriptor file, std::uint64_t size)
    : file_(std::move(file)),
      buffer_(std::clamp<std::size_t>(size + 1, 2 * kMaxRecordBytes, kBufferBytes)) {}

absl::StatusOr<bool> SegmentReader::Refill() {
  std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
  base_ += begin_;
  end_ -= begin_;
  begin_ = 0;
  while (true) {
    const ssize_t size = pread(file_.get(), buffer_.data() + end_, buffer_.size() - end_,
                               static_cast<off_t>(base_ + end_));
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return base::ErrnoStatus(errno, "cannot read an audit file");
    end_ += static_cast<std::size_t>(size);
    return size > 0;
  }
}

absl::StatusOr<Step> SegmentReader::Next(RawRecord& record) {
  while (!started_ && end_ < kMagic.size()) {
    NTA_ASSIGN_OR_RETURN(const bool more, Refill());
    if (!more) return end_ == 0 ? Step::kEnd : Step::kTorn;
  }
  if (!started_) {
    if (std::memcmp(buffer_.data(), kMagic.data(), kMagic.size()) != 0) return Step::kForeign;
    begin_ = kMagic.size();
    started_ = true;
  }
  while (true) {
    offset_ = base_ + begin_;
    const Parsed parsed = ParseRecord(Bytes(buffer_).subspan(begin_, end_ - begin_), record);
    if (parsed == Parsed::kMalformed) return Step::kMalformed;
    if (parsed == Parsed::kRecord) {
      begin_ += record.bytes.size();
      return Step::kRecord;
    }
    NTA_ASSIGN_OR_RETURN(const bool more, Refill());
    if (!more) return begin_ == end_ ? Step::kEnd : Step::kTorn;
  }
}

}  // namespace nta::audit
