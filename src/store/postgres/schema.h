// The tables of a store in PostgreSQL, all in the schema "nta" (docs/postgresql.md).
#ifndef NTA_STORE_POSTGRES_SCHEMA_H_
#define NTA_STORE_POSTGRES_SCHEMA_H_

#include <cstdint>

#include "nta/net/time.h"
#include "store/postgres/connection.h"

namespace nta::store {

// Makes the tables when there are none. FailedPrecondition for a schema of another program or of a
// newer libnta.
absl::Status PreparePgSchema(PgConnection& connection);

// Days since 1970-01-01.
using Day = std::int64_t;
Day DayOf(Timestamp time);
Timestamp StartOfDay(Day day);

// Flows of each day have a table of their own, so that a day goes at once. In the caller's
// transaction.
absl::Status AddDay(PgConnection& connection, Day day);
// The days that have a table, the earliest first.
absl::StatusOr<std::vector<Day>> ListDays(PgConnection& connection);
absl::Status DropDay(PgConnection& connection, Day day);

absl::StatusOr<std::int64_t> ReadPgMeta(PgConnection& connection, std::string_view name);
absl::Status WritePgMeta(PgConnection& connection, std::string_view name, std::int64_t value);

}  // namespace nta::store

#endif  // NTA_STORE_POSTGRES_SCHEMA_H_
