#include "store/page_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <span>
#include <utility>

#include "base/status.h"

namespace nta::store {
namespace {

// What a store's pages have unless the header says otherwise.
constexpr std::size_t kUsualPageBytes = 4'096;
constexpr std::size_t kLogHeaderBytes = 32;
constexpr std::size_t kFrameHeaderBytes = 24;

std::uint32_t BigEndian(std::span<const std::uint8_t> bytes, std::size_t at) {
  return std::uint32_t{bytes[at]} << 24 | std::uint32_t{bytes[at + 1]} << 16 |
         std::uint32_t{bytes[at + 2]} << 8 | bytes[at + 3];
}

bool ReadAt(int file, std::uint64_t offset, std::span<std::uint8_t> bytes) {
  while (!bytes.empty()) {
    const ssize_t got = pread(file, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(got));
    offset += static_cast<std::uint64_t>(got);
  }
  return true;
}

std::uint64_t SizeOf(int file) {
  struct stat status {};
  return fstat(file, &status) == 0 ? static_cast<std::uint64_t>(status.st_size) : 0;
}

bool IsPageSize(std::size_t bytes) {
  return bytes >= 512 && bytes <= 65'536 && (bytes & (bytes - 1)) == 0;
}

// The running sum over a log.
struct LogSum {
  bool is_big_endian = false;
  std::uint32_t first = 0;
  std::uint32_t second = 0;

  void Add(std::span<const std::uint8_t> bytes) {
    for (std::size_t i = 0; i + 8 <= bytes.size(); i += 8) {
      first += Word(bytes, i) + second;
      second += Word(bytes, i + 4) + first;
    }
  }
  bool Is(std::span<const std::uint8_t> bytes, std::size_t at) const {
    return BigEndian(bytes, at) == first && BigEndian(bytes, at + 4) == second;
  }

 private:
  std::uint32_t Word(std::span<const std::uint8_t> bytes, std::size_t at) const {
    if (is_big_endian) return BigEndian(bytes, at);
    return std::uint32_t{bytes[at + 3]} << 24 | std::uint32_t{bytes[at + 2]} << 16 |
           std::uint32_t{bytes[at + 1]} << 8 | bytes[at];
  }
};

}  // namespace

PageFile::PageFile(PageFile&& other) noexcept
    : file_(std::exchange(other.file_, -1)),
      log_(std::exchange(other.log_, -1)),
      page_bytes_(other.page_bytes_),
      pages_(other.pages_),
      in_log_(std::move(other.in_log_)) {}

PageFile::~PageFile() {
  if (file_ >= 0) close(file_);
  if (log_ >= 0) close(log_);
}

absl::StatusOr<PageFile> PageFile::Open(const std::string& path) {
  PageFile pages;
  pages.file_ = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (pages.file_ < 0) return base::ErrnoStatus(errno, "cannot read \"" + path + "\"");
  pages.log_ = open((path + "-wal").c_str(), O_RDONLY | O_CLOEXEC);
  pages.ReadHeader();
  pages.pages_ = static_cast<std::uint32_t>(
      std::min<std::uint64_t>(SizeOf(pages.file_) / pages.page_bytes_, 0xfffffffe));
  if (pages.log_ >= 0) pages.ReadLog();
  return pages;
}

void PageFile::ReadHeader() {
  page_bytes_ = kUsualPageBytes;
  std::array<std::uint8_t, 100> header{};
  constexpr std::string_view kMagic("SQLite format 3\0", 16);
  if (!ReadAt(file_, 0, header) || std::memcmp(header.data(), kMagic.data(), 16) != 0) return;
  const std::size_t bytes = std::size_t{header[16]} << 8 | header[17];
  if (IsPageSize(bytes == 1 ? 65'536 : bytes)) page_bytes_ = bytes == 1 ? 65'536 : bytes;
}

void PageFile::ReadLog() {
  std::array<std::uint8_t, kLogHeaderBytes> header{};
  if (!ReadAt(log_, 0, header) || (BigEndian(header, 0) & ~1u) != 0x377f0682) return;
  if (BigEndian(header, 8) != page_bytes_) return;
  LogSum sum{.is_big_endian = (BigEndian(header, 0) & 1) != 0};
  sum.Add(std::span(header).first(24));
  if (!sum.Is(header, 24)) return;
  Bytes frame(kFrameHeaderBytes + page_bytes_);
  std::unordered_map<std::uint32_t, std::uint64_t> open;  // of the transaction that is read
  for (std::uint64_t at = kLogHeaderBytes; ReadAt(log_, at, frame); at += frame.size()) {
    sum.Add(std::span(frame).first(8));
    sum.Add(std::span(frame).subspan(kFrameHeaderBytes));
    // Frames of an older turn of the log have other salts.
    if (std::memcmp(frame.data() + 8, header.data() + 16, 8) != 0 || !sum.Is(frame, 16)) return;
    open[BigEndian(frame, 0)] = at + kFrameHeaderBytes;
    const std::uint32_t pages = BigEndian(frame, 4);
    if (pages == 0) continue;
    for (const auto& [page, where] : open) in_log_[page] = where;
    open.clear();
    pages_ = pages;
  }
}

bool PageFile::Read(std::uint32_t page, Bytes& bytes) const {
  if (page == 0 || page > pages_) return false;
  bytes.resize(page_bytes_);
  if (const auto found = in_log_.find(page); found != in_log_.end()) {
    return ReadAt(log_, found->second, bytes);
  }
  return ReadAt(file_, std::uint64_t{page - 1} * page_bytes_, bytes);
}

bool PageFile::MayHaveRows(std::uint32_t page) const {
  if (page == 1) return true;
  // From page 2 on, each page of the map tells of those behind it, in five bytes each.
  const auto per_map = static_cast<std::uint32_t>(page_bytes_ / 5);
  const std::uint32_t map = (page - 2) / (per_map + 1) * (per_map + 1) + 2;
  if (map == page) return false;
  Bytes bytes;
  if (!Read(map, bytes)) return true;
  const std::uint8_t kind = bytes[std::size_t{5} * (page - map - 1)];
  constexpr std::uint8_t kRoot = 1;
  constexpr std::uint8_t kTree = 5;
  return kind == kRoot || kind == kTree || kind == 0 || kind > kTree;
}

}  // namespace nta::store
