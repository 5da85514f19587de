// ContactMemory: which of the latest contacts were seen before, exactly, in fixed memory.
#ifndef NTA_SRC_DETECT_CONTACT_MEMORY_H_
#define NTA_SRC_DETECT_CONTACT_MEMORY_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "nta/net/time.h"

namespace nta::detect {

// A set of 64-bit fingerprints. Open addressing: the fingerprint is a keyed hash and serves as its
// own hash.
class FingerprintSet {
 public:
  bool Contains(std::uint64_t fingerprint) const;
  // False when it was there.
  bool Insert(std::uint64_t fingerprint);
  void Clear();  // gives the memory back
  std::size_t size() const { return size_; }
  std::size_t memory_bytes() const { return slots_.capacity() * sizeof(std::uint64_t); }
  const std::vector<std::uint64_t>& slots() const { return slots_; }  // 0 is empty

 private:
  void Grow();

  std::vector<std::uint64_t> slots_;
  std::size_t size_ = 0;
};

// Two generations: what is seen again moves to the younger one, and when that is full or `period`
// old, the older one is forgotten. So a contact is remembered for one to two periods after it was
// last seen, unless more than capacity / 2 others came since.
class ContactMemory {
 public:
  ContactMemory(std::size_t capacity, Duration period);

  // Whether it was remembered; it is from now on.
  bool SeenBefore(std::uint64_t fingerprint, Timestamp now);
  bool Contains(std::uint64_t fingerprint) const;
  std::size_t memory_bytes() const;

  // For saved states: the older generation, the younger one, and since when that one is filled.
  const FingerprintSet& generation(std::size_t index) const { return generations_[index]; }
  Timestamp young_since() const { return young_since_; }
  void Restore(std::size_t index, std::uint64_t fingerprint);
  void RestoreYoungSince(Timestamp time) { young_since_ = time; }

 private:
  void Rotate(Timestamp now);

  std::size_t per_generation_;
  Duration period_;
  std::array<FingerprintSet, 2> generations_;  // older, younger
  Timestamp young_since_{};
};

}  // namespace nta::detect

#endif  // NTA_SRC_DETECT_CONTACT_MEMORY_H_
