// BackupTarget: what is backed up and restored. SqliteTarget is one; a program may bring its own.
//
//   class Ledger final : public nta::BackupTarget { ... };
//   auto backup = repository->Create(ledger, {.time = now});
#ifndef NTA_BACKUP_BACKUP_TARGET_H_
#define NTA_BACKUP_BACKUP_TARGET_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <stop_token>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace nta {

// The same type as nta::Timestamp.
using BackupTime = std::chrono::sys_time<std::chrono::nanoseconds>;

enum class BackupPhase : std::uint8_t {
  kSnapshot,  // the live data is copied
  kPack,      // the copy is compressed, encrypted and written
  kUnpack,    // a backup is read into a scratch place
  kCheck,     // what was read is examined and compared with the manifest
  kSwap,      // it takes the place of the live data
};
std::string_view ToString(BackupPhase phase);  // "snapshot", "pack", "unpack", "check", "swap"

struct BackupProgress {
  BackupPhase phase = BackupPhase::kSnapshot;
  std::uint64_t done_bytes = 0;
  std::uint64_t total_bytes = 0;
};

// How long work may go on, and who hears of it.
struct BackupControl {
  // The work is given up with Cancelled when a stop is requested, and leaves nothing behind.
  std::stop_token stop{};
  // Called now and then by the thread that works.
  std::function<void(const BackupProgress&)> progress{};
};

// What is in a snapshot: the manifest of a backup keeps it, and a restore is compared with it.
struct SnapshotSummary {
  std::int64_t application_id = 0;
  std::int64_t schema_version = 0;
  std::map<std::string, std::uint64_t> rows;  // by table

  friend bool operator==(const SnapshotSummary&, const SnapshotSummary&) = default;
};

// Implementations may be called by several threads at once.
class BackupTarget {
 public:
  virtual ~BackupTarget() = default;

  // What kind of data it is, "sqlite": a backup of another kind is refused.
  virtual std::string_view kind() const = 0;
  // How large a snapshot will be, roughly.
  virtual absl::StatusOr<std::uint64_t> EstimateBytes() const = 0;
  // Writes the state of one moment into the empty file `path`, while others go on writing to the
  // live data, and tells what is in it.
  virtual absl::StatusOr<SnapshotSummary> Snapshot(const std::string& path,
                                                   const BackupControl& control) const = 0;
  // Examines a snapshot that may come from anywhere, tells what is in it, and makes it ready to be
  // swapped in. DataLoss for a damaged one, FailedPrecondition for a foreign or newer one.
  virtual absl::StatusOr<SnapshotSummary> Check(const std::string& path,
                                                const BackupControl& control) const = 0;
  // Whether what is there now may give way to a restored one at all: asked before the work of a
  // restore begins. FailedPrecondition for what was never ours.
  virtual absl::Status CheckReplaceable() const { return absl::OkStatus(); }
  // Where a file must be staged to be swapped in: a path beside the live data, of no file yet.
  virtual std::string StagingPath(std::string_view token) const = 0;
  // Lets a staged file that was checked take the place of the live data: all or nothing, also when
  // the process is killed meanwhile. Answers where the previous data is kept, if it is.
  virtual absl::StatusOr<std::string> Replace(const std::string& staged,
                                              const BackupControl& control) const = 0;
};

}  // namespace nta

#endif  // NTA_BACKUP_BACKUP_TARGET_H_
