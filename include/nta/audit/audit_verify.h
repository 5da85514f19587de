// VerifyAudit(): whether a trail is as it was written, and whether all of it is there.
//
//   auto report = nta::VerifyAudit("audit", {.verification_key_path = "/media/usb/audit.key"});
//   std::cout << report->summary << '\n';
#ifndef NTA_AUDIT_AUDIT_VERIFY_H_
#define NTA_AUDIT_AUDIT_VERIFY_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "nta/audit/audit_log.h"
#include "nta/net/time.h"

namespace nta {

struct AuditVerifyOptions {
  // Empty: "verification.key" in the directory when it is there, else seals are not checked.
  std::string verification_key_path = {};
  std::vector<AuditCheckpoint> checkpoints = {};
  // Verifies this many records and takes no notice of what follows: for a trail that is being
  // written. Absent: all.
  std::optional<std::uint64_t> count = {};
};

enum class AuditIntegrity : std::uint8_t { kIntact = 0, kDamaged = 1 };
// "intact", "damaged".
std::string_view ToString(AuditIntegrity integrity);

enum class AuditAuthenticity : std::uint8_t {
  kProven = 0,     // every seal fits the verification key
  kNotProven = 1,  // there was no verification key: hashes fit, but anybody can make hashes
  kForged = 2,     // a seal does not fit
};
// "proven", "not_proven", "forged".
std::string_view ToString(AuditAuthenticity authenticity);

enum class AuditCompleteness : std::uint8_t {
  kComplete = 0,    // reaches the newest checkpoint, and what the key file says
  kIncomplete = 1,  // ends before, has a gap, or is not the trail that the checkpoint was made of
  kUnknown = 2,     // there is neither a checkpoint nor a key file to compare with
};
// "complete", "incomplete", "unknown".
std::string_view ToString(AuditCompleteness completeness);

struct AuditFault {
  std::string file = {};
  std::uint64_t offset = 0;    // of the record in the file
  std::uint64_t sequence = 0;  // that the record there must have
  std::string reason = {};
};

struct AuditReport {
  AuditIntegrity integrity = AuditIntegrity::kIntact;
  AuditAuthenticity authenticity = AuditAuthenticity::kNotProven;
  AuditCompleteness completeness = AuditCompleteness::kUnknown;
  std::string chain = {};
  std::uint64_t files = 0;
  std::uint64_t records = 0;         // that were found good
  std::uint64_t bytes = 0;           // read
  std::uint64_t first_sequence = 0;  // larger than 1 when older files were moved away
  std::uint64_t last_sequence = 0;
  std::optional<Timestamp> last_time = {};
  // Records that the newest checkpoint vouches for; what follows could be cut off unnoticed by
  // whoever also replaces the key file.
  std::uint64_t checkpoint_count = 0;
  // The first one of each file at the most; the first is the first bad record of the trail.
  std::vector<AuditFault> faults = {};
  std::string summary = {};  // in words, one line

  bool ok() const {
    return integrity == AuditIntegrity::kIntact && authenticity != AuditAuthenticity::kForged &&
           completeness != AuditCompleteness::kIncomplete;
  }
};

// An error only when nothing could be verified: NotFound without a trail, FailedPrecondition when
// the verification key is named and cannot be used.
absl::StatusOr<AuditReport> VerifyAudit(const std::string& directory,
                                        const AuditVerifyOptions& options);

}  // namespace nta

#endif  // NTA_AUDIT_AUDIT_VERIFY_H_
