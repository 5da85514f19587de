#include "nta/pipeline/parallel_meter.h"

#include <algorithm>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>
#include <tuple>
#include <utility>

#include "base/keyed_hash.h"
#include "base/random.h"
#include "base/status.h"
#include "base/system_clock.h"
#include "pipeline/decode_counters.h"
#include "pipeline/packet_block.h"

namespace nta {
namespace {

using internal::DecodeCounters;
using internal::PacketBlock;

using FlowSink = absl::FunctionRef<absl::Status(std::span<const FlowRecord>)>;

constexpr int kMaxWorkers = 256;

// The sink, called by one worker at a time; remembers its first error.
class SharedSink {
 public:
  explicit SharedSink(FlowSink sink) : sink_(sink) {}

  absl::Status Write(const std::vector<FlowRecord>& flows) {
    const std::scoped_lock lock(mutex_);
    if (status_.ok() && !flows.empty()) status_ = sink_(flows);
    return status_;
  }

 private:
  FlowSink sink_;
  std::mutex mutex_;
  absl::Status status_;
};

// The flows of one shard. Used by one thread.
class Shard {
 public:
  Shard(FlowTable table, std::optional<ApplicationInspector> inspector)
      : inspector_(std::move(inspector)), table_(std::move(table)) {
    if (inspector_) table_.SetInspector(&*inspector_);
  }

  // Counts what falls to this shard, by the stream's clock at every step.
  absl::Status Count(PacketBlock& block, std::size_t number, SharedSink& sink) {
    const std::span<const PacketChoice> chosen = block.chosen(number);
    const PacketBlock& decoded = block;
    std::size_t done = 0;
    for (const PacketBlock::SetBack& set_back : block.set_backs()) {
      std::size_t end = done;
      while (end < chosen.size() && chosen[end].index < set_back.index) ++end;
      table_.Add(decoded.decoded(), block.clocks(), chosen.subspan(done, end - done), events_);
      table_.SetClock(set_back.before, events_);
      table_.SetClock(block.clocks()[set_back.index], events_);
      done = end;
    }
    table_.Add(decoded.decoded(), block.clocks(), chosen.subspan(done), events_);
    table_.AdvanceTo(block.end, events_);
    return Report(sink);
  }

  absl::Status End(SharedSink& sink) {
    absl::Status status;
    for (bool done = false; !done;) {
      done = table_.EndAll(events_);
      if (absl::Status reported = Report(sink); status.ok()) status = std::move(reported);
    }
    return status;
  }

  DecodeCounters& counters() { return counters_; }

  void AddTo(PipelineStats& stats) const {
    stats.flow_table += table_.Stats();
    if (inspector_) stats.applications += inspector_->Stats();
    counters_.AddTo(stats);
  }

 private:
  absl::Status Report(SharedSink& sink) {
    flows_.clear();
    flows_.reserve(events_.size());
    for (FlowEvent& event : events_) flows_.push_back(std::move(event.flow));
    events_.clear();
    return sink.Write(flows_);
  }

  std::optional<ApplicationInspector> inspector_;
  FlowTable table_;          // borrows inspector_
  DecodeCounters counters_;  // of the blocks that this worker decoded
  std::vector<FlowEvent> events_;
  std::vector<FlowRecord> flows_;
};

// An address in any order.
struct Words {
  explicit Words(const IpAddress& address) {
    std::memcpy(&high, address.padded_bytes().data(), 8);
    std::memcpy(&low, address.padded_bytes().data() + 8, 8);
  }
  auto operator<=>(const Words&) const = default;

  std::uint64_t high;
  std::uint64_t low;
};

}  // namespace

class ParallelMeter::Impl {
 public:
  Impl(PacketSource& source, ParallelMeterOptions options)
      : source_(source),
        options_(std::move(options)),
        hash_(base::RandomSeed()),
        fragments_(options_.pipeline.fragments) {
    if (!options_.pipeline.clock) options_.pipeline.clock = base::SystemNow;
  }

  absl::Status Run(FlowSink sink, std::stop_token stop) {
    NTA_RETURN_IF_ERROR(CreateShards());
    SharedSink shared(sink);
    {
      std::vector<std::jthread> threads;
      threads.reserve(shards_.size() - 1);
      for (std::size_t i = 1; i < shards_.size(); ++i) {
        threads.emplace_back([this, i, &shared, stop] { Work(i, shared, stop); });
      }
      Work(0, shared, stop);
    }
    return status_;
  }

  PipelineStats Stats() const {
    PipelineStats stats;
    internal::AddSource(source_, stats);
    for (const auto& shard : shards_) shard->AddTo(stats);
    if (names_) stats.names = names_->Stats();
    stats.flow_table.time_backwards = clock_.time_backwards;
    stats.fragments = fragments_.Stats();
    return stats;
  }

 private:
  using Lock = std::unique_lock<std::mutex>;

  absl::Status CreateShards() {
    if (options_.workers < 1 || options_.workers > kMaxWorkers) {
      return base::InvalidArgument("workers must be within 1 and 256");
    }
    if (options_.block_packets < 1) {
      return base::InvalidArgument("block_packets must be at least 1");
    }
    const auto count = static_cast<std::size_t>(options_.workers);
    FlowTableOptions table_options = options_.pipeline.flow_table;
    table_options.events = FlowEventSelection::kRecords;
    table_options.max_flows =
        std::max<std::size_t>((table_options.max_flows + count - 1) / count, 1);
    table_options.max_memory_bytes /= count;
    if (options_.pipeline.applications) names_.emplace(options_.pipeline.names);
    for (std::size_t i = 0; i < count; ++i) {
      NTA_ASSIGN_OR_RETURN(FlowTable table, FlowTable::Create(table_options));
      NTA_ASSIGN_OR_RETURN(std::optional<ApplicationInspector> inspector, CreateInspector(count));
      shards_.push_back(std::make_unique<Shard>(std::move(table), std::move(inspector)));
    }
    counted_.assign(count, 0);
    // One that is read or decoded and one that waits for each worker, and some for the differences.
    for (std::size_t i = 0; i < 2 * count + count / 2 + 1; ++i) {
      free_.push_back(std::make_unique<PacketBlock>(count));
    }
    return absl::OkStatus();
  }

  // For one of `count` shards, which share names: an answer of one names the flows of another.
  absl::StatusOr<std::optional<ApplicationInspector>> CreateInspector(std::size_t count) {
    if (!options_.pipeline.applications) return std::nullopt;
    ApplicationInspectorOptions options = *options_.pipeline.applications;
    const auto part = [count](std::size_t& value, std::size_t least) {
      value = value < least ? value : std::max(value / count, least);
    };
    part(options.max_inspections, 1);
    part(options.max_buffered_bytes, 64 << 10);
    part(options.max_metadata_bytes, 64 << 10);
    NTA_ASSIGN_OR_RETURN(ApplicationInspector inspector,
                         ApplicationInspector::Create(options, &*names_));
    return std::optional<ApplicationInspector>(std::move(inspector));
  }

  // One worker: what is ready is counted first, because that makes blocks free again.
  void Work(std::size_t number, SharedSink& sink, const std::stop_token& stop) {
    Lock lock(mutex_);
    while (true) {
      if (PacketBlock* const block = NextToCount(number)) {
        lock.unlock();
        absl::Status status = shards_[number]->Count(*block, number, sink);
        lock.lock();
        Counted(number, std::move(status));
      } else if (CanRead()) {
        ReadAndDecode(number, stop, lock);
      } else if (has_ended_ && counted_[number] == first_ + blocks_.size()) {
        break;
      } else {
        changed_.wait(lock);
      }
    }
    lock.unlock();
    absl::Status status = shards_[number]->End(sink);
    lock.lock();
    if (status_.ok()) status_ = std::move(status);
  }

  // The block that comes next for this shard, when it is ready.
  PacketBlock* NextToCount(std::size_t number) {
    const std::uint64_t sequence = counted_[number];
    if (sequence >= first_ + blocks_.size()) return nullptr;
    PacketBlock& block = *blocks_[sequence - first_];
    return block.is_ready ? &block : nullptr;
  }

  void Counted(std::size_t number, absl::Status status) {
    PacketBlock& block = *blocks_[counted_[number] - first_];
    ++counted_[number];
    --block.shards_left;
    if (!status.ok()) {
      if (status_.ok()) status_ = std::move(status);
      has_ended_ = true;
    }
    while (!blocks_.empty() && blocks_.front()->is_ready && blocks_.front()->shards_left == 0) {
      free_.push_back(std::move(blocks_.front()));
      blocks_.pop_front();
      ++first_;
    }
    changed_.notify_all();
  }

  bool CanRead() const { return !has_ended_ && !is_reading_ && !free_.empty(); }

  // One worker reads at a time and gives its block a number; then others read on.
  void ReadAndDecode(std::size_t number, const std::stop_token& stop, Lock& lock) {
    is_reading_ = true;
    std::unique_ptr<PacketBlock> block = std::move(free_.back());
    free_.pop_back();
    lock.unlock();
    block->Clear();
    block->end = clock_.flows.now();
    absl::StatusOr<bool> has_ended = stop.stop_requested() ? true : Read(*block);
    lock.lock();
    is_reading_ = false;
    if (!has_ended.ok() && status_.ok()) status_ = has_ended.status();
    if (!has_ended.ok() || *has_ended) has_ended_ = true;
    PacketBlock& numbered = *block;
    numbered.shards_left = shards_.size();
    blocks_.push_back(std::move(block));
    changed_.notify_all();
    lock.unlock();
    Decode(numbered, shards_[number]->counters());
    lock.lock();
    numbered.is_decoded = true;
    MakeReady();
  }

  // Fills the block; true when there is no more.
  absl::StatusOr<bool> Read(PacketBlock& block) {
    while (block.packets().size() < options_.block_packets) {
      NTA_ASSIGN_OR_RETURN(const ReadResult result, source_.Read(batch_));
      if (result == ReadResult::kPackets) {
        block.Take(source_, batch_, clock_);
      } else if (result == ReadResult::kTimeout && source_.is_live()) {
        clock_.flows.AdvanceTo(options_.pipeline.clock() - options_.pipeline.lateness);
      }
      block.end = clock_.flows.now();
      if (result == ReadResult::kEnd) return true;
      // What has come now is not kept waiting for what may come.
      if (result == ReadResult::kTimeout || source_.is_live()) break;
    }
    return false;
  }

  void Decode(PacketBlock& block, DecodeCounters& counters) const {
    std::vector<DecodedPacket>& decoded = block.decoded();
    decoded.reserve(block.packets().size());
    for (const PacketView& packet : block.packets()) {
      DecodedPacket& last = decoded.emplace_back();
      nta::Decode(packet, options_.pipeline.decode, last);
      counters.Enter(last);
      block.has_fragments |= last.is_fragment;
    }
    // The ports of later fragments are known only after the blocks before this one.
    if (!block.has_fragments) ShareOut(block);
  }

  // In the order of the stream: whoever has decoded the block that was missing goes on as far as
  // there are decoded ones.
  void MakeReady() {
    for (std::unique_ptr<PacketBlock>& block : blocks_) {
      if (block->is_ready) continue;
      if (!block->is_decoded) break;
      if (block->has_fragments) {
        if (options_.pipeline.defragment == Defragment::kPorts) {
          for (DecodedPacket& packet : block->decoded()) {
            if (packet.is_fragment) fragments_.Resolve(packet);
          }
        }
        ShareOut(*block);
      }
      block->is_ready = true;
    }
    changed_.notify_all();
  }

  void ShareOut(PacketBlock& block) const {
    const std::span<const DecodedPacket> packets = std::as_const(block).decoded();
    for (std::uint32_t i = 0; i < packets.size(); ++i) {
      const DecodedPacket& packet = packets[i];
      if (packet.is_later_fragment && options_.pipeline.defragment == Defragment::kOff) continue;
      const std::size_t shard = ShardOf(packet.source, packet.source_port, packet.destination,
                                        packet.destination_port, packet.protocol);
      block.chosen(shard).push_back({i, true});
      if (!packet.quoted) continue;
      // An ICMP error tells the flow that it quotes what became of it.
      const FiveTuple& tuple = *packet.quoted;
      const std::size_t quoted =
          ShardOf(tuple.source.address, tuple.source.port, tuple.destination.address,
                  tuple.destination.port, tuple.protocol);
      if (quoted != shard) block.chosen(quoted).push_back({i, false});
    }
  }

  // The same for both directions, keyed, and independent of the hash inside the shard's own table.
  std::size_t ShardOf(const IpAddress& source, std::uint16_t source_port,
                      const IpAddress& destination, std::uint16_t destination_port,
                      std::uint8_t protocol) const {
    const Words from(source);
    const Words to(destination);
    const std::uint64_t rest = std::uint64_t{protocol} << 32;
    const std::uint64_t hash =
        std::tie(from, source_port) < std::tie(to, destination_port)
            ? hash_(from.high, from.low, to.high, to.low,
                    rest | source_port | std::uint64_t{destination_port} << 16)
            : hash_(to.high, to.low, from.high, from.low,
                    rest | destination_port | std::uint64_t{source_port} << 16);
    return static_cast<std::size_t>((hash >> 32) * shards_.size() >> 32);
  }

  PacketSource& source_;
  ParallelMeterOptions options_;
  const base::KeyedHash hash_;
  std::optional<NameTable> names_;
  std::vector<std::unique_ptr<Shard>> shards_;  // borrow names_

  // Of whoever reads.
  PacketBatch batch_;
  internal::StreamClock clock_;

  // Under mutex_.
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::unique_ptr<PacketBlock>> blocks_;  // numbered, in order
  std::uint64_t first_ = 0;                          // number of blocks_.front()
  std::vector<std::uint64_t> counted_;               // per shard: number of its next block
  std::vector<std::unique_ptr<PacketBlock>> free_;
  FragmentTracker fragments_;
  bool is_reading_ = false;
  bool has_ended_ = false;
  absl::Status status_;
};

ParallelMeter::ParallelMeter(PacketSource& source, ParallelMeterOptions options)
    : impl_(std::make_unique<Impl>(source, std::move(options))) {}
ParallelMeter::~ParallelMeter() = default;

absl::Status ParallelMeter::Run(FlowSink sink, std::stop_token stop) {
  return impl_->Run(sink, std::move(stop));
}

PipelineStats ParallelMeter::Stats() const { return impl_->Stats(); }

}  // namespace nta
