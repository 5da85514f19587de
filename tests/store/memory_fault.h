// MemoryFault: memory that is not to be had, for the thread that arms it. Replaces operator new and
// SQLite's allocator in the test program.
#ifndef NTA_TESTS_STORE_MEMORY_FAULT_H_
#define NTA_TESTS_STORE_MEMORY_FAULT_H_

#include <cstdint>

namespace nta {

struct MemoryFault {
  bool armed = false;
  bool ours = false;     // operator new, else SQLite's
  bool lasting = false;  // every allocation from `number` on, else that one
  std::uint64_t number = 0;
  std::uint64_t count = 0;

  bool Hits(bool is_ours) {
    if (!armed || is_ours != ours) return false;
    ++count;
    return count == number || (lasting && number > 0 && count > number);
  }
};
MemoryFault& MemoryFaultOfThread();

// Before SQLite is used for the first time; false when it does not take it.
bool InstallMemoryFaults();

}  // namespace nta

#endif  // NTA_TESTS_STORE_MEMORY_FAULT_H_
