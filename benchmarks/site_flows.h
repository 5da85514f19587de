// SiteFlows: flows as a site of some thousand hosts makes them, the same on every machine.
#ifndef NTA_BENCHMARKS_SITE_FLOWS_H_
#define NTA_BENCHMARKS_SITE_FLOWS_H_

#include <chrono>
#include <cstdint>
#include <random>
#include <vector>

#include "nta/flow/flow_record.h"

namespace nta::bench {

// Few busy addresses, ephemeral source ports, most flows short. In the order of last_seen.
class SiteFlows {
 public:
  // 2026-11-22T08:00:00Z.
  static constexpr Timestamp kStart{std::chrono::seconds(1'795'334'400)};

  // So many flows end in a second.
  explicit SiteFlows(double per_second) : nanoseconds_per_flow_(1e9 / per_second) {}

  std::vector<FlowRecord> Take(std::size_t count);

 private:
  FlowRecord Next();
  void Fill(FlowDirection& direction, std::uint64_t packets, std::uint64_t most, bool is_tcp);
  IpAddress Address(std::uint8_t net, std::uint64_t hosts);

  double nanoseconds_per_flow_;
  std::uint64_t made_ = 0;
  std::mt19937_64 random_{1};
};

}  // namespace nta::bench

#endif  // NTA_BENCHMARKS_SITE_FLOWS_H_
