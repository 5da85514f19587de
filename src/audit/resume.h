// How a trail that was closed, or whose process died, ends.
#ifndef NTA_AUDIT_RESUME_H_
#define NTA_AUDIT_RESUME_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "audit/audit_key.h"
#include "audit/segment.h"

namespace nta::audit {

struct TrailEnd {
  // Not empty: the last file does not hold what the key says, and is not to be written again.
  std::string damage;
  KeyState state;                // as the key file has it, and on over records that follow
  std::uint64_t good_bytes = 0;  // of the last file
  std::uint64_t torn_bytes = 0;  // behind them: a record that was being written
};

// Follows the last file from its start to where `state` says that the trail ends, and on over
// records that the keys after `state` seal: the process died before it could save its key. A file
// that was just being begun is removed.
absl::StatusOr<TrailEnd> FindTrailEnd(const std::vector<SegmentFile>& files, const KeyState& state);

}  // namespace nta::audit

#endif  // NTA_AUDIT_RESUME_H_
