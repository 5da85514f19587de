// RotatingFileSink: a log file that is put aside when it is large or old.
//
//   auto sink = nta::RotatingFileSink::Open({.path = "logs/server.log"});
//   if (sink.ok()) logger.AddSink(*std::move(sink));
#ifndef NTA_LOG_ROTATING_FILE_SINK_H_
#define NTA_LOG_ROTATING_FILE_SINK_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "nta/log/log_sink.h"
#include "nta/net/time.h"

namespace nta {

enum class LogCompression : std::uint8_t { kNone = 0, kGzip = 1, kZstd = 2 };
// "none", "gzip", "zstd".
std::string_view ToString(LogCompression compression);
absl::StatusOr<LogCompression> ParseLogCompression(std::string_view name);

struct LogRotation {
  // The file is put aside before a line would make it larger; at least 4096.
  std::uint64_t max_bytes = std::uint64_t{16} << 20;
  // ... or when its first line is this old; zero: never for its age.
  Duration max_age{};
  // Files kept beside the one that is written; the oldest go. 1 to 10,000.
  std::uint32_t keep = 10;
  LogCompression compression = LogCompression::kZstd;

  friend bool operator==(const LogRotation&, const LogRotation&) = default;
};
// InvalidArgument names the setting and its range.
absl::Status CheckLogRotation(const LogRotation& rotation);

struct RotatingFileSinkOptions {
  std::string path = {};  // its directory must exist
  LogFormat format = LogFormat::kJson;
  LogRotation rotation = {};
};

struct RotatingFileSinkStats {
  std::uint64_t bytes = 0;  // in the file that is written
  std::uint64_t lines = 0;  // since Open
  std::uint64_t rotations = 0;
  std::uint64_t lost = 0;        // events that could not be written
  absl::Status last_error = {};  // of the last event that could not, or of the last rotation
};

// Thread-safe. "server.log" is written; what is put aside is "server.log.000001",
// "server.log.000002.zst", with numbers that grow. A file has mode 0600; symbolic links are not
// followed. The thread whose event rotates the file also packs the one put aside; others write on.
// Killed at any point, the next Open finds every line that was written once: in the file as before,
// or put aside.
class RotatingFileSink final : public LogSink {
 public:
  // Goes on with a file that is there. InvalidArgument for a wrong rotation, Unavailable when
  // another sink, here or in another process, writes the path, FailedPrecondition when the path is
  // no regular file.
  static absl::StatusOr<std::unique_ptr<RotatingFileSink>> Open(
      const RotatingFileSinkOptions& options);
  ~RotatingFileSink() override;

  // A line that cannot be written whole leaves nothing of it in the file. The event after tells how
  // many were lost before it.
  absl::Status Write(const LogEvent& event) override;
  // Returns when the lines are on the disk.
  absl::Status Flush() override;

  // Puts the file aside now; an empty one stays. An error of packing or clearing away is returned
  // although the file is put aside.
  absl::Status RotateNow();
  // Puts the file aside when it is too old at `now`, also when nothing is logged.
  absl::Status RotateIfDue(Timestamp now);
  // Opens the path anew, for programs that move log files away themselves and then send SIGHUP.
  absl::Status Reopen();

  absl::Status SetRotation(const LogRotation& rotation);
  LogRotation rotation() const;
  RotatingFileSinkStats Stats() const;
  const std::string& path() const;

 private:
  class Impl;
  explicit RotatingFileSink(std::unique_ptr<Impl> impl);
  const std::unique_ptr<Impl> impl_;
};

}  // namespace nta

#endif  // NTA_LOG_ROTATING_FILE_SINK_H_
