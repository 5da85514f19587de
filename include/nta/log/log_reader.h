// Reading logs back: the file that is written and those put aside, packed or not, as one.
//
//   auto page = nta::ReadLog("logs/server.log", {.min_level = nta::LogLevel::kWarning});
#ifndef NTA_LOG_LOG_READER_H_
#define NTA_LOG_LOG_READER_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "nta/log/log_event.h"
#include "nta/net/time.h"

namespace nta {

enum class LogOrder : std::uint8_t { kNewestFirst, kOldestFirst };

struct LogQuery {
  std::optional<Timestamp> since = {};  // inclusive
  std::optional<Timestamp> until = {};  // exclusive
  LogLevel min_level = LogLevel::kDebug;
  std::string component = {};  // "store" also means "store.writer"; empty: all
  std::string text = {};  // part of the line as it stands in the file; ASCII case does not matter
  LogOrder order = LogOrder::kNewestFirst;
  std::size_t limit = 100;  // 1 to 10,000
  std::string cursor = {};  // of the page before; empty: from the start
  // A page ends, with a cursor, at the first file boundary after this much was read.
  std::uint64_t max_scan_bytes = std::uint64_t{256} << 20;
};

struct LogPage {
  std::vector<LogEvent> events = {};  // values of fields as texts, numbers and booleans
  std::string next_cursor = {};       // empty: that was all
  std::uint64_t unreadable = 0;       // lines that no sink of ours has written
};

// In the order of the files, which is that of writing. A page stays where it is while lines are
// added and files put aside; cursors of files that are gone lead to the nearest that is there.
// NotFound when there is no such log, InvalidArgument for a wrong query, and for a file that has
// lines of which none is one of a log.
absl::StatusOr<LogPage> ReadLog(const std::string& path, const LogQuery& query);

struct LogFile {
  std::string name = {};     // "server.log", "server.log.000003.zst"
  std::uint64_t number = 0;  // that of the file now written is one more than the last put aside
  std::uint64_t bytes = 0;   // on the disk
  Timestamp modified = {};
};
// Oldest first, the one that is written last.
absl::StatusOr<std::vector<LogFile>> ListLogFiles(const std::string& path);

// Every line of all files, oldest first, unpacked, each with its line feed. Ends early with the
// callback's error.
absl::Status CopyLog(const std::string& path,
                     absl::FunctionRef<absl::Status(const std::string& line)> callback);

}  // namespace nta

#endif  // NTA_LOG_LOG_READER_H_
