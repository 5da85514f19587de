// The parts of a sample, each read by itself.
#ifndef NTA_HEALTH_READERS_H_
#define NTA_HEALTH_READERS_H_

#include "nta/health/health.h"

namespace nta::health {

// Appends to a list of `sample` unless it is full.
template <typename Item>
void AddItem(std::vector<Item>& items, Item item, const HealthOptions& options,
             HealthSample& sample) {
  if (items.size() < options.max_items) {
    items.push_back(std::move(item));
  } else {
    ++sample.omitted;
  }
}

void ReadUptime(const HealthOptions& options, HealthSample& sample);
void ReadCpu(const HealthOptions& options, HealthSample& sample);
void ReadLoad(const HealthOptions& options, HealthSample& sample);
void ReadMemory(const HealthOptions& options, HealthSample& sample);
void ReadPressure(const HealthOptions& options, HealthSample& sample);
void ReadDisks(const HealthOptions& options, HealthSample& sample);
void ReadFileSystems(const HealthOptions& options, HealthSample& sample);
void ReadInterfaces(const HealthOptions& options, HealthSample& sample);
void ReadTemperatures(const HealthOptions& options, HealthSample& sample);
void ReadProcess(const HealthOptions& options, HealthSample& sample);

}  // namespace nta::health

#endif  // NTA_HEALTH_READERS_H_
