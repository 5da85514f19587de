// Counts the calls of operator new of this program. Linked into one test binary only, because it
// replaces the global operators.
//
//   const AllocationCount count;
//   ...
//   EXPECT_EQ(count.allocations(), 0U);
#ifndef NTA_TESTS_SUPPORT_COUNTING_ALLOCATOR_H_
#define NTA_TESTS_SUPPORT_COUNTING_ALLOCATOR_H_

#include <cstdint>

namespace nta::test {

class AllocationCount {
 public:
  AllocationCount();
  // Since this object was made, by any thread.
  std::uint64_t allocations() const;
  std::uint64_t bytes() const;
  // The largest single request of the program so far.
  static std::uint64_t largest();
  static void ForgetLargest();
  // Bytes that the program holds now, as the allocator rounds them.
  static std::uint64_t live();

 private:
  std::uint64_t allocations_;
  std::uint64_t bytes_;
};

}  // namespace nta::test

#endif  // NTA_TESTS_SUPPORT_COUNTING_ALLOCATOR_H_
