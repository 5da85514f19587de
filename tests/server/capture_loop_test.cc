#include "traffic/capture_loop.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "nta/capture/pcap_file_reader.h"
#include "nta/firewall/backend.h"
#include "nta/firewall/response.h"

namespace nta::server {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::StartsWith;

std::string Sample() { return NTA_TEST_DATA_DIR "/sample.pcap"; }

// The packets of the sample, then whatever `at_end` answers.
class SampleSource final : public PacketSource {
 public:
  explicit SampleSource(std::function<absl::StatusOr<ReadResult>()> at_end)
      : reader_(*PcapFileReader::Open(Sample())), at_end_(std::move(at_end)) {}

  absl::StatusOr<ReadResult> Read(PacketBatch& batch) override {
    const auto result = reader_->Read(batch);
    return result.ok() && *result == ReadResult::kEnd ? at_end_() : result;
  }
  CaptureStats Stats() const override { return reader_->Stats(); }
  bool is_live() const override { return false; }
  std::string name() const override { return "sample"; }

 private:
  std::unique_ptr<PcapFileReader> reader_;
  std::function<absl::StatusOr<ReadResult>()> at_end_;
};

class CaptureLoopTest : public testing::Test {
 protected:
  CaptureLoopOptions Options(CaptureKind kind) {
    CaptureLoopOptions options;
    options.source = "sample";
    options.kind = kind;
    options.retry_after = 1ms;
    options.alert_prefix = "run7-";
    options.pipeline.flow_table.events = FlowEventSelection::kAll;
    return options;
  }

  CaptureLoop Loop(CaptureLoopOptions options) {
    return CaptureLoop(std::move(options), writer_, sampler_,
                       [this](const Alert& alert) { alert_ids_.push_back(alert.id); });
  }

  // What one pass over the sample counts.
  CaptureStatus OnePass() {
    CaptureLoopOptions options = Options(CaptureKind::kFile);
    options.open = []() -> absl::StatusOr<std::unique_ptr<PacketSource>> {
      return PcapFileReader::Open(Sample());
    };
    StoreWriter writer(*store_);
    TrafficSampler sampler;
    CaptureLoop loop(std::move(options), writer, sampler, [](const Alert&) {});
    EXPECT_TRUE(loop.Open().ok());
    loop.Run({});
    return loop.status();
  }

  std::unique_ptr<Store> store_ = *Store::Open({.path = ":memory:"});
  StoreWriter writer_{*store_};
  TrafficSampler sampler_;
  std::vector<std::string> alert_ids_;
  std::stop_source stop_;
};

TEST_F(CaptureLoopTest, EndsWithItsFileAndHandsEveryFlowOn) {
  CaptureLoopOptions options = Options(CaptureKind::kFile);
  options.open = []() -> absl::StatusOr<std::unique_ptr<PacketSource>> {
    return PcapFileReader::Open(Sample());
  };
  CaptureLoop loop = Loop(std::move(options));
  ASSERT_TRUE(loop.Open().ok());
  loop.Run({});
  const CaptureStatus status = loop.status();
  EXPECT_EQ(status.state, CaptureState::kEnded);
  EXPECT_GT(status.ledger.received, 0U);
  EXPECT_TRUE(status.ledger.Balances());
  EXPECT_EQ(status.capture.received, status.ledger.received);
  EXPECT_GT(status.flow_table.ended, 0U);
  EXPECT_EQ(status.flow_table.active, 0U);
  EXPECT_EQ(status.store.queue, status.flow_table.ended);
  ASSERT_TRUE(loop.captured());
  EXPECT_LT(loop.captured()->since, loop.captured()->until);
}

TEST_F(CaptureLoopTest, LossesAreToldStageByStageAndWhatIsNotReadByName) {
  CaptureStatus status;
  status.source = "eth\"0";
  status.capture.dropped_buffer = 4;
  status.capture.dropped_interface = 1;
  status.capture.outages = 2;
  status.capture.outage_time = 90'500ms;
  status.decode_reasons = {{"unknown_ether_type", 7}, {"bad_udp_length", 2}};
  const std::string json = ToJson(status);
  EXPECT_THAT(json, HasSubstr(R"("source":"eth\"0")"));
  EXPECT_THAT(json, HasSubstr(R"("capture":{"received":0,"dropped_buffer":4,"dropped_interface":1,)"
                              R"("outages":2,"outage_seconds":90})"));
  EXPECT_THAT(json, HasSubstr(R"("decode_reasons":{"bad_udp_length":2,"unknown_ether_type":7})"));
}

TEST_F(CaptureLoopTest, AlertIdsAreThoseOfThisRun) {
  CaptureLoopOptions options = Options(CaptureKind::kFile);
  options.open = []() -> absl::StatusOr<std::unique_ptr<PacketSource>> {
    return PcapFileReader::Open(Sample());
  };
  CaptureLoop loop = Loop(std::move(options));
  ASSERT_TRUE(loop.Open().ok());
  loop.Run({});
  ASSERT_FALSE(alert_ids_.empty());
  for (const std::string& id : alert_ids_) EXPECT_THAT(id, StartsWith("run7-"));
  writer_.Run([] {
    std::stop_source ended;
    ended.request_stop();
    return ended.get_token();
  }());
  EXPECT_EQ(writer_.Stats().alerts_written, alert_ids_.size());
  EXPECT_THAT(store_->Alerts({})->alerts.at(0).id, StartsWith("run7-"));
}

// Alerts about traffic, but for their ends.
std::vector<Alert> AlertsOfSample(LiveDetection* detection) {
  const std::unique_ptr<Store> store = *Store::Open({.path = ":memory:"});
  StoreWriter writer(*store);
  TrafficSampler sampler;
  std::vector<Alert> alerts;
  CaptureLoopOptions options;
  options.kind = CaptureKind::kFile;
  options.pipeline.flow_table.events = FlowEventSelection::kAll;
  options.open = []() -> absl::StatusOr<std::unique_ptr<PacketSource>> {
    return PcapFileReader::Open(Sample());
  };
  CaptureLoop loop(std::move(options), writer, sampler, [&](const Alert& alert) {
    if (alert.state != AlertState::kClosed) alerts.push_back(alert);
  });
  if (detection != nullptr) loop.UseDetection(*detection);
  EXPECT_TRUE(loop.Open().ok());
  loop.Run({});
  return alerts;
}

TEST_F(CaptureLoopTest, WhoIsBlockedAndGoesOnIsNoNews) {
  const std::vector<Alert> unblocked = AlertsOfSample(nullptr);
  ASSERT_GE(unblocked.size(), 2U) << "a scan, and then another";
  const Alert& first = unblocked.front();
  ASSERT_TRUE(first.entity.source);

  MemoryBackend backend;
  nta::Response response(backend, {});
  LiveDetection detection;
  detection.SkipCut({.any = [&] { return response.MayBeCut(); },
                     .is_cut = [&](const FiveTuple& flow,
                                   Timestamp time) { return response.IsCut(flow, time); }});
  ASSERT_TRUE(response.Block({.address = *first.entity.source}, first.time).ok());
  // The kernel shows that it stands in the way.
  backend.Offer({.direction = RuleDirection::kIn,
                 .source = *first.entity.source,
                 .destination = *IpAddress::Parse("198.51.100.22"),
                 .protocol = kProtocolTcp,
                 .time = first.time},
                60);
  ASSERT_TRUE(response.AdvanceTo(first.time + 1ms).ok());
  const std::vector<Alert> blocked = AlertsOfSample(&detection);
  ASSERT_EQ(blocked.size(), 1U);
  EXPECT_EQ(blocked.front().id, first.id);
}

TEST_F(CaptureLoopTest, AnInterfaceThatGoesAwayIsOpenedAgainAndCountsGoOn) {
  CaptureLoopOptions options = Options(CaptureKind::kInterface);
  CaptureLoop* running = nullptr;
  int opened = 0;
  std::vector<std::string> states;
  options.open = [&]() -> absl::StatusOr<std::unique_ptr<PacketSource>> {
    ++opened;
    if (running != nullptr) states.push_back(std::string(ToString(running->status().state)));
    if (opened == 2 || opened == 3) return absl::NotFoundError("still away");
    if (opened == 5) stop_.request_stop();
    return std::make_unique<SampleSource>([]() -> absl::StatusOr<ReadResult> {
      return absl::UnavailableError("\"sample\" went away");
    });
  };
  CaptureLoop loop = Loop(std::move(options));
  ASSERT_TRUE(loop.Open().ok());
  running = &loop;
  loop.Run(stop_.get_token());
  const CaptureStatus once = OnePass();
  const CaptureStatus status = loop.status();
  EXPECT_EQ(opened, 5);
  EXPECT_THAT(states, testing::Each("failed"));
  EXPECT_EQ(status.ledger.received, 2 * once.ledger.received);
  EXPECT_TRUE(status.ledger.Balances());
  EXPECT_EQ(status.flow_table.ended, 2 * once.flow_table.ended);
}

TEST_F(CaptureLoopTest, AFailureIsAStateWithItsReason) {
  CaptureLoopOptions options = Options(CaptureKind::kFile);
  options.open = []() -> absl::StatusOr<std::unique_ptr<PacketSource>> {
    return std::make_unique<SampleSource>([]() -> absl::StatusOr<ReadResult> {
      return absl::DataLossError("the file ends inside a record");
    });
  };
  CaptureLoop loop = Loop(std::move(options));
  ASSERT_TRUE(loop.Open().ok());
  loop.Run({});
  EXPECT_EQ(loop.status().state, CaptureState::kFailed);
  EXPECT_EQ(loop.status().message, "the file ends inside a record");
  EXPECT_EQ(loop.status().ledger.received, OnePass().ledger.received);
  EXPECT_THAT(ToJson(loop.status()),
              HasSubstr(R"("kind":"file","state":"failed","message":"the file ends)"));
}

TEST_F(CaptureLoopTest, AStopEndsOpenFlows) {
  CaptureLoopOptions options = Options(CaptureKind::kInterface);
  options.pipeline.flow_table.idle_timeout = 24h;
  options.pipeline.flow_table.active_timeout = 24h;
  options.pipeline.flow_table.closed_timeout = 24h;
  options.open = [this]() -> absl::StatusOr<std::unique_ptr<PacketSource>> {
    return std::make_unique<SampleSource>([this]() -> absl::StatusOr<ReadResult> {
      stop_.request_stop();
      return ReadResult::kTimeout;
    });
  };
  CaptureLoop loop = Loop(std::move(options));
  ASSERT_TRUE(loop.Open().ok());
  loop.Run(stop_.get_token());
  EXPECT_GT(loop.status().flow_table.ended_forced, 0U);
  EXPECT_EQ(loop.status().store.queue, loop.status().flow_table.started);
}

TEST_F(CaptureLoopTest, ASourceThatDoesNotOpenIsTold) {
  CaptureLoopOptions options = Options(CaptureKind::kInterface);
  options.open = []() -> absl::StatusOr<std::unique_ptr<PacketSource>> {
    return absl::NotFoundError("no eth9");
  };
  CaptureLoop loop = Loop(std::move(options));
  EXPECT_EQ(loop.Open(), absl::NotFoundError("no eth9"));
}

TEST_F(CaptureLoopTest, WithoutASourceItHasEnded) {
  CaptureLoop loop = Loop(Options(CaptureKind::kFile));
  ASSERT_TRUE(loop.Open().ok());
  loop.Run({});
  EXPECT_EQ(loop.status().state, CaptureState::kEnded);
  EXPECT_NE(loop.status().message, "");
}

}  // namespace
}  // namespace nta::server
