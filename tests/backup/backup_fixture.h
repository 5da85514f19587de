// What the tests of backups share: a directory, and databases that can be told apart.
#ifndef NTA_TESTS_BACKUP_BACKUP_FIXTURE_H_
#define NTA_TESTS_BACKUP_BACKUP_FIXTURE_H_

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <stdlib.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "nta/backup/backup_repository.h"
#include "nta/backup/sqlite_target.h"

namespace nta {

// 2026-11-22T08:00:00Z.
inline constexpr BackupTime kBackupTime{std::chrono::seconds(1'795'334'400)};
inline constexpr std::int64_t kTestApplication = 0x74657374;

// How often something is done: few times by default, NTA_BACKUP_ROUNDS times when that is set.
inline int Rounds(int by_default) {
  const char* const text = std::getenv("NTA_BACKUP_ROUNDS");
  return text == nullptr ? by_default : std::atoi(text);
}

// A figure of docs/reliability.md, in the output and in the report.
inline void TellFigure(const std::string& what, int count) {
  std::printf("%s: %d\n", what.c_str(), count);
  testing::Test::RecordProperty(what, count);
}

inline std::string ReadWhole(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

inline void WriteWhole(const std::string& path, std::string_view bytes) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

// A connection of the tests' own.
class Sqlite {
 public:
  explicit Sqlite(const std::string& path) {
    EXPECT_EQ(sqlite3_open(path.c_str(), &database_), SQLITE_OK) << path;
    sqlite3_busy_timeout(database_, 5000);
  }
  ~Sqlite() { sqlite3_close(database_); }
  Sqlite(const Sqlite&) = delete;
  Sqlite& operator=(const Sqlite&) = delete;

  void Run(const std::string& sql) {
    char* error = nullptr;
    EXPECT_EQ(sqlite3_exec(database_, sql.c_str(), nullptr, nullptr, &error), SQLITE_OK)
        << sql << ": " << (error == nullptr ? "" : error);
    sqlite3_free(error);
  }
  // All values of all rows, a line each.
  std::string Ask(const std::string& sql) {
    std::string text;
    const auto add = [](void* to, int columns, char** values, char**) {
      for (int i = 0; i < columns; ++i) {
        static_cast<std::string*>(to)->append(values[i] == nullptr ? "NULL" : values[i]) += '|';
      }
      static_cast<std::string*>(to)->append("\n");
      return 0;
    };
    if (sqlite3_exec(database_, sql.c_str(), add, &text, nullptr) != SQLITE_OK) {
      return std::string("error: ") + sqlite3_errmsg(database_);
    }
    return text;
  }
  sqlite3* get() { return database_; }

 private:
  sqlite3* database_ = nullptr;
};

// Rows that are sums of what was written before: half of a transaction would show.
inline void MakeDatabase(const std::string& path, int rows, std::string_view mark = "original") {
  Sqlite database(path);
  database.Run(
      "PRAGMA journal_mode=WAL; PRAGMA application_id=" + std::to_string(kTestApplication) +
      "; PRAGMA user_version=2;"
      "CREATE TABLE records(id INTEGER PRIMARY KEY, mark TEXT, value BLOB);"
      "CREATE TABLE settings(name TEXT PRIMARY KEY, value TEXT);"
      "INSERT INTO settings VALUES('mark', '" +
      std::string(mark) +
      "');"
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < " +
      std::to_string(rows) + ") INSERT INTO records SELECT i, '" + std::string(mark) +
      "', randomblob(200) FROM n");
}

// What is in it, whatever the bytes: short enough to be shown.
inline std::string Dump(const std::string& path) {
  Sqlite database(path);
  const std::string records = database.Ask("SELECT id, mark, hex(value) FROM records ORDER BY id");
  return database.Ask("PRAGMA integrity_check(1)") +
         database.Ask("SELECT name, value FROM settings ORDER BY name") +
         database.Ask("SELECT DISTINCT mark FROM records ORDER BY mark") +
         std::to_string(std::hash<std::string>()(records));
}

inline SqliteTargetOptions TargetOptions(const std::string& path) {
  return {.path = path,
          .application_id = kTestApplication,
          .max_schema_version = 2,
          .duty = 1,
          .lock_timeout = std::chrono::milliseconds(50)};
}

class BackupTest : public ::testing::Test {
 protected:
  BackupTest() {
    std::string name = (std::filesystem::temp_directory_path() / "nta_backup_XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) std::abort();
    directory_ = std::filesystem::canonical(name);
  }
  ~BackupTest() override {
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }

  std::string File(std::string_view name) const { return (directory_ / name).string(); }
  std::string live() const { return File("live.db"); }
  SqliteTarget Target() const { return SqliteTarget(TargetOptions(live())); }

  BackupRepository OpenRepository(std::string_view name = "backups") const {
    auto repository = BackupRepository::Open(File(name));
    EXPECT_TRUE(repository.ok()) << repository.status();
    return *std::move(repository);
  }

  static CreateBackupOptions Plain() {
    return {.time = kBackupTime, .compression = BackupCompression::kNone, .duty = 1};
  }

  // Names in a directory, sorted; those of backups shortened to what is behind their name.
  static std::vector<std::string> NamesIn(const std::string& directory) {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(directory)) {
      names.push_back(entry.path().filename().string());
    }
    std::sort(names.begin(), names.end());
    return names;
  }

  std::filesystem::path directory_;
};

}  // namespace nta

#endif  // NTA_TESTS_BACKUP_BACKUP_FIXTURE_H_
