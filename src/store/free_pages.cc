#include "store/free_pages.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <vector>

#include "base/status.h"

namespace nta::store {
namespace {

absl::Status DamagedList() {
  return base::MakeStatus(absl::StatusCode::kDataLoss,
                          "the store is damaged: its list of free pages is not one");
}

std::uint32_t Number(std::span<const std::uint8_t> bytes, std::size_t offset) {
  return std::uint32_t{bytes[offset]} << 24 | std::uint32_t{bytes[offset + 1]} << 16 |
         std::uint32_t{bytes[offset + 2]} << 8 | bytes[offset + 3];
}

// The list of free pages as it is in the file, which must have all of the log. Within a write
// transaction.
class FreeList {
 public:
  FreeList(sqlite3* database, sqlite3_file* file, std::int64_t pages)
      : database_(database), file_(file), pages_(static_cast<std::uint32_t>(pages)) {}

  // Free pages whose contents nobody needs, in ranges. Others list them and stay.
  absl::StatusOr<std::vector<FileRange>> Read() {
    NTA_RETURN_IF_ERROR(ReadHeader());
    NTA_ASSIGN_OR_RETURN(std::vector<std::uint32_t> pages, ReadLists());
    std::sort(pages.begin(), pages.end());
    std::vector<FileRange> ranges;
    for (const std::uint32_t page : pages) {
      NTA_RETURN_IF_ERROR(CheckMap(page));
      const std::uint64_t offset = std::uint64_t{page - 1} * page_size_;
      if (!ranges.empty() && ranges.back().offset + ranges.back().size == offset) {
        ranges.back().size += page_size_;
      } else {
        ranges.push_back({offset, page_size_});
      }
    }
    return ranges;
  }

 private:
  absl::Status ReadAt(std::uint64_t offset, std::span<std::uint8_t> bytes) {
    return SqliteStatus(database_,
                        file_->pMethods->xRead(file_, bytes.data(), static_cast<int>(bytes.size()),
                                               static_cast<sqlite3_int64>(offset)));
  }
  absl::Status ReadPage(std::uint32_t page, std::vector<std::uint8_t>& bytes) {
    bytes.resize(page_size_);
    return ReadAt(std::uint64_t{page - 1} * page_size_, bytes);
  }

  absl::Status ReadHeader() {
    std::array<std::uint8_t, 100> header{};
    NTA_RETURN_IF_ERROR(ReadAt(0, header));
    const std::uint32_t size = std::uint32_t{header[16]} << 8 | header[17];
    page_size_ = size == 1 ? 65'536 : size;
    if (page_size_ < 512 || header[20] >= page_size_ / 2) return DamagedList();
    usable_ = page_size_ - header[20];
    first_list_ = Number(header, 32);
    free_pages_ = Number(header, 36);
    return absl::OkStatus();
  }

  bool IsPage(std::uint32_t page) const { return page >= 2 && page <= pages_; }

  absl::StatusOr<std::vector<std::uint32_t>> ReadLists() {
    std::vector<std::uint32_t> pages;
    std::vector<std::uint8_t> list;
    std::uint32_t lists = 0;
    for (std::uint32_t next = first_list_; next != 0; next = Number(list, 0)) {
      // More of them than there are free pages would be a circle.
      if (!IsPage(next) || ++lists + pages.size() > free_pages_) return DamagedList();
      NTA_RETURN_IF_ERROR(ReadPage(next, list));
      const std::uint32_t count = Number(list, 4);
      if (count > usable_ / 4 - 2) return DamagedList();
      for (std::uint32_t i = 0; i < count; ++i) pages.push_back(Number(list, 8 + 4 * i));
    }
    if (lists + pages.size() != free_pages_) return DamagedList();
    return pages;
  }

  // SQLite keeps for each page what it is used for. What is in use there is not lost for an error
  // in the list.
  absl::Status CheckMap(std::uint32_t page) {
    constexpr std::uint32_t kEntry = 5;
    constexpr std::uint8_t kFree = 2;
    const std::uint32_t pages_per_map = usable_ / kEntry + 1;
    if (page < 3 || page > pages_) return DamagedList();
    std::uint32_t map = (page - 2) / pages_per_map * pages_per_map + 2;
    // The page of the locks is never used.
    if (map == 0x40000000 / page_size_ + 1) ++map;
    if (page <= map) return DamagedList();
    if (map != map_) NTA_RETURN_IF_ERROR(ReadPage(map, map_bytes_));
    map_ = map;
    return map_bytes_[kEntry * (page - map - 1)] == kFree ? absl::OkStatus() : DamagedList();
  }

  sqlite3* database_;
  sqlite3_file* file_;
  const std::uint32_t pages_;  // of the file
  std::uint32_t page_size_ = 0;
  std::uint32_t usable_ = 0;
  std::uint32_t first_list_ = 0;
  std::uint32_t free_pages_ = 0;
  std::uint32_t map_ = 0;
  std::vector<std::uint8_t> map_bytes_;
};

// True when the file has everything that is in the log, and whoever reads knows it.
absl::StatusOr<bool> EmptyLog(Connection& connection) {
  int in_log = -1;
  int moved = -1;
  // With readers the log is used again, and nobody waits for them.
  sqlite3_busy_timeout(connection.get(), 100);
  const int result = sqlite3_wal_checkpoint_v2(connection.get(), nullptr,
                                               SQLITE_CHECKPOINT_TRUNCATE, &in_log, &moved);
  sqlite3_busy_timeout(connection.get(), kBusyMilliseconds);
  if (result == SQLITE_BUSY) return in_log >= 0 && in_log == moved;
  NTA_RETURN_IF_ERROR(SqliteStatus(connection.get(), result));
  return true;
}

absl::StatusOr<Punched> Punch(Connection& connection, sqlite3_file* file,
                              std::span<const FileRange> ranges) {
  bool by_vfs = true;
  for (FileRange range : ranges) {
    const int result = file->pMethods->xFileControl(file, kPunchHoleControl, &range);
    by_vfs = result != SQLITE_NOTFOUND;
    if (!by_vfs) break;
    NTA_RETURN_IF_ERROR(SqliteStatus(connection.get(), result));
  }
  if (by_vfs) return Punched::kDone;
  int has_moved = 0;
  file->pMethods->xFileControl(file, SQLITE_FCNTL_HAS_MOVED, &has_moved);
  if (has_moved != 0) return Punched::kNever;
  const absl::Status status = PunchHoles(sqlite3_db_filename(connection.get(), "main"), ranges);
  if (absl::IsUnimplemented(status)) return Punched::kNever;
  // On some file systems a hole takes space, too.
  if (absl::IsResourceExhausted(status)) return Punched::kLater;
  NTA_RETURN_IF_ERROR(status);
  return Punched::kDone;
}

const char* PathOf(Connection& connection) {
  const char* path = sqlite3_db_filename(connection.get(), "main");
  return path == nullptr ? "" : path;
}

}  // namespace

absl::StatusOr<Punched> PunchFreePages(Connection& connection) {
  // Statements that are not at their end would keep the log as it is.
  connection.ResetCached();
  NTA_ASSIGN_OR_RETURN(const std::int64_t before, connection.QueryInteger("PRAGMA data_version"));
  NTA_ASSIGN_OR_RETURN(const bool is_empty, EmptyLog(connection));
  if (*PathOf(connection) == '\0') return Punched::kNever;
  if (!is_empty) return Punched::kLater;
  // From here on nobody writes. What was free when the log was emptied has been seen as free by all
  // who read now, unless somebody wrote in between.
  const absl::StatusOr<Transaction> transaction = Transaction::BeginWrite(connection);
  if (absl::IsUnavailable(transaction.status())) return Punched::kLater;
  NTA_RETURN_IF_ERROR(transaction.status());
  NTA_ASSIGN_OR_RETURN(const std::int64_t after, connection.QueryInteger("PRAGMA data_version"));
  if (before != after) return Punched::kLater;
  sqlite3_file* file = nullptr;
  NTA_RETURN_IF_ERROR(SqliteStatus(
      connection.get(),
      sqlite3_file_control(connection.get(), "main", SQLITE_FCNTL_FILE_POINTER, &file)));
  NTA_ASSIGN_OR_RETURN(const std::int64_t pages, connection.QueryInteger("PRAGMA page_count"));
  NTA_ASSIGN_OR_RETURN(const std::vector<FileRange> ranges,
                       FreeList(connection.get(), file, pages).Read());
  if (ranges.empty()) return Punched::kDone;
  return Punch(connection, file, ranges);
}

std::uint64_t BytesOfHoles(Connection& connection) {
  struct stat status {};
  const char* path = PathOf(connection);
  if (*path == '\0' || stat(path, &status) != 0) return 0;
  const auto length = static_cast<std::uint64_t>(status.st_size);
  const std::uint64_t taken = static_cast<std::uint64_t>(status.st_blocks) * 512;
  return length - std::min(length, taken);
}

}  // namespace nta::store
