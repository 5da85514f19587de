#include "nta/pipeline/parallel_meter.h"

#include <algorithm>
#include <deque>
#include <optional>
#include <thread>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "base/keyed_hash.h"
#include "base/random.h"
#include "base/status.h"
#include "pipeline/decode_stage.h"

namespace nta {
namespace {

using FlowSink = absl::FunctionRef<absl::Status(std::span<const FlowRecord>)>;

// Packets of one shard, with the stream's time at each.
struct Burst {
  std::vector<DecodedPacket> packets;
  std::vector<Timestamp> clocks;
  Timestamp now{};  // at its end; with no packets, only time has passed

  void Add(const DecodedPacket& packet, Timestamp clock) {
    packets.push_back(packet);
    // The captured bytes belong to the source and are gone by the time they are counted.
    packets.back().payload = {};
    clocks.push_back(clock);
  }
};

// A bounded queue of bursts, closed at the end.
class BurstQueue {
 public:
  explicit BurstQueue(std::size_t capacity) : capacity_(capacity) {}

  void Push(Burst burst) {
    absl::MutexLock lock(&mutex_, absl::Condition(this, &BurstQueue::HasRoom));
    bursts_.push_back(std::move(burst));
  }
  void Close() {
    absl::MutexLock lock(&mutex_);
    closed_ = true;
  }
  // Nothing after the last burst of a closed queue.
  std::optional<Burst> Pop() {
    absl::MutexLock lock(&mutex_, absl::Condition(this, &BurstQueue::HasBurst));
    if (bursts_.empty()) return std::nullopt;
    Burst burst = std::move(bursts_.front());
    bursts_.pop_front();
    return burst;
  }

 private:
  bool HasRoom() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return bursts_.size() < capacity_; }
  bool HasBurst() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return closed_ || !bursts_.empty();
  }

  const std::size_t capacity_;
  absl::Mutex mutex_;
  std::deque<Burst> bursts_ ABSL_GUARDED_BY(mutex_);
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
};

// The sink, called by one worker at a time; remembers its first error.
class SharedSink {
 public:
  explicit SharedSink(FlowSink sink) : sink_(sink) {}

  void Write(const std::vector<FlowRecord>& flows) {
    if (flows.empty()) return;
    absl::MutexLock lock(&mutex_);
    if (status_.ok()) status_ = sink_(flows);
  }
  absl::Status status() const {
    absl::MutexLock lock(&mutex_);
    return status_;
  }

 private:
  FlowSink sink_;
  mutable absl::Mutex mutex_;
  absl::Status status_ ABSL_GUARDED_BY(mutex_);
};

class Worker {
 public:
  Worker(FlowTable table, std::size_t queue_bursts)
      : table_(std::move(table)), queue_(queue_bursts) {}

  BurstQueue& queue() { return queue_; }

  void Run(SharedSink& sink) {
    std::vector<FlowEvent> events;
    while (std::optional<Burst> burst = queue_.Pop()) {
      table_.Add(burst->packets, burst->clocks, events);
      table_.AdvanceTo(burst->now, events);
      Report(events, sink);
    }
    for (bool done = false; !done;) {
      done = table_.EndAll(events);
      Report(events, sink);
    }
  }

  FlowTableStats Stats() const { return table_.Stats(); }

 private:
  static void Report(std::vector<FlowEvent>& events, SharedSink& sink) {
    std::vector<FlowRecord> flows;
    flows.reserve(events.size());
    for (FlowEvent& event : events) flows.push_back(std::move(event.flow));
    events.clear();
    sink.Write(flows);
  }

  FlowTable table_;
  BurstQueue queue_;
};

void Add(FlowTableStats& sum, const FlowTableStats& part) {
  sum.packets += part.packets;
  sum.ignored += part.ignored;
  sum.started += part.started;
  sum.ended += part.ended;
  sum.ended_idle += part.ended_idle;
  sum.ended_active += part.ended_active;
  sum.ended_tcp += part.ended_tcp;
  sum.ended_forced += part.ended_forced;
  sum.evicted += part.evicted;
  sum.evicted_answered += part.evicted_answered;
  sum.time_backwards += part.time_backwards;
  sum.active += part.active;
  sum.capacity += part.capacity;
  sum.memory_bytes += part.memory_bytes;
}

}  // namespace

class ParallelMeter::Impl {
 public:
  Impl(PacketSource& source, ParallelMeterOptions options)
      : source_(source),
        options_(std::move(options)),
        stage_(options_.pipeline),
        hash_(base::RandomSeed()) {}

  absl::Status Run(FlowSink sink, std::stop_token stop) {
    NTA_RETURN_IF_ERROR(CreateWorkers());
    SharedSink shared(sink);
    absl::Status status;
    {
      std::vector<std::jthread> threads;
      threads.reserve(workers_.size());
      for (auto& worker : workers_) {
        threads.emplace_back([&shared, &worker = *worker] { worker.Run(shared); });
      }
      status = ReadAll(shared, stop);
      for (auto& worker : workers_) worker->queue().Close();
    }
    return status.ok() ? shared.status() : status;
  }

  PipelineStats Stats() const {
    PipelineStats stats = stage_.Stats(source_);
    for (const auto& worker : workers_) Add(stats.flow_table, worker->Stats());
    // A packet that quotes another shard's flow was shown there, too, without being counted.
    stats.flow_table.ignored -= shown_;
    return stats;
  }

 private:
  absl::Status CreateWorkers() {
    if (options_.workers < 1 || options_.workers > 256) {
      return base::InvalidArgument("workers must be within 1 and 256");
    }
    const auto count = static_cast<std::size_t>(options_.workers);
    FlowTableOptions table_options = options_.pipeline.flow_table;
    table_options.events = FlowEventSelection::kRecords;
    table_options.max_flows =
        std::max<std::size_t>((table_options.max_flows + count - 1) / count, 1);
    for (std::size_t i = 0; i < count; ++i) {
      NTA_ASSIGN_OR_RETURN(FlowTable table, FlowTable::Create(table_options));
      workers_.push_back(std::make_unique<Worker>(std::move(table), options_.queue_bursts));
    }
    return absl::OkStatus();
  }

  absl::Status ReadAll(const SharedSink& sink, const std::stop_token& stop) {
    PacketBatch packets;
    while (!stop.stop_requested() && sink.status().ok()) {
      NTA_ASSIGN_OR_RETURN(const ReadResult result, source_.Read(packets));
      switch (result) {
        case ReadResult::kPackets:
          stage_.Decode(packets);
          break;
        case ReadResult::kTimeout:
          stage_.Clear();
          if (source_.is_live() && options_.pipeline.clock) {
            stage_.clock().AdvanceTo(options_.pipeline.clock() - options_.pipeline.lateness);
          }
          break;
        case ReadResult::kEnd:
          return absl::OkStatus();
      }
      Dispatch();
    }
    return absl::OkStatus();
  }

  // Every worker gets its packets of the burst, if only to learn the time.
  void Dispatch() {
    std::vector<Burst> bursts(workers_.size());
    const auto packets = stage_.counted();
    for (std::size_t i = 0; i < packets.size(); ++i) {
      const std::size_t shard = ShardOf(packets[i].five_tuple());
      bursts[shard].Add(packets[i], stage_.clocks()[i]);
      if (!packets[i].quoted) continue;
      const std::size_t quoted = ShardOf(*packets[i].quoted);
      if (quoted == shard) continue;
      ++shown_;
      DecodedPacket notice = packets[i];
      notice.ip_version = 0;
      bursts[quoted].Add(notice, stage_.clocks()[i]);
    }
    for (std::size_t i = 0; i < bursts.size(); ++i) {
      bursts[i].now = stage_.clock().now();
      workers_[i]->queue().Push(std::move(bursts[i]));
    }
  }

  // The same for both directions, keyed, and independent of the hash inside the shard's own table.
  std::size_t ShardOf(const FiveTuple& tuple) const {
    const auto side = [this](const Endpoint& endpoint) {
      const auto bytes = endpoint.address.bytes();
      return hash_(hash_.Bytes(bytes.data(), bytes.size()), endpoint.port);
    };
    const std::uint64_t sum = side(tuple.source) + side(tuple.destination);
    return static_cast<std::size_t>(hash_(sum, tuple.protocol) >> 32) % workers_.size();
  }

  PacketSource& source_;
  ParallelMeterOptions options_;
  internal::DecodeStage stage_;
  base::KeyedHash hash_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::uint64_t shown_ = 0;
};

ParallelMeter::ParallelMeter(PacketSource& source, ParallelMeterOptions options)
    : impl_(std::make_unique<Impl>(source, std::move(options))) {}
ParallelMeter::~ParallelMeter() = default;

absl::Status ParallelMeter::Run(FlowSink sink, std::stop_token stop) {
  return impl_->Run(sink, std::move(stop));
}

PipelineStats ParallelMeter::Stats() const { return impl_->Stats(); }

}  // namespace nta
