#include "detect/pending_contacts.h"

#include <algorithm>

namespace nta::detect {

void PendingContacts::Push(const PendingContact& contact) {
  if (size_ == ring_.size()) Grow();
  ring_[(head_ + size_) % ring_.size()] = contact;
  position_[contact.fingerprint] = popped_ + size_;
  ++size_;
}

PendingContact* PendingContacts::Find(std::uint64_t fingerprint) {
  const auto found = position_.find(fingerprint);
  if (found == position_.end()) return nullptr;
  return &ring_[(head_ + (found->second - popped_)) % ring_.size()];
}

PendingContact PendingContacts::Pop() {
  const PendingContact result = ring_[head_];
  // The same contact may have been pushed again after the memory had forgotten it.
  const auto found = position_.find(result.fingerprint);
  if (found != position_.end() && found->second == popped_) position_.erase(found);
  head_ = (head_ + 1) % ring_.size();
  --size_;
  ++popped_;
  return result;
}

std::size_t PendingContacts::memory_bytes() const {
  return ring_.capacity() * sizeof(PendingContact) +
         position_.capacity() * (sizeof(std::uint64_t) * 2 + 1);
}

void PendingContacts::Grow() {
  std::vector<PendingContact> larger(
      std::max(std::min(std::max<std::size_t>(64, 2 * ring_.size()), most_), size_ + 1));
  for (std::size_t i = 0; i < size_; ++i) larger[i] = at(i);
  ring_ = std::move(larger);
  head_ = 0;
}

}  // namespace nta::detect
