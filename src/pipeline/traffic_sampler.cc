#include "nta/pipeline/traffic_sampler.h"

#include <algorithm>
#include <array>
#include <deque>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"

namespace nta {
namespace {

constexpr Duration kSecond = std::chrono::seconds(1);
// The last minute is kept in parts, so that the oldest can be dropped as time passes.
constexpr Duration kPart = std::chrono::seconds(10);
constexpr std::size_t kParts = 6;

struct Counts {
  std::uint64_t packets = 0;
  std::uint64_t sent = 0;
  std::uint64_t received = 0;

  std::uint64_t bytes() const { return sent + received; }
};

// Addresses of ten seconds. When full, the lesser half by bytes makes room: an address that matters
// comes back with the next packet, and one that was left out had at most the bytes of the least one
// kept.
struct TalkerPart {
  Timestamp start{};
  absl::flat_hash_map<IpAddress, Counts> addresses;

  Counts& At(const IpAddress& address, std::size_t max_addresses) {
    if (addresses.size() >= max_addresses && !addresses.contains(address)) DropLesserHalf();
    return addresses[address];
  }

  void DropLesserHalf() {
    std::vector<std::uint64_t> bytes;
    bytes.reserve(addresses.size());
    for (const auto& [address, counts] : addresses) bytes.push_back(counts.bytes());
    const auto middle = bytes.begin() + static_cast<std::ptrdiff_t>(bytes.size() / 2);
    std::nth_element(bytes.begin(), middle, bytes.end());
    const std::uint64_t limit = *middle;
    std::size_t to_drop = bytes.size() / 2 + 1;
    absl::erase_if(addresses, [&](const auto& entry) {
      return to_drop > 0 && entry.second.bytes() <= limit && to_drop-- > 0;
    });
  }
};

TrafficCount& CountOf(TrafficSample& sample, const DecodedPacket& packet) {
  if (packet.has_ip()) {
    switch (packet.protocol) {
      case kProtocolTcp:
        return sample.tcp;
      case kProtocolUdp:
        return sample.udp;
      case kProtocolIcmp:
      case kProtocolIcmpV6:
        return sample.icmp;
      default:
        break;
    }
  }
  return sample.other;
}

// There is no lesser half of none.
TrafficSamplerOptions AtLeastOneAddress(TrafficSamplerOptions options) {
  options.max_addresses = std::max<std::size_t>(options.max_addresses, 1);
  return options;
}

}  // namespace

class TrafficSampler::Impl {
 public:
  explicit Impl(TrafficSamplerOptions options) : options_(AtLeastOneAddress(options)) {}

  void Observe(const Batch& batch, const PipelineStats& stats) {
    absl::MutexLock lock(&mutex_);
    for (const DecodedPacket& packet : batch.decoded) Count(packet);
    const Timestamp time = std::chrono::floor<std::chrono::seconds>(batch.time);
    if (started_ && time > current_.time) PassTo(time);
    latest_ = stats;
  }

  std::vector<TrafficSample> Samples(Timestamp since) const {
    absl::MutexLock lock(&mutex_);
    const auto first =
        std::partition_point(samples_.begin(), samples_.end(),
                             [since](const TrafficSample& sample) { return sample.time < since; });
    return {first, samples_.end()};
  }

  std::vector<Talker> TopTalkers(std::size_t limit) const {
    absl::flat_hash_map<IpAddress, Counts> sums;
    {
      absl::MutexLock lock(&mutex_);
      for (const TalkerPart& part : parts_) {
        for (const auto& [address, counts] : part.addresses) {
          Counts& sum = sums[address];
          sum.packets += counts.packets;
          sum.sent += counts.sent;
          sum.received += counts.received;
        }
      }
    }
    std::vector<Talker> talkers;
    talkers.reserve(sums.size());
    for (const auto& [address, sum] : sums) {
      talkers.push_back({address, sum.packets, sum.bytes(), sum.sent, sum.received});
    }
    const auto end = talkers.begin() + static_cast<std::ptrdiff_t>(std::min(limit, talkers.size()));
    std::partial_sort(talkers.begin(), end, talkers.end(), [](const Talker& a, const Talker& b) {
      return a.wire_bytes != b.wire_bytes ? a.wire_bytes > b.wire_bytes : a.address < b.address;
    });
    talkers.erase(end, talkers.end());
    return talkers;
  }

 private:
  void Count(const DecodedPacket& packet) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    const Timestamp second = std::chrono::floor<std::chrono::seconds>(packet.time);
    if (!started_) {
      started_ = true;
      current_.time = second;
    }
    // A packet older than the current second counts in it: seconds that were handed out do not
    // change.
    if (second > current_.time) PassTo(second);
    ++current_.packets;
    current_.wire_bytes += packet.wire_bytes;
    TrafficCount& count = CountOf(current_, packet);
    ++count.packets;
    count.wire_bytes += packet.wire_bytes;
    if (packet.has_ip()) CountTalkers(packet);
  }

  void CountTalkers(const DecodedPacket& packet) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (parts_.empty() || current_.time >= parts_.back().start + kPart) {
      parts_.push_back({current_.time, {}});
      if (parts_.size() > kParts) parts_.pop_front();
    }
    TalkerPart& part = parts_.back();
    Counts& source = part.At(packet.source, options_.max_addresses);
    ++source.packets;
    source.sent += packet.wire_bytes;
    if (packet.destination == packet.source) return;
    Counts& destination = part.At(packet.destination, options_.max_addresses);
    ++destination.packets;
    destination.received += packet.wire_bytes;
  }

  // Completes the current second and those without packets up to `second`.
  void PassTo(Timestamp second) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    const FlowTableStats& table = latest_.flow_table;
    current_.dropped = latest_.ledger.dropped - completed_.ledger.dropped;
    current_.flows_started = table.started - completed_.flow_table.started;
    current_.flows_ended = table.ended - completed_.flow_table.ended;
    current_.flows_active = table.active;
    completed_ = latest_;
    // After a jump in time only the seconds that are kept matter.
    const auto kept = kSecond * static_cast<std::int64_t>(options_.max_samples);
    Timestamp next = std::max(current_.time + kSecond, second - kept);
    Keep(current_);
    for (; next < second; next += kSecond) {
      TrafficSample silent;
      silent.time = next;
      silent.flows_active = table.active;
      Keep(silent);
    }
    current_ = {};
    current_.time = second;
    const Duration window = kPart * static_cast<std::int64_t>(kParts);
    while (!parts_.empty() && parts_.front().start + window <= second) parts_.pop_front();
  }

  // One wrong time stamp in the future must not gather everything after it in one second.
  void SetBack(Timestamp second) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    while (!samples_.empty() && samples_.back().time >= second) samples_.pop_back();
    parts_.clear();
    current_.time = second;
  }

  void Keep(const TrafficSample& sample) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    samples_.push_back(sample);
    if (samples_.size() > options_.max_samples) samples_.pop_front();
  }

  const TrafficSamplerOptions options_;
  mutable absl::Mutex mutex_;
  bool started_ ABSL_GUARDED_BY(mutex_) = false;
  TrafficSample current_ ABSL_GUARDED_BY(mutex_);
  std::deque<TrafficSample> samples_ ABSL_GUARDED_BY(mutex_);
  std::deque<TalkerPart> parts_ ABSL_GUARDED_BY(mutex_);
  PipelineStats latest_ ABSL_GUARDED_BY(mutex_);
  PipelineStats completed_ ABSL_GUARDED_BY(mutex_);
};

TrafficSampler::TrafficSampler(TrafficSamplerOptions options)
    : impl_(std::make_unique<Impl>(options)) {}
TrafficSampler::~TrafficSampler() = default;

void TrafficSampler::Observe(const Batch& batch, const PipelineStats& stats) {
  impl_->Observe(batch, stats);
}
std::vector<TrafficSample> TrafficSampler::Samples(Timestamp since) const {
  return impl_->Samples(since);
}
std::vector<Talker> TrafficSampler::TopTalkers(std::size_t limit) const {
  return impl_->TopTalkers(limit);
}

}  // namespace nta
