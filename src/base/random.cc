#include "base/random.h"

#include <sys/random.h>

#include <chrono>
#include <random>

namespace nta::base {

std::uint64_t RandomSeed() {
  std::uint64_t seed = 0;
  if (getrandom(&seed, sizeof(seed), 0) == static_cast<ssize_t>(sizeof(seed))) return seed;
  // Kernels before 3.17 and some sandboxes refuse getrandom.
  std::random_device device;
  return (static_cast<std::uint64_t>(device()) << 32) | device();
}

}  // namespace nta::base
