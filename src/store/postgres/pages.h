// Pages of flows from PostgreSQL.
#ifndef NTA_STORE_POSTGRES_PAGES_H_
#define NTA_STORE_POSTGRES_PAGES_H_

#include "nta/store/store.h"
#include "store/postgres/connection.h"

namespace nta::store {

absl::StatusOr<FlowPage> QueryPgFlows(PgConnection& connection, const FlowQuery& query);

}  // namespace nta::store

#endif  // NTA_STORE_POSTGRES_PAGES_H_
