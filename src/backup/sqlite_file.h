// Database: a SQLite file that is only looked at or copied, and is not trusted.
#ifndef NTA_BACKUP_SQLITE_FILE_H_
#define NTA_BACKUP_SQLITE_FILE_H_

#include <sqlite3.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace nta::backup {

enum class Links : std::uint8_t { kFollow, kRefuse };

// One thread at a time.
class Database {
 public:
  // `flags` as for sqlite3_open_v2. Nothing in the file can act: no triggers, views, extensions or
  // attached files.
  static absl::StatusOr<Database> Open(const std::string& path, int flags, Links links);
  Database(Database&&) = default;

  // Closes with an error when it cannot, unlike the destructor.
  sqlite3* get() const { return database_.get(); }
  absl::Status Execute(const std::string& sql);
  absl::StatusOr<std::int64_t> Integer(const std::string& sql);
  // The first column of at most `most` rows.
  absl::StatusOr<std::vector<std::string>> Texts(const std::string& sql, std::size_t most);
  // What was just answered, as a status.
  absl::Status StatusOf(int result) const;
  // Statements end with Cancelled when a stop is requested.
  void StopOn(std::stop_token stop);

 private:
  struct Closer {
    void operator()(sqlite3* database) const { sqlite3_close_v2(database); }
  };
  explicit Database(sqlite3* database)
      : stop_(std::make_unique<std::stop_token>()), database_(database) {}

  std::unique_ptr<std::stop_token> stop_;  // outlives the handler below
  std::unique_ptr<sqlite3, Closer> database_;
};

}  // namespace nta::backup

#endif  // NTA_BACKUP_SQLITE_FILE_H_
