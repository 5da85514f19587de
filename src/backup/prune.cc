#include "nta/backup/prune.h"

#include <chrono>
#include <set>

#include "nta/backup/backup_repository.h"

namespace nta {
namespace {

using Days = std::chrono::sys_days;

Days DayOf(const BackupInfo& backup) { return std::chrono::floor<std::chrono::days>(backup.time); }

Days MondayOf(const BackupInfo& backup) {
  const Days day = DayOf(backup);
  return day - (std::chrono::weekday(day) - std::chrono::Monday);
}

Days MonthOf(const BackupInfo& backup) {
  const std::chrono::year_month_day date(DayOf(backup));
  return date.year() / date.month() / 1;
}

// Keeps the newest of each of the newest `count` periods.
void KeepByPeriod(std::span<const BackupInfo> backups, std::size_t count,
                  Days (*period)(const BackupInfo&), std::vector<bool>& keep) {
  std::set<Days> seen;
  for (std::size_t i = 0; i < backups.size() && seen.size() < count; ++i) {
    // One that is known to be bad must not stand for a good one.
    if (!backups[i].problem.empty()) continue;
    if (seen.insert(period(backups[i])).second) keep[i] = true;
  }
}

// The one that is kept whatever the policy says; size() without any.
std::size_t FindIndispensable(std::span<const BackupInfo> backups) {
  for (std::size_t i = 0; i < backups.size(); ++i) {
    if (backups[i].verified && backups[i].problem.empty()) return i;
  }
  for (std::size_t i = 0; i < backups.size(); ++i) {
    if (backups[i].problem.empty()) return i;
  }
  return backups.size();
}

}  // namespace

std::vector<bool> SelectToKeep(std::span<const BackupInfo> backups, const PrunePolicy& policy) {
  const bool has_counts = policy.last + policy.daily + policy.weekly + policy.monthly > 0;
  std::vector<bool> keep(backups.size(), !has_counts);
  const std::size_t indispensable = FindIndispensable(backups);
  if (has_counts) {
    for (std::size_t i = 0, good = 0; i < backups.size() && good < policy.last; ++i) {
      if (!backups[i].problem.empty()) continue;
      keep[i] = true;
      ++good;
    }
    KeepByPeriod(backups, policy.daily, DayOf, keep);
    KeepByPeriod(backups, policy.weekly, MondayOf, keep);
    KeepByPeriod(backups, policy.monthly, MonthOf, keep);
  }
  if (indispensable < backups.size()) keep[indispensable] = true;
  if (!policy.max_bytes) return keep;
  std::uint64_t bytes = indispensable < backups.size() ? backups[indispensable].stored_bytes : 0;
  bool full = false;
  for (std::size_t i = 0; i < backups.size(); ++i) {
    if (!keep[i] || i == indispensable) continue;
    full = full || bytes + backups[i].stored_bytes > *policy.max_bytes;
    if (full) {
      keep[i] = false;
    } else {
      bytes += backups[i].stored_bytes;
    }
  }
  return keep;
}

}  // namespace nta
