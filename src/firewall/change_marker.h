// The files by which a change of the firewall is known on disk: what was in force before it, and
// until when it waits for a confirmation.
//
// One file, whose name is the state: change.pending -> change.confirmed or change.rolling_back ->
// change.rolled_back. Each step is one rename(), so that of two who want to take it, one does.
#ifndef NTA_FIREWALL_CHANGE_MARKER_H_
#define NTA_FIREWALL_CHANGE_MARKER_H_

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "nta/firewall/change_guard.h"
#include "nta/firewall/nftables_backend.h"
#include "nta/firewall/rule_set.h"

namespace nta::firewall {

inline constexpr char kPendingFile[] = "change.pending";
inline constexpr char kConfirmedFile[] = "change.confirmed";
inline constexpr char kRollingBackFile[] = "change.rolling_back";
inline constexpr char kRolledBackFile[] = "change.rolled_back";
inline constexpr char kCorruptFile[] = "change.corrupt";
// Locked by the watchdog for as long as it lives.
inline constexpr char kWatchdogLock[] = "watchdog.lock";
// Locked by whoever changes the rules because of a change: it holds while they look and write.
inline constexpr char kChangeLock[] = "change.lock";

struct ChangeMarker {
  PendingChange change{};
  std::string boot_id{};
  std::chrono::nanoseconds deadline_since_boot{};  // CLOCK_BOOTTIME: goes on in suspend, never back
  NftablesOptions nftables{};                      // what the watchdog writes to
  RollBackCause cause = RollBackCause::kNotConfirmed;
};

// One directory. Every step is on disk when it returns.
class ChangeFiles {
 public:
  explicit ChangeFiles(std::string directory) : directory_(std::move(directory)) {}

  // FailedPrecondition when anybody but its owner may write there.
  absl::Status CheckDirectory() const;
  std::string Path(std::string_view file) const { return directory_ + "/" + std::string(file); }
  bool Exists(std::string_view file) const;
  absl::Status Write(std::string_view file, const ChangeMarker& marker) const;
  // NotFound; DataLoss: it cannot be read.
  absl::StatusOr<ChangeMarker> Read(std::string_view file) const;
  // NotFound: another was faster.
  absl::Status Rename(std::string_view from, std::string_view to) const;
  absl::Status Remove(std::string_view file) const;

 private:
  absl::Status SyncDirectory() const;
  std::string directory_;
};

// Changes with every start of the machine.
absl::StatusOr<std::string> BootId();
std::chrono::nanoseconds SinceBoot();

}  // namespace nta::firewall

#endif  // NTA_FIREWALL_CHANGE_MARKER_H_
