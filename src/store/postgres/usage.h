// What each kind of data takes of a PostgreSQL database, and rows that are too old.
#ifndef NTA_STORE_POSTGRES_USAGE_H_
#define NTA_STORE_POSTGRES_USAGE_H_

#include <cstdint>
#include <optional>

#include "absl/status/statusor.h"
#include "store/backend.h"
#include "store/postgres/connection.h"

namespace nta::store {

// Contracts as in store/usage.h.
absl::StatusOr<StoreUsage> MeasurePgUsage(PgConnection& connection);
absl::StatusOr<std::uint64_t> CountPgRowsBefore(PgConnection& connection, RowKind kind,
                                                Timestamp time);
absl::StatusOr<std::optional<Timestamp>> EndOfOldestPgRows(PgConnection& connection, RowKind kind,
                                                           std::uint64_t count);

// Answers how many went.
absl::StatusOr<std::uint64_t> DeletePgRowsBefore(PgConnection& connection, RowKind kind,
                                                 Timestamp time);
// Gives the room of rows that were deleted back; keeps the tables locked while it does.
absl::Status CompactPgRows(PgConnection& connection, RowKind kind);
absl::Status CompactPgTotals(PgConnection& connection);

}  // namespace nta::store

#endif  // NTA_STORE_POSTGRES_USAGE_H_
