// How a store names itself in the header of its file.
#ifndef NTA_STORE_SCHEMA_VERSION_H_
#define NTA_STORE_SCHEMA_VERSION_H_

#include <cstdint>

namespace nta::store {

// "nta1" in ASCII: what `file` and other programs see.
inline constexpr std::int64_t kApplicationId = 0x6e746131;
// Raised by every migration.
inline constexpr std::int64_t kSchemaVersion = 4;

}  // namespace nta::store

#endif  // NTA_STORE_SCHEMA_VERSION_H_
