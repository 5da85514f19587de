// TrafficSampler: traffic per second and the busiest addresses of the last minute, for live views.
//
//   sampler.Observe(batch, pipeline.Stats());
//   for (const nta::TrafficSample& sample : sampler.Samples(since)) ...
#ifndef NTA_PIPELINE_TRAFFIC_SAMPLER_H_
#define NTA_PIPELINE_TRAFFIC_SAMPLER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "nta/pipeline/pipeline.h"

namespace nta {

struct TrafficCount {
  std::uint64_t packets = 0;
  std::uint64_t wire_bytes = 0;
};

// One second of traffic, counted packet by packet.
struct TrafficSample {
  Timestamp time{};  // start of the second
  std::uint64_t packets = 0;
  std::uint64_t wire_bytes = 0;
  TrafficCount tcp;
  TrafficCount udp;
  TrafficCount icmp;  // ICMP and ICMPv6
  TrafficCount other;
  std::uint64_t dropped = 0;
  std::uint64_t flows_started = 0;
  std::uint64_t flows_ended = 0;
  std::uint64_t flows_active = 0;  // at the end of the second
};

struct Talker {
  IpAddress address;
  std::uint64_t packets = 0;
  std::uint64_t wire_bytes = 0;
  std::uint64_t sent_wire_bytes = 0;
  std::uint64_t received_wire_bytes = 0;
};

struct TrafficSamplerOptions {
  std::size_t max_samples = 3600;  // seconds kept
  // Addresses counted per ten seconds; beyond that the lesser half of them by bytes makes room.
  std::size_t max_addresses = 4096;
};

// Observe by one thread; Samples and TopTalkers by any thread.
class TrafficSampler {
 public:
  explicit TrafficSampler(TrafficSamplerOptions options = {});
  ~TrafficSampler();

  // Counts a batch. A second is complete when a batch reaches beyond it; seconds without packets
  // become zero samples.
  void Observe(const Batch& batch, const PipelineStats& stats);

  // Complete seconds with time >= since, oldest first.
  std::vector<TrafficSample> Samples(Timestamp since) const;
  // The busiest addresses of the last minute of traffic, most bytes first.
  std::vector<Talker> TopTalkers(std::size_t limit) const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace nta

#endif  // NTA_PIPELINE_TRAFFIC_SAMPLER_H_
