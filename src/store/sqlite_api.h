// SQLite, linked or, in a loadable extension, as the program that loads it hands it over.
#ifndef NTA_STORE_SQLITE_API_H_
#define NTA_STORE_SQLITE_API_H_

#ifdef NTA_SQLITE_EXTENSION
#include <sqlite3ext.h>
#ifndef NTA_SQLITE_EXTENSION_ENTRY
SQLITE_EXTENSION_INIT3
#endif
#else
#include <sqlite3.h>
#endif

#endif  // NTA_STORE_SQLITE_API_H_
