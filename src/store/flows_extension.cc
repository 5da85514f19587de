// The loadable extension nta_flows.so: `.load nta_flows` in the sqlite3 shell,
// connection.load_extension() in Python.
#define NTA_SQLITE_EXTENSION_ENTRY
#include "store/flows_table.h"

SQLITE_EXTENSION_INIT1

// SQLite finds it by the name of the file.
extern "C" __attribute__((visibility("default"))) int sqlite3_ntaflows_init(
    sqlite3* database, char**, const sqlite3_api_routines* api) {
  SQLITE_EXTENSION_INIT2(api);
  return nta::store::RegisterFlowsTable(database);
}
