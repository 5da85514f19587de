// Reading an audit trail back. Reading does not verify: see VerifyAudit().
//
//   auto page = nta::ReadAudit("audit", {.act = "user"});
#ifndef NTA_AUDIT_AUDIT_READER_H_
#define NTA_AUDIT_AUDIT_READER_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "nta/audit/audit_event.h"

namespace nta {

struct AuditQuery {
  std::optional<Timestamp> since = {};  // inclusive
  std::optional<Timestamp> until = {};  // exclusive
  std::string actor = {};               // empty: all
  std::string act = {};                 // "user" also means "user.delete"; empty: all
  std::optional<AuditOutcome> outcome = {};
  std::string text = {};    // part of any text of the record; ASCII case does not matter
  std::size_t limit = 100;  // 1 to 10,000
  std::string cursor = {};  // of the page before; empty: from the newest
};

struct AuditPage {
  std::vector<AuditRecord> records = {};  // newest first
  std::string next_cursor = {};           // empty: that was all
  // Places where what follows, towards the older, cannot be read up to the next file.
  std::uint64_t unreadable = 0;
};

// NotFound when there is no trail, InvalidArgument for a wrong query.
absl::StatusOr<AuditPage> ReadAudit(const std::string& directory, const AuditQuery& query);

// Every record that the query matches, oldest first; `limit` and `cursor` do not count. Ends early
// with the callback's error; DataLoss, after all that could be read, when a part could not.
absl::Status ExportAudit(const std::string& directory, const AuditQuery& query,
                         absl::FunctionRef<absl::Status(const AuditRecord&)> callback);

// The files of the trail, oldest first, with their paths: what a backup copies.
absl::StatusOr<std::vector<std::string>> ListAuditFiles(const std::string& directory);

}  // namespace nta

#endif  // NTA_AUDIT_AUDIT_READER_H_
