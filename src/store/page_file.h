// PageFile: the pages of a SQLite database as they are, its write-ahead log included, without
// SQLite: for files that SQLite gives up on.
#ifndef NTA_STORE_PAGE_FILE_H_
#define NTA_STORE_PAGE_FILE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>

#include "absl/status/statusor.h"
#include "store/bytes.h"

namespace nta::store {

class PageFile {
 public:
  static absl::StatusOr<PageFile> Open(const std::string& path);
  PageFile(PageFile&& other) noexcept;
  PageFile& operator=(PageFile&&) = delete;
  ~PageFile();

  std::uint32_t page_count() const { return pages_; }
  std::size_t page_bytes() const { return page_bytes_; }
  // Pages are counted from 1. False when there is none or it cannot be read.
  bool Read(std::uint32_t page, Bytes& bytes) const;
  // As far as the map of pages says: free ones have what was deleted, and pages that belong to a
  // long row have anything.
  bool MayHaveRows(std::uint32_t page) const;

 private:
  PageFile() = default;
  void ReadHeader();
  // Finds the pages of transactions that were completed in the log.
  void ReadLog();

  int file_ = -1;
  int log_ = -1;
  std::size_t page_bytes_ = 0;
  std::uint32_t pages_ = 0;
  std::unordered_map<std::uint32_t, std::uint64_t> in_log_;  // page -> where in the log
};

}  // namespace nta::store

#endif  // NTA_STORE_PAGE_FILE_H_
