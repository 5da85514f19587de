// PostgresPrograms: pg_dump, pg_restore and psql on one database.
#ifndef NTA_BACKUP_POSTGRES_PROGRAMS_H_
#define NTA_BACKUP_POSTGRES_PROGRAMS_H_

#include <cstdint>
#include <functional>
#include <map>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace nta::backup {

// The URL of a database in the parts that matter here.
struct PostgresUrl {
  std::string server;    // "postgresql://user@host:5432/", without a password
  std::string database;  // as in the URL
  std::string rest;      // "?sslmode=require", without a password
  std::string password;  // decoded; empty: none

  // Of another database of the same server, without the password.
  std::string Shown(std::string_view name) const { return server + std::string(name) + rest; }
  // The same with it, for whoever opens it in this process.
  std::string Full(std::string_view name) const;
};
absl::StatusOr<PostgresUrl> ParsePostgresUrl(std::string_view url);

// An absolute directory with the three programs: `asked`, or the newest of the system's. NotFound.
absl::StatusOr<std::string> FindPostgresPrograms(const std::string& asked);

class PostgresPrograms {
 public:
  PostgresPrograms(std::string directory, PostgresUrl url, std::string database)
      : directory_(std::move(directory)), url_(std::move(url)), database_(std::move(database)) {}

  // The answer's lines; columns have a '|' between. Several statements are one transaction.
  absl::StatusOr<std::vector<std::string>> Ask(const std::string& sql,
                                               const std::stop_token& stop) const;
  absl::StatusOr<std::int64_t> Integer(const std::string& sql, const std::stop_token& stop) const;
  // All of a schema, of one moment, into a file.
  absl::Status Dump(const std::string& schema, const std::string& path,
                    const std::stop_token& stop) const;
  // All or nothing.
  absl::Status Restore(const std::string& path, const std::stop_token& stop) const;
  // What is in such a file, a line each: "TABLE nta alerts nta"; and its rows by table.
  absl::StatusOr<std::vector<std::string>> Entries(const std::string& path,
                                                   const std::stop_token& stop) const;
  absl::StatusOr<std::map<std::string, std::uint64_t>> Rows(const std::string& path,
                                                            const std::stop_token& stop) const;

  const PostgresUrl& url() const { return url_; }
  const std::string& directory() const { return directory_; }

 private:
  absl::Status Run(const char* program, std::vector<std::string> arguments,
                   const std::function<void(std::string_view)>& output,
                   const std::stop_token& stop) const;

  std::string directory_;
  PostgresUrl url_;
  std::string database_;
};

}  // namespace nta::backup

#endif  // NTA_BACKUP_POSTGRES_PROGRAMS_H_
