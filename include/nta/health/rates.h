// HealthRates: what happened between two samples. HealthValue: the same as named numbers, to be
// kept as series and to be watched.
//
//   nta::HealthRates rates = nta::RatesBetween(before, after);
//   for (const nta::HealthValue& value : nta::HealthValues(after, rates)) Keep(value.name,
//   value.value);
#ifndef NTA_HEALTH_RATES_H_
#define NTA_HEALTH_RATES_H_

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "nta/health/health.h"

namespace nta {

// Shares of the time between the samples, each 0 to 1. usage = 1 - idle - iowait.
struct CpuUsage {
  double usage = 0;
  double user = 0;    // nice included
  double system = 0;  // interrupts included
  double iowait = 0;
  double steal = 0;  // taken by other guests of the same host
};

struct CoreUsage {
  std::uint32_t number = 0;
  CpuUsage usage{};
};

// Per second.
struct DiskRates {
  std::string name{};
  bool is_partition = false;
  double reads = 0;
  double read_bytes = 0;
  double writes = 0;
  double written_bytes = 0;
  double busy = 0;  // share of the time, 0 to 1
};

// Per second.
struct InterfaceRates {
  std::string name{};
  double received_bytes = 0;
  double received_packets = 0;
  double received_errors = 0;
  double received_drops = 0;
  double sent_bytes = 0;
  double sent_packets = 0;
  double sent_errors = 0;
  double sent_drops = 0;
};

struct ProcessRates {
  double cpu = 0;  // cores: 1.5 is one and a half core busy
  std::optional<double> read_bytes{};
  std::optional<double> written_bytes{};
};

// What cannot be told is left out: a device that came or went meanwhile, a counter that went back,
// everything when no time has passed.
struct HealthRates {
  std::chrono::nanoseconds elapsed{};  // 0: no rates
  std::optional<CpuUsage> cpu{};
  std::vector<CoreUsage> cores{};
  std::vector<DiskRates> disks{};
  std::vector<InterfaceRates> interfaces{};
  std::optional<ProcessRates> process{};
};

// Time is taken from `uptime`, so that a step of the wall clock makes no wrong rate; from `time`
// where a sample has no uptime.
HealthRates RatesBetween(const HealthSample& before, const HealthSample& after);

struct HealthValue {
  std::string name{};
  double value = 0;

  friend bool operator==(const HealthValue&, const HealthValue&) = default;
};

// Named as in docs/health.md: "cpu.usage", "memory.usage", "file_system./.usage",
// "network.eth0.received_bytes_per_second". Shares are 0 to 1.
std::vector<HealthValue> HealthValues(const HealthSample& sample, const HealthRates& rates);

}  // namespace nta

#endif  // NTA_HEALTH_RATES_H_
