#include "nta/health/rates.h"

#include <algorithm>

namespace nta {
namespace {

using std::chrono::nanoseconds;

// Counters of a processor may go back by a little; that is no time spent.
std::uint64_t Grown(std::uint64_t before, std::uint64_t after) {
  return after > before ? after - before : 0;
}

std::optional<CpuUsage> UsageBetween(const CpuTimes& before, const CpuTimes& after) {
  const auto user =
      static_cast<double>(Grown(before.user, after.user) + Grown(before.nice, after.nice));
  const auto system =
      static_cast<double>(Grown(before.system, after.system) + Grown(before.irq, after.irq) +
                          Grown(before.softirq, after.softirq));
  const auto idle = static_cast<double>(Grown(before.idle, after.idle));
  const auto iowait = static_cast<double>(Grown(before.iowait, after.iowait));
  const auto steal = static_cast<double>(Grown(before.steal, after.steal));
  const double all = user + system + idle + iowait + steal;
  if (all <= 0) return std::nullopt;
  return CpuUsage{(user + system + steal) / all, user / all, system / all, iowait / all,
                  steal / all};
}

template <typename Item>
const Item* Find(const std::vector<Item>& items, const std::string& name) {
  const auto found =
      std::find_if(items.begin(), items.end(), [&](const Item& item) { return item.name == name; });
  return found == items.end() ? nullptr : &*found;
}

// Counts per second. `ok` turns false when a counter went back: the device was replaced by another
// of its name.
class Counter {
 public:
  explicit Counter(double seconds) : seconds_(seconds) {}
  double operator()(std::uint64_t before, std::uint64_t after) {
    if (after < before) ok_ = false;
    return static_cast<double>(after - before) / seconds_;
  }
  bool ok() const { return ok_; }

 private:
  double seconds_;
  bool ok_ = true;
};

nanoseconds ElapsedBetween(const HealthSample& before, const HealthSample& after) {
  if (before.uptime && after.uptime) return *after.uptime - *before.uptime;
  return after.time - before.time;
}

void AddDisks(const HealthSample& before, const HealthSample& after, double seconds,
              HealthRates& rates) {
  for (const DiskCounters& disk : after.disks) {
    const DiskCounters* old = Find(before.disks, disk.name);
    if (old == nullptr || disk.busy < old->busy) continue;
    Counter counter(seconds);
    const double busy = std::chrono::duration<double>(disk.busy - old->busy).count() / seconds;
    DiskRates result{disk.name,
                     disk.is_partition,
                     counter(old->reads, disk.reads),
                     counter(old->read_bytes, disk.read_bytes),
                     counter(old->writes, disk.writes),
                     counter(old->written_bytes, disk.written_bytes),
                     std::min(1.0, busy)};
    if (counter.ok()) rates.disks.push_back(std::move(result));
  }
}

void AddInterfaces(const HealthSample& before, const HealthSample& after, double seconds,
                   HealthRates& rates) {
  for (const InterfaceCounters& now : after.interfaces) {
    const InterfaceCounters* old = Find(before.interfaces, now.name);
    if (old == nullptr) continue;
    Counter counter(seconds);
    InterfaceRates result{now.name,
                          counter(old->received_bytes, now.received_bytes),
                          counter(old->received_packets, now.received_packets),
                          counter(old->received_errors, now.received_errors),
                          counter(old->received_drops, now.received_drops),
                          counter(old->sent_bytes, now.sent_bytes),
                          counter(old->sent_packets, now.sent_packets),
                          counter(old->sent_errors, now.sent_errors),
                          counter(old->sent_drops, now.sent_drops)};
    if (counter.ok()) rates.interfaces.push_back(std::move(result));
  }
}

std::optional<ProcessRates> ProcessBetween(const ProcessUse& before, const ProcessUse& after,
                                           double seconds) {
  // Another process.
  if (after.cpu_time < before.cpu_time) return std::nullopt;
  ProcessRates rates;
  rates.cpu = std::chrono::duration<double>(after.cpu_time - before.cpu_time).count() / seconds;
  const auto rate = [&](const std::optional<std::uint64_t>& a,
                        const std::optional<std::uint64_t>& b) -> std::optional<double> {
    if (!a || !b || *b < *a) return std::nullopt;
    return static_cast<double>(*b - *a) / seconds;
  };
  rates.read_bytes = rate(before.read_bytes, after.read_bytes);
  rates.written_bytes = rate(before.written_bytes, after.written_bytes);
  return rates;
}

}  // namespace

HealthRates RatesBetween(const HealthSample& before, const HealthSample& after) {
  HealthRates rates;
  const nanoseconds elapsed = ElapsedBetween(before, after);
  // Nothing happened in no time; uptime that went back is another boot.
  if (elapsed <= nanoseconds(0)) return rates;
  rates.elapsed = elapsed;
  const double seconds = std::chrono::duration<double>(elapsed).count();
  if (before.cpu && after.cpu) rates.cpu = UsageBetween(*before.cpu, *after.cpu);
  for (const CpuCore& core : after.cores) {
    const auto old = std::find_if(before.cores.begin(), before.cores.end(),
                                  [&](const CpuCore& c) { return c.number == core.number; });
    if (old == before.cores.end()) continue;
    if (const auto usage = UsageBetween(old->times, core.times)) {
      rates.cores.push_back({core.number, *usage});
    }
  }
  AddDisks(before, after, seconds, rates);
  AddInterfaces(before, after, seconds, rates);
  if (before.process && after.process) {
    rates.process = ProcessBetween(*before.process, *after.process, seconds);
  }
  return rates;
}

}  // namespace nta
