// Returning early with a status, and making statuses from std strings.
#ifndef NTA_BASE_STATUS_H_
#define NTA_BASE_STATUS_H_

#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#define NTA_RETURN_IF_ERROR(expression)                                                \
  do {                                                                                 \
    if (::absl::Status nta_status = (expression); !nta_status.ok()) return nta_status; \
  } while (false)

#define NTA_STATUS_CONCAT_INNER(a, b) a##b
#define NTA_STATUS_CONCAT(a, b) NTA_STATUS_CONCAT_INNER(a, b)
#define NTA_ASSIGN_OR_RETURN_IMPL(result, declaration, expression) \
  auto result = (expression);                                      \
  if (!result.ok()) return std::move(result).status();             \
  declaration = std::move(result).value()
#define NTA_ASSIGN_OR_RETURN(declaration, expression) \
  NTA_ASSIGN_OR_RETURN_IMPL(NTA_STATUS_CONCAT(nta_result_, __LINE__), declaration, expression)

namespace nta::base {

// Debian's absl::string_view is not std::string_view; these take what std gives.
inline absl::string_view ToAbsl(std::string_view text) { return {text.data(), text.size()}; }

inline absl::Status MakeStatus(absl::StatusCode code, std::string_view message) {
  return absl::Status(code, ToAbsl(message));
}
inline absl::Status InvalidArgument(std::string_view message) {
  return MakeStatus(absl::StatusCode::kInvalidArgument, message);
}

// The status for a failed system call: ENOENT is NotFound, EACCES PermissionDenied, ENOSPC
// ResourceExhausted, ... The text is `what: reason`.
absl::Status ErrnoStatus(int error, std::string_view what);

}  // namespace nta::base

#endif  // NTA_BASE_STATUS_H_
