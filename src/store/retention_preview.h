// What a policy would delete.
#ifndef NTA_STORE_RETENTION_PREVIEW_H_
#define NTA_STORE_RETENTION_PREVIEW_H_

#include "absl/status/statusor.h"
#include "nta/store/store.h"
#include "store/backend.h"

namespace nta::store {

// Store::PreviewRetain.
absl::StatusOr<RetentionPreview> PreviewRetention(Backend& backend, const RetentionPolicy& policy,
                                                  Timestamp now);

}  // namespace nta::store

#endif  // NTA_STORE_RETENTION_PREVIEW_H_
