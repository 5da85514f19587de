#include "nta/pipeline/parallel_meter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <stop_token>
#include <string>
#include <tuple>
#include <vector>

#include "nta/capture/pcap_file_reader.h"

namespace nta {
namespace {

using std::chrono::days;
using std::chrono::milliseconds;
using std::chrono::seconds;

// Packets kept in memory, in bursts of a given size; fails at the end when told to.
class KeptPackets final : public PacketSource {
 public:
  KeptPackets(const std::vector<Packet>& packets, std::size_t burst,
              absl::Status end = absl::OkStatus())
      : packets_(packets), burst_(burst), end_(std::move(end)) {}

  absl::StatusOr<ReadResult> Read(PacketBatch& batch) override {
    batch.clear();
    for (; batch.size() < burst_ && next_ < packets_.size(); ++next_) {
      batch.push_back(packets_[next_].view());
    }
    if (!batch.empty()) return ReadResult::kPackets;
    if (!end_.ok()) return end_;
    return ReadResult::kEnd;
  }
  CaptureStats Stats() const override { return {.received = next_}; }
  bool is_live() const override { return false; }
  std::string name() const override { return "kept"; }

 private:
  const std::vector<Packet>& packets_;
  std::size_t burst_;
  std::size_t next_ = 0;
  absl::Status end_;
};

std::vector<Packet> Sample() {
  auto reader = PcapFileReader::Open(std::string(NTA_TEST_DATA_DIR) + "/sample.pcap");
  std::vector<Packet> packets;
  PacketBatch batch;
  while (reader.ok() && *(*reader)->Read(batch) == ReadResult::kPackets) {
    for (const PacketView& packet : batch) packets.emplace_back(packet);
  }
  return packets;
}

// The sample with packets that overtake each other by up to a second, and with jumps ahead.
std::vector<Packet> Disordered(const std::vector<Packet>& packets, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<Packet> result;
  Duration shift{0};
  for (const Packet& packet : packets) {
    PacketView view = packet.view();
    if (random() % 500 == 0) shift += days(static_cast<int>(random() % 1000));
    view.time += shift - milliseconds(random() % 950);
    result.emplace_back(view);
  }
  return result;
}

// ... and with times that jump back and forth by years.
std::vector<Packet> Jumping(const std::vector<Packet>& packets, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<Packet> result;
  Duration shift{0};
  for (const Packet& packet : packets) {
    PacketView view = packet.view();
    if (random() % 100 == 0) shift = days(static_cast<int>(random() % 7300)) - days(3650);
    view.time += shift;
    result.emplace_back(view);
  }
  return result;
}

std::uint64_t PacketsIn(const std::vector<FlowRecord>& flows) {
  std::uint64_t packets = 0;
  for (const FlowRecord& flow : flows) packets += flow.packets();
  return packets;
}

PipelineOptions Options() {
  PipelineOptions options;
  options.flow_table.idle_timeout = seconds(2);
  options.flow_table.active_timeout = seconds(10);
  return options;
}

void Sort(std::vector<FlowRecord>& flows) {
  std::sort(flows.begin(), flows.end(), [](const FlowRecord& a, const FlowRecord& b) {
    return std::tuple(a.first_seen, a.five_tuple(), a.last_seen, a.forward.packets, a.end_reason) <
           std::tuple(b.first_seen, b.five_tuple(), b.last_seen, b.forward.packets, b.end_reason);
  });
}

struct Outcome {
  std::vector<FlowRecord> flows;
  PipelineStats stats;
  absl::Status status;
};

Outcome ByPipeline(PacketSource& source) {
  Outcome outcome;
  Pipeline pipeline(source, Options());
  outcome.status = pipeline.Run([&](const Batch& batch) {
    outcome.flows.insert(outcome.flows.end(), batch.flows.begin(), batch.flows.end());
    return absl::OkStatus();
  });
  outcome.stats = pipeline.Stats();
  Sort(outcome.flows);
  return outcome;
}

Outcome ByWorkers(PacketSource& source, int workers) {
  Outcome outcome;
  ParallelMeter meter(source, {.pipeline = Options(), .workers = workers, .block_packets = 50});
  outcome.status = meter.Run([&](std::span<const FlowRecord> flows) {
    outcome.flows.insert(outcome.flows.end(), flows.begin(), flows.end());
    return absl::OkStatus();
  });
  outcome.stats = meter.Stats();
  Sort(outcome.flows);
  return outcome;
}

TEST(ParallelMeter, RecordsAreThoseOfOnePipelineWhateverTheNumberOfWorkers) {
  const std::vector<Packet> sample = Sample();
  ASSERT_EQ(sample.size(), 2748u);
  for (std::uint64_t seed = 0; seed < 4; ++seed) {
    const std::vector<Packet> packets = seed == 0 ? sample : Disordered(sample, seed);
    KeptPackets source(packets, 256);
    const Outcome one = ByPipeline(source);
    ASSERT_TRUE(one.status.ok());
    for (const int workers : {1, 2, 3, 7}) {
      KeptPackets again(packets, 100);
      const Outcome several = ByWorkers(again, workers);
      ASSERT_TRUE(several.status.ok());
      EXPECT_EQ(several.flows, one.flows) << "seed " << seed << ", " << workers << " workers";
      EXPECT_EQ(several.stats.ledger, one.stats.ledger);
      EXPECT_EQ(several.stats.flow_table.packets, one.stats.flow_table.packets);
      EXPECT_EQ(several.stats.flow_table.ignored, one.stats.flow_table.ignored);
      EXPECT_EQ(several.stats.flow_table.started, several.stats.flow_table.ended);
      EXPECT_TRUE(several.stats.ledger.Balances());
    }
  }
}

TEST(ParallelMeter, ErrorOfTheSourceComesAfterEverythingSeen) {
  const std::vector<Packet> sample = Sample();
  KeptPackets source(sample, 256, absl::DataLossError("cut"));
  const Outcome outcome = ByWorkers(source, 2);
  EXPECT_TRUE(absl::IsDataLoss(outcome.status));
  EXPECT_EQ(PacketsIn(outcome.flows), 2698u);  // all but ARP
}

TEST(ParallelMeter, RecordsAreTheSameAlsoWhenTimesJumpBack) {
  for (const std::uint64_t seed : {9U, 10U, 11U}) {
    const std::vector<Packet> packets = Jumping(Sample(), seed);
    KeptPackets source(packets, 256);
    const Outcome one = ByPipeline(source);
    EXPECT_GT(one.stats.flow_table.time_backwards, 0u);
    for (const int workers : {1, 2, 7}) {
      KeptPackets again(packets, 100);
      const Outcome several = ByWorkers(again, workers);
      EXPECT_EQ(PacketsIn(several.flows), 2698u);
      EXPECT_EQ(several.flows, one.flows) << "seed " << seed << ", " << workers << " workers";
      EXPECT_EQ(several.stats.flow_table.time_backwards, one.stats.flow_table.time_backwards);
      for (const FlowRecord& flow : several.flows) EXPECT_LE(flow.first_seen, flow.last_seen);
    }
  }
}

TEST(ParallelMeter, ErrorOfTheSinkEndsTheRun) {
  const std::vector<Packet> sample = Sample();
  KeptPackets source(sample, 64);
  ParallelMeter meter(source, {.pipeline = Options(), .workers = 2});
  const absl::Status status =
      meter.Run([](std::span<const FlowRecord>) { return absl::CancelledError("enough"); });
  EXPECT_TRUE(absl::IsCancelled(status));
}

TEST(ParallelMeter, StopEndsTheFlowsThatAreThere) {
  const std::vector<Packet> sample = Sample();
  KeptPackets source(sample, 64);
  std::stop_source stop;
  stop.request_stop();
  ParallelMeter meter(source, {.workers = 2});
  EXPECT_TRUE(
      meter.Run([](std::span<const FlowRecord>) { return absl::OkStatus(); }, stop.get_token())
          .ok());
  EXPECT_EQ(meter.Stats().ledger.received, 0u);
}

TEST(ParallelMeter, NumberOfWorkersOutOfRangeIsRefused) {
  const std::vector<Packet> none;
  KeptPackets source(none, 1);
  for (const int workers : {0, -1, 257}) {
    ParallelMeter meter(source, {.workers = workers});
    const auto status = meter.Run([](std::span<const FlowRecord>) { return absl::OkStatus(); });
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << workers;
  }
}

}  // namespace
}  // namespace nta
