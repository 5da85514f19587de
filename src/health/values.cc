#include <cmath>

#include "nta/health/rates.h"

namespace nta {
namespace {

class Values {
 public:
  void Add(std::string name, double value) {
    if (std::isfinite(value)) values_.push_back({std::move(name), value});
  }
  void Add(std::string name, const std::optional<double>& value) {
    if (value) Add(std::move(name), *value);
  }
  // used / total, when there is any.
  void AddShare(std::string name, std::uint64_t used, std::uint64_t total) {
    if (total > 0) Add(std::move(name), static_cast<double>(used) / static_cast<double>(total));
  }
  std::vector<HealthValue> Take() { return std::move(values_); }

 private:
  std::vector<HealthValue> values_;
};

void AddMachine(const HealthSample& sample, const HealthRates& rates, Values& values) {
  if (rates.cpu) {
    values.Add("cpu.usage", rates.cpu->usage);
    values.Add("cpu.user", rates.cpu->user);
    values.Add("cpu.system", rates.cpu->system);
    values.Add("cpu.iowait", rates.cpu->iowait);
    values.Add("cpu.steal", rates.cpu->steal);
  }
  for (const CoreUsage& core : rates.cores) {
    values.Add("cpu." + std::to_string(core.number) + ".usage", core.usage.usage);
  }
  if (sample.load) {
    values.Add("load.1", sample.load->one);
    values.Add("load.5", sample.load->five);
    values.Add("load.15", sample.load->fifteen);
    const auto cores = static_cast<double>(sample.cores.size());
    if (cores > 0) values.Add("load.per_core", sample.load->five / cores);
  }
  values.Add("pressure.cpu", sample.pressure.cpu);
  values.Add("pressure.memory", sample.pressure.memory);
  values.Add("pressure.io", sample.pressure.io);
}

void AddMemory(const MemoryUse& memory, Values& values) {
  const std::uint64_t used = memory.total_bytes - memory.available_bytes;
  values.Add("memory.used_bytes", static_cast<double>(used));
  values.AddShare("memory.usage", used, memory.total_bytes);
  if (memory.limit_bytes && memory.limit_used_bytes) {
    values.Add("memory_limit.used_bytes", static_cast<double>(*memory.limit_used_bytes));
    values.AddShare("memory_limit.usage", *memory.limit_used_bytes, *memory.limit_bytes);
  }
  values.AddShare("swap.usage", memory.swap_total_bytes - memory.swap_free_bytes,
                  memory.swap_total_bytes);
}

void AddDevices(const HealthSample& sample, const HealthRates& rates, Values& values) {
  for (const DiskRates& disk : rates.disks) {
    const std::string name = "disk." + disk.name + ".";
    values.Add(name + "read_bytes_per_second", disk.read_bytes);
    values.Add(name + "written_bytes_per_second", disk.written_bytes);
    values.Add(name + "busy", disk.busy);
  }
  for (const FileSystemUse& system : sample.file_systems) {
    const std::string name = "file_system." + system.mount_point + ".";
    // As df(1) counts: the share of what programs may use at all.
    const std::uint64_t used = system.total_bytes - system.free_bytes;
    values.Add(name + "available_bytes", static_cast<double>(system.available_bytes));
    if (!system.read_only) values.AddShare(name + "usage", used, used + system.available_bytes);
    values.AddShare(name + "inode_usage", system.inodes - system.inodes_free, system.inodes);
  }
  for (const InterfaceRates& interface : rates.interfaces) {
    const std::string name = "network." + interface.name + ".";
    values.Add(name + "received_bytes_per_second", interface.received_bytes);
    values.Add(name + "sent_bytes_per_second", interface.sent_bytes);
    values.Add(name + "errors_per_second", interface.received_errors + interface.sent_errors);
    values.Add(name + "drops_per_second", interface.received_drops + interface.sent_drops);
  }
  for (const Temperature& temperature : sample.temperatures) {
    const std::string name = "temperature." + temperature.name + ".";
    values.Add(name + "celsius", temperature.celsius);
    if (temperature.critical_celsius && *temperature.critical_celsius > 0) {
      values.Add(name + "of_critical", temperature.celsius / *temperature.critical_celsius);
    }
  }
}

void AddProcess(const HealthSample& sample, const HealthRates& rates, Values& values) {
  if (sample.process) {
    const ProcessUse& process = *sample.process;
    values.Add("process.resident_bytes", static_cast<double>(process.resident_bytes));
    values.Add("process.threads", static_cast<double>(process.threads));
    if (process.open_files) {
      values.Add("process.open_files", static_cast<double>(*process.open_files));
      values.AddShare("process.open_files_usage", *process.open_files,
                      process.open_files_limit.value_or(0));
    }
  }
  if (rates.process) {
    values.Add("process.cpu", rates.process->cpu);
    values.Add("process.read_bytes_per_second", rates.process->read_bytes);
    values.Add("process.written_bytes_per_second", rates.process->written_bytes);
  }
}

}  // namespace

std::vector<HealthValue> HealthValues(const HealthSample& sample, const HealthRates& rates) {
  Values values;
  AddMachine(sample, rates, values);
  if (sample.memory) AddMemory(*sample.memory, values);
  AddDevices(sample, rates, values);
  AddProcess(sample, rates, values);
  return values.Take();
}

}  // namespace nta
