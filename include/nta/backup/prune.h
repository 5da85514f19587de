// PrunePolicy: which backups to keep.
//
//   auto keep = nta::SelectToKeep(backups, {.last = 7, .weekly = 4, .monthly = 12});
#ifndef NTA_BACKUP_PRUNE_H_
#define NTA_BACKUP_PRUNE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace nta {

struct BackupInfo;

// A backup is kept when any of the four counts keeps it; the newest of each day, week (from Monday)
// and month, UTC, so many of them as have one. All zero: everything is kept.
struct PrunePolicy {
  std::size_t last = 0;
  std::size_t daily = 0;
  std::size_t weekly = 0;
  std::size_t monthly = 0;
  // Of what is left the oldest go until the rest takes no more.
  std::optional<std::uint64_t> max_bytes{};
};

// One a backup: true when it is kept. `backups` are newest first. The newest verified one is always
// kept, and without any verified one the newest that has no known problem: there is no policy that
// leaves nothing to restore.
std::vector<bool> SelectToKeep(std::span<const BackupInfo> backups, const PrunePolicy& policy);

}  // namespace nta

#endif  // NTA_BACKUP_PRUNE_H_
