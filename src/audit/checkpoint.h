// What the seal of a checkpoint covers.
#ifndef NTA_AUDIT_CHECKPOINT_H_
#define NTA_AUDIT_CHECKPOINT_H_

#include <string>

#include "audit/chain.h"
#include "nta/audit/audit_log.h"

namespace nta::audit {

// The line without its seal.
std::string SealedText(const AuditCheckpoint& checkpoint);
// By the key of the record that follows the checkpoint.
std::string SealOf(const AuditCheckpoint& checkpoint, const SealingKey& key, Sha256& sha);

}  // namespace nta::audit

#endif  // NTA_AUDIT_CHECKPOINT_H_
