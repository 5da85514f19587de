// AuditLog: an append-only trail in which changes show.
//
//   auto audit = nta::AuditLog::Open({.directory = "audit"}, now);
//   auto begun = (*audit)->Append(event);      // on the disk when it returns
//   if (!begun.ok()) return Refuse();          // no record, no act
//
// Each record is hashed together with the hash of the one before, and sealed with a key that is
// replaced by its own hash, and destroyed, after each record. Whoever takes over the machine finds
// only the key of the next record: what is sealed anew with it does not fit the first key, which
// the verifier has. docs/logs_and_audit.md has the bytes, and what cannot be detected.
#ifndef NTA_AUDIT_AUDIT_LOG_H_
#define NTA_AUDIT_AUDIT_LOG_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "nta/audit/audit_event.h"
#include "nta/net/time.h"

namespace nta {

// What to do when the key is gone although records are there: without it the chain cannot go on.
enum class LostAuditKey : std::uint8_t {
  kRefuse,
  // Moves the files into a directory of their own, "chain-" and the chain's name, and starts anew.
  kStartNewChain,
};

struct AuditLogOptions {
  std::string directory = {};  // made, with mode 0700, when it is missing
  // Where the verification key of a new chain is put. Take it to another machine: as long as it is
  // here, whoever can read it can also forge. Empty: "verification.key" in the directory.
  std::string verification_key_path = {};
  // A file that would grow larger is closed and the next one begun. 4 KiB to 1 GiB.
  std::uint64_t max_segment_bytes = std::uint64_t{16} << 20;
  LostAuditKey lost_key = LostAuditKey::kRefuse;
};

// How long the trail is, and what it holds so far, in a line to be kept elsewhere: what is cut off
// later no longer reaches it.
struct AuditCheckpoint {
  std::string chain = {};   // 32 hexadecimal digits
  std::uint64_t count = 0;  // records
  Timestamp time = {};
  std::string head = {};  // hash of the last record, 64 hexadecimal digits
  std::string seal = {};  // by the key of the next record, 64 hexadecimal digits

  friend bool operator==(const AuditCheckpoint&, const AuditCheckpoint&) = default;
};
// "nta-audit-checkpoint 1 chain=... count=... time=... head=... seal=..."
std::string ToString(const AuditCheckpoint& checkpoint);
// Reads such a line, also behind other text, as syslog puts it. InvalidArgument for all else.
absl::StatusOr<AuditCheckpoint> ParseAuditCheckpoint(std::string_view line);
// Adds the line to a file, on the disk when it returns.
absl::Status AppendAuditCheckpoint(const std::string& path, const AuditCheckpoint& checkpoint);
// The checkpoints of a text file; other lines are passed over.
absl::StatusOr<std::vector<AuditCheckpoint>> ReadAuditCheckpoints(const std::string& path);

struct AuditLogState {
  std::string chain = {};
  std::uint64_t count = 0;    // records
  std::uint64_t segment = 0;  // number of the file that is written
  std::uint64_t segment_bytes = 0;
  // Why the last record could not be written; OK when it was.
  absl::Status health = {};
  // What Open found wrong with the end of the trail; empty when nothing was.
  std::string damage = {};
};

// Thread-safe. One writer at a time: the directory is locked.
class AuditLog {
 public:
  // Goes on with the trail that is there, or begins one. A record that was being written when the
  // process died was never acknowledged; it is removed, and a record says so. A trail whose end is
  // damaged or cut off is left as it is: a new file goes on after what the key says was there, and
  // verification names the gap. Unavailable when another process writes the trail,
  // FailedPrecondition when the key is gone (see LostAuditKey) or others may read it.
  static absl::StatusOr<std::unique_ptr<AuditLog>> Open(const AuditLogOptions& options,
                                                        Timestamp now);
  ~AuditLog();

  // Returns the sequence when the record is on the disk and its key destroyed. After an error
  // nothing of the record is left, or it is whole: either way the trail is good, and the next
  // record may succeed.
  absl::StatusOr<std::uint64_t> Append(const AuditEvent& event);
  // Closes the file and begins the next, which carries the head of the chain.
  absl::Status Rotate(Timestamp now);

  AuditCheckpoint Checkpoint(Timestamp now) const;
  AuditLogState State() const;
  const std::string& directory() const;

 private:
  class Impl;
  explicit AuditLog(std::unique_ptr<Impl> impl);
  const std::unique_ptr<Impl> impl_;
};

}  // namespace nta

#endif  // NTA_AUDIT_AUDIT_LOG_H_
