// What each kind of data takes of the file, and which of it is the oldest.
#ifndef NTA_STORE_USAGE_H_
#define NTA_STORE_USAGE_H_

#include <cstdint>
#include <optional>

#include "absl/status/statusor.h"
#include "nta/store/store.h"
#include "store/backend.h"
#include "store/sqlite.h"

namespace nta::store {

// All but incidents, which are among the others here: the store does not look into documents.
absl::StatusOr<StoreUsage> MeasureUsage(Connection& connection);
absl::StatusOr<std::uint64_t> CountRowsBefore(Connection& connection, RowKind kind, Timestamp time);
// Before this time are the oldest `count` rows, and those of the same moment as the last of them;
// absent when there are none at all.
absl::StatusOr<std::optional<Timestamp>> EndOfOldestRows(Connection& connection, RowKind kind,
                                                         std::uint64_t count);

// How many of `usage` go, about, for it to have `most` bytes: one at least when it has more.
std::uint64_t RowsBeyond(const KindUsage& usage, std::uint64_t most);

}  // namespace nta::store

#endif  // NTA_STORE_USAGE_H_
