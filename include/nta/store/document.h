// Document: a small text of a kind, kept under an id: incidents, rules, suppressions, schedules.
//
//   auto saved = store->PutDocument({.kind = "incident", .id = "inc-1", .body = "{...}", .updated =
//   now});
#ifndef NTA_STORE_DOCUMENT_H_
#define NTA_STORE_DOCUMENT_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "nta/net/time.h"

namespace nta {

struct Document {
  std::string kind{};  // 1 to 256 bytes
  std::string id{};    // 1 to 256 bytes, unique within its kind
  std::string body{};  // at most 4 MiB; JSON by convention, the store does not look into it
  Timestamp updated{};
  // 1 when it was made, and one more with each change. To a writer: the version that it replaces,
  // 0 for a new document, kAnyVersion for whatever there is.
  std::int64_t version = 0;

  static constexpr std::int64_t kAnyVersion = -1;

  friend bool operator==(const Document&, const Document&) = default;
};

struct DocumentQuery {
  std::string kind{};
  std::size_t limit = 100;  // 1 to 10,000; ordered by id
  std::string cursor{};     // next_cursor of the page before; empty for the first
};

struct DocumentPage {
  std::vector<Document> documents;
  std::string next_cursor;  // empty: this was the last page
};

}  // namespace nta

#endif  // NTA_STORE_DOCUMENT_H_
