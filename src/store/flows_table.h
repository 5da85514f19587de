// The virtual table `flows`: stored flows for whoever asks with SQL. Read-only.
//
//   SELECT source_address, sum(forward_wire_bytes) FROM flows WHERE destination_port = 443 ...
#ifndef NTA_STORE_FLOWS_TABLE_H_
#define NTA_STORE_FLOWS_TABLE_H_

#include "store/sqlite_api.h"

namespace nta::store {

// Makes the table known to a connection; answers a result code of SQLite. The database needs not be
// a store: the table tells when it is asked.
int RegisterFlowsTable(sqlite3* database);

}  // namespace nta::store

#endif  // NTA_STORE_FLOWS_TABLE_H_
