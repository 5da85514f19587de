// How much memory this process has now.
#ifndef NTA_TESTS_SUPPORT_RESIDENT_MEMORY_H_
#define NTA_TESTS_SUPPORT_RESIDENT_MEMORY_H_

#include <unistd.h>

#include <cstddef>
#include <cstdio>

namespace nta::test {

// A sanitizer's shadow memory counts as resident.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kIsSanitized = true;
#else
inline constexpr bool kIsSanitized = false;
#endif

inline std::size_t ResidentBytes() {
  std::FILE* const file = std::fopen("/proc/self/statm", "r");
  unsigned long size = 0;
  unsigned long resident = 0;
  if (file != nullptr) {
    if (std::fscanf(file, "%lu %lu", &size, &resident) != 2) resident = 0;
    std::fclose(file);
  }
  return resident * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

}  // namespace nta::test

#endif  // NTA_TESTS_SUPPORT_RESIDENT_MEMORY_H_
