// PendingContacts: contacts in the order in which they were tried, until their outcome is due.
#ifndef NTA_SRC_DETECT_PENDING_CONTACTS_H_
#define NTA_SRC_DETECT_PENDING_CONTACTS_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "detect/contact.h"
#include "nta/net/time.h"

namespace nta::detect {

struct PendingContact {
  Contact contact;
  Verdict verdict = Verdict::kWaiting;
  std::uint64_t fingerprint = 0;
  Timestamp started{};
  Timestamp deadline{};
};

// A queue with look-up by fingerprint. Contacts leave in the order in which they came, whichever
// outcome is known first: answers arrive within milliseconds and silence takes seconds, so judging
// by arrival of the outcome would turn every burst of contacts into a run of successes followed by
// a run of failures.
class PendingContacts {
 public:
  // Grows to `most`, and beyond it only when more is pushed.
  explicit PendingContacts(std::size_t most) : most_(most) {}

  void Push(const PendingContact& contact);
  // Null when no such contact is in the queue. Valid until the next Push or Pop.
  PendingContact* Find(std::uint64_t fingerprint);
  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }
  const PendingContact& front() const { return ring_[head_]; }
  PendingContact Pop();
  const PendingContact& at(std::size_t index) const {
    return ring_[(head_ + index) % ring_.size()];
  }
  std::size_t memory_bytes() const;

 private:
  void Grow();

  // A fingerprint is a keyed hash already.
  struct Identity {
    std::size_t operator()(std::uint64_t fingerprint) const { return fingerprint; }
  };

  std::size_t most_;
  std::vector<PendingContact> ring_;
  std::size_t head_ = 0;
  std::size_t size_ = 0;
  std::uint64_t popped_ = 0;
  absl::flat_hash_map<std::uint64_t, std::uint64_t, Identity> position_;  // pushes before it
};

}  // namespace nta::detect

#endif  // NTA_SRC_DETECT_PENDING_CONTACTS_H_
