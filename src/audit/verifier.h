// Verifier: follows a trail from its first file to its last.
#ifndef NTA_AUDIT_VERIFIER_H_
#define NTA_AUDIT_VERIFIER_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "audit/audit_key.h"
#include "audit/chain.h"
#include "audit/segment.h"
#include "nta/audit/audit_verify.h"

namespace nta::audit {

class Verifier {
 public:
  Verifier(const AuditVerifyOptions& options, std::optional<VerificationKey> key,
           const std::optional<KeyState>& state);

  // Files in their order. False when all that was asked for has been seen.
  bool CheckFile(const SegmentFile& file, bool is_last);
  AuditReport Finish();

 private:
  // Somebody who says what the hash of a record was: a checkpoint, or the key file.
  struct Witness {
    std::uint64_t count = 0;
    Digest head{};
    std::string name;
    const AuditCheckpoint* checkpoint = nullptr;
    const KeyState* state = nullptr;
  };

  void AddWitnesses(const AuditVerifyOptions& options);
  bool CheckRecords(SegmentReader& reader, const SegmentFile& file, bool is_last);
  bool CheckFirst(const RawRecord& record, const SegmentFile& file);
  bool CheckRecord(const RawRecord& record, bool is_first);
  bool CheckPlace(std::uint64_t sequence, const SegmentHead& head);
  bool CheckSeal(const RawRecord& record, const Digest& digest);
  void AskWitnesses();
  bool HasSeenAll() const { return limit_ && next_sequence_ > *limit_; }
  bool Fail(std::string reason);
  std::string StepReason(Step step) const;

  const std::optional<std::uint64_t> limit_;
  std::optional<KeyState> state_;
  std::vector<Witness> witnesses_;  // by count
  std::size_t next_witness_ = 0;
  Sha256 sha_;
  std::optional<VerificationKey> key_;  // of the record key_sequence_
  std::uint64_t key_sequence_ = 1;
  std::optional<ChainId> chain_;

  std::uint64_t next_sequence_ = 1;
  Digest head_{};
  bool is_first_file_ = true;
  bool is_lost_ = false;  // after a fault, until the next file says where it goes on
  bool is_incomplete_ = false;
  std::optional<std::uint64_t> last_number_;

  std::string file_;
  std::uint64_t offset_ = 0;
  AuditReport report_;
};

}  // namespace nta::audit

#endif  // NTA_AUDIT_VERIFIER_H_
