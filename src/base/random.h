// Random numbers from the operating system, for keys and identifiers.
#ifndef NTA_BASE_RANDOM_H_
#define NTA_BASE_RANDOM_H_

#include <cstdint>

namespace nta::base {

// Unpredictable; for hash keys.
std::uint64_t RandomSeed();

}  // namespace nta::base

#endif  // NTA_BASE_RANDOM_H_
