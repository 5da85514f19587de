// Cursors: where the next page of a query begins, as a text that callers hand back unread.
#ifndef NTA_STORE_CURSOR_H_
#define NTA_STORE_CURSOR_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace nta::store {

// The last row of a page: what it was ordered by, and its id.
struct Cursor {
  std::int64_t value = 0;
  std::string id;
};

// `kind` names the order: a cursor is good for the order it came from only.
std::string EncodeCursor(char kind, const Cursor& cursor);
// InvalidArgument for anything that EncodeCursor did not make with this `kind`.
absl::StatusOr<Cursor> DecodeCursor(char kind, std::string_view text);
absl::StatusOr<std::int64_t> ParseInteger(std::string_view text);

}  // namespace nta::store

#endif  // NTA_STORE_CURSOR_H_
