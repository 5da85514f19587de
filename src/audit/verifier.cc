#include "audit/verifier.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "audit/checkpoint.h"

namespace nta::audit {
namespace {

// More records than a trail can have were skipped: somebody made up a number.
constexpr std::uint64_t kMaxSkippedKeys = 50'000'000;

std::string BaseName(const std::string& path) { return path.substr(path.rfind('/') + 1); }

std::string Range(std::uint64_t first, std::uint64_t last) {
  if (first == last) return "record " + std::to_string(first) + " is missing";
  return "records " + std::to_string(first) + " to " + std::to_string(last) + " are missing";
}

}  // namespace

Verifier::Verifier(const AuditVerifyOptions& options, std::optional<VerificationKey> key,
                   const std::optional<KeyState>& state)
    : limit_(options.count), state_(state), key_(std::move(key)) {
  if (key_) chain_ = key_->chain;
  AddWitnesses(options);
}

void Verifier::AddWitnesses(const AuditVerifyOptions& options) {
  for (const AuditCheckpoint& checkpoint : options.checkpoints) {
    Witness witness{.count = checkpoint.count,
                    .head = {},
                    .name = "the checkpoint of " + ToString(checkpoint.time),
                    .checkpoint = &checkpoint,
                    .state = nullptr};
    FromHex(checkpoint.head, witness.head);
    witnesses_.push_back(std::move(witness));
  }
  if (state_) {
    witnesses_.push_back({.count = state_->count,
                          .head = state_->head,
                          .name = "the key file",
                          .checkpoint = nullptr,
                          .state = &*state_});
  }
  std::stable_sort(witnesses_.begin(), witnesses_.end(),
                   [](const Witness& a, const Witness& b) { return a.count < b.count; });
}

bool Verifier::Fail(std::string reason) {
  report_.integrity = AuditIntegrity::kDamaged;
  report_.faults.push_back(
      {.file = file_, .offset = offset_, .sequence = next_sequence_, .reason = std::move(reason)});
  is_lost_ = true;
  return false;
}

bool Verifier::CheckFile(const SegmentFile& file, bool is_last) {
  file_ = BaseName(file.path);
  offset_ = 0;
  ++report_.files;
  absl::StatusOr<SegmentReader> reader = SegmentReader::Open(file.path);
  if (!reader.ok()) {
    Fail(std::string(reader.status().message()));
    return true;
  }
  CheckRecords(*reader, file, is_last);
  report_.bytes += reader->bytes_read();
  is_first_file_ = false;
  last_number_ = file.number;
  return !HasSeenAll();
}

std::string Verifier::StepReason(Step step) const {
  switch (step) {
    case Step::kTorn:
      return "the file ends within this record";
    case Step::kForeign:
      return "the file does not begin as one of an audit trail";
    default:
      return "what stands here is no record";
  }
}

bool Verifier::CheckRecords(SegmentReader& reader, const SegmentFile& file, bool is_last) {
  bool is_first = true;
  int looks = is_last ? 3 : 1;
  RawRecord record;
  while (!HasSeenAll()) {
    const absl::StatusOr<Step> step = reader.Next(record);
    offset_ = reader.offset();
    if (!step.ok()) return Fail(std::string(step.status().message()));
    if (*step == Step::kTorn && --looks > 0) {
      // A writer may be at it.
      std::this_thread::yield();
      continue;
    }
    if (*step == Step::kEnd && !is_first) return true;
    if (*step == Step::kEnd) return Fail("the file is empty");
    if (*step != Step::kRecord) return Fail(StepReason(*step));
    if (is_first && !CheckFirst(record, file)) return false;
    if (!CheckRecord(record, is_first)) return false;
    is_first = false;
  }
  return true;
}

bool Verifier::CheckFirst(const RawRecord& record, const SegmentFile& file) {
  const std::optional<SegmentHead> head = ParseSegmentHead(record);
  if (!head) return Fail("the file does not begin with the record that every file begins with");
  if (head->number != file.number) {
    return Fail("the file has another name than it was written under (it was number " +
                std::to_string(head->number) + ")");
  }
  if (chain_ && *chain_ != head->chain) return Fail("the file belongs to another trail");
  chain_ = head->chain;
  return CheckPlace(record.sequence(), *head);
}

// Does the file go on where the one before ended?
bool Verifier::CheckPlace(std::uint64_t sequence, const SegmentHead& head) {
  if (sequence == 0) return Fail("a record has the number 0");
  if (is_first_file_) {
    report_.first_sequence = sequence;
    if (head.number == 1 && sequence != 1) {
      return Fail("record " + std::to_string(sequence) + " stands in the place of record 1");
    }
    if (sequence == 1 && head.previous != Digest{}) {
      return Fail("the first record names one before it");
    }
  } else if (is_lost_) {
    // Where the damage before ended is not known; how the rest fits together is.
    if (sequence < next_sequence_) {
      return Fail("the file goes on before the end of the one before it");
    }
  } else if (sequence > next_sequence_) {
    is_incomplete_ = true;
    Fail(Range(next_sequence_, sequence - 1) + " before this file");
  } else if (sequence < next_sequence_) {
    return Fail("the file begins with record " + std::to_string(sequence) + " once more");
  } else if (head.previous != head_) {
    return Fail("the file does not go on where the one before it ended");
  }
  is_lost_ = false;
  next_sequence_ = sequence;
  head_ = head.previous;
  return true;
}

bool Verifier::CheckRecord(const RawRecord& record, bool is_first) {
  if (!is_first && record.kind() == RecordKind::kSegment) {
    return Fail("the beginning of a file stands within another");
  }
  const std::uint64_t sequence = record.sequence();
  if (sequence != next_sequence_) {
    return Fail("record " + std::to_string(sequence) + " stands in the place of record " +
                std::to_string(next_sequence_));
  }
  const Digest digest = sha_(head_, record.body());
  if (digest != record.digest()) {
    return Fail("the hash does not fit: this record or the order was changed");
  }
  if (!CheckSeal(record, digest)) return false;
  head_ = digest;
  ++next_sequence_;
  ++report_.records;
  report_.last_sequence = sequence;
  report_.last_time = record.time();
  AskWitnesses();
  return true;
}

bool Verifier::CheckSeal(const RawRecord& record, const Digest& digest) {
  if (!key_) return true;
  const std::uint64_t sequence = record.sequence();
  if (sequence < key_sequence_ || sequence - key_sequence_ > kMaxSkippedKeys) {
    return Fail("the number of the record is out of reach");
  }
  for (; key_sequence_ < sequence; ++key_sequence_) key_->key.Advance(sha_);
  if (!IsEqual(key_->key.Seal(sha_, digest), record.seal())) {
    report_.authenticity = AuditAuthenticity::kForged;
    return Fail("the seal does not fit the verification key: written anew by somebody else");
  }
  key_->key.Advance(sha_);
  ++key_sequence_;
  return true;
}

// Those who have something to say about the record that was just found good.
void Verifier::AskWitnesses() {
  const std::uint64_t sequence = next_sequence_ - 1;
  for (; next_witness_ < witnesses_.size(); ++next_witness_) {
    const Witness& witness = witnesses_[next_witness_];
    if (witness.count > sequence) return;
    if (witness.count < sequence) continue;  // of records that are not here
    bool fits = witness.head == head_;
    if (witness.checkpoint != nullptr) {
      fits = fits && chain_ && witness.checkpoint->chain == ToHex(*chain_);
      if (key_ && fits) {
        fits = SealOf(*witness.checkpoint, key_->key, sha_) == witness.checkpoint->seal;
      }
      if (fits) report_.checkpoint_count = witness.count;
    } else if (key_ && !IsEqual(witness.state->key.bytes(), key_->key.bytes())) {
      fits = false;
    }
    if (fits) continue;
    is_incomplete_ = true;
    // The record is good in itself: the trail is another one from here back.
    report_.faults.push_back({.file = file_,
                              .offset = offset_,
                              .sequence = sequence,
                              .reason = witness.name + " was made of another trail"});
    report_.integrity = AuditIntegrity::kDamaged;
  }
}

AuditReport Verifier::Finish() {
  const std::uint64_t end = next_sequence_ - 1;
  bool has_witness = false;
  for (const Witness& witness : witnesses_) {
    if (limit_ && witness.count > *limit_) continue;
    if (witness.count + 1 < report_.first_sequence) continue;
    has_witness = true;
    if (witness.count <= end || is_lost_) continue;
    is_incomplete_ = true;
    offset_ = 0;
    Fail("the trail ends with record " + std::to_string(end) + ", but " + witness.name +
         " says that there were " + std::to_string(witness.count));
    break;
  }
  // A fault at the end hides whether more followed.
  if (is_lost_) is_incomplete_ = true;
  if (is_incomplete_) {
    report_.completeness = AuditCompleteness::kIncomplete;
  } else if (has_witness) {
    report_.completeness = AuditCompleteness::kComplete;
  }
  const bool is_forged = report_.authenticity == AuditAuthenticity::kForged;
  if (key_ && report_.records > 0 && !is_forged) {
    report_.authenticity = AuditAuthenticity::kProven;
  }
  if (chain_) report_.chain = ToHex(*chain_);
  return std::move(report_);
}

}  // namespace nta::audit
