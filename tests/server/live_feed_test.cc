#include "traffic/live_feed.h"

#include <array>
#include <memory>
#include <string>

#include "app_fixture.h"
#include "nta/capture/pcap_file_reader.h"

namespace nta::server {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

class LiveFeedTest : public AppTest {
 protected:
  LiveFeedTest() {
    Restart(Generous());
    AddUser("root", "admin");
    AddUser("alice", "viewer");
    CaptureLoopOptions options;
    options.source = "sample.pcap";
    options.open = []() -> absl::StatusOr<std::unique_ptr<PacketSource>> {
      return PcapFileReader::Open(NTA_TEST_DATA_DIR "/sample.pcap");
    };
    capture_loop_ =
        std::make_unique<CaptureLoop>(std::move(options), writer_, sampler_, [](const Alert&) {});
    EXPECT_TRUE(capture_loop_->Open().ok());
    feed_ = std::make_unique<LiveFeed>(*services_, *capture_loop_, sampler_, connections_, pool_);
  }
  ~LiveFeedTest() override { pool_.Drain(60s); }

  // A stream of alice, signed in afresh.
  std::shared_ptr<StreamClient> OpenStream() {
    const std::string token = SignIn("alice").access;
    const std::string ticket =
        TextMember(Call("POST", "/api/v1/stream/ticket", token).body, "ticket");
    return Call("GET", "/api/v1/stream?ticket=" + ticket).stream;
  }

  static std::size_t Count(const std::string& text, const std::string& what) {
    std::size_t found = 0;
    for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1))
      ++found;
    return found;
  }

  void Tick(Duration passed = 1s) {
    Pass(passed);
    feed_->Tick();
    ASSERT_TRUE(pool_.Drain(60s));
  }

  static std::string Read(StreamClient& client, bool* ended = nullptr) {
    std::string text;
    std::array<char, 4096> buffer{};
    while (true) {
      const auto result = client.Read(
          buffer.data(), buffer.size(), [] {}, [] {});
      if (ended != nullptr) *ended = result.state == StreamClient::ReadState::kEnd;
      if (result.state != StreamClient::ReadState::kData) return text;
      text.append(buffer.data(), result.size);
    }
  }

  StoreWriter writer_{*store_};
  TrafficSampler sampler_;
  std::unique_ptr<CaptureLoop> capture_loop_;
  Connections connections_;
  WorkerPool pool_{1, 16};
  std::unique_ptr<LiveFeed> feed_;
};

TEST_F(LiveFeedTest, PublishesEachSampleOnceAndTheEndOfTheCapture) {
  const auto early = OpenStream();
  capture_loop_->Run({});
  const std::size_t samples = sampler_.Samples(Timestamp::min()).size();
  ASSERT_GT(samples, 0U);
  Tick();
  const auto late = OpenStream();
  Tick();
  const std::string live = Read(*early);
  EXPECT_THAT(live,
              HasSubstr("event: talkers\ndata: {\"window_seconds\":60,\"talkers\":[{\"address\""));
  EXPECT_THAT(live, HasSubstr("event: capture\n"));
  EXPECT_THAT(live, HasSubstr(R"("state":"ended")"));
  EXPECT_THAT(live, HasSubstr("event: sample\n"));
  const std::string hello = Read(*late);
  EXPECT_EQ(Count(hello, "\"time\":"), samples);
  EXPECT_THAT(hello, Not(HasSubstr("event: sample\n")));
}

TEST_F(LiveFeedTest, SendsTalkersEveryTwoSecondsAndAHeartbeatEveryFifteen) {
  Tick();
  const auto client = OpenStream();
  Read(*client);
  std::string text;
  for (int second = 0; second < 30; ++second) {
    Tick();
    text += Read(*client);
  }
  EXPECT_EQ(Count(text, "event: talkers"), 15U);
  EXPECT_EQ(Count(text, ": still here"), 2U);
}

TEST_F(LiveFeedTest, EndsTheStreamOfAUserWhoWasDeletedElsewhere) {
  const auto client = OpenStream();
  bool ended = false;
  Tick();
  Read(*client, &ended);
  EXPECT_FALSE(ended);
  ASSERT_TRUE(store_->RemoveUser("alice").ok());
  Tick();
  Read(*client, &ended);
  EXPECT_TRUE(ended);
}

TEST_F(LiveFeedTest, MarksWhatWasCapturedSoThatSilenceIsNotAbsence) {
  capture_loop_->Run({});
  const TimeInterval captured = *capture_loop_->captured();
  Tick(5s);
  const auto series =
      store_->Series({.interval = {captured.since, captured.until}, .by = SeriesBy::kNone});
  ASSERT_TRUE(series.ok()) << series.status();
  const auto around = store_->Series(
      {.interval = {captured.since - 10min, captured.until + 10min}, .by = SeriesBy::kNone});
  ASSERT_TRUE(around.ok());
  EXPECT_FALSE(around->lines.empty() ? false : around->lines[0].values.front().has_value());
  ASSERT_FALSE(series->lines.empty());
  for (const auto& value : series->lines[0].values) EXPECT_TRUE(value.has_value());
  EXPECT_TRUE(services_->store_health.is_well());
}

}  // namespace
}  // namespace nta::server
