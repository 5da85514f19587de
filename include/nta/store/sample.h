// Sample: a number that was measured at a time, under a name: the health of a machine, for one.
//
//   store->WriteSamples({{{.name = "cpu.busy", .time = now, .value = 0.25}}});
#ifndef NTA_STORE_SAMPLE_H_
#define NTA_STORE_SAMPLE_H_

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "nta/net/time.h"

namespace nta {

struct Sample {
  std::string name{};  // 1 to 256 bytes: "cpu.busy", "disk./var.free_bytes"
  Timestamp time{};
  double value = 0;  // finite

  friend bool operator==(const Sample&, const Sample&) = default;
};

struct SampleQuery {
  std::vector<std::string> names{};  // 1 to 256
  // since <= time < until, widened to whole steps.
  Timestamp since{};
  Timestamp until = Timestamp::max();
  // The samples of a step are one point. At most 10,000 steps.
  std::chrono::seconds step = std::chrono::minutes(1);
};

// What was measured in one step; steps without samples are left out.
struct SamplePoint {
  Timestamp time{};  // start of the step
  std::uint64_t count = 0;
  double minimum = 0;
  double mean = 0;
  double maximum = 0;

  friend bool operator==(const SamplePoint&, const SamplePoint&) = default;
};

struct SampleLine {
  std::string name;
  std::vector<SamplePoint> points;  // oldest first
};

}  // namespace nta

#endif  // NTA_STORE_SAMPLE_H_
