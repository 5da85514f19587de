// Telling a database of ours, also a damaged one, from a file that only has its name.
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>

#include "backup/sqlite_file.h"
#include "backup/sqlite_swap.h"
#include "base/status.h"

namespace nta::backup {
namespace {

// https://www.sqlite.org/fileformat.html, section 1.3.
constexpr std::string_view kMagic("SQLite format 3\0", 16);
constexpr std::size_t kApplicationId = 68;
constexpr std::size_t kHeaderBytes = 100;

absl::Status Refuse(const SwapNames& names, std::string_view reason) {
  return base::MakeStatus(absl::StatusCode::kFailedPrecondition,
                          "will not replace \"" + names.directory + "/" + names.database +
                              "\": " + std::string(reason));
}

absl::Status RefuseForeign(const SwapNames& names, std::string_view what) {
  return Refuse(names, std::string(what) +
                           " (if it is a store that is damaged at its beginning, say "
                           "replace_foreign)");
}

// What the log holds is not in the file yet: that of a young database may be all there is of it.
std::int64_t IdByTheLog(const SwapNames& names) {
  const std::string path = names.directory + "/" + names.database;
  struct stat log {};
  if (stat((path + "-wal").c_str(), &log) != 0 || log.st_size == 0) return 0;
  absl::StatusOr<Database> database = Database::Open(path, SQLITE_OPEN_READWRITE, Links::kRefuse);
  if (!database.ok()) return 0;
  // It may be another's: nothing is moved from its log into its file.
  sqlite3_db_config(database->get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  return database->Integer("PRAGMA application_id").value_or(0);
}

}  // namespace

absl::Status CheckIsFile(const SwapNames& names) {
  const std::string path = names.directory + "/" + names.database;
  struct stat info {};
  if (stat(path.c_str(), &info) != 0) {
    if (errno == ENOENT) return absl::OkStatus();
    return base::ErrnoStatus(errno, "cannot read \"" + path + "\"");
  }
  if (S_ISDIR(info.st_mode)) return Refuse(names, "it is a directory");
  return S_ISREG(info.st_mode) ? absl::OkStatus() : Refuse(names, "it is not a regular file");
}

absl::Status CheckOwned(const SwapNames& names, std::int64_t application_id) {
  NTA_RETURN_IF_ERROR(CheckIsFile(names));
  const absl::StatusOr<Descriptor> file =
      OpenFile(AT_FDCWD, names.directory + "/" + names.database);
  if (absl::IsNotFound(file.status())) return absl::OkStatus();
  NTA_RETURN_IF_ERROR(file.status());
  std::array<std::uint8_t, kHeaderBytes> header{};
  NTA_ASSIGN_OR_RETURN(const std::size_t size, ReadUpTo(file->get(), header));
  if (size == 0) return absl::OkStatus();
  if (size < header.size() || !std::equal(kMagic.begin(), kMagic.end(), header.begin())) {
    return RefuseForeign(names, "it is no SQLite database");
  }
  std::uint32_t id = 0;
  for (std::size_t i = 0; i < sizeof id; ++i) id = id << 8 | header[kApplicationId + i];
  if (id == static_cast<std::uint32_t>(application_id)) return absl::OkStatus();
  if (IdByTheLog(names) == application_id) return absl::OkStatus();
  return RefuseForeign(names, "it is a database of another program");
}

}  // namespace nta::backup
